import { expect } from 'chai'
import { type SinonFakeTimers, useFakeTimers } from 'sinon'
import { UsedTokens } from '../../packages/sign-out/src/used-tokens.js'

const work = async () => {}

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
    const claimed = new Map<string, number>()
    const claim = async (id: string, ttl: number) => !claimed.has(id) && Boolean(claimed.set(id, ttl))
    const nodes = [new UsedTokens(60_000, claim), new UsedTokens(60_000, claim)] as const
    expect([await nodes[0].once('a', work), await nodes[1].once('a', work)]).to.deep.equal([true, false])
    expect([...claimed.values()]).to.deep.equal([60_000])
    const cut = new UsedTokens(60_000, async () => {
      throw new Error('the engine is away')
    })
    expect([await cut.once('b', work), await cut.once('b', work)]).to.deep.equal([true, false])
  })

  it('waits for the nodes for a second at most', async () => {
    clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const used = new UsedTokens(60_000, () => new Promise(() => {}))
    let runs = 0
    const first = used.once('a', async () => {
      runs += 1
    })
    await clock.tickAsync(999)
    expect(runs).to.equal(0)
    await clock.tickAsync(1)
    expect([await first, runs]).to.deep.equal([true, 1])
  })

  it('keeps ids of any length short', async () => {
    const ids: string[] = []
    const used = new UsedTokens(60_000, async (id) => Boolean(ids.push(id)))
    await used.once('x'.repeat(100_000), work)
    expect(ids[0]).to.match(/^sign-out [\w-]{43}$/)
  })

  it('lets an id in again whose order failed', async () => {
    const used = new UsedTokens(60_000, async () => true)
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
