import { createHash } from 'node:crypto'
import { TimeoutScheduler } from '@token-socket/protocol'

/** What the nodes know together. */
export interface SharedIds {
  /** Whether a node has recorded an id. */
  has(id: string): Promise<boolean>
  /** Records an id. @param ttl milliseconds for which it is known */
  add(id: string, ttl: number): Promise<void>
}

/** Ids that one node remembers. */
const IDS = 10_000

/** Milliseconds that the engine may take each time. */
const ENGINE_TIME = 1000

/**
 * The ids of the tokens whose orders are done: each token works once. This node remembers the last
 * 10,000; the nodes share the rest by the engine, if it can be reached. An id is recorded after its
 * order: one that fails, or whose process ends, may come again to any node.
 */
export class UsedTokens {
  readonly #ttl: number
  readonly #shared: SharedIds | undefined
  readonly #used = new Set<string>()
  readonly #ends = new TimeoutScheduler<string>((id) => void this.#used.delete(id))
  /** The orders that run, by id. */
  readonly #running = new Map<string, Promise<boolean>>()

  /** @param ttl milliseconds for which an id is remembered: older tokens are not let in */
  constructor(ttl: number, shared: SharedIds | undefined) {
    this.#ttl = ttl
    this.#shared = shared
  }

  /** How many this node remembers. */
  get size(): number {
    return this.#used.size
  }

  /**
   * Runs an order once for each id. One that fails may be tried again, with the same token. A
   * second call meanwhile has the outcome of the first. Two nodes at once may both run the order.
   * @returns whether this was the first time
   * @throws what the order throws
   */
  async once(id: string, run: () => Promise<void>): Promise<boolean> {
    const name = createHash('sha256').update(id).digest('base64url')
    const running = this.#running.get(name)
    if (running) {
      await running
      return false
    }
    const order = this.#run(name, run)
    this.#running.set(name, order)
    return order.finally(() => this.#running.delete(name))
  }

  async #run(name: string, run: () => Promise<void>): Promise<boolean> {
    if (this.#used.has(name)) return false
    // Where the engine does not answer, this node decides: sign-outs come first.
    const isUsed = await inTime(this.#shared?.has(`sign-out ${name}`), false)
    if (!isUsed) await run()
    this.#put(name)
    if (!isUsed) await inTime(this.#shared?.add(`sign-out ${name}`, this.#ttl), undefined)
    return !isUsed
  }

  #put(name: string): void {
    this.#used.add(name)
    this.#ends.set(name, this.#ttl)
    if (this.#used.size <= IDS) return
    const [oldest = ''] = this.#used
    this.#used.delete(oldest)
    this.#ends.delete(oldest)
  }
}

/** What the engine says, or a given value if it fails or does not answer. */
function inTime<T>(asked: Promise<T> | undefined, otherwise: T): Promise<T> {
  if (!asked) return Promise.resolve(otherwise)
  return new Promise((resolve) => {
    const alone = () => resolve(otherwise)
    const timer = setTimeout(alone, ENGINE_TIME)
    timer.unref()
    asked.then(resolve, alone).finally(() => clearTimeout(timer))
  })
}
