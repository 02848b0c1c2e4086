import { expect } from 'chai'
import sinon, { type SinonFakeTimers } from 'sinon'
import { EngineWatch } from '#server/authentication/engine-watch.js'
import { HealthMonitor } from '#server/engine/health-monitor.js'
import { turn } from '../../client/waiting.js'

const STALENESS = 30_000

describe('EngineWatch', () => {
  let clock: SinonFakeTimers
  /** Milliseconds for which the process was stopped: its timers have not run. */
  let stopped: number
  let engine: HealthMonitor
  let isAway: boolean
  const lapsed = sinon.spy()
  const stale = sinon.spy()
  const check = sinon.stub<[], Promise<void>>()
  const watches: EngineWatch[] = []

  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: 1_000_000, toFake: ['setTimeout', 'clearTimeout'] })
    stopped = 0
    sinon.stub(performance, 'now').callsFake(() => clock.now + stopped)
    engine = new HealthMonitor()
    isAway = false
    lapsed.resetHistory()
    stale.resetHistory()
    check.reset()
    check.callsFake(async () => {
      if (isAway) throw new Error('away')
    })
  })

  afterEach(() => {
    for (const watch of watches.splice(0)) watch.stop()
    sinon.restore()
  })

  async function start(revocationStaleness = STALENESS): Promise<EngineWatch> {
    const watch = new EngineWatch({ health: engine, revocationStaleness, lapsed, check, stale })
    watches.push(watch)
    watch.start()
    await turn()
    return watch
  }

  for (const [staleness, interval] of [
    [STALENESS, 5000],
    [3000, 1000],
  ] as const)
    it(`compares at the start, and every ${interval} ms with a staleness of ${staleness}`, async () => {
      await start(staleness)
      expect(check.callCount).to.equal(1)
      await clock.tickAsync(interval * 4 + 500)
      expect(check.callCount).to.be.within(4, 5)
      expect([lapsed.called, stale.called]).to.deep.equal([false, false])
    })

  it('tries again twice a second until it has reached the engine', async () => {
    isAway = true
    await start()
    await clock.tickAsync(5000)
    expect(check.callCount).to.equal(11)
    isAway = false
    await clock.tickAsync(1000)
    expect(check.callCount).to.equal(12)
  })

  it('does so when it is told to hurry', async () => {
    const watch = await start()
    watch.hurry()
    await clock.tickAsync(500)
    expect(check.callCount).to.equal(2)
    await clock.tickAsync(1000)
    expect(check.callCount).to.equal(2)
  })

  it('compares once at a time', async () => {
    let goOn = () => {}
    check.callsFake(
      () =>
        new Promise((resolve) => {
          goOn = resolve
        }),
    )
    await start()
    await clock.tickAsync(20_000)
    expect(check.callCount).to.equal(1)
    goOn()
    await turn()
    await clock.tickAsync(500)
    expect(check.callCount).to.equal(2)
  })

  it('is stale when it has not reached the engine for its time, until it does', async () => {
    const watch = await start()
    const changes: boolean[] = []
    watch.health.onchange(({ ok }) => changes.push(ok))
    isAway = true
    await clock.tickAsync(STALENESS)
    expect([watch.health.now.ok, stale.called]).to.deep.equal([true, false])
    await clock.tickAsync(500)
    expect(watch.health.now).to.deep.include({
      ok: false,
      reason: `revocations could not be read for ${STALENESS} ms`,
    })
    const { callCount } = stale
    await clock.tickAsync(5000)
    expect(stale.callCount).to.equal(callCount + 10)
    isAway = false
    await clock.tickAsync(500)
    expect(changes).to.deep.equal([false, true])
    await clock.tickAsync(STALENESS)
    expect(stale.callCount).to.be.at.most(callCount + 11)
  })

  it('counts from when a comparison began, not from when it ended', async () => {
    const watch = await start()
    let goOn = () => {}
    check.callsFake(
      () =>
        new Promise((resolve) => {
          goOn = resolve
        }),
    )
    await clock.tickAsync(STALENESS - 1000)
    goOn()
    check.callsFake(async () => Promise.reject(new Error('away')))
    await turn()
    expect(watch.health.now.ok).to.equal(true)
    await clock.tickAsync(7000)
    expect(watch.health.now.ok).to.equal(false)
  })

  it('lapses when the engine is away, and compares when it is back', async () => {
    await start()
    engine.set('engine', 'away')
    expect([lapsed.callCount, check.callCount]).to.deep.equal([1, 1])
    engine.set('engine', undefined)
    expect([lapsed.callCount, check.callCount]).to.deep.equal([1, 2])
  })

  describe('a process that was stopped', () => {
    it('lapses once, at the first look', async () => {
      const watch = await start()
      stopped += 1400
      watch.look()
      expect(lapsed.callCount).to.equal(0)
      stopped += 200
      watch.look()
      expect(lapsed.callCount).to.equal(1)
      watch.look()
      await clock.tickAsync(1000)
      expect(lapsed.callCount).to.equal(1)
    })

    it('lapses with its next timer, if nothing looks before', async () => {
      await start()
      stopped += 5000
      await clock.tickAsync(500)
      expect(lapsed.callCount).to.equal(1)
    })

    it('has five seconds to reach the engine before it is stale', async () => {
      const watch = await start()
      isAway = true
      stopped += STALENESS * 10
      await clock.tickAsync(500)
      expect([watch.health.now.ok, stale.called]).to.deep.equal([true, false])
      await clock.tickAsync(4500)
      expect(watch.health.now.ok).to.equal(true)
      await clock.tickAsync(1000)
      expect([watch.health.now.ok, stale.called]).to.deep.equal([false, true])
    })

    it('has no more time than its staleness by being stopped again and again', async () => {
      const watch = await start()
      isAway = true
      for (let count = 0; count < 3; count += 1) {
        stopped += 2000
        await clock.tickAsync(500)
      }
      await clock.tickAsync(STALENESS - 3 * 2500)
      expect(watch.health.now.ok).to.equal(true)
      await clock.tickAsync(1000)
      expect(watch.health.now.ok).to.equal(false)
    })
  })

  it('leaves no timer, and hears nothing, after it was stopped', async () => {
    const watch = await start()
    watch.stop()
    const { callCount } = check
    engine.set('engine', 'away')
    engine.set('engine', undefined)
    await clock.tickAsync(60_000)
    expect([check.callCount, lapsed.called, clock.countTimers()]).to.deep.equal([callCount, false, 0])
  })
})
