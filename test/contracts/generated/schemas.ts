/** The schema of a shape in each library. */
import type { Schema } from '@token-socket/contract'
import { type Type, type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import type { Shape } from './shape.js'

/** The libraries, and how each says a shape. */
export const LIBRARIES: Readonly<Record<string, (shape: Shape) => Schema>> = {
  zod: (shape) => zodOf(shape),
  valibot: (shape) => valibotOf(shape),
  arktype: (shape) => arkTypeOf(shape) as unknown as Schema,
}

function zodOf(shape: Shape): z.ZodType {
  switch (shape.kind) {
    case 'string':
      return z.string().min(shape.min).max(shape.max)
    case 'number': {
      const number = z.number().min(shape.min).max(shape.max)
      return shape.isInteger ? number.int() : number
    }
    case 'boolean':
      return z.boolean()
    case 'null':
      return z.null()
    case 'literal':
      return z.literal([...shape.values])
    case 'array':
      return z.array(zodOf(shape.of)).min(shape.min).max(shape.max)
    case 'tuple':
      return z.tuple(shape.parts.map(zodOf) as [z.ZodType, ...z.ZodType[]])
    case 'record':
      return z.record(z.string(), zodOf(shape.of))
    case 'union':
      return z.union(shape.options.map(zodOf))
    case 'object': {
      const fields = shape.fields.map(({ name, shape: of, isOptional }) => {
        const field = zodOf(of)
        return [name, isOptional ? field.optional() : field] as const
      })
      return (shape.isStrict ? z.strictObject : z.object)(Object.fromEntries(fields))
    }
  }
}

type AnyValibot = v.GenericSchema

function valibotOf(shape: Shape): AnyValibot {
  switch (shape.kind) {
    case 'string':
      return v.pipe(v.string(), v.minLength(shape.min), v.maxLength(shape.max))
    case 'number': {
      const bounds = [v.minValue<number, number>(shape.min), v.maxValue<number, number>(shape.max)] as const
      return shape.isInteger ? v.pipe(v.number(), v.integer(), ...bounds) : v.pipe(v.number(), ...bounds)
    }
    case 'boolean':
      return v.boolean()
    case 'null':
      return v.null()
    case 'literal':
      return v.union(shape.values.map((value) => v.literal(value)))
    case 'array':
      return v.pipe(v.array(valibotOf(shape.of)), v.minLength(shape.min), v.maxLength(shape.max))
    case 'tuple':
      return v.strictTuple(shape.parts.map(valibotOf) as [AnyValibot, ...AnyValibot[]])
    case 'record':
      return v.record(v.string(), valibotOf(shape.of))
    case 'union':
      return v.union(shape.options.map(valibotOf))
    case 'object': {
      const fields = shape.fields.map(({ name, shape: of, isOptional }) => {
        const field = valibotOf(of)
        return [name, isOptional ? v.optional(field) : field] as const
      })
      return shape.isStrict
        ? v.strictObject(Object.fromEntries(fields))
        : v.object(Object.fromEntries(fields))
    }
  }
}

type AnyArkType = Type<unknown>

function arkTypeOf(shape: Shape): AnyArkType {
  switch (shape.kind) {
    case 'string':
      return type.raw(`${shape.min} <= string <= ${shape.max}`) as AnyArkType
    case 'number':
      return type.raw(
        `${shape.min} <= ${shape.isInteger ? 'number.integer' : 'number'} <= ${shape.max}`,
      ) as AnyArkType
    case 'boolean':
      return type('boolean') as AnyArkType
    case 'null':
      return type('null') as AnyArkType
    case 'literal':
      return type.enumerated(...shape.values) as AnyArkType
    case 'array':
      return arkTypeOf(shape.of).array().atLeastLength(shape.min).atMostLength(shape.max) as AnyArkType
    case 'tuple':
      return type.raw(shape.parts.map(arkTypeOf)) as AnyArkType
    case 'record':
      return type.raw({ '[string]': arkTypeOf(shape.of) }) as AnyArkType
    case 'union':
      return type.raw(shape.options.map(arkTypeOf).reduce((left, right) => left.or(right))) as AnyArkType
    case 'object': {
      const fields = shape.fields.map(
        ({ name, shape: of, isOptional }) => [isOptional ? `${name}?` : name, arkTypeOf(of)] as const,
      )
      const rest = shape.isStrict ? [['+', 'reject'] as const] : []
      return type.raw(Object.fromEntries([...rest, ...fields])) as AnyArkType
    }
  }
}
