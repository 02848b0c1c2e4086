import type { StandardSchemaV1 } from '@standard-schema/spec'

/**
 * Any schema that follows Standard Schema, version 1 (https://standardschema.dev), such as one of
 * Zod, Valibot or ArkType. `Input` is what the sender passes and what travels; `Output` is what the
 * receiver gets, after transforms.
 */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** What a schema answers about a value. */
export type SchemaResult = StandardSchemaV1.Result<unknown>

/** What a schema has to say against a value. */
export type SchemaIssue = StandardSchemaV1.Issue

/**
 * Any schema, by the type that its sender passes. Two conditional types fewer than {@link Sent}
 * cost the compiler.
 */
export interface Sends<Input> {
  readonly '~standard': { readonly types?: { readonly input: Input } | undefined }
}

/** Any schema, by the type that its receiver gets. */
export interface Gives<Output> {
  readonly '~standard': { readonly types?: { readonly output: Output } | undefined }
}

/** What a sender passes for a schema; `undefined` without one. */
export type Sent<S> = S extends Sends<infer Input> ? Input : undefined

/** What a receiver gets for a schema; `undefined` without one. */
export type Received<S> = S extends Gives<infer Output> ? Output : undefined

/** By which schemas that check nothing are known, also those of another copy of this package. */
const VENDOR = 'token-socket'

/**
 * A type without a check: what arrives is taken as it is.
 *
 * @example
 * const add = procedure({ input: type<{ a: number; b: number }>(), output: type<number>() })
 */
export function type<T>(): Schema<T> {
  return { '~standard': { version: 1, vendor: VENDOR, validate: (value) => ({ value: value as T }) } }
}

/** Whether a schema checks nothing, so that it need not be asked. */
export function isUnchecked(schema: Schema): boolean {
  return schema['~standard'].vendor === VENDOR
}

/** Whether a value is a schema: an object or a function with a `~standard` of version 1. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard: unknown = Reflect.get(value, '~standard')
  return (
    typeof standard === 'object' &&
    standard !== null &&
    Reflect.get(standard, 'version') === 1 &&
    typeof Reflect.get(standard, 'validate') === 'function'
  )
}
