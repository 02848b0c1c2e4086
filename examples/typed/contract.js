// What both ends agree on. The server, the page and the tour import this one file.

import { defineContract, procedure } from '@token-socket/contract'
import { z } from 'zod'

const text = z.string().trim().min(1).max(200)
const topic = z.string().regex(/^[a-z]{1,20}$/, 'a word of small letters')

export const contract = defineContract({
  // What clients call. Without `output` it is a message that is not answered.
  server: {
    sayHello: procedure({ input: z.object({ name: text }) }),
    subscribeToNotifications: procedure({ input: z.object({ topic }) }),
    announce: procedure({
      input: z.object({ topic, message: text }),
      output: z.object({ reached: z.number() }),
      errors: { no_listener: z.object({ topic }) },
    }),
    cutTheLine: procedure(),
  },
  // What the server calls.
  client: {
    sendGreeting: procedure({ input: z.object({ greeting: z.string() }) }),
    sendNotification: procedure({ input: z.object({ topic, message: z.string() }) }),
  },
})
