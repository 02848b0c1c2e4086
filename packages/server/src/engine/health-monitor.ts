import type { EngineHealth, Health } from './engine.js'

/** Keeps an engine's {@link Health}: it is healthy while no problem is reported. */
export class HealthMonitor implements Health {
  /** The problems by subject; the oldest first. */
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
   * Reports a problem, or its end.
   * @param about the subject: one of few
   * @param reason for people; `undefined` at the end
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
