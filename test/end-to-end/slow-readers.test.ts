import { expect } from 'chai'
import { type Site, until, useSites } from './fixture.js'
import { MB, MemoryGrowth } from './memory.js'
import { CountingReader, HttpSession, numbered, STALLING } from './stalled-readers.js'

const SLOW_CONSUMER = 4002

/** Publishes, batch by batch, each when all who read have the one before. */
class Flood {
  sent = 0
  readonly #site: Site
  readonly #readers: readonly { readonly count: number; check(): void }[]
  readonly #text: string

  constructor(site: Site, readers: readonly { readonly count: number; check(): void }[], size: number) {
    this.#site = site
    this.#readers = readers
    this.#text = 'x'.repeat(size)
  }

  get bytes(): number {
    return this.sent * this.#text.length
  }

  async batch(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1)
      void this.#site.sockets.publish('flood', numbered(this.sent + index) + this.#text)
    this.sent += count
    await until(() => {
      for (const reader of this.#readers) reader.check()
      return this.#readers.every((reader) => reader.count === this.sent)
    })
  }
}

describe('a reader that is slower than what it is sent', function () {
  // Megabytes have to pass before the kernel takes no more.
  this.timeout(120_000)
  const start = useSites()

  const subscribers = (site: Site) => site.sockets.channelSockets('flood').length

  for (const [carrier, stall] of Object.entries(STALLING)) {
    it(`that stalls on ${carrier} is closed as slow_consumer, and 10 others get everything`, async () => {
      const site = await start()
      const readers = await Promise.all(Array.from({ length: 10 }, () => CountingReader.open(site, 'flood')))
      const stalled = await stall(site, 'flood')
      const flood = new Flood(site, readers, 10_000)
      const growth = new MemoryGrowth()
      while (subscribers(site) === 11 && flood.bytes < 100 * MB) {
        await flood.batch(20)
        if (flood.sent % 200 === 0) growth.look()
      }
      expect(subscribers(site)).to.equal(10)
      const ending = stalled.ending()
      for (let more = 0; more < 10; more += 1) await flood.batch(20)
      expect(await ending).to.equal(SLOW_CONSUMER)
      expect(growth.most).to.be.below(21 * MB)
      stalled.destroy()
      for (const { raw } of readers) raw.destroy()
      await site.servesHonestClients()
    })
  }

  it('that stalls among 60 is closed, and all others get everything', async () => {
    const site = await start({ limits: { outbox: 100_000 } })
    const readers = await Promise.all(Array.from({ length: 59 }, () => CountingReader.open(site, 'flood')))
    const stalled = await STALLING.websocket(site, 'flood')
    const flood = new Flood(site, readers, 5000)
    const growth = new MemoryGrowth()
    while (subscribers(site) === 60 && flood.bytes < 50 * MB) await flood.batch(16)
    expect(subscribers(site)).to.equal(59)
    await flood.batch(16)
    expect(growth.most).to.be.below(21 * MB)
    expect(await stalled.ending()).to.equal(SLOW_CONSUMER)
    for (const { raw } of readers) raw.destroy()
    await site.servesHonestClients()
  })

  it('that does not poll is closed long before 20,000 publications, and its next poll is told why', async () => {
    const site = await start()
    const session = new HttpSession(site)
    expect(await session.poll()).to.equal('o')
    await session.subscribe('flood')
    const reader = await site.ready()
    await reader.subscribe('flood')
    let count = 0
    reader.on('message', () => {
      count += 1
    })
    const growth = new MemoryGrowth()
    const payload = 'x'.repeat(1000)
    let closedAfter: number | undefined
    let ending: readonly unknown[] = []
    for (let sent = 1; sent <= 20_000; sent += 1) {
      void site.sockets.publish('flood', payload)
      if (sent % 100 !== 0) continue
      await until(() => count === sent)
      if (subscribers(site) === 1 && closedAfter === undefined) {
        closedAfter = sent
        // At once: SockJS forgets a session that nobody has polled for 5 s.
        ending = [await session.poll(), await session.ending()]
        expect(await session.send({ rpc: 'echo', uuid: '1' })).to.equal(204)
      }
      if (sent % 1000 === 0) growth.look()
    }
    // In messages of a kilobyte: a quarter of a mebibyte for the poll, a mebibyte in the outbox, what comes in 250 ms (at
    // most 15 mebibytes), and what two turns add.
    expect(closedAfter).to.be.within(1000, 17_500)
    expect(growth.most).to.be.below(21 * MB)
    expect(ending[0]).to.match(/^a\[/)
    expect(ending[1]).to.equal(SLOW_CONSUMER)
    await site.servesHonestClients()
  })
})
