import { expect } from 'chai'
import sinon from 'sinon'
import type { RateRequest, Rates } from '#server/engine/engine.js'
import { MemoryRates } from '#server/engine/memory-rates.js'
import { SharedRates } from '#server/engine/shared-rates.js'
import { Random } from '../protocol/random.js'

/** An engine's rates, as far away as a test wants. */
class DistantRates implements Rates {
  readonly rates = new MemoryRates()
  requests = 0
  mode: 'there' | 'away' | 'silent' = 'there'

  constructor(readonly latency: () => number) {}

  async take(key: string, request: RateRequest) {
    this.requests += 1
    if (this.mode === 'silent') return new Promise<never>(() => {})
    await this.#wait()
    if (this.mode === 'away') throw new Error('engine_unavailable')
    const grant = await this.rates.take(key, request)
    await this.#wait()
    return grant
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.latency() / 2))
  }
}

interface Nodes {
  readonly count: number
  readonly size: { readonly perSecond: number; readonly burst: number }
  readonly engine: Rates | undefined
}

const nodesOf = ({ count, size, engine }: Nodes) =>
  Array.from({ length: count }, () => {
    const nodes = { list: async () => Array.from({ length: count }, (_, index) => String(index)) }
    return new SharedRates({ ...size, rates: engine, nodes, prefix: 'p ' })
  })

