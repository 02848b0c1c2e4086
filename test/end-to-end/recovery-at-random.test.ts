import type { PublicationDetails, TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import { type Site, turn, useSites } from './fixture.js'
import { Line } from './line.js'

const CLIENTS = 50
const CHANNELS = 20
const CHANNELS_OF_A_CLIENT = 4

/** A small generator, so that a run can be made again. Source: mulberry32. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A subscriber that sees whether anything is missing, comes twice, or in another order. */
class Reader {
  readonly last = new Map<string, number>()
  readonly faults: string[] = []
  gaps = 0
  recoveries = 0
  #announced = new Set<string>()

  constructor(
    readonly client: TokenSocket,
    readonly line: Line,
  ) {
    client.on('message', (channel, message, details) => this.#came(channel, message as number, details))
    client.on('gap', (channel) => {
      this.gaps += 1
      this.#announced.add(channel)
    })
    client.on('recovered', () => {
      this.recoveries += 1
    })
  }

  #came(channel: string, number: number, { offset }: PublicationDetails): void {
    const last = this.last.get(channel)
    const isNext =
      last === undefined || number === last + 1 || (this.#announced.has(channel) && number > last)
    if (!isNext || offset !== number)
      this.faults.push(`${channel}: ${number} (offset ${offset}) after ${last}`)
    this.#announced.delete(channel)
    this.last.set(channel, number)
  }
}

describe('channels that keep their publications', () => {
  const start = useSites()
  const lines: Line[] = []

  afterEach(() => {
    for (const line of lines.splice(0)) line.stop()
  })

  async function reader(site: Site, channels: readonly string[]): Promise<Reader> {
    const line = await Line.to(site.port)
    lines.push(line)
    const made = new Reader(site.client({ host: line.host }), line)
    await made.client.ready()
    await Promise.all(channels.map((channel) => made.client.subscribe(channel)))
    return made
  }

  const runs = [
    { title: 'lose nothing', size: 100_000, publications: 100_000, cuts: 150 },
    { title: 'tell of what they can keep no more', size: 300, publications: 20_000, cuts: 100 },
  ]

  for (const { title, size, publications, cuts } of runs) {
    it(`${title}, however often clients are cut off`, async function () {
      this.timeout(120_000)
      const seed = Math.floor(Math.random() * 2 ** 32)
      console.log(`        seed ${seed}`)
      const next = random(seed)
      const pick = (count: number) => Math.floor(next() * count)
      const names = Array.from({ length: CHANNELS }, (_, index) => `kept-${index}`)
      const history = { size, ttl: 600_000 }
      const site = await start({ channels: { '*': { subscribe: true, history } } })
      const readers = await Promise.all(
        Array.from({ length: CLIENTS }, (_, index) => {
          const own = Array.from(
            { length: CHANNELS_OF_A_CLIENT },
            (_, at) => names[(index + at * 5) % CHANNELS],
          )
          return reader(site, own as string[])
        }),
      )
      const tops = new Map<string, number>()
      let left = cuts
      const publish = (channel: string) => {
        const number = (tops.get(channel) ?? 0) + 1
        tops.set(channel, number)
        void site.sockets.publish(channel, number)
      }
      for (let count = 0; count < publications; count += 1) {
        publish(names[pick(CHANNELS)] as string)
        if (next() < (cuts / publications) * 1.5 && left > 0) {
          left -= 1
          readers[pick(CLIENTS)]?.line.cut()
        }
        if (next() < 0.05) await turn()
      }
      const isDone = ({ client, last }: Reader) =>
        client.state === 'ready' &&
        client.channels().every((channel) => last.get(channel) === tops.get(channel))
      const faults = () => readers.flatMap((one) => one.faults)
      const isOver = () => faults().length > 0 || readers.every(isDone)
      for (let looks = 1; !isOver(); looks += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        // The last may be among what is lost to somebody; then it is the next that shows that they go on.
        if (looks % 20 === 0 && !isOver()) for (const name of names) publish(name)
      }
      expect(faults()).to.deep.equal([])
      expect(left).to.be.below(cuts / 2)
      const sum = (of: (one: Reader) => number) => readers.map(of).reduce((one, other) => one + other)
      expect(sum((one) => one.recoveries)).to.be.above(0)
      if (size > publications) expect(sum((one) => one.gaps)).to.equal(0)
    })
  }
})
