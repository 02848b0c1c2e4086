import { AgingMap } from './aging-map.js'
import type { RateGrant, RateRequest, Rates } from './engine.js'

/** Buckets that are checked when one is added: full ones are forgotten. */
const SWEEP = 2

/** The rest of a bucket, and the time of that rest. */
interface Level {
  left: number
  at: number
}

/** {@link Rates} of one process. A full bucket takes no memory for long. */
export class MemoryRates implements Rates {
  readonly #levels = new AgingMap<Level & Pick<RateRequest, 'perSecond' | 'burst'>>()

  /** How many buckets are known. */
  get size(): number {
    return this.#levels.size
  }

  async take(key: string, { perSecond, burst, amount }: RateRequest): Promise<RateGrant> {
    const now = performance.now()
    let level = this.#levels.get(key)
    if (!level) {
      this.#sweep(now)
      level = { perSecond, burst, left: burst, at: now }
      this.#levels.set(key, level)
    }
    fill(level, now, { perSecond, burst })
    const granted = Math.min(amount, level.left)
    level.left -= granted
    return { granted, left: level.left, retryAfter: Math.ceil(((amount - granted) / perSecond) * 1000) }
  }

  clear(): void {
    this.#levels.clear()
  }

  #sweep(now: number): void {
    for (let count = 0; count < SWEEP; count += 1) {
      const [key, level] = this.#levels.takeOldest() ?? []
      if (key === undefined || level === undefined) return
      fill(level, now, level)
      if (level.left < level.burst) this.#levels.set(key, level)
    }
  }
}

function fill(level: Level, now: number, size: Pick<RateRequest, 'perSecond' | 'burst'>): void {
  level.left = Math.min(size.burst, level.left + ((now - level.at) / 1000) * size.perSecond)
  level.at = now
}
