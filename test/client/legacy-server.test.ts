import { RpcError } from '@token-socket/client'
import { expect } from 'chai'
import sinon from 'sinon'
import { refusal } from './scripted-server.js'
import { errorOf, until } from './waiting.js'
import { World } from './world.js'

describe('TokenSocket with the legacy server', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
    world.server.isOld = true
  })

  afterEach(() => world.close())

  it('asks for the token by GET when POST is not known, and remembers', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    const back = new Promise((resolve) => socket.onreconnect(resolve))
    world.server.cut()
    await back
    expect(world.server.tokenRequests.map(({ method }) => method)).to.deep.equal(['POST', 'GET', 'GET'])
  })

  it('sends one message a frame', async () => {
    const socket = await world.openReady()
    await Promise.all([socket.rpc('echo', 1), socket.rpc('echo', 2)])
    expect(world.server.peer.frames).to.have.length(3)
  })

  it('resolves publish and broadcast when they are sent', async () => {
    const socket = world.open()
    await Promise.all([socket.publish('a', 1), socket.broadcast(2)])
    await until(() => world.server.peer.of('broadcast').length)
  })

  for (const [field, options] of Object.entries({
    event: { event: 'chat' },
    idempotencyKey: { idempotencyKey: 'a' },
  })) {
    for (const when of ['at once', 'from the queue']) {
      it(`refuses ${field}, which it would drop, before sending, ${when}`, async () => {
        const socket = world.open()
        if (when === 'at once') await socket.ready()
        const error = await errorOf(socket.publish('a', 1, options))
        expect([error.code, error.data]).to.deep.equal(['unsupported', { field }])
        await socket.publish('a', 2)
        await until(() => world.server.peer.of('publish').length)
        expect(world.server.peer.of('publish').map(({ data }) => data)).to.deep.equal([2])
      })
    }
  }

  it('emits a refusal of a publish as an `error` event', async () => {
    world.server.onmessage = (message, peer) => {
      if (message.type === 'publish') peer.send(refusal(message, new RpcError('forbidden')))
    }
    const socket = await world.openReady()
    const error = sinon.spy()
    socket.on('error', error)
    await socket.publish('a', 1)
    await until(() => error.called)
    expect(error.args[0]?.[0]).to.have.property('code', 'forbidden')
  })

  it('takes its notices for answers to subscribe and unsubscribe', async () => {
    const socket = await world.openReady()
    await socket.subscribe('a')
    expect(socket.channels()).to.deep.equal(['a'])
    await socket.unsubscribe('a')
    expect(socket.channels()).to.deep.equal([])
  })

  it('rejects a subscribe that it refuses', async () => {
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'subscribe') return false
      peer.send(refusal(message, new RpcError('forbidden')))
      return true
    }
    const socket = await world.openReady()
    expect(await errorOf(socket.subscribe('a'))).to.have.property('code', 'forbidden')
  })

  it('sends what waited without waiting for the subscriptions', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    await socket.subscribe('a')
    world.server.onmessage = ({ type }) => type === 'subscribe'
    await world.cut(socket)
    expect(await socket.rpc('echo', 1)).to.equal(1)
    expect(world.server.peer.received.map(({ type }) => type)).to.deep.equal(['auth', 'subscribe', 'call'])
  })
})
