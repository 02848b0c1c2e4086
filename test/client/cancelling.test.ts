import type { CallContext } from '@token-socket/protocol'
import { expect } from 'chai'
import { errorOf, until } from './waiting.js'
import { World } from './world.js'

describe('calls that are given up', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
    world.server.session = { can: ['cancel'] }
    world.server.onmessage = (message) => message.type === 'call'
  })

  afterEach(() => world.close())

  const cancels = () => world.server.peer.of('cancel').map(({ id, reason }) => [id, reason])
  const ids = () => world.server.peer.of('call').map(({ id }) => id)

  it('are cancelled at the server, with the reason', async () => {
    const socket = await world.openReady()
    const controller = new AbortController()
    const aborted = errorOf(socket.rpc('a', 1, { signal: controller.signal }))
    const late = errorOf(socket.rpc('b', 2, { timeout: 50 }))
    await until(() => ids().length === 2)
    controller.abort()
    expect([(await aborted).code, (await late).code]).to.deep.equal(['aborted', 'timeout'])
    await until(() => cancels().length === 2)
    const [first, second] = ids()
    expect(cancels()).to.deep.equal([
      [first, 'aborted'],
      [second, 'timeout'],
    ])
    expect(world.server.peer.of('call').map(({ timeout }) => timeout)).to.deep.equal([undefined, 50])
  })

  it('are not cancelled while they wait in the queue', async () => {
    const socket = world.open()
    const controller = new AbortController()
    const aborted = errorOf(socket.rpc('a', 1, { signal: controller.signal }))
    controller.abort()
    expect((await aborted).code).to.equal('aborted')
    void socket.rpc('b')
    await socket.ready()
    await until(() => ids().length === 1)
    expect(cancels()).to.deep.equal([])
  })

  it('are not cancelled while they wait in the queue of a socket that is ready', async () => {
    const socket = world.open()
    const calls = Array.from({ length: 501 }, () => socket.rpc('a'))
    const controller = new AbortController()
    const aborted = errorOf(socket.rpc('last', 1, { signal: controller.signal }))
    await socket.ready()
    await until(() => ids().length === 500)
    controller.abort()
    expect((await aborted).code).to.equal('aborted')
    expect(cancels()).to.deep.equal([])
    expect(calls).to.have.length(501)
  })

  it('are not cancelled once they are answered', async () => {
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'call' || message.id === undefined) return false
      peer.send({ type: 'answer', rpc: message.name, id: message.id, outcome: { data: 1 } })
      return true
    }
    const socket = await world.openReady()
    const controller = new AbortController()
    await socket.rpc('a', 1, { signal: controller.signal })
    controller.abort()
    await socket.rpc('b')
    expect(cancels()).to.deep.equal([])
  })

  for (const can of [undefined, [], ['flying']]) {
    it(`are not cancelled at a server that can ${can && JSON.stringify(can)}`, async () => {
      world.server.session = { can: can as never }
      const socket = await world.openReady()
      const controller = new AbortController()
      const aborted = errorOf(socket.rpc('a', 1, { signal: controller.signal }))
      await until(() => ids().length === 1)
      controller.abort()
      await aborted
      void socket.rpc('b')
      await until(() => ids().length === 2)
      expect(cancels()).to.deep.equal([])
    })
  }

  it('say what the client can do, with the token', async () => {
    await world.openReady()
    expect(world.server.peer.of('auth')[0]?.can).to.deep.equal(['cancel', 'notify', 'refresh', 'direct'])
  })

  describe('by the server', () => {
    const contexts: CallContext[] = []
    const actions = {
      ask: (_data: unknown, _callback: unknown, call: CallContext) => void contexts.push(call),
    }

    beforeEach(() => contexts.splice(0))

    async function asked() {
      const socket = await world.openReady({}, actions)
      world.server.peer.send({ type: 'invoke', id: '7', name: 'ask', data: 1 })
      await until(() => contexts.length === 1)
      return { socket, context: contexts[0] as CallContext }
    }

    it('abort the signal of their action, which gets no answer through', async () => {
      const { context } = await asked()
      expect(context).to.have.property('name', 'ask')
      const { signal } = context
      world.server.peer.send({ type: 'withdraw', id: '7', reason: 'timeout' })
      await until(() => signal.aborted)
      expect(signal.reason).to.have.property('code', 'timeout')
      expect(world.server.peer.of('result')).to.deep.equal([])
    })

    it('abort the signal when the connection is lost', async () => {
      const { socket, context } = await asked()
      const { signal } = context
      await world.cut(socket)
      expect(signal.reason).to.have.property('code', 'connection_lost')
    })

    it('are ignored when they are unknown', async () => {
      const { socket, context } = await asked()
      world.server.peer.send({ type: 'withdraw', id: '8', reason: 'aborted' })
      world.server.peer.send({ type: 'invoke', id: '9', name: 'ask', data: 1 })
      await until(() => contexts.length === 2)
      expect(context.signal.aborted).to.equal(false)
      expect(socket.state).to.equal('ready')
    })
  })
})
