import {
  type BrokerListener,
  type Draft,
  type HistoryPage,
  type HistoryQuery,
  type Position,
  type Publication,
  type PublishOptions,
  RpcError,
} from '@token-socket/server'
import { HealthMonitor } from '#server/engine/health-monitor.js'

/** The parts of an engine that an authorization log needs, in memory. It can be away, deaf, and lose what it kept. */
export class LogEngine {
  readonly shared = true
  readonly health = new HealthMonitor()
  /** What the log keeps. */
  kept: Publication[] = []
  /** What was asked of the log: from which offset on. */
  readonly reads: unknown[] = []
  /** With which options orders were published. */
  readonly published: PublishOptions[] = []
  /** What a read waits for, after it has what it gives. */
  gate: Promise<void> | undefined
  /** Whether the node is not given what is published. */
  isDeaf = false
  #epoch = 'e1'
  #offset = 0
  #isAway = false
  #keys = new Set<string>()
  #listener: BrokerListener | undefined

  /** Whether nothing is answered. The health says so, and when it is back. */
  get isAway(): boolean {
    return this.#isAway
  }

  set isAway(isAway: boolean) {
    this.#isAway = isAway
    this.health.set('engine', isAway ? 'it cannot be reached' : undefined)
  }

  readonly broker = {
    listen: (listener: BrokerListener) => {
      this.#listener = listener
    },
    subscribe: async () => this.#answer(),
    unsubscribe: async () => this.#answer(),
    publish: async (draft: Draft, options: PublishOptions = {}) => {
      this.#answer()
      this.published.push(options)
      const { idempotencyKey } = options
      const isKnown = idempotencyKey !== undefined && this.#keys.has(idempotencyKey)
      if (idempotencyKey !== undefined) this.#keys.add(idempotencyKey)
      if (!isKnown) this.add(draft)
      return { id: '1' }
    },
    broadcast: async () => this.#answer(),
    command: async () => this.#answer(),
  }

  readonly history = {
    position: async (): Promise<Position> => {
      this.#answer()
      return this.#position
    },
    read: async (_channel: string, { after = 0, limit }: HistoryQuery): Promise<HistoryPage> => {
      this.#answer()
      this.reads.push(after)
      const later = this.kept.filter(({ offset = 0 }) => offset > Number(after))
      const page = {
        position: this.#position,
        publications: later.slice(0, limit),
        more: later.length > limit,
      }
      await this.gate
      return page
    },
  }

  /** Another node has published an order, or anything. */
  add({ channel, json }: Pick<Draft, 'channel' | 'json'>): void {
    this.#offset += 1
    const place = { epoch: this.#epoch, offset: this.#offset }
    const publication: Publication = { channel, json, id: String(this.#offset), ...place }
    this.kept.push(publication)
    if (!this.isDeaf && !this.isAway) this.#listener?.publication(publication)
  }

  /** Something that is no order is delivered. */
  deliver(json: string): void {
    this.#listener?.publication({ channel: 'a', json, id: json })
  }

  /** It has lost everything that it kept. */
  lose(): void {
    this.kept = []
    this.#epoch = `${this.#epoch}+`
    this.#offset = 0
  }

  get #position(): Position {
    return { epoch: this.#epoch, offset: this.#offset }
  }

  #answer(): void {
    if (this.isAway) throw new RpcError('engine_unavailable')
  }
}
