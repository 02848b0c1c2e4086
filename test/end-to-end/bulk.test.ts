/** What the server makes in bulk: a client that reads gets all of it, one that does not costs little. */
import { randomUUID } from 'node:crypto'
import type { TokenSocket, TokenSocketOptions } from '@token-socket/client'
import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import SockJS from 'sockjs-client'
import { deferred, type Site, type SiteOptions, turn, until, useSites } from './fixture.js'
import { MB, MemoryGrowth } from './memory.js'
import { frameOf, OPCODES } from './raw-websocket.js'
import { HttpSession, subscribed } from './stalled-readers.js'

const CHANNELS = ['a', 'b', 'c', 'd', 'e']
const MEMBERS = 300

/** A site whose channels keep 200 publications and have presence, with 300 members of 4 kB on each of the presence ones. */
async function bulkSite(
  start: (options: SiteOptions) => Promise<Site>,
  more: SiteOptions = {},
): Promise<Site> {
  const engine = new MemoryEngine()
  const site = await start({
    engine,
    secret: 'x'.repeat(32),
    authentication: () => ({ uid: 'me' }),
    socketController: { big: (_auth: unknown, size: number) => 'x'.repeat(size), small: () => 1 },
    channels: {
      'kept-*': { subscribe: true, history: { size: 200, ttl: 60_000 } },
      'full-*': { subscribe: true, presence: true },
    },
    ...more,
  })
  for (const channel of CHANNELS)
    for (let index = 0; index < MEMBERS; index += 1) {
      const entry = {
        channel: `full-${channel}`,
        sid: `s${index}`,
        uid: `u${index}`,
        umd: `"${'x'.repeat(4000)}"`,
      }
      await engine.presence.enter(entry, 1000)
    }
  return site
}

