import { RedisEngine, type RedisEngineOptions } from '@token-socket/redis'
import type { PresenceEvent, Publication } from '@token-socket/server'

/** What a node's logger was told. */
export interface Logged {
  readonly level: 'info' | 'warn'
  readonly message: string
  readonly details: object
}

const KEPT = { retention: { size: 10_000, ttl: 60_000 } }

/** One node's engine, and all that it hears. */
export class RedisNode {
  readonly engine: RedisEngine
  readonly publications: Publication[] = []
  readonly broadcasts: string[] = []
  readonly changes: PresenceEvent[] = []
  readonly logged: Logged[] = []
  /** Whether its engine was well, each time that changed. */
  readonly healths: boolean[] = []
  readonly #waiting = new Set<() => void>()

  constructor(options: RedisEngineOptions) {
    const log = (level: Logged['level']) => (details: object, message: string) =>
      this.#put(this.logged, { level, message, details })
    this.engine = new RedisEngine({ logger: { info: log('info'), warn: log('warn') }, ...options })
    this.engine.health.onchange(({ ok }) => this.#put(this.healths, ok))
    this.engine.broker.listen({
      publication: (publication) => this.#put(this.publications, publication),
      broadcast: (json) => this.#put(this.broadcasts, json),
      command: () => {},
      presence: (event) => this.#put(this.changes, event),
    })
  }

  /** A node that is connected. The test's own time-out bounds it. */
  static async start(options: RedisEngineOptions): Promise<RedisNode> {
    const node = new RedisNode(options)
    const isReady = () =>
      node.engine.ready().then(
        () => true,
        () => false,
      )
    if (await isReady()) return node
    // With short time-outs, the first tries may be in vain on a busy machine. What they have said is not what a test is about.
    while (!(await isReady())) await new Promise((resolve) => setTimeout(resolve, 20))
    node.logged.length = 0
    return node
  }

  /** The data of all publications that it heard. */
  get texts(): string[] {
    return this.publications.map(({ json }) => json)
  }

  /** The changes that it heard, in short: `joined ann`. */
  get comings(): string[] {
    return this.changes.map(({ change, uid }) => `${change} ${uid}`)
  }

  /** Publishes what the channel keeps. */
  keep(channel: string, json: string, options: object = {}) {
    return this.engine.broker.publish({ channel, json }, { ...KEPT, ...options })
  }

  /** Publishes the numbers from one to another, without waiting in between. */
  async keepAll(channel: string, first: number, last: number): Promise<void> {
    const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index)
    await Promise.all(numbers.map((number) => this.keep(channel, String(number))))
  }

  /** Resolves as soon as it has heard what makes it true. */
  until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isTrue()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Resolves when it has been told so. */
  untilLogged(message: string): Promise<void> {
    return this.until(() => this.logged.some((one) => one.message === message))
  }

  #put<Item>(list: Item[], item: Item): void {
    list.push(item)
    for (const look of [...this.#waiting]) look()
  }
}

/** The numbers from one to another, as they are published. */
export function numbers(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String(first + index))
}
