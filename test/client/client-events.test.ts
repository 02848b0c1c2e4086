import { RpcError } from '@token-socket/client'
import { expect } from 'chai'
import sinon from 'sinon'
import { refusal } from './scripted-server.js'
import { turn, until } from './waiting.js'
import { World } from './world.js'

describe('the events of TokenSocket', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
  })

  afterEach(() => world.close())

  it('`ready` comes once, without an error', async () => {
    world.reconnectAtOnce()
    const socket = world.open()
    const [ready, reconnect] = [sinon.spy(), sinon.spy()]
    socket.on('ready', ready)
    socket.on('reconnect', reconnect)
    await socket.ready()
    world.server.cut()
    await until(() => reconnect.called)
    expect(ready.args).to.deep.equal([[]])
  })

  it('`ready` comes with the error that is final', async () => {
    world.server.ontoken = (_, response) => response.writeHead(401).end()
    const socket = world.open()
    const ready = sinon.spy()
    socket.on('ready', ready)
    await until(() => ready.called)
    expect(ready.args[0]?.[0]).to.have.property('code', 'token_refused')
  })

  it('`reconnect` comes with the error of a try that failed, then without', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    const reconnect = sinon.spy()
    socket.on('reconnect', reconnect)
    world.server.refusesUpgrades = true
    world.server.cut()
    await until(() => reconnect.called)
    world.server.refusesUpgrades = false
    await until(() => socket.state === 'ready')
    expect(reconnect.args[0]?.[0]).to.have.property('code', 'transport_failed')
    expect(reconnect.lastCall.args).to.deep.equal([])
  })

  it('`error` names the action that threw, and has what it threw as its `cause`', async () => {
    const thrown = new Error('broken')
    const deep = {
      fail: () => {
        throw thrown
      },
      circle: () => {
        const answer: { self?: unknown } = {}
        answer.self = answer
        return answer
      },
    }
    const socket = await world.openReady({}, { deep })
    const errors = sinon.spy()
    socket.on('error', errors)
    world.server.peer.send({ type: 'invoke', id: '1', name: 'deep.fail', data: undefined })
    world.server.peer.send({ type: 'invoke', id: '2', name: 'deep.circle', data: undefined })
    await until(() => errors.callCount === 2)
    const [first, second] = errors.args.flat()
    expect(first).to.include({ code: 'internal', message: 'broken', cause: thrown })
    expect(first.data).to.deep.equal({ function: 'deep.fail' })
    expect(second).to.include({ code: 'unserializable' })
  })

  it('`message` comes for channels that are subscribed to, in order', async () => {
    const socket = await world.openReady()
    await socket.subscribe('a')
    const messages: unknown[] = []
    socket.on('message', (...args) => messages.push(args))
    for (const data of [1, 2]) world.server.peer.send({ type: 'publication', channel: 'a', data })
    world.server.peer.send({ type: 'publication', channel: 'other', data: 3 })
    await socket.rpc('echo')
    expect(messages).to.deep.equal([
      ['a', 1, { channel: 'a', data: 1 }],
      ['a', 2, { channel: 'a', data: 2 }],
    ])
  })

  it('`ping` comes with the round trip in milliseconds', async () => {
    const clock = world.stopClock()
    const socket = await world.openReady({ ping: 100 })
    world.server.onmessage = ({ type, id }, peer) => {
      if (type !== 'ping') return false
      clock.tick(7)
      peer.send({ type: 'answer', rpc: '_ping', id, outcome: { data: null } })
      return true
    }
    const trips: number[] = []
    socket.on('ping', (roundTrip) => trips.push(roundTrip))
    clock.tick(100)
    await until(() => trips.length)
    expect(trips).to.deep.equal([7])
  })

  it('`state` comes with each change and why', async () => {
    world.reconnectAtOnce()
    const socket = world.open()
    const states: string[] = []
    socket.on('state', (state, { error }) => states.push(error ? `${state} ${error.code}` : state))
    await socket.ready()
    world.server.cut()
    await until(() => states.length === 4)
    await socket.end()
    expect(states).to.deep.equal(['ready', 'waiting connection_lost', 'connecting', 'ready', 'ended'])
  })

  it('`error` comes for a ping that is answered with an error', async () => {
    const clock = world.stopClock()
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'ping') return false
      peer.send(refusal(message, new RpcError('not_found')))
      return true
    }
    const socket = await world.openReady({ ping: 100 })
    const error = sinon.spy()
    socket.on('error', error)
    clock.tick(100)
    await until(() => error.called)
    expect(error.args[0]?.[0]).to.have.property('code', 'not_found')
    expect(socket.state).to.equal('ready')
  })

  it('`error` comes for an error of the server that belongs to no request', async () => {
    const socket = await world.openReady()
    const error = sinon.spy()
    socket.on('error', error)
    world.server.peer.send({ type: 'error', error: { error: 'Invalid message', code: 'bad_message' } })
    await until(() => error.called)
    expect(error.args[0]?.[0]).to.have.property('code', 'bad_message')
  })

  it('`error` without a listener harms nothing', async () => {
    const socket = await world.openReady()
    world.server.peer.send({ type: 'error', error: { error: 'Invalid message' } })
    await turn()
    expect(await socket.rpc('echo', 1)).to.equal(1)
  })
})
