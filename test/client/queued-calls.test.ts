import type { ClientMessage, RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import type { Peer } from './scripted-server.js'
import { errorOf, turn, until } from './waiting.js'
import { World } from './world.js'

describe('calls that wait for the connection', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
  })

  afterEach(() => world.close())

  /** From now on the server keeps calls, and answers one only when the test says so. */
  function keepCalls(): (count: number) => void {
    const kept: (readonly [ClientMessage & { type: 'call' }, Peer])[] = []
    world.server.onmessage = (message, peer) => message.type === 'call' && kept.push([message, peer]) && true
    return (count) => {
      for (const [{ id, name: rpc, data }, peer] of kept.splice(0, count))
        peer.send({ type: 'answer', rpc, id: String(id), outcome: { data } })
    }
  }

  const sent = () => world.server.peer.of('call').map(({ data }) => data)
  const numbers = (count: number) => [...Array(count).keys()]

  it('are never more than 500 at once, in the order in which they were made', async () => {
    let running = 0
    let most = 0
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'call') return false
      running += 1
      most = Math.max(most, running)
      setImmediate(() => {
        running -= 1
        const { id, name: rpc, data } = message
        peer.send({ type: 'answer', rpc, id: String(id), outcome: { data } })
      })
      return true
    }
    const socket = world.open({ queueSize: 5000 })
    const calls = numbers(3000).map((number) => socket.rpc('keep', number))
    expect(await Promise.all(calls)).to.deep.equal(numbers(3000))
    expect(sent()).to.deep.equal(numbers(3000))
    expect(most).to.equal(500)
  })

  it('name all of their time, however long they waited', async () => {
    keepCalls()
    const socket = world.open()
    const call = socket.rpc('keep', 1, { timeout: 60_000 }).catch(() => {})
    await socket.ready()
    await until(() => sent().length === 1)
    expect(world.server.peer.of('call').map(({ timeout }) => timeout)).to.deep.equal([60_000])
    await socket.end()
    await call
  })

  it('time out with the last failure to connect as the `cause`, if they were never sent', async () => {
    world.reconnectAtOnce()
    keepCalls()
    const socket = await world.openReady()
    const kept = await errorOf(socket.rpc('keep', 1, { timeout: 1 }))
    expect(kept.code).to.equal('timeout')
    expect(Object(kept).cause).to.equal(undefined)
    world.server.refusesUpgrades = true
    const failed = new Promise((resolve) => socket.once('reconnect', resolve))
    world.server.cut()
    await failed
    const error = await errorOf(socket.rpc('keep', 1, { timeout: 1 }))
    expect(error.code).to.equal('timeout')
    expect(Object(error).cause).to.include({ code: 'transport_failed' })
  })

  it('all take that `cause`, whatever they ask for', async () => {
    world.server.refusesUpgrades = true
    const socket = world.open({ callTimeout: 50 })
    await until(() => socket.status.error)
    const calls = {
      rpc: socket.rpc('keep'),
      notify: socket.notify('keep'),
      publish: socket.publish('room', 1),
      history: socket.history('room'),
      broadcast: socket.broadcast(1),
    }
    for (const [name, call] of Object.entries(calls)) {
      const error = await errorOf(call)
      expect(error, name).to.include({ code: 'timeout' })
      expect(Object(error).cause, name).to.include({ code: 'transport_failed' })
    }
  })

  it('are not more than `limits.callsOut` at once, and later calls follow them', async () => {
    const answer = keepCalls()
    const socket = world.open({ limits: { callsOut: 2 } })
    const calls = numbers(4).map((number) => socket.rpc('keep', number))
    await socket.ready()
    calls.push(socket.rpc('keep', 4))
    await until(() => sent().length === 2)
    await turn()
    expect(sent()).to.deep.equal([0, 1])
    answer(1)
    await until(() => sent().length === 3)
    answer(2)
    await until(() => sent().length === 5)
    answer(2)
    expect(await Promise.all(calls)).to.deep.equal(numbers(5))
  })

  it('go out, too, when those before them time out or are given up', async () => {
    keepCalls()
    const socket = world.open({ limits: { callsOut: 2 } })
    const giveUp = new AbortController()
    void socket.rpc('keep', 0, { timeout: 300 })
    void socket.rpc('keep', 1, { signal: giveUp.signal })
    void socket.rpc('keep', 2)
    void socket.rpc('keep', 3)
    await socket.ready()
    await until(() => sent().length === 2)
    giveUp.abort()
    await until(() => sent().length === 3)
    await until(() => sent().length === 4)
    expect(sent()).to.deep.equal(numbers(4))
  })

  it('leave the others in the queue when the connection is lost', async () => {
    world.reconnectAtOnce()
    keepCalls()
    const socket = world.open({ limits: { callsOut: 2 } })
    const calls = numbers(4).map((number) => socket.rpc('keep', number))
    await socket.ready()
    await until(() => sent().length === 2)
    world.server.onmessage = () => false
    world.server.cut()
    expect(await errorOf(calls[0] as Promise<unknown>)).to.have.property('code', 'connection_lost')
    await until(() => world.server.peers.length === 2 && sent().length === 2)
    expect(sent()).to.deep.equal([2, 3])
  })

  const endings: [what: string, end: () => void][] = [
    ['says that it is not to come back', () => world.server.peer.socket.close(4500, 'disconnected')],
    ['is lost, and `reconnect` is false', () => world.server.cut()],
  ]
  for (const [what, end] of endings) {
    it(`claim no unknown outcome when the connection ${what}`, async () => {
      keepCalls()
      const socket = world.open({ reconnect: false, limits: { callsOut: 1 } })
      const [first, waiting] = [socket.rpc('keep', 0), socket.rpc('keep', 1)]
      await socket.ready()
      await until(() => sent().length === 1)
      end()
      expect(await errorOf(first)).to.have.property('code', 'connection_lost')
      const later = [socket.rpc('keep', 2), socket.subscribe('a'), socket.publish('a', 1)]
      for (const call of [waiting, ...later]) {
        const error = (await errorOf(call)) as RpcError
        expect(error.code).to.equal('ended')
        expect(error.message).not.to.include('unknown')
        expect(Object(error).cause).to.have.property('code', 'connection_lost')
      }
      expect(sent()).to.deep.equal([0])
    })
  }
})