const publish = async (site: Site, channel: string, count: number, size: number) => {
  for (let index = 0; index < count; index += 1)
    await site.sockets.publish(channel, `${index} ${'x'.repeat(size)}`)
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

/** The number that a publication of {@link publish} begins with. */
const numberOf = (data: unknown) => Number.parseInt(String(data), 10)

/** Reads all pages of a channel. */
async function readAll(client: TokenSocket, channel: string): Promise<number[]> {
  const found: number[] = []
  for (let after: string | undefined; ; ) {
    const page = await client.history(channel, after === undefined ? {} : { after })
    if (page.length === 0) return found
    found.push(...page.map(({ data }) => numberOf(data)))
    after = page.at(-1)?.id
  }
}

/** The kinds of bulk: each asks for some, and checks that all of it came, in order. */
const KINDS: Readonly<Record<string, (site: Site, client: TokenSocket) => Promise<void>>> = {
  'four histories at once': async (site, client) => {
    const channels = CHANNELS.slice(0, 4).map((name) => `kept-${name}`)
    for (const channel of channels) await publish(site, channel, 100, 20_000)
    await Promise.all(channels.map((channel) => client.subscribe(channel)))
    const pages = await Promise.all(channels.map((channel) => readAll(client, channel)))
    for (const page of pages) expect(page).to.deep.equal(numbers(100))
  },
  'five answers of 3 MB at once': async (_site, client) => {
    const asked = numbers(5).map((index) => client.rpc<string>('big', 3_000_000 + index))
    const last = client.rpc('small')
    const answers = await Promise.all(asked)
    expect(answers.map((text) => text.length - 3_000_000)).to.deep.equal(numbers(5))
    expect(await last).to.equal(1)
  },
  'five channels with 300 members of 4 kB': async (_site, client) => {
    const channels = CHANNELS.map((name) => client.channel(`full-${name}`))
    await Promise.all(channels.map(({ name }) => client.subscribe(name)))
    await until(() => channels.every(({ members }) => members.length === MEMBERS + 1))
  },
  'a recovery of 200 publications of 32 kB': async (site, client) => {
    await client.subscribe('kept-a')
    // What a client missed comes after the first that it has had.
    await publish(site, 'kept-a', 1, 10)
    const seen: number[] = []
    let gaps = 0
    client.on('message', (_channel: string, data: unknown) => void seen.push(numberOf(data)))
    client.on('gap', () => {
      gaps += 1
    })
    await until(() => seen.length === 1)
    client.suspend()
    await until(() => site.sockets.sockets().length === 0)
    await publish(site, 'kept-a', 200, 32_000)
    client.resume()
    await until(() => seen.length === 201)
    expect(seen.slice(1)).to.deep.equal(numbers(200))
    expect(gaps).to.equal(0)
  },
  'everything at once': async (site, client) => {
    await publish(site, 'kept-a', 100, 20_000)
    await client.subscribe('kept-a')
    const channels = CHANNELS.map((name) => client.channel(`full-${name}`))
    const [pages, answers] = await Promise.all([
      Promise.all(numbers(3).map(() => readAll(client, 'kept-a'))),
      Promise.all(numbers(3).map(() => client.rpc<string>('big', 1_000_000))),
      Promise.all(channels.map(({ name }) => client.subscribe(name))),
    ])
    for (const page of pages) expect(page).to.deep.equal(numbers(100))
    for (const answer of answers) expect(answer).to.have.length(1_000_000)
    await until(() => channels.every(({ members }) => members.length === MEMBERS + 1))
  },
}

const sockjs = (name: string): TokenSocketOptions => ({
  transports: ['sockjs'],
  sockjs: { transports: [name] },
})

const WAYS: Readonly<Record<string, TokenSocketOptions>> = {
  'plain WebSocket': {},
  'SockJS’s WebSocket': sockjs('websocket'),
  'xhr-streaming': sockjs('xhr-streaming'),
  'xhr-polling': sockjs('xhr-polling'),
}

describe('bulk for a client that reads', function () {
  this.timeout(120_000)
  const start = useSites()

  // Its own SockJS is the one for browsers, which finds no transport in Node.
  before(() => void Object.assign(globalThis, { SockJS }))

  after(() => void Reflect.deleteProperty(globalThis, 'SockJS'))

  for (const [way, options] of Object.entries(WAYS)) {
    for (const [kind, run] of Object.entries(KINDS)) {
      it(`arrives, ${kind}, over ${way}, without a loss`, async () => {
        const site = await bulkSite(start)
        const client = await site.ready(options)
        let losses = 0
        const isSuspending = kind.startsWith('a recovery')
        client.on('disconnect', () => {
          losses += 1
        })
        await run(site, client)
        expect(losses).to.equal(isSuspending ? 1 : 0)
        expect(site.log.filter(({ level }) => level === 'warn' || level === 'error')).to.deep.equal([])
      })
    }

    it(`arrives, five automatic subscriptions with 300 members of 4 kB, over ${way}, and again after a loss`, async () => {
      const grants = Object.fromEntries(
        CHANNELS.map((name) => [`full-${name}`, { subscribe: true, autoSubscribe: true }]),
      )
      const site = await bulkSite(start, { authentication: () => ({ uid: 'me', channels: grants }) })
      const client = site.client(options)
      const channels = CHANNELS.map((name) => client.channel(`full-${name}`))
      const all = () => channels.every(({ members }) => members.length === MEMBERS + 1)
      await client.ready()
      await until(all)
      let losses = 0
      client.on('disconnect', () => {
        losses += 1
      })
      site.sockets.sockets()[0]?.end()
      await until(() => losses === 1 && client.state === 'ready')
      await until(all)
      expect(losses).to.equal(1)
    })
  }
})

/** A client that is subscribed to a channel, asks, and reads nothing. */
interface Asker {
  ask(messages: readonly object[]): void
  /** The code that it was closed with, once it reads again. */
  ending(): Promise<number>
}

async function webSocketAsker(site: Site, path: string): Promise<Asker> {
  const raw = await subscribed(site, 'kept-a', path)
  raw.pause()
  raw.hear = () => {}
  const isPlain = path === '/sockets/websocket'
  return {
    ask: (messages) => {
      const texts = messages.map((one) => JSON.stringify(one))
      raw.write(frameOf(OPCODES.text, isPlain ? texts.join('\n') : JSON.stringify(texts)))
    },
    ending: () => {
      raw.resume()
      return raw.closed
    },
  }
}

async function pollingAsker(site: Site): Promise<Asker> {
  const session = new HttpSession(site)
  await session.poll()
  await session.subscribe('kept-a')
  return { ask: (messages) => void session.send(...messages), ending: () => session.ending() }
}

const ASKERS: Readonly<Record<string, (site: Site) => Promise<Asker>>> = {
  'a plain WebSocket': (site) => webSocketAsker(site, '/sockets/websocket'),
  'SockJS’s WebSocket': (site) => webSocketAsker(site, `/sockets/000/${randomUUID()}/websocket`),
  'xhr-polling': pollingAsker,
}

/** Milliseconds in which a connection that nobody reads is closed, also on a slow machine. */
const LONGEST_CLOSE = 60_000

const requests = (rpc: string, req: unknown) => numbers(400).map((uuid) => ({ rpc, req, uuid: String(uuid) }))

/** What one that reads nothing can ask for again and again: 40 MB and more. What is made only as it is read is not waited for. */
const DEMANDS: Readonly<
  Record<string, { readonly demand: readonly object[]; readonly isMadeAsRead: boolean }>
> = {
  'pages of history': { demand: requests('_history', { channel: 'kept-a' }), isMadeAsRead: true },
  'lists of members': { demand: requests('_subscribe', { channel: 'full-a' }), isMadeAsRead: true },
  'answers of a megabyte': { demand: requests('big', 1_000_000), isMadeAsRead: false },
  'answers of a megabyte that come later': { demand: requests('later', 1_000_000), isMadeAsRead: false },
}

describe('bulk for a client that reads nothing', function () {
  this.timeout(120_000)
  const start = useSites()

  for (const [way, open] of Object.entries(ASKERS)) {
    for (const [kind, { demand, isMadeAsRead }] of Object.entries(DEMANDS)) {
      it(`costs at most its budget: ${kind}, by ${way}`, async () => {
        const { promise: isLater, resolve } = deferred()
        const readTimeout = 500
        const site = await bulkSite(start, {
          limits: { readTimeout, answers: 4 * MB, callTimeout: 60_000 },
          socketController: {
            big: (_auth: unknown, size: number) => 'x'.repeat(size),
            later: async (_auth: unknown, size: number) => {
              await isLater
              return 'x'.repeat(size)
            },
          },
        })
        await publish(site, 'kept-a', 100, 20_000)
        const asker = await open(site)
        const [socket] = site.sockets.sockets()
        if (!socket) throw new Error('there is no socket')
        const growth = new MemoryGrowth()
        const asked = performance.now()
        const passed = () => performance.now() - asked
        for (let round = 0; round < 3; round += 1) asker.ask(demand)
        for (let turns = 0; turns < 50; turns += 1) await turn()
        resolve()
        while (!socket.isClosed && passed() < (isMadeAsRead ? 3 * readTimeout : LONGEST_CLOSE)) {
          growth.look()
          await new Promise((done) => setTimeout(done, 50))
        }
        // Requests that wait; a page or a list of each that is made at once; `answers`, and one answer more.
        expect(growth.most).to.be.below(12 * MB)
        if (isMadeAsRead) return expect(socket.isClosed).to.equal(false)
        expect(socket.isClosed).to.equal(true)
        // SockJS forgets a session that does not poll, after five seconds.
        if (way === 'xhr-polling') return
        expect(await asker.ending()).to.equal(4002)
        const [closing] = site.log.filter(({ level }) => level === 'warn')
        expect(closing?.details).to.include({ sid: socket.sid, uid: 'me', code: 'slow_consumer' })
      })
    }
  }
})
