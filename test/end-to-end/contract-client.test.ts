/** A client of a contract, against a server of plain functions. */
import { defineContract, procedure, type } from '@token-socket/contract'
import { type ConnectOptions, connect } from '@token-socket/contract/client'
import { expect } from 'chai'
import { z } from 'zod'
import { type Site, until, useSites } from './fixture.js'

const contract = defineContract({
  server: {
    sayHello: procedure({ input: z.object({ name: z.string() }) }),
    nested: {
      deep: { add: procedure({ input: z.object({ a: z.number(), b: z.number() }), output: z.number() }) },
    },
    now: procedure({ output: z.coerce.date() }),
    buy: procedure({
      input: type<{ item: string }>(),
      output: type<{ order: number }>(),
      errors: { sold_out: z.object({ left: z.number() }) },
    }),
  },
  client: {
    sendGreeting: procedure({ input: z.object({ greeting: z.string() }) }),
    deep: { note: procedure({ input: z.string() }) },
    ask: procedure({
      input: z.object({ question: z.string() }),
      output: z.string(),
      errors: { rude: z.object({ word: z.string() }) },
    }),
  },
  both: { move: procedure({ input: z.object({ x: z.number() }) }) },
  channels: {
    'room-{id}': {
      events: { say: z.object({ text: z.string() }), typing: type<undefined>() },
      presence: z.object({ name: z.string() }),
    },
  },
})

describe('a client of a contract', () => {
  const start = useSites()
  let site: Site
  const heard: unknown[] = []
  const functions = {
    sayHello: (_auth: unknown, data: unknown) => void heard.push(data),
    move: (_auth: unknown, data: unknown) => void heard.push(data),
    nested: { deep: { add: (_auth: unknown, { a, b }: { a: number; b: number }) => a + b } },
    now: () => 0,
  }

  beforeEach(async () => {
    heard.length = 0
    site = await start({ socketController: functions })
  })

  const clients: { readonly $socket: { end(): unknown } }[] = []
  afterEach(() => Promise.all(clients.splice(0).map(({ $socket }) => $socket.end())))
  async function open(options: ConnectOptions = {}) {
    const client = await connect(contract, { url: `ws://${site.host}`, ...options })
    clients.push(client)
    return client
  }

  it('calls', async () => {
    const client = await open()
    expect(await client.nested.deep.add({ a: 1, b: 2 })).to.equal(3)
    expect(await client.now()).to.deep.equal(new Date(0))
    await client.sayHello({ name: 'Jack' })
    await until(() => heard.length)
    expect(heard).to.deep.equal([{ name: 'Jack' }])
  })
})
