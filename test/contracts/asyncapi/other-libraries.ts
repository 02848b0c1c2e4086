/** A contract with schemas of libraries besides Zod. */
import { defineContract, procedure } from '@token-socket/contract'
import { type as arktype } from 'arktype'
import * as v from 'valibot'

export const others = defineContract({
  server: {
    arktype: procedure({
      input: arktype({
        name: '2 <= string <= 5',
        'age?': 'number.integer >= 0',
        kind: "'a' | 'b' | 1",
        tags: 'string[]',
        pair: ['string', 'number'],
        maybe: 'string | null',
        inner: { deep: 'boolean' },
      }),
    }),
    valibot: procedure({
      input: v.object({
        name: v.pipe(v.string(), v.minLength(2)),
        age: v.optional(v.number()),
        kind: v.picklist(['a', 'b']),
        tags: v.array(v.string()),
        // A plain tuple accepts further elements, and its JSON Schema says so.
        pair: v.strictTuple([v.string(), v.number()]),
        maybe: v.nullable(v.string()),
        counts: v.record(v.string(), v.number()),
        choice: v.union([v.literal('x'), v.object({ y: v.boolean() })]),
      }),
    }),
  },
})
