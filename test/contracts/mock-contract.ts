/** A contract that the tests of mocks share. */
import { defineContract, procedure, type } from '@token-socket/contract'
import { z } from 'zod'

const Order = z.object({ order: z.int().min(1), item: z.string().min(1), when: z.iso.datetime() })

export const contract = defineContract({
  server: {
    sayHello: procedure({ input: z.object({ name: z.string() }) }),
    greet: procedure({ input: z.object({ name: z.string() }), output: z.string().min(3) }),
    shop: {
      buy: procedure({
        input: z.object({ item: z.string() }),
        output: Order,
        errors: { sold_out: z.object({ left: z.int().max(0) }) },
      }),
      list: procedure({ output: z.array(Order).min(2) }),
    },
    unknown: procedure({ output: type<{ a: number }>() }),
    since: procedure({ input: z.iso.datetime().transform((text) => new Date(text)), output: z.number() }),
  },
  client: {
    sendGreeting: procedure({ input: z.object({ greeting: z.string() }) }),
    confirm: procedure({ input: z.string(), output: z.boolean() }),
  },
  both: { move: procedure({ input: z.object({ x: z.number() }) }) },
  channels: {
    'room-{id}': {
      events: { say: z.object({ text: z.string() }) },
      presence: z.object({ name: z.string() }),
    },
    news: { events: { item: z.string() } },
  },
})
