import type { TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import sinon from 'sinon'
import { turn, until } from './waiting.js'
import { World } from './world.js'

describe('a channel that the user may not have any longer', () => {
  let world: World
  let socket: TokenSocket

  beforeEach(async () => {
    world = await World.create()
    world.reconnectAtOnce()
    socket = await world.openReady()
  })

  afterEach(() => world.close())

  const asked = () => world.server.peers.flatMap((peer) => peer.of('subscribe')).length

  function revoke(channel = 'a'): Promise<void> {
    const revoked = new Promise<void>((resolve) => void socket.once('revoked', () => resolve()))
    world.server.peer.send({ type: 'unsubscribed', channel, isRevoked: true })
    return revoked
  }

  it('emits `unsubscribed` with the reason, then `revoked`, and `revoked` of the socket', async () => {
    const channel = socket.channel('a')
    const told: unknown[] = []
    channel.on('unsubscribed', ({ reason }) => told.push(reason))
    channel.on('revoked', () => told.push('channel'))
    socket.on('revoked', (name) => told.push(name))
    await channel.subscribe()
    await revoke()
    expect(told).to.deep.equal(['revoked', 'channel', 'a'])
    expect(socket.channels()).to.deep.equal([])
  })

  for (const isRevoked of [true, false])
    it(`is known to an object that was made late: ${isRevoked ? 'revoked' : 'taken off'}`, async () => {
      await socket.subscribe('a')
      const channel = socket.channel('a')
      const told: unknown[] = []
      channel.on('subscribed', () => told.push('subscribed'))
      channel.on('unsubscribed', ({ reason }) => told.push(reason))
      channel.on('revoked', () => told.push('event'))
      world.server.peer.send({ type: 'unsubscribed', channel: 'a', isRevoked })
      await until(() => told.length > 0)
      expect(told).to.deep.equal(isRevoked ? ['revoked', 'event'] : ['server'])
      await channel.subscribe()
      await channel.unsubscribe()
      expect(told.slice(-2)).to.deep.equal(['subscribed', 'client'])
    })

  it('is not known to an object of a channel that is not subscribed to', async () => {
    await socket.subscribe('a')
    await socket.unsubscribe('a')
    const channel = socket.channel('a')
    const told = sinon.spy()
    channel.on('unsubscribed', told)
    await channel.unsubscribe()
    expect(told.called).to.equal(false)
  })

  it('is said of a channel without an object, too', async () => {
    await socket.subscribe('a')
    await revoke()
    expect(socket.channels()).to.deep.equal([])
  })

  it('emits no `revoked` when the server only takes the socket off', async () => {
    const [revoked, unsubscribed] = [sinon.spy(), sinon.spy()]
    const channel = socket.channel('a')
    channel.on('revoked', revoked)
    channel.on('unsubscribed', unsubscribed)
    socket.on('revoked', revoked)
    await channel.subscribe()
    world.server.peer.send({ type: 'unsubscribed', channel: 'a' })
    await until(() => unsubscribed.called)
    expect(unsubscribed.args).to.deep.equal([[{ reason: 'server' }]])
    expect(revoked.called).to.equal(false)
  })

  it('keeps its handlers, and is not asked for again, also after a loss', async () => {
    const handler = sinon.spy()
    socket.channel('a').bind('', handler)
    await until(() => socket.channels().length === 1 && asked() === 1)
    await revoke()
    const back = new Promise((resolve) => void socket.once('reconnect', resolve))
    world.server.cut()
    await back
    for (let turns = 0; turns < 20; turns += 1) await turn()
    expect(asked()).to.equal(1)
    // The handler is still there when the server grants the channel again.
    world.server.peer.send({ type: 'subscribed', channel: 'a' })
    world.server.peer.send({ type: 'publication', channel: 'a', data: 1 })
    await until(() => handler.called)
  })

  for (const [how, ask] of [
    ['bind', () => void socket.channel('a').bind('other', () => {})],
    ['subscribe', () => void socket.subscribe('a')],
  ] as const)
    it(`is asked for again by another ${how}`, async () => {
      socket.channel('a').bind('', () => {})
      await until(() => asked() === 1)
      await turn()
      await revoke()
      ask()
      await until(() => asked() === 2)
    })

  it('leaves it to the answer of a request that is under way', async () => {
    const { onmessage } = world.server
    let held: (() => void) | undefined
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'subscribe') return onmessage(message, peer)
      held = () => {
        peer.send({ type: 'subscribed', channel: 'a' })
        peer.send({ type: 'answer', id: message.id, rpc: '_subscribe', outcome: { data: null } })
      }
      return true
    }
    const subscribed = socket.subscribe('a')
    await until(() => held)
    await revoke()
    held?.()
    await subscribed
    expect(socket.channels()).to.deep.equal(['a'])
  })
})