describe('SharedRates', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  })

  afterEach(() => clock.restore())

  /** How many takes pass in a time, where each node is asked for one each millisecond. */
  async function flood(nodes: readonly SharedRates[], ms: number, perTick = 1): Promise<number> {
    let passed = 0
    for (let tick = 0; tick < ms; tick += 1) {
      for (const node of nodes) for (let n = 0; n < perTick; n += 1) if (node.take('ann') === 0) passed += 1
      await clock.tickAsync(1)
    }
    return passed
  }

  const SIZES = [
    { perSecond: 20, burst: 20 },
    { perSecond: 100, burst: 50 },
    { perSecond: 300, burst: 600 },
  ]

  for (const count of [1, 2, 3])
    for (const size of SIZES)
      it(`passes ${size.perSecond} a second and ${size.burst} at once on ${count} nodes, within 5 % over ten seconds`, async () => {
        const random = new Random(count * 1000 + size.perSecond)
        const engine = new DistantRates(() => 1 + random.number(10))
        const passed = await flood(nodesOf({ count, size, engine }), 10_000)
        const limit = size.burst + 10 * size.perSecond
        expect(passed).to.be.within(limit * 0.95, limit * 1.05)
      })

  /** What passes in each tenth of a second. @param takes of a node at a tenth */
  async function passedInTenths(
    nodes: readonly SharedRates[],
    tenths: number,
    takes: (node: number, tenth: number) => number,
  ): Promise<number[]> {
    const passed: number[] = []
    for (let tenth = 0; tenth < tenths; tenth += 1) {
      let count = 0
      for (let part = 0; part < 4; part += 1) {
        for (const [index, node] of nodes.entries()) {
          // A pulse comes in one turn; a steady flood in four.
          const all = takes(index, tenth)
          const now = all > 50 ? (part === 0 ? all : 0) : all
          for (let n = 0; n < now; n += 1) if (node.take('ann') === 0) count += 1
        }
        await clock.tickAsync(25)
      }
      passed.push(count)
    }
    return passed
  }

  /** The most that passes in any ten seconds. */
  const mostInTenSeconds = (tenths: readonly number[]) => {
    let [sum, most] = [0, 0]
    for (const [index, count] of tenths.entries()) {
      sum += count - (tenths[index - 100] ?? 0)
      most = Math.max(most, sum)
    }
    return most
  }

  for (const count of [1, 2, 3, 4])
    for (const size of SIZES)
      for (const period of [3, 7, 12, 25])
        it(`passes no more than ${size.perSecond} a second and ${size.burst} at once in pulses each ${period * 100} ms on ${count} nodes, within 5 %`, async () => {
          const random = new Random(count * 1000 + size.perSecond + period)
          const engine = new DistantRates(() => 1 + random.number(10))
          const pulse = Math.max(60, size.burst * 1.2)
          const tenths = await passedInTenths(nodesOf({ count, size, engine }), 240, (_, tenth) =>
            tenth % period === 0 ? pulse : 0,
          )
          const limit = size.burst + 10 * size.perSecond
          expect(mostInTenSeconds(tenths)).to.be.at.most(limit * 1.05)
        })

  for (const seed of Array.from({ length: 12 }, (_, index) => index))
    it(`passes no more than the limit where each node has its own pulses, rests and floods, within 10 % (${seed})`, async () => {
      const random = new Random(seed)
      const [count, size] = [1 + (seed % 4), SIZES[seed % 3] as (typeof SIZES)[number]]
      const engine = new DistantRates(() => 1 + random.number(10))
      const plans = Array.from({ length: count }, () => ({
        period: 2 + random.number(30),
        pulse: random.number(size.burst * 2),
        steady: random.number(2) * random.number(20),
      }))
      const tenths = await passedInTenths(nodesOf({ count, size, engine }), 300, (node, tenth) => {
        const { period, pulse, steady } = plans[node] as (typeof plans)[number]
        return tenth % period === 0 ? pulse : steady
      })
      const limit = size.burst + 10 * size.perSecond
      // What a node gives that cannot know of the others' pulse is owed for a moment.
      expect(mostInTenSeconds(tenths)).to.be.at.most(limit * 1.1)
    })

  for (const period of [300, 700, 3000])
    it(`passes no more than the limit while the engine goes and comes each ${period} ms, within 5 %`, async () => {
      const size = { perSecond: 100, burst: 100 }
      const engine = new DistantRates(() => 2)
      const nodes = nodesOf({ count: 2, size, engine })
      await flood(nodes, 3000)
      let passed = 0
      for (let ms = 0; ms < 12_000; ms += period) {
        engine.mode = engine.mode === 'there' ? 'away' : 'there'
        passed += await flood(nodes, period)
      }
      expect(passed).to.be.at.most(1300 * 1.05)
      expect(passed).to.be.at.least(1200 * 0.9)
    })

  it('knows the nodes that came in quiet times, where the engine knows them', async () => {
    let known = 1
    const engine = new DistantRates(() => 2)
    const nodes = { list: async () => ['one'], known: () => known }
    const rates = new SharedRates({ perSecond: 100, burst: 100, rates: engine, nodes, prefix: 'p ' })
    await clock.tickAsync(1000)
    known = 4
    engine.mode = 'away'
    await flood([rates], 2000)
    expect(await flood([rates], 10_000)).to.be.within(245, 255)
  })

  it('has a user who sends little cost no request', async () => {
    const engine = new DistantRates(() => 2)
    const [node] = nodesOf({ count: 2, size: { perSecond: 100, burst: 100 }, engine })
    for (let seconds = 0; seconds < 20; seconds += 1) {
      expect(node?.take('ann')).to.equal(0)
      await clock.tickAsync(1000)
    }
    expect(engine.requests).to.equal(0)
  })

  it('gives a burst that is more than its share after an answer', async () => {
    const size = { perSecond: 10, burst: 100 }
    const [node] = nodesOf({ count: 4, size, engine: new DistantRates(() => 4) })
    let left = 90
    for (let round = 0; left > 0; round += 1) {
      expect(round).to.be.below(4)
      let wait = 0
      while (left > 0 && wait === 0) {
        wait = node?.take('ann') ?? 0
        if (wait === 0) left -= 1
      }
      expect(wait).to.be.below(70)
      await clock.tickAsync(wait)
    }
  })

  for (const mode of ['away', 'silent'] as const)
    it(`goes on with equal shares while the engine is ${mode}, within 5 % over ten seconds, and with the rate when it is back`, async () => {
      const size = { perSecond: 100, burst: 100 }
      const engine = new DistantRates(() => 2)
      const nodes = nodesOf({ count: 2, size, engine })
      await flood(nodes, 3000)
      engine.mode = mode
      expect(await flood(nodes, 10_000)).to.be.within(950, 1050)
      engine.mode = 'there'
      if (mode === 'silent') return
      expect(await flood(nodes, 10_000)).to.be.within(950, 1050)
    })

  it('gives each node an equal share where the engine has no rates', async () => {
    const size = { perSecond: 100, burst: 100 }
    const nodes = nodesOf({ count: 2, size, engine: undefined })
    await clock.tickAsync(1)
    expect(await flood(nodes.slice(0, 1), 10_000)).to.be.within(525, 578)
  })

  it('decides at once, the whole burst too', () => {
    const [node] = nodesOf({
      count: 1,
      size: { perSecond: 10, burst: 50 },
      engine: new DistantRates(() => 5),
    })
    const waits = Array.from({ length: 51 }, () => node?.take('ann'))
    expect(waits.slice(0, 50)).to.deep.equal(Array(50).fill(0))
    expect(waits[50]).to.equal(100)
  })

  it('counts what another node has passed', async () => {
    const size = { perSecond: 10, burst: 10 }
    const [one, other] = nodesOf({ count: 2, size, engine: new DistantRates(() => 2) })
    for (let n = 0; n < 10; n += 1) one?.take('ann')
    await clock.tickAsync(60)
    one?.take('ann')
    await clock.tickAsync(10)
    other?.take('ann')
    await clock.tickAsync(10)
    expect(other?.take('ann')).to.be.above(0)
    expect(other?.take('bob')).to.equal(0)
  })

  it('asks the engine a few times a second', async () => {
    const engine = new DistantRates(() => 2)
    await flood(nodesOf({ count: 1, size: { perSecond: 1000, burst: 1000 }, engine }), 2000)
    expect(engine.requests).to.be.below(45)
  })

  it('gives back what was taken', () => {
    const [node] = nodesOf({ count: 1, size: { perSecond: 1, burst: 1 }, engine: undefined })
    expect(node?.take('ann')).to.equal(0)
    node?.restore('ann')
    expect([node?.take('ann'), node?.take('ann')]).to.deep.equal([0, 1000])
    node?.restore('of no one')
  })

  it('forgets those that have rested', async () => {
    const [node] = nodesOf({ count: 1, size: { perSecond: 1000, burst: 10 }, engine: new MemoryRates() })
    for (let n = 0; n < 1000; n += 1) {
      node?.take(`user ${n}`)
      await clock.tickAsync(1)
    }
    expect(node?.size).to.be.below(80)
  })
})
