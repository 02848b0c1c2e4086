import { createHash } from 'node:crypto'
import { Deadlines } from '@token-socket/protocol'

/** Records an id over all nodes. @returns whether it was not recorded yet */
export type Claim = (id: string, ttl: number) => Promise<boolean>

/** Ids that one node remembers. */
const IDS = 10_000

/** Milliseconds that the engine may take to say whether an id is new. */
const CLAIM_TIME = 1000

/**
 * The ids of the tokens that were used: each token works once. This node remembers the last
 * 10,000; the nodes share the rest by the engine, if it can be reached.
 */
export class UsedTokens {
  readonly #ttl: number
  readonly #claim: Claim | undefined
  /** By id, whether its order failed: such a token may come again. */
  readonly #used = new Map<string, 'used' | 'failed'>()
  readonly #ends = new Deadlines<string>((id) => void this.#used.delete(id))

  /** @param ttl milliseconds for which an id is remembered: older tokens are not let in */
  constructor(ttl: number, claim: Claim | undefined) {
    this.#ttl = ttl
    this.#claim = claim
  }

  /** How many this node remembers. */
  get size(): number {
    return this.#used.size
  }

  /**
   * Runs an order once for each id. One that fails may be tried again, with the same token.
   * @returns whether this was the first time
   */
  async once(id: string, run: () => Promise<void>): Promise<boolean> {
    const name = createHash('sha256').update(id).digest('base64url')
    const before = this.#used.get(name)
    if (before === 'used') return false
    this.#put(name, 'used')
    if (before === undefined && !(await this.#isFirst(name))) return false
    try {
      await run()
      return true
    } catch (cause) {
      this.#put(name, 'failed')
      throw cause
    }
  }

  /**
   * Where the engine cannot be asked, or does not answer, this node decides: sign-outs come first.
   */
  #isFirst(name: string): Promise<boolean> {
    return new Promise((resolve) => {
      const alone = () => resolve(true)
      const timer = setTimeout(alone, CLAIM_TIME)
      timer.unref()
      const claimed = this.#claim?.(`sign-out ${name}`, this.#ttl) ?? Promise.resolve(true)
      claimed.then(resolve, alone).finally(() => clearTimeout(timer))
    })
  }

  #put(name: string, state: 'used' | 'failed'): void {
    this.#used.set(name, state)
    this.#ends.set(name, this.#ttl)
    if (this.#used.size <= IDS) return
    const [oldest = ''] = this.#used.keys()
    this.#used.delete(oldest)
    this.#ends.delete(oldest)
  }
}
