import { type Handler, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { deferred, next, rejection, until, useSites } from './fixture.js'

const circular: Record<string, unknown> = {}
circular.self = circular

type Callback = (error?: unknown, data?: unknown) => void

/** Handlers of the server that misbehave, and the code that the caller gets. */
const BAD: Readonly<Record<string, readonly [Handler, string]>> = {
  'throws at once': [
    () => {
      throw new Error('a secret')
    },
    'internal',
  ],
  'throws null': [
    () => {
      throw null
    },
    'internal',
  ],
  rejects: [async () => Promise.reject(new Error('a secret')), 'internal'],
  'throws an RpcError': [
    () => {
      throw new RpcError('sold_out')
    },
    'sold_out',
  ],
  'never calls back': [(_auth, _data, _callback) => {}, 'timeout'],
  'never resolves': [() => new Promise(() => {}), 'timeout'],
  'returns a thenable that throws': [
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: that is the case
      then() {
        throw new Error('a secret')
      },
    }),
    'internal',
  ],
  'answers what is circular': [() => circular, 'unserializable'],
  'answers a BigInt': [() => 1n, 'unserializable'],
  'answers with a toJSON that throws': [
    () => ({
      toJSON() {
        throw new Error('a secret')
      },
    }),
    'unserializable',
  ],
  'calls back a circular error': [(_auth, _data, callback) => callback(circular), 'unserializable'],
  'calls back an RpcError with circular data': [
    (_auth, _data, callback) => callback(new RpcError('sold_out', 'Gone', circular)),
    'unserializable',
  ],
}

describe('bad handlers', () => {
  const start = useSites()

  for (const [what, [handler, code]] of Object.entries(BAD)) {
    it(`one that ${what} answers ${code}, and harms nobody`, async () => {
      const site = await start(code === 'timeout' ? { limits: { callTimeout: 500 } } : {})
      site.sockets.socketController.bad = handler
      const client = await site.ready()
      const error = await rejection(client.rpc('bad'))
      expect(error.code).to.equal(code)
      expect(error.message).not.to.contain('secret')
      expect(await client.rpc('echo', 1)).to.equal(1)
      await site.servesHonestClients()
    })
  }

  for (const name of ['trap', 'trap.inner', 'orders.trap', '_ping'])
    it(`a getter that throws where ${name} is looked up answers internal, and is reported`, async () => {
      const site = await start()
      const trap = {
        get: () => {
          throw new Error('a secret')
        },
      }
      const controller = { orders: Object.defineProperty({}, 'trap', trap) }
      for (const key of ['trap', '_ping']) Object.defineProperty(controller, key, trap)
      site.sockets.socketController = controller
      const peer = await site.member()
      const answer = await peer.ask({ rpc: name, uuid: 'g' })
      expect(answer.code).to.equal('internal')
      expect(site.failures.map(({ cause }) => String(cause))).to.deep.equal(['Error: a secret'])
    })

  it('one that answers twice is heard once', async () => {
    const site = await start()
    site.sockets.socketController.twice = (_auth, _data, callback) => {
      callback(null, 'first')
      callback(new Error('second'))
      return 'third'
    }
    const peer = await site.member()
    expect(await peer.ask({ rpc: 'twice', uuid: 't' })).to.include({ resp: 'first' })
    await peer.ask({ rpc: 'echo' })
    expect(peer.frames.filter(({ uuid }) => uuid === 't')).to.have.length(1)
  })

  it('one that answers after its time is not heard', async () => {
    const site = await start({ limits: { callTimeout: 20 } })
    const late = deferred<Callback>()
    site.sockets.socketController.late = (_auth, _data, callback) => late.resolve(callback as Callback)
    const peer = await site.member()
    expect((await peer.ask({ rpc: 'late', uuid: 'l' })).code).to.equal('timeout')
    ;(await late.promise)(null, 'at last')
    await peer.ask({ rpc: 'echo' })
    expect(peer.frames.filter(({ uuid }) => uuid === 'l')).to.have.length(1)
  })

  it('one that answers a socket that is gone harms nobody', async () => {
    const site = await start()
    const late = deferred<Callback>()
    site.sockets.socketController.late = (_auth, _data, callback) => late.resolve(callback as Callback)
    const { client, socket } = await site.pair()
    const call = rejection(client.rpc('late'))
    const callback = await late.promise
    await client.end()
    await until(() => socket.isClosed)
    callback(null, 'at last')
    expect((await call).code).to.equal('ended')
    expect(site.failures).to.deep.equal([])
    await site.servesHonestClients()
  })

  it('a controller that is replaced while calls run leaves them alone', async () => {
    const site = await start()
    const gate = deferred<string>()
    const entered = deferred()
    site.sockets.socketController.slow = () => {
      entered.resolve()
      return gate.promise
    }
    const client = await site.ready()
    const call = client.rpc('slow')
    await entered.promise
    site.sockets.socketController = { slow: () => 'the new one' }
    expect(await client.rpc('slow')).to.equal('the new one')
    gate.resolve('the old one')
    expect(await call).to.equal('the old one')
  })

  it('a controller that is no tree is not_found, and harms nobody', async () => {
    const site = await start()
    const client = await site.ready()
    const before = site.sockets.socketController
    for (const controller of [null, 'text', { echo: 5 }, { echo: null }]) {
      site.sockets.socketController = controller as never
      expect((await rejection(client.rpc('echo'))).code).to.equal('not_found')
    }
    site.sockets.socketController = before
    await site.servesHonestClients()
  })

  it('an action of the client that throws fails the server’s call with internal', async () => {
    const site = await start()
    const fail = () => {
      throw new Error('a secret')
    }
    const { client, socket } = await site.pair({}, { fail, circular: () => circular })
    const told = next(client, 'error')
    const error = await rejection(socket.rpc('fail'))
    expect([error.code, error.message]).to.deep.equal(['internal', 'Internal error'])
    await told
    expect((await rejection(socket.rpc('circular'))).code).to.equal('unserializable')
    expect(await client.rpc('echo', 1)).to.equal(1)
  })

  for (const [what, data] of Object.entries({ circular, 'a BigInt': { big: 1n } })) {
    it(`publications of the server that are ${what} reject, and nobody gets any`, async () => {
      const site = await start()
      const client = await site.ready()
      await client.subscribe('a')
      const message = next(client, 'message')
      expect((await rejection(site.sockets.publish('a', data))).code).to.equal('unserializable')
      expect((await rejection(site.sockets.broadcast(data))).code).to.equal('unserializable')
      await site.sockets.publish('a', 'good')
      expect(await message).to.deep.equal(['a', 'good'])
    })

    it(`publications of a client that are ${what} reject, and the socket goes on`, async () => {
      const site = await start()
      const client = await site.ready()
      expect((await rejection(client.publish('a', data))).code).to.equal('unserializable')
      expect((await rejection(client.broadcast(data))).code).to.equal('unserializable')
      expect(await client.rpc('echo', 1)).to.equal(1)
    })
  }
})

