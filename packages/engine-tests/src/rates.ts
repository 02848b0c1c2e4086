import type { Engine } from '@token-socket/server/engine'
import { expect } from 'chai'
import { NAMES } from './names.js'
import type { EngineSettings, MakeNodes } from './settings.js'

const SIZE = { perSecond: 10, burst: 5 }

/** A rate at which nothing is regained while a test runs. */
const SLOW = { perSecond: 0.001, burst: 5 }

const take = (engine: Engine, amount: number, { key = 'a', size = SLOW } = {}) => {
  if (!engine.rates) throw new Error(`${engine.name} has no rates`)
  return engine.rates.take(key, { ...size, amount })
}

const granted = async (...of: Parameters<typeof take>) => Math.round((await take(...of)).granted * 100) / 100

/** The cases of one node. */
export function describeRates(make: MakeNodes, settings: EngineSettings): void {
  it('grant a burst at once, and then nothing', async () => {
    const [engine] = await make(1)
    expect(await take(engine, 2)).to.deep.include({ granted: 2, retryAfter: 0 })
    expect(await granted(engine, 2)).to.equal(2)
    expect(await granted(engine, 1)).to.equal(1)
    expect(await granted(engine, 1)).to.equal(0)
  })

  it('grant a part of an amount, and say what is left and when the rest is available', async () => {
    const [engine] = await make(1)
    const first = await take(engine, 3)
    expect(first.left).to.be.closeTo(2, 0.01)
    const { left, retryAfter } = await take(engine, 3)
    expect(left).to.be.closeTo(0, 0.01)
    expect(retryAfter).to.be.closeTo(1_000_000, 10_000)
  })

  it('take fractions', async () => {
    const [engine] = await make(1)
    expect(await granted(engine, 0.25)).to.equal(0.25)
    expect(await granted(engine, 10)).to.equal(4.75)
  })

  it('regain the rate with time, up to the burst', async () => {
    const clock = settings.clock()
    try {
      const [engine] = await make(1)
      const begun = performance.now()
      await take(engine, 5, { size: SIZE })
      await clock.pass(250)
      const regained = await granted(engine, 5, { size: SIZE })
      // On a busy machine more time may pass than intended.
      const most = ((performance.now() - begun) / 1000) * SIZE.perSecond
      expect(regained).to.be.within(2.4, Math.max(4, most + 0.1))
      await clock.pass(700)
      expect(await granted(engine, 9, { size: SIZE })).to.equal(5)
    } finally {
      clock.restore()
    }
  })

  it('are apart for each key', async () => {
    const [engine] = await make(1)
    for (const [index, [name, other]] of NAMES.entries()) {
      const [key, otherKey] = [`${name}${index}`, `${other}${index}`]
      expect(await granted(engine, 5, { key })).to.equal(5)
      expect(await granted(engine, 0.5, { key })).to.equal(0)
      expect(await granted(engine, 5, { key: otherKey })).to.equal(5)
    }
  })

  it('grant as much as there is to concurrent requests', async () => {
    const [engine] = await make(1)
    const grants = await Promise.all(Array.from({ length: 20 }, () => granted(engine, 1)))
    expect(grants.reduce((sum, one) => sum + one, 0)).to.be.closeTo(5, 0.1)
  })
}

/** The cases of several nodes. */
export function describeSharedRates(make: MakeNodes): void {
  it('are one bucket for all nodes', async () => {
    const [one, other] = (await make(2)) as unknown as readonly [Engine, Engine]
    const grants = await Promise.all([one, other, one, other].map((engine) => granted(engine, 2)))
    expect(grants.reduce((sum, part) => sum + part, 0)).to.be.closeTo(5, 0.1)
    expect(await granted(one, 1)).to.equal(0)
    expect(await granted(other, 1)).to.equal(0)
  })
}
