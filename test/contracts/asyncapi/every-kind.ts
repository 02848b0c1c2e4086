/** A contract with every kind of type that JSON Schema has a word for. */
import { defineContract, procedure, type } from '@token-socket/contract'
import { z } from 'zod'

const Person = z.object({ name: z.string(), age: z.int().min(0).optional() }).meta({ id: 'Person' })

const Folder = z.object({
  name: z.string(),
  get folders() {
    return z.array(Folder)
  },
})

export const contract = defineContract({
  server: {
    sayHello: procedure({ input: z.object({ name: z.string().describe('Who says */ hello') }) }),
    ping: procedure({}),
    nested: {
      add: procedure({
        input: z.object({ a: z.number(), b: z.number() }),
        output: z.number(),
        errors: { sold_out: z.object({ left: z.number() }), too_late: z.string() },
      }),
      deep: {
        kinds: procedure({
          input: z.object({
            text: z.string().min(2).max(5),
            'quoted "name"': z.boolean(),
            optional: z.string().optional(),
            defaulted: z.string().default('x'),
            nullable: z.number().nullable(),
            literal: z.literal('a'),
            literals: z.literal(['a', 1, true, null]),
            choice: z.enum(['x', 'y']),
            union: z.union([z.string(), z.object({ k: z.literal('q') })]),
            shapes: z.discriminatedUnion('kind', [
              z.object({ kind: z.literal('circle'), radius: z.number().positive() }),
              z.object({ kind: z.literal('square'), side: z.number() }),
            ]),
            list: z.array(z.string()).min(1).max(3),
            pair: z.tuple([z.string(), z.number()]),
            rest: z.tuple([z.string()], z.number()),
            record: z.record(z.string(), z.number()),
            fixed: z.record(z.enum(['a', 'b']), z.number()),
            open: z.looseObject({ id: z.string() }),
            closed: z.strictObject({ id: z.string() }),
            anything: z.unknown(),
            nothing: z.null(),
          }),
          output: z.array(Person),
        }),
      },
    },
    formats: procedure({
      input: z.object({
        at: z.iso.datetime(),
        day: z.iso.date(),
        mail: z.email(),
        id: z.uuid(),
        code: z.string().regex(/^[A-Z]{2}\d+$/),
        whole: z.int().min(1).max(10),
        step: z.number().multipleOf(0.5),
        exclusive: z.number().gt(0).lt(1),
      }),
      output: z.iso.datetime(),
    }),
    befriend: procedure({ input: z.object({ from: Person, to: Person }), output: Person.nullable() }),
    tree: procedure({ input: Folder, output: z.boolean() }),
    find: procedure({ input: z.string().optional(), output: z.array(z.tuple([z.string(), Person])) }),
  },
  client: {
    sendGreeting: procedure({ input: z.object({ greeting: z.string() }) }),
    ask: procedure({ input: z.enum(['yes', 'no']), output: z.union([z.string(), z.null()]) }),
  },
  both: { move: procedure({ input: z.object({ x: z.number(), y: z.number() }) }) },
  channels: {
    'room-{id}': {
      events: { say: z.object({ text: z.string() }), 'is typing': z.boolean() },
      presence: Person,
    },
    news: { events: { headline: z.string() } },
  },
})

/** A contract with a type that nothing describes. */
export const unchecked = defineContract({ server: { log: procedure({ input: type<Date>() }) } })
