import { startTimeout } from '@token-socket/protocol'
import type { Health } from '../engine/engine.js'
import { HealthMonitor } from '../engine/health-monitor.js'

/** Dependencies of an {@link EngineWatch}. */
export interface EngineWatchOwner {
  /** The engine's health, if it reports it. */
  readonly health?: Pick<Health, 'now' | 'onchange'> | undefined
  /** Milliseconds without the engine after which this node is stale. */
  readonly revocationStaleness: number
  /** This node may have missed an order, and has to read the log. */
  lapsed(): void
  /** Compares this node with the log, or reads it. Rejects if the engine cannot be reached. */
  check(): Promise<void>
  /** Called repeatedly while this node is stale. */
  stale(): void
}

/** Milliseconds between two checks of the clock. */
const TICK = 500

/**
 * Milliseconds without a check after which the process must have been stopped, or its event loop
 * blocked.
 */
const STOPPED = 1500

/** Milliseconds between two checks of the log, at most. */
const CHECK = 5000

/** Milliseconds that a stopped process has to reach the engine before it is stale. */
const RETURN = 5000

/**
 * Detects that this node may have missed an order, because its engine was away or its process was
 * stopped. Reports by its health that it has not reached the engine for too long.
 */
export class EngineWatch {
  /** Not ok while this node is stale. */
  readonly health = new HealthMonitor()
  readonly #owner: EngineWatchOwner
  #seen = performance.now()
  #checked = performance.now()
  #reached = performance.now()
  #isChecking = false
  #isBehind = true
  #stopTimer = () => {}
  #unwatch = () => {}

  constructor(owner: EngineWatchOwner) {
    this.#owner = owner
  }

  start(): void {
    this.#seen = performance.now()
    this.#reached = this.#seen
    this.#unwatch =
      this.#owner.health?.onchange(({ ok }) => (ok ? this.#check() : this.#owner.lapsed())) ?? this.#unwatch
    this.#arm()
    this.#check()
  }

  stop(): void {
    this.#stopTimer()
    this.#unwatch()
  }

  /** The node may be behind its log: checks it again soon, until that succeeds. */
  hurry(): void {
    this.#isBehind = true
  }

  /** Checks whether the process was stopped. If so, it notifies the owner before it returns. */
  look(): void {
    const now = performance.now()
    if (now - this.#seen < STOPPED) return
    this.#seen = now
    const earliest = now - this.#owner.revocationStaleness + RETURN
    this.#reached = Math.max(this.#reached, Math.min(earliest, now))
    this.#owner.lapsed()
  }

  #arm(): void {
    this.#stopTimer = startTimeout(TICK, () => {
      this.look()
      this.#tick(performance.now())
      this.#arm()
    })
  }

  #tick(now: number): void {
    this.#seen = now
    const { revocationStaleness } = this.#owner
    const interval = Math.min(CHECK, revocationStaleness / 3)
    if (this.#isBehind || now - this.#checked >= interval) this.#check()
    if (now - this.#reached <= revocationStaleness) return
    const away = `revocations could not be read for ${revocationStaleness} ms`
    this.health.set('revocations', away)
    this.#owner.stale()
  }

  #check(): void {
    if (this.#isChecking) return
    this.#isChecking = true
    const began = performance.now()
    this.#checked = began
    this.#owner
      .check()
      .then(
        () => {
          this.#isBehind = false
          this.#reached = began
          this.health.set('revocations', undefined)
        },
        () => {
          this.#isBehind = true
        },
      )
      .finally(() => {
        this.#isChecking = false
      })
  }
}
