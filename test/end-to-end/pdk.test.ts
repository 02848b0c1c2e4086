/** Each row of docs/PDK.md, done. */
import { readFileSync } from 'node:fs'
import { defineContract, procedure } from '@token-socket/contract'
import { type ConnectOptions, connect } from '@token-socket/contract/client'
import { implement } from '@token-socket/contract/server'
import type { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { z } from 'zod'
import { rejection, type Site, turn, until, useSites } from './fixture.js'

const text = readFileSync(new URL('../../docs/PDK.md', import.meta.url), 'utf8')

/** The first cells of the table. */
const documented = [...text.matchAll(/^\| (.+?) \| .+ \|$/gm)]
  .map(([, cell = '']) => cell)
  .filter((cell) => cell !== 'generated client')

const contract = defineContract({
  server: {
    sayHello: procedure({ input: z.object({ name: z.string() }) }),
    subscribeToNotifications: procedure({ input: z.object({ topic: z.string() }) }),
    add: procedure({ input: z.object({ a: z.number(), b: z.number() }), output: z.number() }),
  },
  client: {
    sendGreeting: procedure({ input: z.object({ greeting: z.string() }) }),
    sendNotification: procedure({ input: z.object({ message: z.string() }) }),
  },
  both: { move: procedure({ input: z.object({ x: z.number() }) }) },
})

/** As the document keeps the name of a generated client. */
const DefaultApiWebSocketClient = { connect: (options: ConnectOptions) => connect(contract, options) }

describe('coming from a generated WebSocket client', () => {
  const start = useSites()
  let site: Site
  /** What the server's functions were called with. */
  const heard: unknown[] = []
  /** The calls of those who subscribed, by their connections' ids. */
  const subscribers = new Map<string, (message: string) => unknown>()

  beforeEach(async () => {
    heard.length = 0
    subscribers.clear()
    site = await start({
      socketController: implement(contract, {
        sayHello(input, { client }) {
          heard.push(input)
          client.sendGreeting({ greeting: `Hello ${input.name}` })
        },
        subscribeToNotifications(input, { client, socket }) {
          heard.push(input)
          subscribers.set(socket.sid, (message) => client.sendNotification({ message }))
        },
        add: ({ a, b }) => a + b,
        move: (input) => void heard.push(input),
      }),
    })
  })

  const ends: (() => unknown)[] = []
  afterEach(() => Promise.all(ends.splice(0).map((end) => end())))

  async function open(options: ConnectOptions = {}) {
    const client = await DefaultApiWebSocketClient.connect({
      url: `ws://${site.host}`,
      logLevel: 'none',
      ...options,
    })
    ends.push(() => client.$socket.end())
    return client
  }

  /** Breaks every connection; clients come back. */
  const breakLines = () => site.sockets.sockets().forEach((socket) => void socket.end())

  const rows: Readonly<Record<string, () => Promise<void>>> = {
    '`DefaultApiWebSocketClient.connect({ url })`': async () => {
      expect((await open()).$socket.state).to.equal('ready')
      const closed = await start({ authentication: () => false })
      expect((await rejection(connect(contract, { url: closed.url, logLevel: 'none' }))).code).to.equal(
        'token_refused',
      )
    },
    'reconnecting when disconnected': async () => {
      const client = await open()
      breakLines()
      await new Promise((resolve) => client.$socket.once('reconnect', resolve))
      expect(await client.add({ a: 1, b: 1 })).to.equal(2)
    },
    'a client for Node and browsers': async () => {
      // The typed example's tests run the other half.
      expect(globalThis.document).to.equal(undefined)
      await open()
    },
    "no `authentication`, or `'none'`": async () => {
      await open({ authentication: { session: true } })
      const guests = await start({ connectAuthentication: () => ({ name: 'guest' }) })
      const client = await open({ url: `ws://${guests.host}`, authentication: 'none' })
      expect(guests.sockets.sockets()[0]?.auth).to.deep.equal({ name: 'guest' })
      await client.$socket.end()
    },
    '`authentication: { iam }`': async () => {
      // A recipe's own test signs with AWS's algorithm; here is how the hook is used.
      const signed = await start({
        connectAuthentication: ({ url }) => String(url).includes('X-Amz-Signature=abc') && { name: 'iam' },
      })
      const custom = ({ url }: { url: string }) => ({ url: `${url}?X-Amz-Signature=abc` })
      const client = await open({ url: `ws://${signed.host}`, authentication: { custom } })
      await client.$socket.end()
      const wrong = { custom: ({ url }: { url: string }) => ({ url: `${url}?X-Amz-Signature=no` }) }
      await rejection(open({ url: `ws://${signed.host}`, authentication: wrong }))
    },
    '`authentication: { custom: async ({ url }) => ({ url }) }`': async () => {
      const asked: string[] = []
      const tokens = await start({
        connectAuthentication: ({ url }) => String(url).includes('myJwtToken=right') && { name: 'jwt' },
      })
      const custom = async ({ url }: { url: string }) => {
        asked.push(url)
        return { url: `${url}?myJwtToken=right` }
      }
      const client = await open({ url: `ws://${tokens.host}`, authentication: { custom } })
      for (const socket of tokens.sockets.sockets()) socket.end()
      await new Promise((resolve) => client.$socket.once('reconnect', resolve))
      expect(asked).to.deep.equal(['', ''].map(() => `ws://${tokens.host}/sockets/websocket`))
      await client.$socket.end()
    },
    '`await client.sayHello({ name: "Jack" })`': async () => {
      const client = await open()
      expect(await client.sayHello({ name: 'Jack' })).to.equal(undefined)
      await until(() => heard.length)
      expect(heard).to.deep.equal([{ name: 'Jack' }])
      expect(await client.add({ a: 1, b: 2 })).to.equal(3)
    },
    'queueing while reconnecting': async () => {
      const client = await open({ queueSize: 1 })
      const errors: string[] = []
      client.$onError(({ code }) => errors.push(code))
      await client.$disconnect()
      const sent = client.sayHello({ name: 'first' })
      expect((await rejection(client.sayHello({ name: 'second' }))).code).to.equal('queue_full')
      expect(errors).to.deep.equal(['queue_full'])
      await client.$connect()
      await sent
      await until(() => heard.length)
      expect(heard).to.deep.equal([{ name: 'first' }])
    },
    '`await client.onSendGreeting((input) => …)`': async () => {
      const client = await open()
      const got: string[] = []
      await client.onSendGreeting((input) => got.push(input.greeting))
      client.onSendGreeting((input) => got.push(input.greeting))
      await client.sayHello({ name: 'Jack' })
      await until(() => got.length === 2)
      expect(got).to.deep.equal(['Hello Jack', 'Hello Jack'])
    },
    '`unlistenToGreetings()`': async () => {
      const client = await open()
      const got: string[] = []
      const unlistenToGreetings = await client.onSendGreeting((input) => got.push(input.greeting))
      const others = client.onSendGreeting((input) => got.push(`other ${input.greeting}`))
      unlistenToGreetings()
      await client.sayHello({ name: 'Jack' })
      await until(() => got.length)
      expect(got).to.deep.equal(['other Hello Jack'])
      others()
    },
    'bidirectional operations': async () => {
      const client = await open()
      const got: unknown[] = []
      client.onMove((input) => got.push(input))
      await client.move({ x: 1 })
      await until(() => heard.length)
      const [socket] = site.sockets.sockets()
      socket?.notify('move', { x: 2 })
      await until(() => got.length)
      expect([heard, got]).to.deep.equal([[{ x: 1 }], [{ x: 2 }]])
    },
    '`client.$withReconnect(async () => …)`': async () => {
      const client = await open()
      client.$withReconnect(async () => {
        await client.subscribeToNotifications({ topic: 'foo' })
      })
      await until(() => heard.length === 1)
      breakLines()
      await new Promise((resolve) => client.$socket.once('disconnect', resolve))
      client.sayHello({ name: 'queued' })
      await until(() => heard.length === 3)
      expect(heard).to.deep.equal([{ topic: 'foo' }, { topic: 'foo' }, { name: 'queued' }])
    },
    '`unlistenToReconnect()`': async () => {
      const client = await open()
      const unlistenToReconnect = client.$withReconnect(() =>
        client.subscribeToNotifications({ topic: 'foo' }),
      )
      await until(() => heard.length)
      unlistenToReconnect()
      breakLines()
      await new Promise((resolve) => client.$socket.once('reconnect', resolve))
      await client.add({ a: 1, b: 1 })
      expect(heard).to.have.length(1)
    },
    '`client.$onError(({ message }) => …)`': async () => {
      const client = await open({ checkSent: false })
      const told = new Promise<RpcError>((resolve) => client.$onError(resolve))
      await client.sayHello({ name: 5 as never })
      const { code, data, message } = await told
      expect(message).to.include('sayHello')
      expect(code).to.equal('invalid_input')
      expect(data).to.have.property('function', 'sayHello')
      expect(data).to.have.deep.nested.property('issues[0].path', ['name'])
    },
    '`unlistenToErrors()`': async () => {
      const client = await open()
      const errors: unknown[] = []
      const unlistenToErrors = client.$onError((error) => errors.push(error))
      unlistenToErrors()
      await rejection(client.sayHello({ name: 5 as never }))
      await turn()
      expect(errors).to.deep.equal([])
    },
    'validation by the service': async () => {
      const client = await open({ checkSent: false })
      const errors: RpcError[] = []
      client.$onError((error) => errors.push(error))
      expect((await rejection(client.add({ a: 1, b: '2' as never }))).code).to.equal('invalid_input')
      client.onSendGreeting(() => errors.push(new Error('it was heard') as never))
      site.sockets.sockets()[0]?.notify('sendGreeting', { greeting: 5 })
      await until(() => errors.length)
      expect(errors.map(({ code }) => code)).to.deep.equal(['invalid_input'])
    },
    'storing a connection id to notify it later': async () => {
      const client = await open()
      const got: string[] = []
      client.onSendNotification((input) => got.push(input.message))
      await client.subscribeToNotifications({ topic: 'foo' })
      await until(() => subscribers.size)
      subscribers.get(String(client.$socket.sid))?.('later')
      await until(() => got.length)
      expect(got).to.deep.equal(['later'])
    },
  }

  for (const [title, run] of Object.entries(rows)) it(title, run)

  it('has a test for each row of docs/PDK.md, and no other', () => {
    expect(Object.keys(rows)).to.have.members(documented)
  })
})
