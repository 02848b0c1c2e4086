/** A real client and the real channels of a server, joined by a network in memory. */
import { type Channel, TokenSocket } from '@token-socket/client'
import { MemoryEngine, RpcError } from '@token-socket/server'
import { PositionProofs } from '../../../packages/server/src/channels/position-proofs.js'
import { Channels, type ChannelsOwner } from '../../../packages/server/src/channels.js'
import { Hub } from '../../../packages/server/src/hub.js'
import { DEFAULT_LIMITS } from '../../../packages/server/src/limits.js'
import { Policy } from '../../../packages/server/src/policy.js'
import type { RemoteClient, SocketChannels } from '../../../packages/server/src/remote-client.js'
import { makeSocket, type TestSocket } from '../../server/sockets.js'
import type { ChannelName, Part, Terms } from './history.js'
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
  socket: RemoteClient | undefined
  readonly refused = new Set<string>()
  /** A listener has refused to unsubscribe the client: what it gives up may stay. */
  hasKept = false
  readonly broken = new Set<Part>()
  readonly slow = new Map<Part, number>()
  dropsNext = false
  readonly #terms: Terms
  readonly #clock: ModelClock
  readonly #hub = new Hub(() => {})
  readonly #engine = new MemoryEngine()
  readonly #channels: Channels
  #carrier: ModelSocket | undefined

  constructor(terms: Terms, clock: ModelClock) {
    this.#terms = terms
    this.#clock = clock
    this.#channels = new Channels(this.#owner())
    ModelSocket.site = this
    Object.assign(globalThis, { SockJS: ModelSocket })
    this.client = new TokenSocket({
      host: 'http://model',
      token: 'T',
      transports: ['sockjs'],
      callTimeout: terms.callTimeout,
    })
  }

  /** Whether the server sends a channel to the client. */
  isOn(channel: ChannelName): boolean {
    return this.socket !== undefined && this.#hub.has(this.socket, channel)
  }

  channel(name: ChannelName): Channel {
    return this.client.channel(name)
  }

  kick(channel: ChannelName): void {
    if (this.socket) this.#channels.unsubscribe(this.socket, channel)
  }

  kickAll(channel: ChannelName): Promise<void> {
    return this.#channels.unsubscribeAll(channel)
  }

  async grant(channel: ChannelName): Promise<void> {
    if (this.socket) await this.#channels.subscribe(this.socket, channel)
  }

  publish(channel: ChannelName, data: unknown): Promise<unknown> {
    return this.#channels.publish(channel, data)
  }

  cut(): void {
    this.#carrier?.cut()
  }

  /** Ends what the history has left broken. */
  mend(): void {
    this.broken.clear()
    this.slow.clear()
    this.dropsNext = false
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
    const channels: SocketChannels = {
      request: (...args) => this.#channels.request(...args),
      subscribe: (...args) => this.#channels.subscribe(...args),
      autoSubscribe: (...args) => this.#channels.autoSubscribe(...args),
      unsubscribe: (...args) => this.#channels.unsubscribe(...args),
      publish: (...args) => this.#channels.publish(...args),
      prove: (...args) => this.#channels.prove(...args),
      forget: (socket, code) => {
        this.#channels.forget(socket, code)
        if (this.socket === socket) this.socket = undefined
      },
    }
    const made = makeSocket({
      channels,
      identity: { claims: { uid: 'u', umd: undefined, channels: undefined } },
      limits: { timeout: this.#terms.serverTimeout },
    })
    this.socket = made.socket
    this.#hub.add(made.socket)
    return made
  }

  #owner(): ChannelsOwner {
    const failed = () => {}
    const { broker, history, presence } = this.#engine
    return {
      hub: this.#hub,
      broker: this.#troubled('broker', broker, ['subscribe']),
      history: this.#troubled('history', history, ['read']),
      presence: this.#troubled('presence', presence, ['enter']),
      ...DEFAULT_LIMITS,
      presenceGrace: 0,
      redeem: async () => {},
      policy: new Policy({ channels: RULES, timeout: 1000, failed }),
      decide: async (event) => {
        this.hasKept ||= event === 'unsubscribe' && this.broken.has('decide')
        await this.#trouble('decide')
        this.hasKept ||= event === 'unsubscribe' && this.refused.has(event)
        return this.refused.has(event) ? { error: new RpcError('forbidden') } : undefined
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
    const wait = this.slow.get(part)
    if (wait) await this.#clock.wait(wait)
    if (this.broken.has(part)) throw new RpcError(part === 'decide' ? 'forbidden' : 'engine_unavailable')
  }
}
