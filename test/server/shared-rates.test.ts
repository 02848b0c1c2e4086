import { expect } from 'chai'
import sinon from 'sinon'
import { MemoryRates } from '../../packages/server/src/engine/memory-rates.js'
import { SharedRates } from '../../packages/server/src/engine/shared-rates.js'
import type { RateRequest, Rates } from '../../packages/server/src/engine.js'
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
    expect(node?.size).to.be.below(60)
  })
})
