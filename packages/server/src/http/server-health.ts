import type { Engine, EngineHealth, Health } from '../engine/engine.js'
import type { Logger } from '../runtime/logger.js'

/** How a server is, as the health route answers it. It says nothing that strangers must not know. */
export interface ServerHealth {
  /**
   * `ok`; `degraded` while the engine cannot do what it is asked, or revocations could not be read for `revocationStaleness`: sockets stay, and calls between a client and this server
   * go on; `shutting_down` from the moment at which `shutdown()` was called.
   */
  readonly status: 'ok' | 'degraded' | 'shutting_down'
  /** The engine's name. */
  readonly engine: string
  /** Milliseconds since 1970: since when it has had this status. */
  readonly since: number
}

/** What a {@link HealthWatch} needs. */
export interface HealthWatchOwner {
  readonly engine: Pick<Engine, 'name' | 'health'>
  /** What else makes it degraded, though the engine says nothing. @default nothing */
  readonly troubles?: Health | undefined
  readonly logger: Pick<Logger, 'info' | 'warn'>
  /** The status is another one. */
  changed(health: ServerHealth): void
}

/** Watches how a server is, and reports it in the log: a warning when it gets worse. */
export class HealthWatch {
  readonly #owner: HealthWatchOwner
  readonly #begun = Date.now()
  readonly #undo: () => void
  #end: number | undefined
  /** A warning is in the log. */
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

  /** From now on it is shutting down, however the engine is. */
  end(): void {
    this.#undo()
    this.#end = Date.now()
    this.#owner.changed(this.now)
  }

  #heard({ ok, reason }: EngineHealth): void {
    const { engine, logger } = this.#owner
    // An engine that connects when it is made is not well at first, which is no trouble to come back from.
    if (ok) logger.info({ engine: engine.name }, `the engine is ${this.#isWarned ? 'well again' : 'ready'}`)
    else logger.warn({ engine: engine.name, reason }, 'the engine is degraded')
    this.#isWarned = !ok
    this.#owner.changed(this.now)
  }
}
