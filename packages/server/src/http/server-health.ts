import type { Engine, EngineHealth, Health } from '../engine/engine.js'
import type { Logger } from '../runtime/logger.js'

/**
 * The server's health, as the health route reports it. It contains nothing that strangers must not
 * know.
 */
export interface ServerHealth {
  /**
   * `ok`; `degraded` while the engine fails, or revocations could not be read for
   * `revocationStaleness`: sockets stay, and calls between a client and this server continue;
   * `shutting_down` once `shutdown()` was called.
   */
  readonly status: 'ok' | 'degraded' | 'shutting_down'
  /** The engine's name. */
  readonly engine: string
  /** Milliseconds since 1970, when this status began. */
  readonly since: number
}

/** Dependencies of a {@link HealthWatch}. */
export interface HealthWatchOwner {
  readonly engine: Pick<Engine, 'name' | 'health'>
  /** What else makes the server degraded. @default nothing */
  readonly troubles?: Health | undefined
  readonly logger: Pick<Logger, 'info' | 'warn'>
  /** Called when the status has changed. */
  changed(health: ServerHealth): void
}

/** Watches the server's health, and reports changes in the log: a warning when it gets worse. */
export class HealthWatch {
  readonly #owner: HealthWatchOwner
  readonly #begun = Date.now()
  readonly #undo: () => void
  #end: number | undefined
  /** Whether a warning was written. */
  #isWarned = false

  constructor(owner: HealthWatchOwner) {
    this.#owner = owner
    const undo = [owner.engine.health, owner.troubles].map((part) =>
      part?.onchange((health) => this.#heard(health)),
    )
    this.#undo = () => {
      for (const one of undo) one?.()
    }
  }

  get now(): ServerHealth {
    const { name: engine, health } = this.#owner.engine
    const troubles = this.#owner.troubles?.now
    if (this.#end !== undefined) return { status: 'shutting_down', engine, since: this.#end }
    const own = health?.now ?? { ok: true, since: this.#begun }
    const { ok, since } = own.ok && troubles && !troubles.ok ? troubles : own
    return { status: ok ? 'ok' : 'degraded', engine, since }
  }

  /** The server is shutting down from now on, whatever the engine's health. */
  end(): void {
    this.#undo()
    this.#end = Date.now()
    this.#owner.changed(this.now)
  }

  #heard({ ok, reason }: EngineHealth): void {
    const { engine, logger } = this.#owner
    // An engine that connects when it is created is not healthy at first, which is no failure to
    // recover from.
    if (ok) logger.info({ engine: engine.name }, `the engine is ${this.#isWarned ? 'well again' : 'ready'}`)
    else logger.warn({ engine: engine.name, reason }, 'the engine is degraded')
    this.#isWarned = !ok
    this.#owner.changed(this.now)
  }
}
