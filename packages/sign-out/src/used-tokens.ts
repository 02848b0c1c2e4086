import { createHash } from 'node:crypto'
import { TimeoutScheduler } from '@token-socket/protocol'

/** Ids that the nodes share. */
export interface SharedIds {
  /** Returns whether a node has recorded an id. */
  has(id: string): Promise<boolean>
  /** Records an id. @param ttl milliseconds for which it is known */
  add(id: string, ttl: number): Promise<void>
}

/** Ids that one node remembers. */
const IDS = 10_000

/** Milliseconds that the engine may take for each operation. */
const ENGINE_TIME = 1000

/**
 * Remembers the ids of handled tokens: each token works once. This node remembers the last 10,000.
 * The nodes share the ids by the engine, if it can be reached. An id is recorded after its order: a
 * token whose order fails, or whose process ends, may be sent again to any node.
 */
export class UsedTokens {
  readonly #ttl: number
  readonly #shared: SharedIds | undefined
  readonly #used = new Set<string>()
  readonly #ends = new TimeoutScheduler<string>((id) => void this.#used.delete(id))
  /** The running orders, by id. */
  readonly #running = new Map<string, Promise<boolean>>()

  /** @param ttl milliseconds for which an id is remembered: older tokens are refused */
  constructor(ttl: number, shared: SharedIds | undefined) {
    this.#ttl = ttl
    this.#shared = shared
  }

  /** How many ids this node remembers. */
  get size(): number {
    return this.#used.size
  }

  /**
   * Runs an order once for each id. A failed one may be tried again, with the same token. A second
   * call meanwhile has the result of the first. Two nodes may both run the order at the same time.
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
    // If the engine does not answer, this node decides: signing out is more important.
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

/** Returns the engine's answer, or a given value if it fails or does not answer. */
function inTime<T>(asked: Promise<T> | undefined, otherwise: T): Promise<T> {
  if (!asked) return Promise.resolve(otherwise)
  return new Promise((resolve) => {
    const alone = () => resolve(otherwise)
    const timer = setTimeout(alone, ENGINE_TIME)
    timer.unref()
    asked.then(resolve, alone).finally(() => clearTimeout(timer))
  })
}
