/** A real client and the real channels of a server, joined by a network in memory. */

import { type Channel, TokenSocket } from '@token-socket/client'
import { MemoryEngine, RpcError } from '@token-socket/server'
import { Channels } from '#server/channels/channels.js'
import type { ChannelsOwner } from '#server/channels/channels-owner.js'
import { Hub } from '#server/channels/hub.js'
import { Policy } from '#server/channels/policy.js'
import { PositionProofs } from '#server/channels/position-proofs.js'
import { readClaims } from '#server/claims/claims.js'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import type { ServerSocket } from '#server/socket/server-socket.js'
import type { SocketChannels } from '#server/socket/socket-owner.js'
import { makeSocket, type TestSocket } from '../../server/sockets.js'
import { setGlobal } from '../globals.js'
import { type Act, CHANNELS, type ChannelName, type Moment, type Part, type Terms } from './history.js'
import type { ModelClock } from './model-clock.js'

const KEEP = { history: { size: 1000, ttl: 86_400_000 }, subscribe: true }
const RULES = { plain: { subscribe: true }, kept: KEEP, room: { ...KEEP, presence: true } }

/** The client's end of the network, in the place of SockJS. */
class ModelSocket {
  onopen: ((event: object) => void) | null = null
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null
  onerror: ((event: object) => void) | null = null
  readonly transport = 'memory'
  /** The site that the next socket opens to. */
  static site: Site
  readonly #site = ModelSocket.site
  #server: TestSocket | undefined
  #isClosed = false

  constructor() {
    this.#site.carry(() => this.onopen?.({}))
  }

  send(text: string): void {
    this.#site.carry(() => this.#arrived(text))
  }

  close(code = 1000, reason = ''): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#site.carry(() => this.#server?.client.close(code, reason))
  }

  /** The network breaks: each end learns it on its own. */
  cut(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#server?.client.close(1006, '')
    this.onclose?.({ code: 1006, reason: '' })
  }

  #arrived(text: string): void {
    if (this.#isClosed) return
    if (this.#server) return this.#server.client.send([text])
    this.#server = this.#site.accept(this)
    this.#server.client.listen({
      message: (frame) => this.#site.carry(() => this.#brought(String(frame))),
      closed: (code, reason) => this.#site.carry(() => this.#over(code, reason)),
    })
  }

  #brought(data: string): void {
    if (!this.#isClosed && !this.#site.isDropped(data)) this.onmessage?.({ data })
  }

  #over(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.onclose?.({ code, reason })
  }
}

export class Site {
  readonly client: TokenSocket
  /** The server's side of the client, as long as its connection lasts. */
  socket: ServerSocket | undefined
  readonly refused = new Set<string>()
  /** A listener has refused to unsubscribe the client: what it gives up may stay. */
  hasKept = false
  readonly broken = new Set<Part>()
  readonly slow = new Map<Part, number>()
  dropsNext = false
  /** Channels whose automatic subscription something may have ended. */
  readonly ended = new Set<ChannelName>()
  readonly #upon = new Map<Moment, Act[]>()
  readonly #happen: (act: Act) => void
  readonly #terms: Terms
  readonly #clock: ModelClock
  readonly #hub = new Hub(() => {})
  readonly #engine = new MemoryEngine()
  readonly #channels: Channels
  #carrier: ModelSocket | undefined

  /** @param happen does what was to be done at a moment */
  constructor(terms: Terms, clock: ModelClock, happen: (act: Act) => void) {
    this.#happen = happen
    this.#terms = terms
    this.#clock = clock
    this.#channels = new Channels(this.#owner())
    ModelSocket.site = this
    setGlobal('SockJS', ModelSocket)
    this.client = new TokenSocket({
      host: 'http://model',
      token: 'T',
      transports: ['sockjs'],
      callTimeout: terms.callTimeout,
      logLevel: 'none',
    })
  }

  /** Whether the server sends a channel to the client. */
  isOn(channel: ChannelName): boolean {
    return this.socket !== undefined && this.#hub.has(this.socket, channel)
  }

  channel(name: ChannelName): Channel {
    return this.client.channel(name)
  }

  /** Whether nothing can have ended the automatic subscription of a channel, which has room. */
  isAutomatic(channel: ChannelName): boolean {
    return this.#terms.automatic.includes(channel) && !this.ended.has(channel) && !this.isFull
  }

  /** Whether the claims name the channel for `autoSubscribe`. */
  isNamed(channel: ChannelName): boolean {
    return this.#terms.automatic.includes(channel)
  }

