import type { Server } from 'node:http'
import type { RequestHandler } from 'express'
import type { Engine } from '../engine/engine.js'
import { chainHandlers } from '../http/handler-chain.js'
import { OtherServers } from '../http/other-servers.js'
import { mountTokenRoute, type TokenMount, type Unmount } from '../http/token-mounts.js'
import type { Logger } from '../runtime/logger.js'
import type { TurnThrottle } from '../runtime/turn-throttle.js'
import { type TokenRouteOptions, tokenGuard, tokenRoute } from './token-route.js'

/** Dependencies of {@link mountTokenEndpoint}. */
export interface TokenEndpointParts
  extends Omit<TokenRouteOptions, 'tickets' | 'prefix'>,
    Pick<TokenMount, 'app' | 'server'> {
  /** The path. */
  readonly tokenRoute: string
  readonly engine: Pick<Engine, 'tickets'>
  /** The prefix of the socket's routes. */
  readonly prefix: string
  readonly logger: Logger
  /** Runs before the route. */
  readonly customMiddleware: RequestHandler | readonly RequestHandler[]
  /** Queues requests when many arrive at once. */
  readonly throttle: Pick<TurnThrottle, 'run'>
}

/** Mounts the token endpoint on the application. @returns a function that removes it */
export function mountTokenEndpoint(parts: TokenEndpointParts): Unmount {
  const { app, server, engine, customMiddleware, prefix, logger, origins, throttle } = parts
  const handler = chainHandlers([
    tokenGuard(origins, () => false, parts.log),
    (_request, _response, next) => throttle.run(next),
    ...[customMiddleware].flat(),
    tokenRoute({ ...parts, tickets: engine.tickets }),
  ])
  const others = new OtherServers(server, prefix, logger)
  return mountTokenRoute({
    app,
    path: parts.tokenRoute,
    server,
    handler,
    closed: tokenGuard(origins, () => true),
    cameElsewhere: (other: Server) => others.note(other),
  })
}
