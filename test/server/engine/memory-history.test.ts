import { expect } from 'chai'
import sinon from 'sinon'
import { isNext, POSITION_TTL } from '#server/engine/epoch.js'
import { type HistoryLimits, MemoryHistory } from '#server/engine/memory-history.js'
import { Random } from '../../protocol/random.js'

const SECOND = 1000
const HOUR = 3600 * SECOND
const KB = 1024
const LIMITS: HistoryLimits = { channels: 1000, channelBytes: 100 * KB, historyBytes: 1000 * KB }

describe('MemoryHistory', () => {
  let clock: sinon.SinonFakeTimers
  let history: MemoryHistory
  let count = 0

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_700_000_000_000 })
    history = new MemoryHistory(LIMITS)
  })
  afterEach(() => {
    history.clear()
    clock.restore()
  })

  /** An id that is greater than all before. */
  const nextId = () => {
    count += 1
    return String(count).padStart(10, '0')
  }
  const add = (channel: string, { json = '1', size = 100, ttl = HOUR } = {}) =>
    history.add({ channel, json }, nextId(), { size, ttl })
  const kept = async (channel: string) => (await history.read(channel, { limit: 1000 })).publications.length
  const names = (prefix: string, length: number) => Array.from({ length }, (_, at) => `${prefix}${at}`)

  describe('#clear', () => {
    it('leaves no timer', async () => {
      await add('a')
      // Other parts of this process may have timers, too, but none comes or goes in this turn.
      const before = clock.countTimers()
      history.clear()
      expect(clock.countTimers()).to.equal(before - 1)
    })
  })

  describe('over its limit of channels', () => {
    it('forgets the one that has been idle for longest, then the one that was published on least recently', async () => {
      history = new MemoryHistory({ ...LIMITS, channels: 3 })
      for (const name of ['idle', 'idler']) add(name, { ttl: SECOND })
      clock.tick(60 * SECOND)
      const idler = await history.position('idler')
      for (const name of ['a', 'b']) add(name)
      expect(history.size).to.include({ live: 2, idle: 1 })
      expect(await history.position('idler')).to.deep.equal(idler)
      add('c')
      clock.tick(SECOND)
      add('a')
      add('d')
      expect(history.size).to.include({ live: 3, idle: 0 })
      expect(await Promise.all(['a', 'b', 'c', 'd'].map(kept))).to.deep.equal([2, 0, 1, 1])
    })

    it('begins what was forgotten in another epoch, within the same millisecond too', async () => {
      history = new MemoryHistory({ ...LIMITS, channels: 1 })
      const empty = await history.position('a')
      const epochs = new Set<string | undefined>()
      for (let at = 0; at < 100; at += 1) {
        epochs.add(add('a').epoch)
        add('b')
      }
      expect(epochs.size).to.equal(100)
      const { epoch } = await history.position('a')
      expect(isNext(empty.epoch, epoch)).to.equal(false)
    })

    it('goes on for the others as if nothing had happened', async () => {
      history = new MemoryHistory({ ...LIMITS, channels: 100 })
      const first = add('mine')
      for (const name of names('x', 1000)) {
        add(name)
        if (!name.endsWith('0')) continue
        clock.tick(SECOND)
        add('mine')
      }
      expect(await history.position('mine')).to.deep.equal({ epoch: first.epoch, offset: 101 })
      expect(history.size.live + history.size.idle).to.equal(100)
    })
  })

  describe('over its limits of bytes', () => {
    it('keeps of one channel what fits, the latest', async () => {
      for (let at = 0; at < 50; at += 1) add('a', { json: `"${'x'.repeat(10 * KB)}"` })
      expect(await kept('a')).to.equal(9)
      expect(history.size.bytes).to.be.below(101 * KB)
      expect((await history.position('a')).offset).to.equal(50)
    })

    it('keeps nothing of one that alone is larger, and its channel goes on', async () => {
      add('a', { json: 'x'.repeat(101 * KB) })
      expect([await kept('a'), (await history.position('a')).offset]).to.deep.equal([0, 1])
      expect(add('a').offset).to.equal(2)
      expect(await kept('a')).to.equal(1)
    })

    it('empties the channel that was published on least recently, which stays where it was', async () => {
      const epochs = new Map(names('c', 11).map((name) => [name, add(name).epoch]))
      clock.tick(SECOND)
      for (const name of names('c', 11)) add(name, { json: 'x'.repeat(95 * KB) })
      expect(await Promise.all(['c0', 'c1', 'c10'].map(kept))).to.deep.equal([0, 2, 2])
      expect(await history.position('c0')).to.deep.equal({ epoch: epochs.get('c0'), offset: 2 })
      expect(add('c0').offset).to.equal(3)
      expect(history.size.bytes).to.be.at.most(LIMITS.historyBytes)
    })
  })

  describe('as time passes', () => {
    it('keeps only the name and the position of a channel that is over, and later nothing', async () => {
      for (const name of names('a', 1000)) add(name, { ttl: 500 })
      const { epoch } = await history.position('a7')
      clock.tick(61 * SECOND)
      expect(history.size).to.deep.equal({ live: 0, idle: 1000, bytes: 0 })
      expect(await history.position('a7')).to.deep.equal({ epoch, offset: 1 })
      clock.tick(POSITION_TTL - 120 * SECOND)
      expect(history.size.idle).to.equal(1000)
      clock.tick(2 * HOUR)
      expect(history.size).to.deep.equal({ live: 0, idle: 0, bytes: 0 })
      expect(clock.countTimers()).to.equal(0)
    })

    it('keeps up with a client that begins 2,000 channels in each second', () => {
      history = new MemoryHistory({ ...LIMITS, channels: 1_000_000, historyBytes: 1e9 })
      let most = 0
      for (let second = 0; second < 60; second += 1) {
        for (const name of names(`${second}-`, 2000)) add(name, { ttl: 500 })
        clock.tick(SECOND)
        most = Math.max(most, history.size.live)
      }
      expect(most).to.be.at.most(2 * 30 * 2000)
      clock.tick(61 * SECOND)
      expect(history.size).to.include({ live: 0, idle: 120_000 })
    }).timeout(20_000)

    it('looks at all, however busy one is', () => {
      for (const name of names('a', 10)) add(name, { ttl: SECOND })
      for (let at = 0; at < 300; at += 1) {
        add('busy')
        clock.tick(SECOND / 2)
        add('busy')
        clock.tick(SECOND / 2)
      }
      expect(history.size).to.include({ live: 1, idle: 10 })
    })
  })

  it('never gives a place to two publications, nor a wrong sense of having missed none', async () => {
    const random = new Random(7)
    const whole = (below: number) => random.number(below)
    history = new MemoryHistory({ channels: 5, channelBytes: 2 * KB, historyBytes: 6 * KB })
    const contents = new Map<string, string>()
    const published = new Map<string, number>()
    const seenEmpty: { channel: string; epoch: string; published: number }[] = []
    const soFar = (channel: string) => published.get(channel) ?? 0
    for (let step = 0; step < 2000; step += 1) {
      const channel = `c${whole(12)}`
      if (whole(50) === 0) clock.tick(whole(40) * SECOND)
      if (whole(1000) === 0) clock.tick(2 * POSITION_TTL)
      const { position, publications } = await history.read(channel, { limit: 100 })
      for (const { epoch, offset, json } of publications)
        expect(contents.get(`${channel} ${epoch} ${offset}`)).to.equal(json)
      if (position.offset === 0) seenEmpty.push({ channel, epoch: position.epoch, published: soFar(channel) })
      const added = add(channel, { json: `"${'x'.repeat(whole(1500))}${step}"`, ttl: whole(60) * SECOND })
      const place = `${channel} ${added.epoch} ${added.offset}`
      expect(contents.has(place), place).to.equal(false)
      contents.set(place, added.json)
      published.set(channel, soFar(channel) + 1)
      for (const empty of seenEmpty.filter((it) => it.channel === channel))
        if (isNext(empty.epoch, added.epoch ?? ''))
          expect(added.offset, place).to.equal(soFar(channel) - empty.published)
      if (seenEmpty.length > 200) seenEmpty.splice(0, 100)
      const { live, idle, bytes } = history.size
      expect(live + idle).to.be.at.most(5)
      expect(bytes).to.be.at.most(6 * KB)
    }
  }).timeout(20_000)
})
