import type { StandardSchemaV1 } from '@standard-schema/spec'

/**
 * Any schema of Standard Schema, version 1 (https://standardschema.dev), such as one of Zod,
 * Valibot or ArkType. `Input` is the sender's value, which is sent as it is. `Output` is the
 * receiver's value, after transforms.
 */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** A schema's result for a value. */
export type SchemaResult = StandardSchemaV1.Result<unknown>

/** A schema's issue with a value. */
export type SchemaIssue = StandardSchemaV1.Issue

/**
 * Any schema, by the type of its sender's value. It saves the compiler two conditional types of
 * {@link Sent}.
 */
export interface Sends<Input> {
  readonly '~standard': { readonly types?: { readonly input: Input } | undefined }
}

/** Any schema, by the type of its receiver's value. */
export interface Gives<Output> {
  readonly '~standard': { readonly types?: { readonly output: Output } | undefined }
}

/** The sender's type for a schema; `undefined` without one. */
export type Sent<S> = S extends Sends<infer Input> ? Input : undefined

/** The receiver's type for a schema; `undefined` without one. */
export type Received<S> = S extends Gives<infer Output> ? Output : undefined

/** Identifies schemas that check nothing, also those of another copy of this package. */
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

/** Returns whether a schema checks nothing, so that it can be skipped. */
export function isUnchecked(schema: Schema): boolean {
  return schema['~standard'].vendor === VENDOR
}

/** Returns whether a value is a schema: an object or a function with a `~standard` of version 1. */
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
