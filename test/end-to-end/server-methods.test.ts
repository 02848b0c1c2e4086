import type { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { onOneNodeOnly } from '../only-in.js'
import { deferred, next, rejection, until, useSites } from './fixture.js'

describe('methods of the server', () => {
  const start = useSites()
  const actions = {
    add: ([left, right]: [number, number]) => left + right,
    hang: (_data: unknown, _callback: unknown) => {},
    refuse: (_data: unknown, callback: (error: unknown) => void) => callback({ status: 402 }),
    user: {
      name: (_data: unknown, callback: (error: unknown, data: unknown) => void) => callback(null, 'ann'),
    },
  } as unknown as Record<string, never>

  describe('#rpc', () => {
    it('calls an action of the client and resolves with its answer', async () => {
      const site = await start()
      const { socket } = await site.pair({}, actions)
      expect(await site.sockets.rpc(socket, 'add', [1, 2])).to.equal(3)
      expect(await site.sockets.rpc(socket, 'user.name')).to.equal('ann')
    })

    it('with a callback gives it the answer, or the error', async () => {
      const site = await start()
      const { socket } = await site.pair({}, actions)
      const answer = deferred<unknown[]>()
      site.sockets.rpc(socket, 'add', [1, 2], (...args) => answer.resolve(args))
      expect(await answer.promise).to.deep.equal([null, 3])
      const failure = deferred<RpcError | null>()
      site.sockets.rpc(socket, 'refuse', null, (error) => failure.resolve(error))
      expect((await failure.promise)?.data).to.deep.equal({ status: 402 })
    })

    it('a callback that throws is told as an error event, and is called once', async () => {
      const site = await start()
      const { socket } = await site.pair({}, actions)
      const callback = sinon.stub().throws(new Error('in the callback'))
      site.sockets.rpc(socket, 'add', [1, 2], callback)
      await until(() => site.failures.length > 0)
      expect(String(site.failures[0]?.cause)).to.equal('Error: in the callback')
      expect(callback.callCount).to.equal(1)
    })

    it('fails with timeout when the client does not answer', async () => {
      const site = await start()
      const { socket } = await site.pair({}, actions)
      expect((await rejection(site.sockets.rpc(socket, 'hang', null, { timeout: 20 }))).code).to.equal(
        'timeout',
      )
    })

    it('fails with aborted by its signal', async () => {
      const site = await start()
      const { socket } = await site.pair({}, actions)
      const controller = new AbortController()
      const call = site.sockets.rpc(socket, 'hang', null, { signal: controller.signal })
      controller.abort()
      expect((await rejection(call)).code).to.equal('aborted')
    })

    it('fails with connection_lost when the client leaves, and after', async () => {
      const site = await start()
      const { client, socket } = await site.pair({}, actions)
      const call = site.sockets.rpc(socket, 'hang')
      await client.end()
      expect((await rejection(call)).code).to.equal('connection_lost')
      expect((await rejection(site.sockets.rpc(socket, 'add', [1, 2]))).code).to.equal('connection_lost')
    })

    it('fails with not_found for what objects inherit', async () => {
      const site = await start()
      const { socket } = await site.pair({}, actions)
      for (const name of ['nothing', 'toString', '__proto__.toString', 'constructor', 'user', 'add.call']) {
        expect((await rejection(site.sockets.rpc(socket, name))).code, name).to.equal('not_found')
      }
    })

    it('fails with unserializable for what JSON cannot carry', async () => {
      const site = await start()
      const { socket } = await site.pair({}, actions)
      expect((await rejection(site.sockets.rpc(socket, 'add', 1n))).code).to.equal('unserializable')
      expect(await site.sockets.rpc(socket, 'add', [1, 2])).to.equal(3)
    })
  })

  describe('#publish', () => {
    it('reaches every subscriber, in order, and nobody else', async () => {
      const site = await start()
      const [one, two, other] = [await site.ready(), await site.ready(), await site.ready()]
      await Promise.all([one.subscribe('news'), two.subscribe('news'), other.subscribe('sport')])
      const got: unknown[] = []
      for (const client of [one, two, other]) client.onmessage((...args) => got.push(args.slice(0, 2)))
      for (const text of ['a', 'b', 'c']) await site.sockets.publish('news', text)
      await Promise.all([one, two, other].map((client) => client.rpc('echo')))
      const expected = ['a', 'b', 'c'].map((text) => ['news', text])
      expect(got.filter((_, index) => index < 6)).to.have.deep.members([...expected, ...expected])
      expect(got).to.have.length(6)
    })

    it('rejects what JSON cannot carry, and a name that is none', async () => {
      const site = await start()
      expect((await rejection(site.sockets.publish('news', 1n))).code).to.equal('unserializable')
      expect((await rejection(site.sockets.publish('', 1))).code).to.equal('bad_message')
      expect((await rejection(site.sockets.publish('x'.repeat(257), 1))).code).to.equal('too_long')
    })

    it('carries a channel named __proto__ like any other', async () => {
      const site = await start()
      const client = await site.ready()
      await client.subscribe('__proto__')
      const message = next(client, 'message')
      await site.sockets.publish('__proto__', { a: 1 })
      expect(await message).to.deep.equal(['__proto__', { a: 1 }])
      expect(site.sockets.channels()).to.deep.equal(['__proto__'])
    })
  })

  describe('#broadcast', () => {
    it('reaches every subscriber once for each channel', async () => {
      const site = await start()
      const [client, idle] = [await site.ready(), await site.ready()]
      await Promise.all([client.subscribe('a'), client.subscribe('b')])
      const got: unknown[] = []
      for (const one of [client, idle]) one.onmessage((...args) => got.push(args.slice(0, 2)))
      await site.sockets.broadcast('all')
      await Promise.all([client.rpc('echo'), idle.rpc('echo')])
      expect(got).to.have.deep.members([
        ['a', 'all'],
        ['b', 'all'],
      ])
    })
  })

  describe('#subscribe', () => {
    it('subscribes a socket without asking listeners, and its client knows', async () => {
      const site = await start()
      const veto = sinon.stub().returns(false)
      site.sockets.on('subscribe', veto)
      const { client, socket } = await site.pair()
      await site.sockets.subscribe(socket, 'given')
      const message = next(client, 'message')
      await site.sockets.publish('given', 1)
      expect(await message).to.deep.equal(['given', 1])
      expect([client.channels(), socket.channels]).to.deep.equal([['given'], ['given']])
      expect(veto.callCount).to.equal(0)
    })

    it('does nothing to a socket that is gone', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      await client.end()
      await until(() => socket.isClosed)
      await site.sockets.subscribe(socket, 'late')
      expect(site.sockets.channels()).to.deep.equal([])
    })
  })

  describe('#unsubscribe', () => {
    it('unsubscribes a socket, and its client knows', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      await client.subscribe('news')
      site.sockets.unsubscribe(socket, 'news')
      await client.rpc('echo')
      expect([client.channels(), socket.channels, site.sockets.channels()]).to.deep.equal([[], [], []])
    })
  })

  describe('#unsubscribeAll', () => {
    it('takes every socket off a channel', async () => {
      const site = await start()
      const [one, two] = [await site.ready(), await site.ready()]
      await Promise.all([one.subscribe('a'), two.subscribe('a'), two.subscribe('b')])
      await site.sockets.unsubscribeAll('a')
      await Promise.all([one.rpc('echo'), two.rpc('echo')])
      expect([one.channels(), two.channels(), site.sockets.channels()]).to.deep.equal([[], ['b'], ['b']])
    })
  })

  describe('#sockets', () => {
    it('lists who is authenticated, and nobody else', async () => {
      const site = await start()
      await site.peer()
      const { client, socket } = await site.pair()
      expect(site.sockets.sockets()).to.deep.equal([socket])
      await client.end()
      await until(() => site.sockets.sockets().length === 0)
    })
  })

  describe('#channels', () => {
    it('lists the channels with subscribers', async () => {
      const site = await start()
      const client = await site.ready()
      await Promise.all([client.subscribe('a'), client.subscribe('b')])
      expect(site.sockets.channels()).to.have.members(['a', 'b'])
      await client.end()
      await until(() => site.sockets.channels().length === 0)
    })
  })

  describe('#channelSockets', () => {
    it('lists the sockets on a channel', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      await site.ready()
      await client.subscribe('a')
      expect(site.sockets.channelSockets('a')).to.deep.equal([socket])
      expect(site.sockets.channelSockets('constructor')).to.deep.equal([])
    })
  })

  describe('#publishFilter', () => {
    onOneNodeOnly('publications of two nodes have no order between them').it(
      'replaces the filter, and without an argument takes it away',
      async () => {
        const site = await start({ filter: () => 'by the option' })
        const client = await site.ready()
        await client.subscribe('a')
        const got: unknown[] = []
        client.onmessage((_channel, message) => got.push(message))
        await site.sockets.publish('a', 'plain')
        site.sockets.publishFilter(() => 'by the method')
        await site.sockets.publish('a', 'plain')
        site.sockets.publishFilter()
        await site.sockets.publish('a', 'plain')
        await client.rpc('echo')
        expect(got).to.deep.equal(['by the option', 'by the method', 'plain'])
      },
    )
  })

  describe('#enableCleanup', () => {
    it('gives those that wait, and those to come, that long for their token', async () => {
      const site = await start({ authTimeout: 60_000 })
      const early = await site.peer()
      site.sockets.enableCleanup(20)
      expect((await early.closed).code).to.equal(4003)
      expect((await (await site.peer()).closed).code).to.equal(4003)
    })
  })

  describe('#disableCleanup', () => {
    it('lets those that wait take as long as they like', async () => {
      const site = await start({ authTimeout: 1000 })
      const patient = await site.peer()
      site.sockets.disableCleanup()
      const later = await start({ authTimeout: 1010 })
      await (await later.peer()).closed
      expect(await patient.auth(await site.token())).to.include({ resp: 'success' })
    })
  })

  describe('#shutdown', () => {
    it('closes every connection, also those that have said nothing', async () => {
      const site = await start()
      const peers = [await site.member(), await site.peer(), await site.member('sockjs-websocket')]
      const polling = await site.member('xhr-polling')
      await site.sockets.shutdown()
      const endings = await Promise.all(peers.map(({ closed }) => closed))
      expect(endings.map(({ code }) => code)).to.deep.equal([4000, 4000, 4000])
      // A poll that comes after it finds nobody.
      expect((await polling.closed).code).to.be.oneOf([4000, 404])
      expect(site.sockets.sockets()).to.deep.equal([])
    })

    it('closes a socket on which an `authentication` listener still decides', async () => {
      const site = await start()
      const asked = deferred<(error?: unknown) => void>()
      site.sockets.on('authentication', (_socket, _auth, callback) => asked.resolve(callback))
      const peer = await site.peer()
      peer.send({ rpc: 'auth', token: await site.token(), uuid: '1' })
      const letIn = await asked.promise
      await site.sockets.shutdown()
      letIn()
      expect((await peer.closed).code).to.equal(4000)
      expect(site.sockets.sockets()).to.deep.equal([])
    })

    it('leaves the application and its HTTP server as they were', async () => {
      const site = await start()
      await site.sockets.shutdown()
      expect(await (await fetch(`${site.url}/hello`)).text()).to.equal('hello')
      expect((await site.askToken()).status).to.equal(503)
      expect((await fetch(`${site.url}/sockets/info`)).status).to.equal(404)
    })

    onOneNodeOnly('two servers have two promises').it('returns the same promise again', async () => {
      const site = await start()
      expect(site.sockets.shutdown()).to.equal(site.sockets.shutdown())
    })
  })

  describe('#on, #removeListener, #removeAllListeners', () => {
    onOneNodeOnly('two servers have listeners each').it('add and take away listeners', async () => {
      const site = await start()
      const client = await site.ready()
      const veto = () => false
      site.sockets.on('publish', veto)
      expect((await rejection(client.publish('a', 1))).code).to.equal('forbidden')
      site.sockets.removeListener('publish', veto)
      await client.publish('a', 1)
      site.sockets.on('publish', veto)
      site.sockets.on('broadcast', veto)
      site.sockets.removeAllListeners('publish')
      await client.publish('a', 1)
      expect((await rejection(client.broadcast(1))).code).to.equal('forbidden')
      site.sockets.removeAllListeners()
      await client.broadcast(1)
    })
  })

  describe('#once', () => {
    it('adds a listener that is asked once', async () => {
      const site = await start()
      const client = await site.ready()
      site.sockets.once('publish', () => false)
      expect((await rejection(client.publish('a', 1))).code).to.equal('forbidden')
      await client.publish('a', 1)
    })
  })
})

describe('several servers in one process', () => {
  const start = useSites()

  it('have SockJS sessions of their own', async () => {
    const [one, two] = [await start(), await start()]
    const poll = async (url: string) =>
      (await fetch(`${url}/sockets/000/same/xhr`, { method: 'POST' })).text()
    expect([await poll(one.url), await poll(two.url)]).to.deep.equal(['o\n', 'o\n'])
  })
})
