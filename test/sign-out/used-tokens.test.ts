import { expect } from 'chai'
import { type SinonFakeTimers, useFakeTimers } from 'sinon'
import { type SharedIds, UsedTokens } from '#sign-out/used-tokens.js'

const work = async () => {}

/** What two nodes know together. */
class NodesIds implements SharedIds {
  readonly ids = new Map<string, number>()

  async has(id: string): Promise<boolean> {
    return this.ids.has(id)
  }

  async add(id: string, ttl: number): Promise<void> {
    this.ids.set(id, ttl)
  }
}

describe('UsedTokens', () => {
  let clock: SinonFakeTimers | undefined

  afterEach(() => {
    clock?.restore()
    clock = undefined
  })

  it('runs an order once for each id, until its time is over', async () => {
    clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const used = new UsedTokens(60_000, undefined)
    expect([
      await used.once('a', work),
      await used.once('a', work),
      await used.once('b', work),
    ]).to.deep.equal([true, false, true])
    await clock.tickAsync(60_001)
    expect(used.size).to.equal(0)
    expect(clock.countTimers()).to.equal(0)
  })

  it('remembers 10,000 ids at most', async () => {
    const used = new UsedTokens(60_000, undefined)
    for (let id = 0; id < 10_100; id += 1) await used.once(String(id), work)
    expect(used.size).to.equal(10_000)
    expect(await used.once('10099', work)).to.equal(false)
  })

  it('asks the nodes, and decides alone where they cannot be asked', async () => {
    const shared = new NodesIds()
    const nodes = [new UsedTokens(60_000, shared), new UsedTokens(60_000, shared)] as const
    expect([await nodes[0].once('a', work), await nodes[1].once('a', work)]).to.deep.equal([true, false])
    expect([...shared.ids.values()]).to.deep.equal([60_000])
    const away = async () => {
      throw new Error('the engine is away')
    }
    const cut = new UsedTokens(60_000, { has: away, add: away })
    expect([await cut.once('b', work), await cut.once('b', work)]).to.deep.equal([true, false])
  })

  it('waits for the nodes for a second at most, each time', async () => {
    clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const never = () => new Promise<never>(() => {})
    const used = new UsedTokens(60_000, { has: never, add: never })
    let runs = 0
    const first = used.once('a', async () => {
      runs += 1
    })
    await clock.tickAsync(999)
    expect(runs).to.equal(0)
    await clock.tickAsync(1)
    expect(runs).to.equal(1)
    await clock.tickAsync(1000)
    expect(await first).to.equal(true)
  })

  it('keeps ids of any length short', async () => {
    const shared = new NodesIds()
    await new UsedTokens(60_000, shared).once('x'.repeat(100_000), work)
    expect([...shared.ids.keys()][0]).to.match(/^sign-out [\w-]{43}$/)
  })

  it('lets an id in again whose order failed, or is not done, on another node', async () => {
    const shared = new NodesIds()
    const nodes = [new UsedTokens(60_000, shared), new UsedTokens(60_000, shared)] as const
    const failure = new Error('it failed')
    const cause = await nodes[0].once('a', () => Promise.reject(failure)).catch((error) => error)
    expect([cause, await nodes[1].once('a', work), await nodes[0].once('a', work)]).to.deep.equal([
      failure,
      true,
      false,
    ])
    // As of a node that ends before its order has.
    void nodes[0].once('b', () => new Promise(() => {}))
    expect([await nodes[1].once('b', work), await nodes[1].once('b', work)]).to.deep.equal([true, false])
  })

  it('gives a second call meanwhile the outcome of the first', async () => {
    const used = new UsedTokens(60_000, new NodesIds())
    const failure = new Error('it failed')
    let fail = (_: Error) => {}
    const order = new Promise<void>((_, reject) => {
      fail = reject
    })
    const pair = () => [used.once('a', () => order), used.once('a', work)]
    const failed = Promise.allSettled(pair())
    fail(failure)
    expect((await failed).map((one) => 'reason' in one && one.reason)).to.deep.equal([failure, failure])
    expect(await Promise.all([used.once('a', work), used.once('a', work)])).to.deep.equal([true, false])
  })

  it('lets an id in again whose order failed', async () => {
    const used = new UsedTokens(60_000, new NodesIds())
    const failure = new Error('it failed')
    const cause = await used
      .once('a', async () => {
        throw failure
      })
      .catch((error) => error)
    expect([cause, await used.once('a', work), await used.once('a', work)]).to.deep.equal([
      failure,
      true,
      false,
    ])
  })
})
