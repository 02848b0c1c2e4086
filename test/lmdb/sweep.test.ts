import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { open } from 'lmdb'
import sinon from 'sinon'
import { Store } from '#lmdb/store.js'
import { isNext, POSITION_TTL } from '#server/engine/epoch.js'

const SECOND = 1000
const HOUR = 3600 * SECOND
const KB = 1024
const LIMITS = { channels: 1000, channelBytes: 100 * KB, historyBytes: 1000 * KB }

describe('the store of the lmdb engine', () => {
  let clock: sinon.SinonFakeTimers
  let path: string
  let store: Store

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'token-socket-lmdb-'))
    clock = sinon.useFakeTimers({
      toFake: ['Date', 'setInterval', 'clearInterval'],
      now: 1_700_000_000_000,
    })
    store = new Store(path, LIMITS)
  })
  afterEach(async () => {
    await store.close()
    clock.restore()
    await rm(path, { recursive: true, force: true })
  })

  async function restart(limits = LIMITS): Promise<void> {
    await store.close()
    store = new Store(path, limits)
  }

  const add = async (channel: string, { json = '1', size = 100, ttl = HOUR } = {}) => {
    const { publication } = await store.add({ channel, json }, { retention: { size, ttl } })
    return publication ?? expect.fail('it was not published')
  }
  const kept = async (channel: string) => (await store.read(channel, { limit: 1000 })).publications.length
  const names = (prefix: string, length: number) => Array.from({ length }, (_, at) => `${prefix}${at}`)

  /** Lets this much time pass, and what is to be done then. */
  async function pass(ms: number): Promise<void> {
    clock.tick(ms)
    // Sweeps are transactions, several one after the other.
    for (let part = 0; part < 25; part += 1) {
      await new Promise(setImmediate)
      await store.claim(`${part}`, 1)
    }
  }

  it('knows what it keeps, also after a restart', async () => {
    for (const name of names('a', 5)) await add(name)
    const { size } = store
    expect(size.channels).to.equal(5)
    expect(size.bytes).to.be.within(5 * 100, 5 * 300)
    await restart()
    expect(store.size).to.deep.equal(size)
  })

  it('takes away what is over when it is over, and the position a day later', async () => {
    await Promise.all(names('a', 500).map((name) => add(name, { ttl: 500 })))
    const position = await store.position('a7')
    await pass(SECOND)
    expect(store.size).to.deep.equal({ channels: 500, bytes: 0 })
    expect(await store.position('a7')).to.deep.equal({ ...position, offset: 1 })
    await pass(POSITION_TTL - 2 * SECOND)
    expect(store.size.channels).to.equal(500)
    await pass(3 * SECOND)
    expect(store.size.channels).to.equal(0)
  })

  it('keeps up with a client that begins channels as fast as it can', async () => {
    let bytes = 0
    for (let second = 0; second < 20; second += 1) {
      await Promise.all(names(`${second}-`, 1000).map((name) => add(name, { ttl: 500 })))
      clock.tick(SECOND)
      bytes = Math.max(bytes, store.size.bytes)
    }
    // Of two seconds: those of the last, and some of the one before.
    expect(bytes).to.be.below(2 * 1000 * 200)
    await pass(SECOND)
    expect(store.size.bytes).to.equal(0)
  }).timeout(120_000)

  it('keeps a channel that is published on again, for the time of the last', async () => {
    const first = await add('a', { ttl: SECOND })
    await pass(2 * SECOND)
    expect(store.size.bytes).to.equal(0)
    await add('a', { ttl: SECOND })
    await pass(2 * SECOND)
    expect(store.size.bytes).to.equal(0)
    const last = await add('a', { ttl: 5 * SECOND })
    await pass(4 * SECOND)
    expect([last.epoch, last.offset, await kept('a')]).to.deep.equal([first.epoch, 3, 1])
    await pass(POSITION_TTL)
    expect(store.size.channels).to.equal(1)
    await pass(3 * SECOND)
    expect(store.size.channels).to.equal(0)
  })

  it('over its limit of channels forgets the one that has been idle for longest', async () => {
    await restart({ ...LIMITS, channels: 3 })
    const empty = await store.position('idle')
    await add('idle', { ttl: SECOND })
    await pass(2 * SECOND)
    await add('idler', { ttl: SECOND })
    await pass(2 * SECOND)
    const { epoch } = await store.position('idler')
    await add('a')
    await add('b')
    expect(store.size.channels).to.equal(3)
    expect((await store.position('idler')).epoch).to.equal(epoch)
    expect((await store.position('idle')).offset).to.equal(0)
    await add('c')
    await add('d')
    expect(store.size.channels).to.equal(3)
    const again = await add('idle')
    expect(isNext(empty.epoch, again.epoch ?? '')).to.equal(false)
  })

  it('never begins two epochs of a channel with the same name, also within a millisecond', async () => {
    await restart({ ...LIMITS, channels: 1 })
    const epochs = new Set<string | undefined>()
    for (let at = 0; at < 20; at += 1) {
      epochs.add((await add('a')).epoch)
      await add('b')
      if (at === 10) await restart({ ...LIMITS, channels: 1 })
    }
    expect(epochs.size).to.equal(20)
  })

  it('over its limits of bytes keeps the latest of a channel, and of all what is over last', async () => {
    for (let at = 0; at < 20; at += 1) await add('a', { json: `"${'x'.repeat(10 * KB)}"` })
    expect([await kept('a'), (await store.position('a')).offset]).to.deep.equal([9, 20])
    for (const name of names('b', 12)) {
      clock.tick(1)
      await add(name, { json: `"${'x'.repeat(90 * KB)}"` })
    }
    expect(store.size.bytes).to.be.at.most(LIMITS.historyBytes)
    expect(await Promise.all(['a', 'b0', 'b1', 'b11'].map(kept))).to.deep.equal([0, 0, 1, 1])
    expect((await store.position('a')).offset).to.equal(20)
  })

  it('sweeps what an older version has kept', async () => {
    await store.close()
    const env = open({ path, maxDbs: 12 })
    const [channels, publications] = ['channels', 'publications'].map((name) => env.openDB({ name }))
    const expires = Date.now() + 500
    const epoch = 'old.1'
    await channels?.put('a', { epoch, offset: 1, first: 0, lastId: '01', expires })
    await publications?.put(['a', 1], { json: '1', id: '01', epoch, expires })
    await env.close()
    store = new Store(path, LIMITS)
    expect(await kept('a')).to.equal(1)
    await pass(SECOND)
    await pass(SECOND)
    expect(await store.position('a')).to.deep.equal({ epoch, offset: 1 })
    await pass(POSITION_TTL)
    expect(store.size).to.deep.equal({ channels: 0, bytes: 0 })
  })
})
