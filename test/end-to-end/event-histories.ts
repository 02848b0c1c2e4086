/** Random histories of sockets: what the server's events report is in order, in pairs, and what is so. */
import type { ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { Random } from '../protocol/random.js'
import { type Site, type SiteOptions, turn, until } from './fixture.js'
import type { Peer } from './peer.js'

/** Of them `no` is refused to clients, `slow` is decided late, and `room` has presence, which these sockets cannot have. */
const CHANNELS = ['plain', 'kept', 'slow', 'no', 'room', 'lobby'] as [string, ...string[]]

const OPTIONS: SiteOptions = {
  secret: 'a secret of thirty-two bytes or so',
  authentication: ({ query }: { query: Record<string, unknown> }) => ({ kind: query.kind }),
  channels: {
    '*': { subscribe: true, publish: true },
    kept: { history: { ttl: 60_000 } },
    room: { presence: true },
  },
  limits: { subscriptions: 4 },
}

/** What is done with one of the peers, or with its socket. */
type Deed = (history: EventHistory) => void

const DEEDS: readonly [Deed, ...Deed[]] = [
  (history) => void history.connect(),
  (history) => void history.connect(),
  (history) => history.ask('_subscribe'),
  (history) => history.ask('_subscribe'),
  (history) => history.ask('_subscribe'),
  (history) => history.ask('_unsubscribe'),
  (history) => history.ask('_publish', 1),
  (history) => history.withSocket((socket, channel) => void socket.subscribe(channel).catch(() => {})),
  (history) => history.withSocket((socket, channel) => socket.unsubscribe(channel)),
  (history) => void history.site.sockets.unsubscribeAll(history.channel()).catch(() => {}),
  (history) => history.withSocket((socket) => socket.end({ reconnect: history.random.number(2) === 0 })),
  (history) => history.withSocket(({ sid }) => void history.site.sockets.cluster.disconnect({ sid })),
  (history) => history.withPeer((peer) => peer.destroy()),
]

/** What one socket's events have said so far. */
interface Told {
  state: 'connected' | 'disconnected'
  readonly channels: Set<string>
}

/** Listens to all events, and notes what is not as promised. */
class Witness {
  readonly told = new Map<ServerSocket, Told>()
  readonly wrong: string[] = []

  constructor({ sockets }: Site) {
    sockets.on('connected', (socket) => {
      if (this.told.has(socket)) this.#complain(socket, 'connected twice')
      this.told.set(socket, { state: 'connected', channels: new Set() })
    })
    sockets.on('disconnected', (socket) => {
      const { channels } = this.#of(socket, 'disconnected')
      if (channels.size > 0) this.#complain(socket, `disconnected, and on ${[...channels]}`)
      this.told.set(socket, { state: 'disconnected', channels })
    })
    sockets.on('subscribed', (socket, { channel }) => {
      const { channels } = this.#of(socket, 'subscribed')
      if (channels.has(channel)) this.#complain(socket, `subscribed twice to ${channel}`)
      if (channel === 'room') this.#complain(socket, `subscribed to ${channel}`)
      channels.add(channel)
    })
    sockets.on('unsubscribed', (socket, { channel }) => {
      const { channels } = this.#of(socket, 'unsubscribed')
      if (!channels.delete(channel)) this.#complain(socket, `unsubscribed from ${channel}`)
    })
  }

  #of(socket: ServerSocket, event: string): Told {
    const told = this.told.get(socket)
    if (told?.state === 'connected') return told
    this.#complain(socket, `${event}, though ${told ? 'disconnected' : 'not connected'}`)
    return { state: 'disconnected', channels: new Set() }
  }

  #complain({ sid }: ServerSocket, what: string): void {
    this.wrong.push(`${sid}: ${what}`)
  }
}

class EventHistory {
  readonly peers: Peer[] = []
  readonly #answers: Promise<unknown>[] = []

  constructor(
    readonly site: Site,
    readonly random: Random,
  ) {}

  channel(): string {
    return this.random.pick(CHANNELS)
  }

  withPeer(act: (peer: Peer) => void): void {
    const { peers } = this
    if (peers.length > 0) act(this.random.pick(peers as [Peer]))
  }

  withSocket(act: (socket: ServerSocket, channel: string) => void): void {
    const sockets = this.site.sockets.sockets()
    if (sockets.length > 0) act(this.random.pick(sockets as [ServerSocket]), this.channel())
  }

  /** Of those that connect some are refused, and some are on a channel before they are let in. */
  connect(kind = this.random.pick(['plain', 'refused', 'early', 'early and refused', 'kicked'])): void {
    const open = async () => {
      const { token } = (await (await this.site.askToken({}, `?kind=${kind}`)).json()) as { token: string }
      const peer = await this.site.peer()
      this.peers.push(peer)
      await Promise.race([peer.auth(token), peer.closed])
    }
    this.#answers.push(open())
  }

  ask(rpc: string, data?: unknown): void {
    this.withPeer((peer) => {
      if (peer.ending) return
      const answer = peer.ask({ rpc, req: { channel: this.channel(), data } })
      this.#answers.push(Promise.race([answer, peer.closed]))
    })
  }

  async run(): Promise<void> {
    // On a slow machine the others may all be refused.
    this.connect('plain')
    await Promise.all(this.#answers)
    for (let step = 0; step < 60; step += 1) {
      this.random.pick(DEEDS)(this)
      for (let turns = this.random.number(4); turns > 0; turns -= 1) await turn()
    }
    await Promise.all(this.#answers)
    for (let turns = 0; turns < 10; turns += 1) await turn()
  }
}

/** `authentication` listeners that subscribe the socket before it is let in; a late `subscribe` listener. */
function listen({ sockets }: Site): void {
  sockets.on('authentication', async (socket, auth) => {
    const { kind } = auth as { readonly kind: string }
    if (kind.includes('early') || kind === 'kicked') await socket.subscribe('lobby')
    if (kind === 'kicked') socket.unsubscribe('lobby')
    return !kind.includes('refused')
  })
  sockets.on('subscribe', async (_socket, { channel }) => {
    if (channel === 'slow') for (let turns = 0; turns < 5; turns += 1) await turn()
    return channel !== 'no'
  })
}

/** The tests, of one engine. @param start makes a site with it */
export function describeEventHistories(
  start: (options: SiteOptions) => Promise<Site>,
  seeds: { readonly count: number },
): void {
  for (let seed = 1; seed <= seeds.count; seed += 1) {
    it(`reports each socket once, and subscriptions in pairs, as it is (seed ${seed})`, async () => {
      const site = await start(OPTIONS)
      const witness = new Witness(site)
      listen(site)
      await new EventHistory(site, new Random(seed)).run()
      const isAsToldOf = () => {
        const live = [...witness.told].filter(([, { state }]) => state === 'connected')
        const told = live.map(([{ sid }, { channels }]) => `${sid} ${[...channels].sort()}`)
        const are = site.sockets.sockets().map(({ sid, channels }) => `${sid} ${channels.sort()}`)
        return told.sort().join() === are.sort().join()
      }
      await until(isAsToldOf)
      await site.sockets.shutdown()
      const open = [...witness.told.values()].filter(({ state }) => state === 'connected')
      expect({ open, wrong: witness.wrong }).to.deep.equal({ open: [], wrong: [] })
      expect(site.failures.filter(({ details }) => 'event' in details)).to.deep.equal([])
      expect(witness.told.size).to.be.above(0)
    })
  }
}
