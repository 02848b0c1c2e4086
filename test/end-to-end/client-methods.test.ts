import { expect } from 'chai'
import sinon from 'sinon'
import { onOneNodeOnly } from '../only-in.js'
import { deferred, next, rejection, until, useSites } from './fixture.js'

describe('methods of the client', () => {
  const start = useSites()

  describe('#ready', () => {
    it('resolves, calls back, and does both when it is over already', async () => {
      const site = await start()
      const client = site.client()
      const called = deferred<unknown[]>()
      client.ready((...args) => called.resolve(args))
      await client.ready()
      expect(await called.promise).to.deep.equal([])
      const late = deferred<unknown[]>()
      client.ready((...args) => late.resolve(args))
      await late.promise
      await client.ready()
    })

    it('rejects when the server refuses the token request', async () => {
      const site = await start({ authentication: () => false })
      expect((await rejection(site.client().ready())).code).to.equal('token_refused')
    })
  })

  describe('#onreconnect', () => {
    it('hears when the socket is back', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      const back = deferred<unknown[]>()
      client.onreconnect((...args) => back.resolve(args))
      socket.end()
      expect(await back.promise).to.deep.equal([])
    })
  })

  describe('#onmessage', () => {
    it('hears channel and message', async () => {
      const site = await start()
      const client = await site.ready()
      const got = deferred<unknown[]>()
      client.onmessage((...args) => got.resolve(args.slice(0, 2)))
      await client.subscribe('a')
      await client.publish('a', { b: 1 })
      expect(await got.promise).to.deep.equal(['a', { b: 1 }])
    })
  })

  describe('#on, #once, #off, #removeListener, #removeAllListeners', () => {
    onOneNodeOnly('the publication may come after its receipt').it(
      'add and take away listeners',
      async () => {
        const site = await start()
        const client = await site.ready()
        const [always, once, off, removed, all] = [
          sinon.spy(),
          sinon.spy(),
          sinon.spy(),
          sinon.spy(),
          sinon.spy(),
        ]
        client.on('message', always).once('message', once).on('message', off).on('message', removed)
        client.off('message', off).removeListener('message', removed)
        await client.subscribe('a')
        await client.publish('a', 1)
        await client.publish('a', 2)
        client.on('message', all).removeAllListeners('message')
        await client.publish('a', 3)
        const counts = [always, once, off, removed, all].map(({ callCount }) => callCount)
        expect(counts).to.deep.equal([2, 1, 0, 0, 0])
      },
    )
  })

  describe('#rpc', () => {
    it('resolves with the answer, and calls back', async () => {
      const site = await start()
      const client = await site.ready()
      expect(await client.rpc('echo', { a: [1, null] })).to.deep.equal({ a: [1, null] })
      const called = deferred<unknown[]>()
      void client.rpc('echo', 1, (...args) => called.resolve(args))
      expect(await called.promise).to.deep.equal([null, 1])
    })

    it('before the socket is ready waits for it', async () => {
      const site = await start()
      expect(await site.client().rpc('echo', 'early')).to.equal('early')
    })

    it('takes a time limit and a signal', async () => {
      const site = await start()
      const client = await site.ready()
      expect((await rejection(client.rpc('hang', null, { timeout: 20 }))).code).to.equal('timeout')
      const controller = new AbortController()
      const call = client.rpc('hang', null, { signal: controller.signal })
      controller.abort()
      expect((await rejection(call)).code).to.equal('aborted')
    })

    it('fails at once with unserializable, and the socket goes on', async () => {
      const site = await start()
      const client = await site.ready()
      expect((await rejection(client.rpc('echo', 1n))).code).to.equal('unserializable')
      expect(await client.rpc('echo', 1)).to.equal(1)
    })
  })

  describe('#register', () => {
    it('puts other actions in place of all', async () => {
      const site = await start()
      const { client, socket } = await site.pair({}, { one: () => 1 })
      client.register({ two: () => 2 })
      expect(await socket.rpc('two')).to.equal(2)
      expect((await rejection(socket.rpc('one'))).code).to.equal('not_found')
    })

    it('leaves client.actions to be changed in place', async () => {
      const site = await start()
      const { client, socket } = await site.pair({}, { one: () => 1 })
      Object.assign(client.actions, { three: () => 3 })
      expect([await socket.rpc('one'), await socket.rpc('three')]).to.deep.equal([1, 3])
    })
  })

  describe('#subscribe, #unsubscribe, #channels', () => {
    it('put the socket on a channel and take it off', async () => {
      const site = await start()
      const client = await site.ready()
      await client.subscribe('a')
      expect([client.channels(), site.sockets.channels()]).to.deep.equal([['a'], ['a']])
      await client.unsubscribe('a')
      expect([client.channels(), site.sockets.channels()]).to.deep.equal([[], []])
    })

    it('twice is once: each message comes once', async () => {
      const site = await start()
      const client = await site.ready()
      await Promise.all([client.subscribe('a'), client.subscribe('a')])
      await client.subscribe('a')
      const got = sinon.spy()
      client.onmessage(got)
      await client.publish('a', 1)
      await client.rpc('echo')
      expect(got.callCount).to.equal(1)
    })

    it('call back', async () => {
      const site = await start()
      const client = await site.ready()
      for (const method of ['subscribe', 'unsubscribe'] as const) {
        const called = deferred<unknown>()
        void client[method]('a', called.resolve)
        expect(await called.promise).to.equal(null)
      }
    })
  })

  describe('#publish, #broadcast', () => {
    it('reach the subscribers, the sender too', async () => {
      const site = await start()
      const [one, two] = [await site.ready(), await site.ready()]
      await Promise.all([one.subscribe('a'), two.subscribe('b')])
      const published = next(one, 'message')
      await one.publish('a', 1)
      expect(await published).to.deep.equal(['a', 1])
      const both = Promise.all([next(one, 'message'), next(two, 'message')])
      await one.broadcast(2)
      expect(await both).to.deep.equal([
        ['a', 2],
        ['b', 2],
      ])
    })
  })

  describe('#end', () => {
    it('closes the connection, resolves and calls back; every later call fails with ended', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      const called = deferred()
      const pending = rejection(client.rpc('hang'))
      await client.end(() => called.resolve())
      await called.promise
      await until(() => socket.isClosed)
      expect((await pending).code).to.equal('ended')
      for (const call of [
        client.rpc('echo'),
        client.subscribe('a'),
        client.publish('a', 1),
        client.ready(),
      ]) {
        expect((await rejection(call)).code).to.equal('ended')
      }
    })

    it('while the token is asked for opens no socket', async () => {
      const asked = deferred()
      const answer = deferred()
      const site = await start({
        authentication: async () => {
          asked.resolve()
          await answer.promise
          return true
        },
      })
      const client = site.client()
      const ready = rejection(client.ready())
      await asked.promise
      await client.end()
      answer.resolve()
      expect((await ready).code).to.equal('ended')
      await site.servesHonestClients()
      expect(site.log.filter(({ message }) => message === 'a socket is ready')).to.have.length(1)
    })

    onOneNodeOnly('a proxy’s end of a poll is noticed after 5 s').it(
      'while the server decides closes the connection',
      async () => {
        const site = await start()
        const asked = deferred<(error?: unknown) => void>()
        site.sockets.once('authentication', (_socket, _auth, callback) => asked.resolve(callback))
        const client = site.client()
        const ready = rejection(client.ready())
        const letIn = await asked.promise
        await client.end()
        letIn()
        expect((await ready).code).to.equal('ended')
        await site.servesHonestClients()
        await until(() => site.sockets.sockets().length === 0)
      },
    )

    it('while it waits for the next try makes no other', async () => {
      const site = await start({ prefix: '/elsewhere' })
      const client = site.client()
      while (client.state !== 'waiting') await next(client, 'state')
      await client.end()
      expect(client.state).to.equal('ended')
      expect((await rejection(client.ready())).code).to.equal('ended')
    })

    it('after it failed, and again, is harmless', async () => {
      const site = await start({ authentication: () => false })
      const client = site.client()
      await rejection(client.ready())
      await client.end()
      await client.end()
      expect(client.state).to.equal('ended')
    })

    it('from a listener of `ready` and of `message`', async () => {
      const site = await start()
      const first = site.client()
      await new Promise<void>((resolve) => first.ready(() => void first.end(resolve)))
      const second = await site.ready()
      await second.subscribe('a')
      const got = sinon.spy()
      second.onmessage(got)
      second.onmessage(() => void second.end())
      await site.sockets.publish('a', 1)
      await site.sockets.publish('a', 2)
      await until(() => site.sockets.sockets().length === 0)
      expect(got.callCount).to.equal(1)
    })
  })
})