describe('bad filters', () => {
  const start = useSites()

  it('one that throws withholds the message from that socket only, and is told', async () => {
    const site = await start({
      filter: (socket, _channel, message) => {
        if ((socket.auth as { name: string }).name === 'bad') throw new Error('in the filter')
        return message
      },
    })
    const [bad, good] = [
      await site.ready({ authentication: { name: 'bad' } }),
      await site.ready({ authentication: { name: 'good' } }),
    ]
    await Promise.all([bad.subscribe('a'), good.subscribe('a')])
    const got: unknown[] = []
    bad.onmessage((...args) => got.push(args.slice(0, 2)))
    const message = next(good, 'message')
    await site.sockets.publish('a', 1)
    expect(await message).to.deep.equal(['a', 1])
    await bad.rpc('echo')
    expect(got).to.deep.equal([])
    expect(site.failures.map(({ cause }) => String(cause))).to.deep.equal(['Error: in the filter'])
    await site.servesHonestClients()
  })

  it('one that mutates changes that socket’s own copy only', async () => {
    const site = await start({
      filter: (socket, _channel, message) => {
        const own = message as { bar?: number; seen: string[] }
        own.seen.push((socket.auth as { name: string }).name)
        if (own.seen[0] === 'ann') delete own.bar
        return own
      },
    })
    const clients = await Promise.all(
      ['ann', 'bea', 'cy'].map((name) => site.ready({ authentication: { name } })),
    )
    await Promise.all(clients.map((client) => client.subscribe('a')))
    const messages = Promise.all(clients.map((client) => next(client, 'message')))
    const published = { bar: 1, seen: [] }
    await site.sockets.publish('a', published)
    expect((await messages).map(([, message]) => message)).to.deep.equal([
      { seen: ['ann'] },
      { bar: 1, seen: ['bea'] },
      { bar: 1, seen: ['cy'] },
    ])
    expect(published).to.deep.equal({ bar: 1, seen: [] })
  })

  it('one that returns what JSON cannot carry withholds the message', async () => {
    const site = await start({
      filter: (_socket, _channel, message) => (message === 'bad' ? circular : message),
    })
    const client = await site.ready()
    await client.subscribe('a')
    const message = next(client, 'message')
    await site.sockets.publish('a', 'bad')
    await site.sockets.publish('a', 'good')
    expect(await message).to.deep.equal(['a', 'good'])
    expect(site.failures[0]?.cause).to.include({ code: 'unserializable' })
  })
})
