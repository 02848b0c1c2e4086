/** The contract that the tests of types use: a bit of everything that a contract can say. */

import { defineContract, procedure, type } from '@token-socket/contract'
import { type as ark } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'

export interface Point {
  readonly x: number
  readonly y: number
}

export const contract = defineContract({
  server: {
    // One-way, a call without an input, one whose input may be left out, and one of a union.
    sayHello: procedure({ input: z.object({ name: z.string() }) }),
    wake: procedure(),
    time: procedure({ output: type<number>() }),
    search: procedure({ input: z.object({ text: z.string() }).optional(), output: z.array(z.string()) }),
    area: procedure({
      input: type<{ kind: 'circle'; radius: number } | { kind: 'square'; side: number }>(),
      output: type<number | null>(),
    }),
    // What travels is not what arrives.
    schedule: procedure({
      input: z.object({
        at: z.string().transform((text) => new Date(text)),
        zone: z.string().default('UTC'),
      }),
      output: z.object({ day: z.number().transform(String) }),
    }),
    a: { b: { c: { deep: procedure({ input: type<Point>(), output: type<'deep'>() }) } } },
    shop: {
      buy: procedure({
        input: v.object({ item: v.string(), count: v.optional(v.number()) }),
        output: v.object({
          order: v.pipe(
            v.number(),
            v.transform((number) => BigInt(number)),
          ),
        }),
        errors: {
          sold_out: z.object({ left: z.number() }),
          closed: type<undefined>(),
          late: type<{ by: string }>(),
        },
      }),
      price: procedure({
        input: ark({ item: 'string', 'currency?': "'EUR' | 'USD'" }),
        output: ark('number'),
      }),
    },
  },
  client: {
    sendGreeting: procedure({ input: z.object({ greeting: z.coerce.date() }) }),
    ask: procedure({
      input: type<string>(),
      output: z.boolean(),
      errors: { busy: type<{ until: number }>() },
    }),
    news: { flash: procedure({ input: type<string>() }), vote: procedure({ output: type<'yes' | 'no'>() }) },
  },
  both: {
    move: procedure({ input: type<Point>() }),
    sum: procedure({ input: type<readonly number[]>(), output: type<number>() }),
  },
  channels: {
    'room-{id}': {
      events: { say: z.object({ text: z.string(), at: z.coerce.number() }), clear: type<undefined>() },
      presence: z.object({ name: z.string(), since: z.string().transform(Number) }),
    },
    'tenant-{tenant}-room-{room}': { events: { say: type<string>() } },
    news: { events: { headline: type<string>() } },
  },
})

export type Example = typeof contract
