import { RpcError } from '@token-socket/client'
import { expect } from 'chai'
import sinon from 'sinon'
import { refusal } from './scripted-server.js'
import { errorOf, turn, until } from './waiting.js'
import { World } from './world.js'

describe('TokenSocket', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
  })

  afterEach(() => world.close())

  describe('#ready', () => {
    it('calls its function without an error when the socket is ready', async () => {
      const ready = sinon.spy()
      world.open().ready(ready)
      await until(() => ready.called)
      expect(ready.args).to.deep.equal([[]])
    })

    it('calls a function that comes later soon, but not at once', async () => {
      const socket = await world.openReady()
      const ready = sinon.spy()
      socket.ready(ready)
      expect(ready.called).to.equal(false)
      await turn()
      expect(ready.callCount).to.equal(1)
    })

    it('resolves without a function', async () => {
      const socket = world.open()
      await socket.ready()
      expect(socket.state).to.equal('ready')
    })

    it('gives an error once the socket has ended', async () => {
      const socket = await world.openReady()
      await socket.end()
      const ready = sinon.spy()
      socket.ready(ready)
      expect(await errorOf(socket.ready())).to.have.property('code', 'ended')
      expect(ready.args[0]?.[0]).to.have.property('code', 'ended')
    })
  })

  it('#onreconnect calls its function each time that the socket is back', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    const back = sinon.spy()
    socket.onreconnect(back)
    for (const times of [1, 2]) {
      world.server.cut()
      await until(() => back.callCount === times)
    }
    expect(back.args).to.deep.equal([[], []])
  })

  it('#onmessage calls its function with the channel and the message', async () => {
    const socket = await world.openReady()
    const onmessage = sinon.spy()
    socket.onmessage(onmessage)
    await socket.subscribe('news')
    world.server.peer.send({ type: 'publication', channel: 'news', data: { a: 1 } })
    await until(() => onmessage.called)
    expect(onmessage.args).to.deep.equal([['news', { a: 1 }, { channel: 'news', data: { a: 1 } }]])
  })

  describe('#rpc', () => {
    it('resolves with the answer', async () => {
      const socket = await world.openReady()
      expect(await socket.rpc('echo', { foo: 'bar' })).to.deep.equal({ foo: 'bar' })
    })

    it('gives its callback the answer', async () => {
      const socket = await world.openReady()
      const callback = sinon.spy()
      await socket.rpc('echo', 1, callback)
      expect(callback.args).to.deep.equal([[null, 1]])
    })

    it('takes a function in the place of data for the callback', async () => {
      const socket = await world.openReady()
      const callback = sinon.spy()
      await socket.rpc('echo', callback)
      expect(callback.args).to.deep.equal([[null, undefined]])
    })

    it('takes null for no callback', async () => {
      const socket = await world.openReady()
      expect(await socket.rpc('echo', 1, null as unknown as undefined)).to.equal(1)
    })

    it('gives its callback an RpcError', async () => {
      const socket = await world.openReady()
      const error = await new Promise((resolve) => {
        void socket.rpc('nowhere', undefined, resolve)
      })
      expect(RpcError.is(error)).to.equal(true)
      expect(error).to.have.property('code', 'not_found')
    })

    it('honors the `timeout` option of the call', async () => {
      const clock = world.stopClock()
      const socket = await world.openReady()
      const call = socket.rpc('hang', null, { timeout: 50 })
      clock.tick(50)
      expect(await errorOf(call)).to.have.property('code', 'timeout')
    })

    it('honors the `signal` option of the call', async () => {
      const socket = await world.openReady()
      const abort = new AbortController()
      const call = socket.rpc('hang', null, { signal: abort.signal })
      abort.abort()
      expect(await errorOf(call)).to.have.property('code', 'aborted')
    })

    it('sends the calls of one turn as one frame, one a line', async () => {
      const socket = await world.openReady()
      await Promise.all([socket.rpc('echo', 1), socket.rpc('echo', 2)])
      expect(world.server.peer.frames).to.have.length(2)
      expect(world.server.peer.frames[1]?.split('\n')).to.have.length(2)
    })

    it('refuses data that is no JSON with `unserializable`', async () => {
      const socket = await world.openReady()
      expect(await errorOf(socket.rpc('echo', 1n))).to.have.property('code', 'unserializable')
    })

    it('never sends a queued call that was aborted meanwhile', async () => {
      const socket = world.open()
      const abort = new AbortController()
      const call = socket.rpc('echo', 'aborted', { signal: abort.signal })
      abort.abort()
      expect(await socket.rpc('echo', 'kept')).to.equal('kept')
      expect(await errorOf(call)).to.have.property('code', 'aborted')
      expect(world.server.peer.of('call')).to.have.length(1)
    })

    it('sends what its data was when it was called', async () => {
      const socket = world.open()
      const data = { n: 1 }
      const call = socket.rpc('echo', data)
      data.n = 2
      expect(await call).to.deep.equal({ n: 1 })
    })
  })

  describe('#register', () => {
    it('replaces all actions', async () => {
      const socket = await world.openReady({}, { old: () => 1 })
      socket.register({ young: () => 2 })
      world.server.peer.send({ type: 'invoke', id: 'f1', name: 'old', data: null })
      world.server.peer.send({ type: 'invoke', id: 'f2', name: 'young', data: null })
      await until(() => world.server.peer.of('result').length === 2)
      expect(world.server.peer.of('result').map(({ outcome }) => outcome)).to.deep.equal([
        { error: 'Function not found', code: 'not_found', about: { function: 'old' } },
        { data: 2 },
      ])
    })
  })

  describe('#findAction', () => {
    it('gives the function that a call of the server runs', async () => {
      const deep = () => 1
      const socket = await world.openReady({}, { nested: { deep } })
      expect(socket.findAction('nested.deep')).to.equal(deep)
      expect(socket.findAction('nested')).to.equal(undefined)
      expect(socket.findAction('toString')).to.equal(undefined)
    })

    it('may be replaced, so that a library adds functions', async () => {
      const socket = await world.openReady({}, { own: () => 'own' })
      const find = socket.findAction.bind(socket)
      socket.findAction = (name) => (name === 'added' ? () => 'added' : find(name))
      world.server.peer.send({ type: 'invoke', id: 'f1', name: 'added', data: null })
      world.server.peer.send({ type: 'invoke', id: 'f2', name: 'own', data: null })
      await until(() => world.server.peer.of('result').length === 2)
      const outcomes = world.server.peer.of('result').map(({ outcome }) => outcome)
      expect(outcomes).to.deep.equal([{ data: 'added' }, { data: 'own' }])
    })
  })

  describe('#actions', () => {
    it('may be changed in place', async () => {
      const actions: Record<string, () => unknown> = {}
      const socket = await world.openReady({}, actions)
      Object.assign(socket.actions, { added: () => 'yes' })
      world.server.peer.send({ type: 'invoke', id: 'f1', name: 'added', data: null })
      await until(() => world.server.peer.of('result').length)
      expect(world.server.peer.of('result')[0]?.outcome).to.deep.equal({ data: 'yes' })
    })

    it('are found by nested name and answer by callback', async () => {
      type Answer = (error: unknown, data?: unknown) => void
      await world.openReady(
        {},
        { nested: { add: (data: number, callback: Answer) => callback(null, data + 1) } },
      )
      world.server.peer.send({ type: 'invoke', id: 'f1', name: 'nested.add', data: 1 })
      await until(() => world.server.peer.of('result').length)
      expect(world.server.peer.of('result')[0]?.outcome).to.deep.equal({ data: 2 })
    })

    it('are never found by inherited names', async () => {
      await world.openReady({}, {})
      world.server.peer.send({ type: 'invoke', id: 'f1', name: 'toString', data: null })
      await until(() => world.server.peer.of('result').length)
      expect(world.server.peer.of('result')[0]?.outcome).to.have.property('code', 'not_found')
    })

    it('are called before the token is answered, too', async () => {
      world.server.onmessage = ({ type }, peer) => {
        if (type === 'auth') peer.send({ type: 'invoke', id: 'f1', name: 'early', data: null })
      }
      await world.openReady({}, { early: () => 'here' })
      await until(() => world.server.peer.of('result').length)
      expect(world.server.peer.of('result')[0]?.outcome).to.deep.equal({ data: 'here' })
    })

    it('tell the server `internal` when they throw, and the `error` event the cause', async () => {
      const cause = new Error('secret')
      const socket = await world.openReady({}, { fail: () => Promise.reject(cause) })
      const error = sinon.spy()
      socket.on('error', error)
      world.server.peer.send({ type: 'invoke', id: 'f1', name: 'fail', data: null })
      await until(() => world.server.peer.of('result').length)
      expect(world.server.peer.of('result')[0]?.outcome).to.deep.equal({
        error: 'Internal error',
        code: 'internal',
      })
      expect(error.args[0]?.[0]).to.have.property('cause', cause)
    })

    it('answer on the connection of the call only', async () => {
      world.reconnectAtOnce()
      const answers: ((data: unknown) => void)[] = []
      const slow = () => new Promise((resolve) => answers.push(resolve))
      const socket = await world.openReady({}, { slow })
      const [first] = world.server.peers
      first?.send({ type: 'invoke', id: 'f1', name: 'slow', data: null })
      await until(() => answers.length)
      const back = new Promise((resolve) => socket.onreconnect(resolve))
      world.server.cut()
      await back
      answers[0]?.('late')
      await socket.rpc('echo')
      expect(world.server.peer.of('result')).to.deep.equal([])
    })
  })

  describe('#subscribe', () => {
    it('resolves when the server has subscribed the socket', async () => {
      const socket = await world.openReady()
      await socket.subscribe('a')
      expect(socket.channels()).to.deep.equal(['a'])
    })

    it('calls its callback', async () => {
      const socket = await world.openReady()
      const callback = sinon.spy()
      await socket.subscribe('a', callback)
      expect(callback.args).to.deep.equal([[null, undefined]])
    })

    it('rejects with the server’s error, and the channel is not listed', async () => {
      world.server.onmessage = (message, peer) => {
        if (message.type !== 'subscribe') return false
        peer.send(refusal(message, new RpcError('forbidden')))
        return true
      }
      const socket = await world.openReady()
      expect(await errorOf(socket.subscribe('a'))).to.have.property('code', 'forbidden')
      expect(socket.channels()).to.deep.equal([])
      expect(socket.state).to.equal('ready')
    })
  })

  describe('#unsubscribe', () => {
    it('resolves when the server has answered, and no message comes any more', async () => {
      const socket = await world.openReady()
      const message = sinon.spy()
      socket.on('message', message)
      await socket.subscribe('a')
      const done = socket.unsubscribe('a')
      world.server.peer.send({ type: 'publication', channel: 'a', data: 1 })
      await done
      expect(await socket.rpc('echo', 1)).to.equal(1)
      expect(message.called).to.equal(false)
    })

    it('drops the channel at once while the socket is away', async () => {
      const socket = world.open()
      const subscribed = socket.subscribe('a')
      await socket.unsubscribe('a')
      expect(socket.channels()).to.deep.equal([])
      expect(await errorOf(subscribed)).to.have.property('code', 'aborted')
      await socket.ready()
      await socket.rpc('echo')
      expect(world.server.peer.of('subscribe')).to.deep.equal([])
    })
  })

  describe('#channels', () => {
    it('follows what the server does by itself', async () => {
      const socket = await world.openReady()
      world.server.peer.send({ type: 'subscribed', channel: 'theirs' })
      await until(() => socket.channels().length === 1)
      expect(socket.channels()).to.deep.equal(['theirs'])
      world.server.peer.send({ type: 'unsubscribed', channel: 'theirs' })
      await until(() => socket.channels().length === 0)
    })
  })

  it('#publish resolves when the server has taken the message', async () => {
    const socket = await world.openReady()
    expect(await socket.publish('a', { foo: 'bar' })).to.equal(undefined)
    expect(world.server.peer.of('publish')[0]).to.deep.include({ channel: 'a', data: { foo: 'bar' } })
  })

  it('#publish gives its callback the refusal', async () => {
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'publish') return false
      peer.send(refusal(message, new RpcError('forbidden')))
      return true
    }
    const socket = await world.openReady()
    const error = await new Promise((resolve) => {
      void socket.publish('a', 1, resolve)
    })
    expect(error).to.have.property('code', 'forbidden')
  })

  it('#broadcast resolves when the server has taken the message', async () => {
    const socket = await world.openReady()
    const callback = sinon.spy()
    await socket.broadcast({ foo: 'bar' }, callback)
    expect(world.server.peer.of('broadcast')[0]).to.deep.include({ data: { foo: 'bar' } })
    expect(callback.args).to.deep.equal([[null, undefined]])
  })

  it('#transport names what carries the socket, and nothing while it is away', async () => {
    const socket = world.open()
    expect(socket.transport).to.equal(undefined)
    await socket.ready()
    expect(socket.transport).to.equal('websocket')
  })

  describe('#emit', () => {
    it('calls every listener though one throws, and throws that as an uncaught error', async () => {
      const socket = await world.openReady()
      const [thrown, second] = [new Error('mine'), sinon.spy()]
      socket.on('ping', () => {
        throw thrown
      })
      socket.on('ping', second)
      const uncaught = nextUncaught()
      socket.emit('ping', 1)
      expect(second.args).to.deep.equal([[1]])
      expect(await uncaught).to.equal(thrown)
      expect(await socket.rpc('echo', 1)).to.equal(1)
    })

    it('calls a listener added by `once` once', async () => {
      const socket = await world.openReady()
      const listener = sinon.spy()
      socket.once('ping', listener)
      expect(socket.emit('ping', 1)).to.equal(true)
      expect(socket.emit('ping', 2)).to.equal(false)
      expect(listener.args).to.deep.equal([[1]])
    })
  })

  it('goes on when a callback throws', async () => {
    const socket = await world.openReady()
    const thrown = new Error('mine')
    const uncaught = nextUncaught()
    void socket.rpc('echo', 1, () => {
      throw thrown
    })
    expect(await uncaught).to.equal(thrown)
    expect(await socket.rpc('echo', 2)).to.equal(2)
  })

  it('leaves no unhandled rejection when nobody awaits', async () => {
    const unhandled = sinon.spy()
    process.on('unhandledRejection', unhandled)
    const socket = world.open()
    void socket.rpc('echo')
    void socket.publish('a', 1)
    void socket.subscribe('a')
    void socket.ready()
    await socket.end()
    void socket.broadcast(1)
    void socket.subscribe('a')
    void socket.unsubscribe('a')
    void socket.ready()
    for (let turns = 0; turns < 3; turns += 1) await turn()
    process.removeListener('unhandledRejection', unhandled)
    expect(unhandled.called).to.equal(false)
  })
})

/** The next uncaught error, kept from the test runner. */
function nextUncaught(): Promise<unknown> {
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  return new Promise((resolve) => {
    process.once('uncaughtException', (error) => {
      for (const listener of listeners) process.on('uncaughtException', listener)
      resolve(error)
    })
  })
}