  /** Whether the socket has as many channels as it may. */
  get isFull(): boolean {
    const count = CHANNELS.filter((name) => this.isOn(name)).length
    return count >= Math.min(this.#terms.subscriptions, this.#terms.subscriptionsPerUser)
  }

  /** Does something at the next moment of a kind. */
  upon(moment: Moment, act: Act): void {
    this.#upon.set(moment, [...(this.#upon.get(moment) ?? []), act])
  }

  /** Such a moment is now. */
  now(moment: Moment): void {
    const act = this.#upon.get(moment)?.shift()
    if (act) this.#happen(act)
  }

  /** What happens to the server, or to the network. */
  act(
    act: Exclude<
      Act,
      readonly ['subscribe' | 'unsubscribe' | 'bind' | 'unbind' | 'grant' | 'publish', ChannelName]
    >,
  ): void {
    switch (act[0]) {
      case 'kick':
        this.ended.add(act[1])
        if (this.socket) this.#channels.unsubscribe(this.socket, act[1])
        return
      case 'kickAll':
        this.ended.add(act[1])
        return void this.#channels.unsubscribeAll(act[1]).catch(() => {})
      case 'refuse':
        return void this.refused.add(act[1])
      case 'allow':
        return void this.refused.delete(act[1])
      case 'slow':
        return void this.slow.set(act[1], act[2])
      case 'break':
        return void this.broken.add(act[1])
      case 'mend':
        return void this.broken.delete(act[1])
      case 'cut':
        return this.#carrier?.cut()
      case 'close':
        return this.socket?.end()
      case 'suspend':
        return this.client.suspend()
      case 'resume':
        return this.client.resume()
      case 'drop':
        this.dropsNext = true
    }
  }

  async grant(channel: ChannelName): Promise<void> {
    if (this.socket) await this.#channels.subscribe(this.socket, channel)
  }

  publish(channel: ChannelName, data: unknown): Promise<unknown> {
    return this.#channels.publish(channel, data)
  }

  /** Ends what the history has left broken. */
  mend(): void {
    this.broken.clear()
    this.slow.clear()
    this.dropsNext = false
    this.#upon.clear()
    this.client.resume()
  }

  async end(): Promise<void> {
    void this.client.end()
    await this.#engine.close()
  }

  /** Brings something to the other end, in order. */
  carry(run: () => void): void {
    setTimeout(run, this.#terms.latency)
  }

  /** Whether the network loses a frame. */
  isDropped(frame: string): boolean {
    const drops = this.dropsNext && frame.includes('"offset"') && frame.includes('"message"')
    if (drops) this.dropsNext = false
    return drops
  }

  accept(carrier: ModelSocket): TestSocket {
    this.#carrier = carrier
    const channels: SocketChannels<ServerSocket> = {
      request: (...args) => this.#channels.request(...args),
      subscribe: (...args) => this.#channels.subscribe(...args),
      autoSubscribe: (...args) => this.#channels.autoSubscribe(...args),
      unsubscribe: (...args) => this.#channels.unsubscribe(...args),
      publish: (...args) => this.#channels.publish(...args),
      prove: (...args) => this.#channels.prove(...args),
      reauthorize: (...args) => this.#channels.reauthorize(...args),
      forget: (socket, code) => {
        this.#channels.forget(socket, code)
        if (this.socket === socket) this.socket = undefined
      },
    }
    const made = makeSocket({
      channels,
      identity: { claims: readClaims({ uid: 'u', channels: this.#grants() }) },
      limits: { timeout: this.#terms.serverTimeout },
    })
    this.socket = made.socket
    this.#hub.add(made.socket)
    made.socket.autoSubscribe(() => {})
    return made
  }

  /** What the claims say about channels: nothing, or that all may be read, and which are automatic. */
  #grants(): object | undefined {
    const { automatic } = this.#terms
    if (automatic.length === 0) return undefined
    const named = automatic.map((name) => [name, { autoSubscribe: true }] as const)
    return Object.fromEntries([...named, ['*', { subscribe: true }]])
  }

  #owner(): ChannelsOwner {
    const failed = () => {}
    const { broker, history, presence } = this.#engine
    return {
      hub: this.#hub,
      broker: this.#troubled('broker', broker, ['subscribe']),
      history: this.#troubled('history', history, ['read']),
      presence: this.#troubled('presence', presence, ['enter']),
      limits: {
        ...DEFAULT_LIMITS,
        subscriptions: this.#terms.subscriptions,
        subscriptionsPerUser: this.#terms.subscriptionsPerUser,
      },
      presenceGrace: 0,
      redeem: async () => {},
      policy: new Policy({ channels: RULES, timeout: 1000, failed }),
      vetoes: {
        decide: async (event) => {
          this.hasKept ||= event === 'unsubscribe' && this.broken.has('decide')
          await this.#trouble('decide')
          this.hasKept ||= event === 'unsubscribe' && this.refused.has(event)
          if (this.refused.has(event)) for (const name of CHANNELS) this.ended.add(name)
          return this.refused.has(event) ? { error: new RpcError('forbidden') } : undefined
        },
      },
      failed,
      proofs: new PositionProofs([Buffer.from('secret')]),
    }
  }

  /** A part of the engine of which some methods are slow, or fail, when the history says so. */
  #troubled<T extends object>(part: Part, whole: T, methods: readonly string[]): T {
    return new Proxy(whole, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key)
        if (typeof value !== 'function') return value
        if (!methods.includes(String(key))) return value.bind(target)
        return async (...args: unknown[]) => {
          await this.#trouble(part)
          return value.apply(target, args)
        }
      },
    })
  }

  async #trouble(part: Part): Promise<void> {
    this.now(part)
    const wait = this.slow.get(part)
    if (wait) await this.#clock.wait(wait)
    this.now(part)
    const isBroken = this.broken.has(part)
    if (isBroken && part === 'decide') for (const name of CHANNELS) this.ended.add(name)
    if (isBroken) throw new RpcError(part === 'decide' ? 'forbidden' : 'engine_unavailable')
  }
}