describe('events of the client', () => {
  const start = useSites()

  it('`ready`: once, without arguments', async () => {
    const site = await start()
    const client = site.client()
    const ready = sinon.spy()
    client.on('ready', ready)
    await client.ready()
    site.sockets.sockets()[0]?.end()
    await next(client, 'reconnect')
    expect(ready.args).to.deep.equal([[]])
  })

  it('`reconnect`: with an error for each try that failed, then without', async () => {
    const site = await start()
    let isDown = false
    site.sockets.on('authentication', () => !isDown)
    const { client, socket } = await site.pair()
    isDown = true
    const got: unknown[] = []
    client.on('reconnect', (error) => {
      got.push(error?.code)
      isDown = false
    })
    socket.end()
    await until(() => got.length === 2)
    expect(got).to.deep.equal(['forbidden', undefined])
  })

  it('`message`: channel and message, for wanted channels only', async () => {
    const site = await start()
    const client = await site.ready()
    const got: unknown[] = []
    client.on('message', (...args) => got.push(args.slice(0, 2)))
    await client.subscribe('a')
    void client.unsubscribe('a')
    await site.sockets.publish('a', 1)
    await client.subscribe('b')
    await client.publish('b', 2)
    await client.rpc('echo')
    expect(got).to.deep.equal([['b', 2]])
  })

  it('`ping`: the round trip in milliseconds', async () => {
    const site = await start()
    expect((await next(await site.ready({ ping: 5 }), 'ping'))[0]).to.be.a('number')
  })
})
