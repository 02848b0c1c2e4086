/** A server in memory: its sockets, as handlers use them, and what clients send beyond what a contract makes them send. */
import { TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { defineContract, procedure } from '@token-socket/contract'
import { typed } from '@token-socket/contract/client'
import { type MockServerOptions, mockServer } from '@token-socket/contract/mock'
import type { ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { z } from 'zod'
import { errorOf, until } from '../client/waiting.js'

const contract = defineContract({
  server: {
    act: procedure({ input: z.string(), output: z.unknown() }),
    note: procedure({ input: z.number() }),
  },
  client: { say: procedure({ input: z.number() }), ask: procedure({ output: z.number() }) },
  channels: {
    'room-{id}': { events: { say: z.string() }, presence: z.object({ name: z.string() }) },
    news: { events: { item: z.string() } },
  },
})

describe('a server in memory', () => {
  const ends: (() => unknown)[] = []

  afterEach(() => Promise.all(ends.splice(0).map((end) => end())))

  /** A mock whose `act` does what a test says with the caller's socket. */
  function start(act: (socket: ServerSocket, input: string) => unknown, options: object = {}) {
    const handlers = { act: (input: string, { socket }: { socket: ServerSocket }) => act(socket, input) }
    const mock = mockServer(contract, { handlers, ...options } as MockServerOptions<typeof contract>)
    ends.push(() => mock.close())
    return mock
  }

  /** A plain client of a mock. */
  async function open(mock: ReturnType<typeof start>, options: TokenSocketOptions = {}) {
    const { webSocket } = mock
    const socket = new TokenSocket({
      host: 'mock',
      token: 'mock',
      transports: ['websocket'],
      webSocket,
      ...options,
    })
    ends.push(() => socket.end())
    await socket.ready()
    return socket
  }

  it('has sockets that subscribe, unsubscribe and publish', async () => {
    const seen: unknown[] = []
    const mock = start(async (socket, input) => {
      if (input === 'on') await socket.subscribe('news')
      if (input === 'off') socket.unsubscribe('news')
      if (input === 'publish') await socket.publish('news', 'hello', { event: 'item' })
      return socket.channels
    })
    const socket = await open(mock)
    const client = typed(socket, contract)
    socket.bind('item', ({ data, meta }) => void seen.push([data, meta?.uid]))
    expect(await client.act('on')).to.deep.equal(['news'])
    expect(socket.channels()).to.deep.equal(['news'])
    await client.act('publish')
    await until(() => seen.length === 1)
    expect(seen).to.deep.equal([['hello', socket.uid]])
    expect(await client.act('off')).to.deep.equal([])
    expect(socket.channels()).to.deep.equal([])
  })

  it('has sockets that call their client, and end', async () => {
    const mock = start(async (socket, input) => {
      if (input === 'call') return socket.rpc('ask', undefined, { timeout: 5000 })
      return socket.end({ reconnect: input === 'come back' })
    })
    const socket = await open(mock)
    const client = typed(socket, contract)
    client.handle({ ask: () => 7 })
    expect(await client.act('call')).to.equal(7)
    const states: string[] = []
    socket.on('error', () => {})
    socket.on('state', (state) => void states.push(state))
    expect((await errorOf(client.act('come back'))).code).to.equal('connection_lost')
    await until(() => socket.state === 'ready' && states.length > 1)
    expect((await errorOf(client.act('stay away'))).code).to.equal('connection_lost')
    await until(() => socket.state === 'failed')
  })

  it('gives up what its client gives up, and the other way round', async () => {
    const signals: AbortSignal[] = []
    const mock = mockServer(contract, {
      handlers: {
        act: (_input, { signal }) => {
          signals.push(signal)
          return new Promise(() => {})
        },
      },
    })
    ends.push(() => mock.close())
    const client = await mock.connect()
    const given = new AbortController()
    const call = errorOf(client.act('x', { signal: given.signal }))
    await until(() => signals.length === 1)
    given.abort()
    expect((await call).code).to.equal('aborted')
    await until(() => signals[0]?.aborted)
    client.handle({
      ask: (_input, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    expect((await errorOf(mock.client.ask(undefined, { timeout: 20 }))).code).to.equal('timeout')
    await until(() => signals[1]?.aborted)
  })

  it('answers pings, and frames that are none', async () => {
    const socket = await open(start(() => 1))
    const errors: unknown[] = []
    socket.on('error', ({ code }) => void errors.push(code))
    expect(await socket.rpc('_ping')).to.equal(null)
    socket.sendRaw('no JSON')
    await until(() => errors.length === 1)
    expect(errors).to.deep.equal(['bad_message'])
    expect(await socket.rpc('act', 'x')).to.equal(1)
  })

  it('reports what a notification fails with, at the end that did not send it', async () => {
    const mock = start(() => 1)
    const socket = await open(mock)
    const errors: unknown[] = []
    socket.on('error', ({ code, data }) => void errors.push([code, Object(data).function]))
    await socket.notify('nothing')
    await until(() => errors.length === 1)
    expect(errors).to.deep.equal([['not_found', 'nothing']])
    await mock.client.say(1)
    await until(() => mock.failures.length === 1)
    expect(mock.failures[0]).to.include({ code: 'not_found' })
  })

  it('counts a user once on a channel, whatever number of sockets it has there', async () => {
    const mock = start(() => 1)
    const connect = (uid: string) => mock.connect({ uid, umd: { name: uid } })
    const [bob, one, two] = [await connect('bob'), await connect('ann'), await connect('ann')]
    const room = bob.channel('room-{id}', { id: 7 })
    const seen: string[] = []
    room.on('joined', ({ uid }) => void seen.push(`+${uid}`))
    room.on('left', ({ uid }) => void seen.push(`-${uid}`))
    room.bind('say', () => {})
    await until(() => room.members.length === 1)
    for (const client of [one, two]) await client.$socket.subscribe('room-7')
    await until(() => room.members.length === 2)
    await one.$socket.unsubscribe('room-7')
    await two.$socket.unsubscribe('room-7')
    await until(() => seen.length === 2)
    expect(seen).to.deep.equal(['+ann', '-ann'])
  })

  it('keeps the last 100 publications of a channel', async () => {
    const mock = start(() => 1)
    const client = await mock.connect()
    for (let at = 0; at <= 100; at += 1) await mock.publish('news', {}, 'item', String(at))
    await mock.publish('room-{id}', { id: 1 }, 'say', 'elsewhere')
    const page = await client.channel('news').history()
    expect(page.map(({ data }) => data)).to.deep.equal(Array.from({ length: 100 }, (_, at) => String(at + 1)))
  })

  it('has 10,000 calls of a client, and to it, under way', async () => {
    const never = () => new Promise<never>(() => {})
    const mock = start(never)
    const socket = await open(mock, { limits: { callsOut: 20_000, callsIn: 20_000 } })
    typed(socket, contract).handle({ ask: never })
    const codes: string[] = []
    const note = (call: Promise<unknown>) => void call.catch(({ code }) => codes.push(code))
    for (let at = 0; at <= 10_000; at += 1) note(socket.rpc('act', 'x'))
    await until(() => codes.length === 1)
    for (let at = 0; at <= 10_000; at += 1) note(mock.client.ask())
    await until(() => codes.length === 2)
    expect(codes).to.deep.equal(['too_many_calls', 'too_many_calls'])
  })

  it('refuses broadcasts with channels in the contract, and does them without', async () => {
    const socket = await open(start(() => 1))
    expect((await errorOf(socket.broadcast('x'))).code).to.equal('forbidden')
    const plain = mockServer(defineContract({ server: { note: procedure() } }))
    ends.push(() => plain.close())
    const clients = [await plain.connect(), await plain.connect()]
    const heard: unknown[] = []
    for (const { $socket } of clients) {
      $socket.on('message', (channel, data) => void heard.push([channel, data]))
      await $socket.subscribe('any')
    }
    await clients[0]?.$socket.broadcast('hello')
    await until(() => heard.length === 2)
    expect(heard).to.deep.equal([
      ['any', 'hello'],
      ['any', 'hello'],
    ])
  })
})
