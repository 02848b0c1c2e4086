import { MemoryEngine, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { Channels } from '#server/channels/channels.js'
import { Hub } from '#server/channels/hub.js'
import { Policy } from '#server/channels/policy.js'
import { PositionProofs } from '#server/channels/position-proofs.js'
import { readClaims } from '#server/claims/claims.js'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import { turn } from '../client/waiting.js'
import { makeSocket, type TestSocket } from './sockets.js'

describe('an automatic subscription', () => {
  let clock: sinon.SinonFakeTimers
  let engine: MemoryEngine
  let hub: Hub
  let channels: Channels
  /** What the listeners refuse with. */
  let refusal: string | undefined
  let asked: number
  const refused = sinon.spy()

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    sinon.stub(Math, 'random').returns(0.5)
    engine = new MemoryEngine()
    hub = new Hub(() => {})
    refusal = undefined
    asked = 0
    refused.resetHistory()
    const failed = () => {}
    channels = new Channels({
      ...engine,
      limits: { ...DEFAULT_LIMITS, subscriptions: 2, subscriptionsPerUser: 3 },
      hub,
      presenceGrace: 0,
      redeem: async () => {},
      policy: new Policy({ channels: {}, timeout: 1000, failed }),
      vetoes: {
        decide: async () => {
          asked += 1
          return refusal === undefined ? undefined : { error: new RpcError(refusal) }
        },
      },
      failed,
      proofs: new PositionProofs([Buffer.from('secret')]),
    })
  })

  afterEach(async () => {
    await engine.close()
    sinon.restore()
  })

  /** A socket of one user whose claims name channels. */
  async function join(...names: readonly string[]): Promise<TestSocket> {
    const grants = Object.fromEntries(names.map((name) => [name, { autoSubscribe: true }]))
    const made = makeSocket({
      identity: { claims: readClaims({ uid: 'u', channels: { ...grants, '*': { subscribe: true } } }) },
      channels: {
        request: (...args) => channels.request(...args),
        autoSubscribe: (...args) => channels.autoSubscribe(...args),
        forget: (...how) => channels.forget(...how),
      },
    })
    hub.add(made.socket)
    made.socket.autoSubscribe(refused)
    await turn()
    return made
  }

  async function pass(milliseconds: number): Promise<void> {
    clock.tick(milliseconds)
    // What follows a timer takes several turns in some runtimes.
    for (let turns = 0; turns < 5; turns += 1) await turn()
  }

  for (const code of ['too_many_members', 'too_many_subscriptions', 'engine_unavailable', 'timeout'])
    it(`is tried again after ${code}, less and less often, and told once`, async () => {
      refusal = code
      const { socket } = await join('a')
      for (const wait of [1, 2, 4, 8, 16, 32, 32, 32]) {
        const before = asked
        await pass(wait * 1000 - 1)
        expect(asked).to.equal(before)
        await pass(1)
        expect(asked).to.equal(before + 1)
      }
      refusal = undefined
      await pass(32_000)
      expect(socket.channels).to.deep.equal(['a'])
      expect(refused.args.map(([channel, error]) => [channel, error.code])).to.deep.equal([['a', code]])
      await pass(100_000)
      expect(asked).to.equal(10)
    })

  for (const code of ['forbidden', 'veto_timeout', 'bad_claims', 'of_the_application'])
    it(`is over after ${code}, at once or later`, async () => {
      refusal = code
      await join('a')
      await pass(100_000)
      expect([asked, refused.callCount]).to.deep.equal([1, 1])
      refusal = 'engine_unavailable'
      await join('a')
      refusal = code
      await pass(100_000)
      expect(refused.args.map(([, error]) => error.code)).to.deep.equal([code, 'engine_unavailable', code])
      expect(asked).to.equal(3)
    })

  it('comes to pass when the socket has room for it', async () => {
    const { socket } = await join('a', 'b', 'c')
    expect(socket.channels).to.deep.equal(['a', 'b'])
    expect(refused.args[0]?.[1]).to.have.deep.property('data', { field: 'subscriptions', limit: 2 })
    channels.unsubscribe(socket, 'a')
    await pass(1000)
    expect(socket.channels).to.deep.equal(['b', 'c'])
  })

  it('comes to pass when another socket of the user is gone', async () => {
    const first = await join('a', 'b')
    const { socket } = await join('a', 'b')
    expect(socket.channels).to.deep.equal(['a'])
    first.client.close(1000, '')
    await turn()
    await pass(1000)
    expect(socket.channels).to.deep.equal(['a', 'b'])
  })

  const ends: [how: string, end: (made: TestSocket) => unknown][] = [
    ['its client unsubscribes', ({ socket }) => channels.request(socket, unsubscribe)],
    ['the server unsubscribes it', ({ socket }) => channels.unsubscribe(socket, 'a')],
    ['the server unsubscribes all', () => channels.unsubscribeAll('a')],
    ['the socket is gone', ({ client }) => client.close(1000, '')],
  ]
  const unsubscribe = { type: 'unsubscribe', id: '1', channel: 'a' } as const

  for (const [how, end] of ends)
    it(`is not tried again when ${how} meanwhile`, async () => {
      refusal = 'engine_unavailable'
      const made = await join('a')
      refusal = undefined
      await end(made)
      asked = 0
      await pass(100_000)
      expect([asked, hub.on('a')]).to.deep.equal([0, []])
    })

  it('is not tried again when its client has subscribed meanwhile', async () => {
    refusal = 'engine_unavailable'
    const { socket, frames } = await join('a')
    refusal = undefined
    await channels.request(socket, { type: 'subscribe', id: '1', channel: 'a' })
    const before = frames().length
    await pass(100_000)
    expect([asked, frames().length]).to.deep.equal([2, before])
  })
})
