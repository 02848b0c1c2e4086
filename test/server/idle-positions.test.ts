import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { Channels } from '#server/channels/channels.js'
import { Hub } from '#server/channels/hub.js'
import { Policy } from '#server/channels/policy.js'
import { PositionProofs } from '#server/channels/position-proofs.js'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import { makeSocket, type TestSocket } from './sockets.js'

const DAY = 24 * 60 * 60 * 1000
const RETENTION = { size: 10, ttl: 60_000 }

describe('IdlePositions', () => {
  let clock: sinon.SinonFakeTimers
  let engine: MemoryEngine
  let channels: Channels
  let made: TestSocket

  beforeEach(async () => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    engine = new MemoryEngine()
    const { broker, history, presence } = engine
    const failed = sinon.spy()
    const hub = new Hub(() => {})
    channels = new Channels({
      limits: DEFAULT_LIMITS,
      ...{ hub, broker, history, presence, failed, presenceGrace: 0 },
      redeem: async () => {},
      vetoes: { decide: async () => undefined },
      policy: new Policy({
        channels: { idle: { subscribe: true, history: RETENTION } },
        timeout: 1000,
        failed,
      }),
      proofs: new PositionProofs([Buffer.from('secret')]),
    })
    made = makeSocket({ channels: { forget: (...how) => channels.forget(...how) } })
    hub.add(made.socket)
    await channels.subscribe(made.socket, 'idle')
  })

  afterEach(async () => {
    made.client.close(1000, '')
    await engine.close()
    clock.restore()
  })

  /** What the socket was told since it was asked last, as data. */
  function told(): Record<string, unknown>[] {
    const frames = made.frames() as { data?: Record<string, unknown> }[]
    made.connection.sent.length = 0
    return frames.map((frame) => frame.data ?? (frame as Record<string, unknown>))
  }

  it('make the first publication after days no gap', async () => {
    await clock.tickAsync(3 * DAY)
    told()
    await channels.publish('idle', 1)
    expect(told()).to.deep.equal([{ channel: 'idle', message: 1, ...(await positionOf()) }])
  })

  it('let a socket come back after days that it was connected', async () => {
    await clock.tickAsync(3 * DAY)
    const { epoch, offset } = told().at(-1) as { epoch: string; offset: number }
    await clock.tickAsync(1000)
    await channels.subscribe(made.socket, 'idle', { from: { epoch, offset } })
    expect(told().at(-1)).to.include({ offset: 0, recovered: true })
  })

  it('leave a channel alone that has been published on', async () => {
    await channels.publish('idle', 1)
    told()
    await clock.tickAsync(DAY / 2)
    expect(told()).to.deep.equal([])
  })

  it('leave no timer when no socket is on a channel', () => {
    channels.unsubscribe(made.socket, 'idle')
    expect(clock.countTimers()).to.equal(0)
  })

  async function positionOf(): Promise<object> {
    return (await engine.history.read('idle', { limit: 0 })).position
  }
})
