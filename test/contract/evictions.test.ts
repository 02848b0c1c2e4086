import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lmdbEngine } from '@token-socket/lmdb'
import { type Engine, MemoryEngine, type MemoryEngineOptions } from '@token-socket/server'
import { expect } from 'chai'

const RETENTION = { size: 100, ttl: 60_000 }
const JSON_TEXT = `"${'x'.repeat(1000)}"`

/** What reaches each limit: something on each of four channels. */
const CASES: readonly (readonly [
  limits: MemoryEngineOptions,
  fill: (engine: Engine, at: number) => unknown,
])[] = [
  [
    { channelBytes: 2000 },
    ({ broker }) => broker.publish({ channel: 'a', json: JSON_TEXT }, { retention: RETENTION }),
  ],
  [
    { historyBytes: 5000 },
    ({ broker }, at) => broker.publish({ channel: `c${at}`, json: JSON_TEXT }, { retention: RETENTION }),
  ],
  [
    { channels: 2 },
    ({ broker }, at) => broker.publish({ channel: `c${at}`, json: '1' }, { retention: RETENTION }),
  ],
  [{ tickets: 2 }, ({ tickets }, at) => tickets.revoke(`u:${at}`, 60_000)],
]

const MEMORY_CASES: typeof CASES = [
  ...CASES,
  [
    { idempotencyKeys: 2 },
    ({ broker }, at) => broker.publish({ channel: 'a', json: '1' }, { idempotencyKey: `k${at}` }),
  ],
]

/** Fills an engine over its limit. @returns the limits that it named */
async function evicted(engine: Engine, fill: (engine: Engine, at: number) => unknown): Promise<string[]> {
  const names: string[] = []
  engine.watchEvictions?.((limit) => names.push(limit))
  await fill(engine, 0)
  expect(names).to.deep.equal([])
  for (const at of [1, 2, 3, 4, 5]) await fill(engine, at)
  await engine.close()
  return names
}

describe('#watchEvictions', () => {
  let path: string

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'token-socket-evictions-'))
  })

  afterEach(() => rm(path, { recursive: true, force: true }))

  for (const [limits, fill] of MEMORY_CASES) {
    const [limit = ''] = Object.keys(limits)
    it(`of the memory engine names ${limit} each time that it is reached`, async () => {
      const names = await evicted(new MemoryEngine(limits), fill)
      expect(names).not.to.deep.equal([])
      expect(new Set(names)).to.deep.equal(new Set([limit]))
    })
  }

  for (const [limits, fill] of CASES) {
    const [limit = ''] = Object.keys(limits)
    it(`of the lmdb engine names ${limit} each time that it is reached`, async () => {
      const names = await evicted(lmdbEngine({ path, ...limits }), fill)
      expect(names).not.to.deep.equal([])
      expect(new Set(names)).to.deep.equal(new Set([limit]))
    })
  }

  /** Keeps something on a channel of the server's own, fills the engine, and reads what is left. */
  async function leftOfReserved(engine: Engine, fill: (engine: Engine, at: number) => unknown) {
    const retention = { ...RETENTION, ttl: 5000, isReserved: true }
    for (const json of [JSON_TEXT, '1', '2'])
      await engine.broker.publish({ channel: 'own', json }, { retention: { ...retention, size: 2 } })
    const before = await engine.history.position('own')
    for (const at of [0, 1, 2, 3, 4, 5, 6, 7, 8]) await fill(engine, at)
    const { position, publications } = await engine.history.read('own', { limit: 10 })
    await engine.close()
    return { isSame: position.epoch === before.epoch, texts: publications.map(({ json }) => json) }
  }

  for (const [limits, fill] of CASES) {
    const [limit = ''] = Object.keys(limits)
    for (const name of ['memory', 'lmdb'])
      it(`of the ${name} engine takes nothing from a reserved channel: ${limit}`, async () => {
        const engine = name === 'memory' ? new MemoryEngine(limits) : lmdbEngine({ path, ...limits })
        expect(await leftOfReserved(engine, fill)).to.deep.equal({ isSame: true, texts: ['1', '2'] })
      })
  }

  it('of the memory engine does not count a user twice who is cut off twice', async () => {
    const fill: (typeof CASES)[number][1] = ({ tickets }) => tickets.revoke('u:ann', 60_000)
    expect(await evicted(new MemoryEngine({ tickets: 1 }), fill)).to.deep.equal([])
  })
})
