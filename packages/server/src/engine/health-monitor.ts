import type { EngineHealth, Health } from './engine.js'

/** Keeps an engine's {@link Health}: it is well as long as it has no trouble. */
export class HealthMonitor implements Health {
  /** What is wrong, by what it is about; the oldest first. */
  readonly #troubles = new Map<string, string>()
  readonly #listeners = new Set<(health: EngineHealth) => void>()
  #now: EngineHealth = { ok: true, since: Date.now() }

  get now(): EngineHealth {
    return this.#now
  }

  onchange(listener: (health: EngineHealth) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Notes a trouble, or that it is over.
   * @param about what it is about: one of few
   * @param reason for people; `undefined` if it is over
   */
  set(about: string, reason: string | undefined): void {
    if (reason === undefined) this.#troubles.delete(about)
    else this.#troubles.set(about, reason)
    const [trouble] = this.#troubles.values()
    const ok = trouble === undefined
    const hasChanged = ok !== this.#now.ok
    const since = hasChanged ? Date.now() : this.#now.since
    this.#now = ok ? { ok, since } : { ok, since, reason: trouble }
    if (hasChanged) for (const listener of [...this.#listeners]) listener(this.#now)
  }
}
