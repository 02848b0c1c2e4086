import type { Server } from 'node:http'
import type { Engine, Health } from '../engine/engine.js'
import type { Logger } from '../runtime/logger.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { HealthRoute, mountHealthRoute } from './health-route.js'
import { HealthWatch, type ServerHealth } from './server-health.js'

/** Dependencies of {@link watchHealth}. */
export interface HealthParts {
  readonly engine: Engine
  /** What else makes the server degraded. @default nothing */
  readonly troubles?: Health | undefined
  readonly logger: Logger
  readonly log: ThrottledLog
  readonly server: Server
  /** The route's path; `false` for none. */
  readonly healthRoute: string | false
  /** Called when the status has changed. */
  changed(health: ServerHealth): void
}

const EVICTION = 'a limit of the engine is reached: it forgets something before its time'

/**
 * Watches the server's health, and answers its health route. After the shutdown the route stays, to
 * tell load balancers of it, until another server replaces it.
 * @returns the watch, and a function that ends the route
 */
export function watchHealth(parts: HealthParts): {
  readonly watch: HealthWatch
  readonly unmount: (isFinal: boolean) => void
} {
  const { engine, log, server, healthRoute } = parts
  // Clients lose what the rules promise: the operator has to know which limit to raise.
  engine.watchEvictions?.((option) =>
    log.write(`engine ${option}`, ['warn', { engine: engine.name, option }, EVICTION]),
  )
  const watch = new HealthWatch(parts)
  const route = healthRoute === false ? undefined : new HealthRoute(healthRoute, () => watch.now)
  return { watch, unmount: mountHealthRoute(server, route) }
}
