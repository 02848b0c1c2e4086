import {
  type RpcError,
  TokenSocket,
  type TokenSocketEvents,
  type TokenSocketOptions,
} from '@token-socket/client'
import { expect } from 'chai'
import SockJS from 'sockjs-client'
import { errorOf } from '../client/waiting.js'
import { LegacyServer, type LegacyServerOptions, type LegacyServerSocket } from './legacy-server.js'
import { RedisServer } from './redis-server.js'

const actions = {
  echo: (data: unknown, callback: (error: unknown, data?: unknown) => void) => callback(null, data),
  returned: async (data: unknown) => data,
  nested: { deeper: { name: () => 'nested.deeper.name' } },
  failText: (_data: unknown, callback: (error: unknown) => void) => callback('no such theme'),
  failObject: (_data: unknown, callback: (error: unknown) => void) => callback({ status: 402 }),
  failError: (_data: unknown, callback: (error: unknown) => void) => callback(new Error('no such error')),
}

/** How to open, by the transport that the socket then has. */
const CARRIERS: readonly (readonly [title: string, transport: string, client: TokenSocketOptions])[] = [
  ['plain WebSocket', 'websocket', {}],
  ...['websocket', 'xhr-streaming', 'xhr-polling'].map(
    (name) => [`SockJS’s ${name}`, name, { transports: ['sockjs'], sockjs: { transports: name } }] as const,
  ),
]

/** Milliseconds: each try that finds the server still away makes the client wait longer before the next, up to 20 s. */
const COMES_BACK = 60_000

describe('the new client on the legacy server', () => {
  let redis: RedisServer
  let server: LegacyServer
  let socket: TokenSocket

  before(async () => {
    // In Node the client's own SockJS is the one for browsers, which finds no transport there.
    Object.assign(globalThis, { SockJS })
    redis = await RedisServer.start()
  })

  after(async () => {
    Reflect.deleteProperty(globalThis, 'SockJS')
    await redis.stop()
  })

  afterEach(async () => {
    await socket.end()
    await server.stop()
  })

  async function open(client: TokenSocketOptions = {}, options: LegacyServerOptions = {}): Promise<void> {
    server = await LegacyServer.create(redis.port, options)
    socket = new TokenSocket({ host: server.host, headers: { Cookie: server.cookie }, ...client }, actions)
    await socket.ready()
  }

  /** What the next event of this name brings: of a message, its channel and data. */
  function next<Name extends keyof TokenSocketEvents>(
    name: Name,
  ): Promise<Parameters<TokenSocketEvents[Name]>> {
    return new Promise((resolve) => {
      const listener = (...args: unknown[]) =>
        resolve(args.slice(0, 2) as Parameters<TokenSocketEvents[Name]>)
      socket.once(name, listener as never)
    })
  }

  /** @param former the socket of a connection that is over: over polling the legacy server notices late */
  async function theSocket(former?: string): Promise<LegacyServerSocket> {
    const sockets = await server.sockets()
    const [only, ...others] = sockets.filter(({ sid }) => sid !== former)
    if (!only || others.length > 0) throw new Error('there is not exactly one socket')
    return only
  }

  for (const [title, transport, client] of CARRIERS) {
    describe(`over ${title}`, () => {
      it('is ready, and known by its session', async () => {
        await open(client)
        expect(socket.transport).to.equal(transport)
        expect(await socket.rpc('whoami')).to.deep.include({ auth: { user: 'ada' } })
        expect((await theSocket()).auth).to.deep.include({ auth: { user: 'ada' } })
      })

      it('calls functions of the server, by nested names too, and its Express routes', async () => {
        await open(client)
        const data = { text: 'ä\u2028"\\\n', list: [1, null, { deep: true }] }
        expect(await socket.rpc('echo', data)).to.deep.equal(data)
        expect(await socket.rpc('nested.deeper.name')).to.equal('nested.deeper.name')
        expect(await socket.rpc('user.read', { id: 7 })).to.deep.include({ of: 7, _code: 200 })
      })

      it('gets each answer when many calls are made at once', async () => {
        await open(client)
        const numbers = Array.from({ length: 50 }, (_, index) => index)
        expect(await Promise.all(numbers.map((number) => socket.rpc('echo', number)))).to.deep.equal(numbers)
      })

      it('gets errors with codes', async () => {
        await open(client)
        const fieldsOf = async (name: string) => {
          const { code, message, data } = await errorOf(socket.rpc(name))
          return [code, message, data]
        }
        expect(await fieldsOf('nowhere')).to.deep.equal(['not_found', 'Function not found', undefined])
        expect(await fieldsOf('failText')).to.deep.equal(['application_error', 'no more', undefined])
        expect((await fieldsOf('failObject'))[2]).to.deep.equal({ status: 402 })
        expect(await fieldsOf('failError')).to.deep.equal([
          'application_error',
          'No stock',
          { message: 'No stock', left: 0 },
        ])
      })

      it('does not wait for ever for what the legacy server never answers', async () => {
        await open({ ...client, callTimeout: 50 })
        for (const name of ['never', 'toString']) {
          expect((await errorOf(socket.rpc(name))).code, name).to.equal('timeout')
        }
        expect(await socket.rpc('echo', 1, { timeout: 10_000 })).to.equal(1)
      })

      it('notifies the server by calls, and hears only of failures', async () => {
        await open(client)
        const errors: RpcError[] = []
        socket.on('error', (error) => errors.push(error))
        for (const name of ['echo', 'never', 'failText', 'failObject']) await socket.notify(name, 1)
        const failed = () => errors.filter(({ data }) => (data as { function?: string })?.function)
        while (failed().length < 2) await socket.rpc('echo')
        expect(failed().map(({ code, data }) => [code, data])).to.deep.equal([
          ['application_error', { function: 'failText' }],
          ['application_error', { status: 402, function: 'failObject' }],
        ])
      })

      it('runs the callbacks of onrestored before calls that wait', async () => {
        await open(client)
        const order: string[] = []
        socket.suspend()
        const waiting = socket.rpc('echo').then(() => order.push('waiting'))
        socket.onrestored(async () => {
          await socket.rpc('echo')
          order.push('restored')
        })
        socket.resume()
        await waiting
        expect(order).to.deep.equal(['restored', 'waiting'])
      })

      it('answers calls of the server', async () => {
        await open(client)
        const { sid } = await theSocket()
        expect(await server.ask('rpc', sid, 'echo', { a: [1] })).to.deep.equal([null, { a: [1] }])
        expect(await server.ask('rpc', sid, 'returned', 5)).to.deep.equal([null, 5])
        expect(await server.ask('rpc', sid, 'nested.deeper.name')).to.deep.equal([null, 'nested.deeper.name'])
      })

      it('answers calls of the server with errors, in the shapes of the legacy client', async () => {
        await open(client)
        const { sid } = await theSocket()
        expect(await server.ask('rpc', sid, 'failText')).to.deep.equal(['no such theme', null])
        expect(await server.ask('rpc', sid, 'failObject')).to.deep.equal([{ status: 402 }, null])
        expect(await server.ask('rpc', sid, 'failError')).to.deep.equal(['no such error', null])
      })

      it('answers for a function that it does not have, which the legacy client left hanging', async () => {
        await open(client)
        const { sid } = await theSocket()
        expect(await server.ask('rpc', sid, 'nowhere')).to.deep.equal(['Function not found', null])
      })

      it('subscribes, gets messages in order, and unsubscribes', async () => {
        await open(client)
        await socket.subscribe('news')
        expect(socket.channels()).to.deep.equal(['news'])
        expect((await theSocket()).channels).to.deep.equal(['news'])
        const messages: unknown[] = []
        socket.onmessage((...message) => messages.push(message.slice(0, 2)))
        for (let number = 0; number < 4; number++) await server.ask('publish', 'news', { number })
        const last = new Promise((resolve) => {
          socket.onmessage((_channel, message) => message === 'last' && resolve(message))
        })
        await server.ask('publish', 'news', 'last')
        await last
        expect(messages).to.deep.equal([
          ...[0, 1, 2, 3].map((number) => ['news', { number }]),
          ['news', 'last'],
        ])
        await socket.unsubscribe('news')
        expect(socket.channels()).to.deep.equal([])
        expect((await theSocket()).channels).to.deep.equal([])
      })

      it('publishes and broadcasts', async () => {
        await open(client)
        await socket.subscribe('one')
        const published = next('message')
        await socket.publish('one', { foo: 'bar' })
        expect(await published).to.deep.equal(['one', { foo: 'bar' }])
        const broadcast = next('message')
        await socket.broadcast({ all: true })
        expect(await broadcast).to.deep.equal(['one', { all: true }])
      })

      it('is told by its promise when a subscribe or unsubscribe is refused', async () => {
        await open(client)
        expect(await errorOf(socket.subscribe('admin'))).to.deep.include({ code: 'forbidden' })
        expect((await errorOf(socket.subscribe('error'))).message).to.match(/^not today/)
        expect(socket.channels()).to.deep.equal([])
        await socket.subscribe('sticky')
        expect(await errorOf(socket.unsubscribe('sticky'))).to.deep.include({ code: 'forbidden' })
        expect(socket.channels()).to.deep.equal(['sticky'])
      })

      it('is told by an error event when a publish or broadcast is refused', async () => {
        await open(client)
        const refusals: Promise<[RpcError]> = next('error')
        await socket.publish('admin', 1)
        expect((await refusals)[0].code).to.equal('forbidden')
        const again: Promise<[RpcError]> = next('error')
        await socket.broadcast('loud')
        expect((await again)[0].code).to.equal('forbidden')
      })

      it('learns of channels that the server subscribes it to, and takes it off', async () => {
        await open(client)
        const { sid } = await theSocket()
        await server.ask('subscribe', sid, 'news')
        await server.ask('subscribe', sid, 'sport')
        await server.ask('rpc', sid, 'echo')
        expect(socket.channels()).to.deep.equal(['news', 'sport'])
        await server.ask('unsubscribe', sid, 'news')
        await server.ask('rpc', sid, 'echo')
        expect(socket.channels()).to.deep.equal(['sport'])
      })

      it('pings', async () => {
        await open({ ...client, ping: 5 })
        expect((await next('ping'))[0]).to.be.a('number')
        expect(await socket.rpc('_ping')).to.deep.equal({ message: 'pong' })
      })

      it('comes back and subscribes again when the server closes its connection', async () => {
        await open(client)
        await socket.subscribe('news')
        const { sid } = await theSocket()
        const back = next('reconnect')
        await server.ask('closeAll')
        expect(await back).to.deep.equal([])
        await socket.subscribe('news')
        expect((await theSocket(sid)).channels).to.deep.equal(['news'])
        const message = next('message')
        await server.ask('publish', 'news', { back: true })
        expect(await message).to.deep.equal(['news', { back: true }])
      }).timeout(COMES_BACK)

      it('comes back and subscribes again when the server is killed and started again', async () => {
        await open(client)
        await socket.subscribe('news')
        const lost = errorOf(socket.rpc('never'))
        await server.stop()
        expect((await lost).code).to.equal('connection_lost')
        const later = socket.rpc('echo', 'made while it was away')
        await server.start()
        expect(await later).to.equal('made while it was away')
        expect((await theSocket()).channels).to.deep.equal(['news'])
      }).timeout(COMES_BACK)
    })
  }

  it('outlives what makes the legacy server crash', async () => {
    await open()
    const lost = errorOf(socket.rpc('__defineGetter__', {}))
    await server.crashed()
    expect((await lost).code).to.equal('connection_lost')
    await server.start()
    expect(await socket.rpc('echo', 1)).to.equal(1)
  })

  it('gets its token by GET, the only way that the legacy server knows, and remembers it', async () => {
    await open()
    expect((await fetch(`${server.host}/socket/token`, { method: 'POST' })).status).to.equal(404)
    expect(await server.ask('tokenRequests')).to.deep.equal(['POST', 'GET', 'POST'])
    const back = next('reconnect')
    await server.ask('closeAll')
    await back
    expect(await server.ask('tokenRequests')).to.deep.equal(['POST', 'GET', 'POST', 'GET'])
  })

  it('sends the authentication option along', async () => {
    await open({ authentication: { foo: 'bar', deep: { er: 'ä&' } } }, { authentication: 'query' })
    expect((await theSocket()).auth).to.deep.equal({ foo: 'bar', deep: { er: 'ä&' } })
  })

  it('is not ready without a session, and does not go on asking', async () => {
    server = await LegacyServer.create(redis.port)
    socket = new TokenSocket({ host: server.host })
    const error = await errorOf(socket.ready())
    expect(error.code).to.equal('token_refused')
    expect(error.message).to.match(/^Forbidden, HTTP status 403 from http/)
    expect(error.data).to.include({ status: 403 })
    expect(socket.state).to.equal('failed')
  })

  it('fails for good without a token, which the legacy server needs, and says what to do', async () => {
    server = await LegacyServer.create(redis.port)
    const texts: string[] = []
    const logger = { warn: (text: string) => void texts.push(text) }
    const headers = { Cookie: server.cookie }
    socket = new TokenSocket({ host: server.host, headers, logger, url: ({ url }) => url })
    const error = await errorOf(socket.ready())
    expect([error.code, error.message, socket.state]).to.deep.equal(['invalid_token', 'Forbidden', 'failed'])
    expect(texts).to.have.length(1)
    expect(texts[0]).to.include('the sign-in without a token fails')
    expect(texts[0]).to.include('give it the option `connectAuthentication`, or leave out `url`')
    expect(await server.sockets()).to.deep.equal([])
  })

  it('stays when the server does not answer pings, and says so', async () => {
    await open({ ping: 5 }, { ping: false })
    const errors: Promise<[RpcError]> = next('error')
    expect((await errors)[0].code).to.equal('not_found')
    expect(await socket.rpc('echo', 1)).to.equal(1)
  })
})
