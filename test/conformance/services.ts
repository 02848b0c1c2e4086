/** The services that the SockJS protocol's own suite asks a server for: two echoes with limits, an echo, and a close. */
import type { Server } from 'node:http'
import type { Connection } from '@token-socket/protocol'
import type { Logger } from '@token-socket/server'
import { OriginRules, type Origins } from '#server/http/origins.js'
import { TurnThrottle } from '#server/runtime/turn-throttle.js'
import {
  DEFAULT_TRANSPORTS,
  TRANSPORT_NAMES,
  type TransportName,
} from '#server/transports/transport-names.js'
import { Transports } from '#server/transports/transports.js'

/** Settings of {@link mountServices}. */
export interface ServicesSettings {
  readonly logger: Logger
  /** @default '*' */
  readonly origins?: Origins
  /** Refuses who names no origin. @default false */
  readonly requireOrigin?: boolean
}

/** What a service does with each connection, and what it has besides the defaults. */
interface Service {
  opened(connection: Connection): void
  readonly transports?: readonly TransportName[]
  readonly responseLimit?: number
  readonly cookie?: boolean
  readonly sockjsUrl?: string
}

/** The suite wants nothing but an address in the iframe page; the default comes with a hash. */
const sockjsUrl = 'https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js'

/** Every service of the suite by its path, each with all transports unless something else is said. */
export const services: Readonly<Record<string, Service>> = {
  '/echo': { opened: echo, responseLimit: 4096, sockjsUrl },
  '/close': { opened: (connection) => connection.close(3000, 'Go away!') },
  '/disabled_websocket_echo': {
    opened: echo,
    transports: TRANSPORT_NAMES.filter((name) => name !== 'websocket'),
  },
  '/cookie_needed_echo': { opened: echo, cookie: true },
}

/** Not of the suite: what a server has whose owner asks for nothing. */
export const ownServices: Readonly<Record<string, Service>> = {
  '/default_echo': { opened: echo, transports: DEFAULT_TRANSPORTS },
}

/**
 * Mounts services on a server, each with transports of its own.
 * @param table which, by their paths: those of the suite unless others are asked for
 * @returns takes them away
 */
export function mountServices(
  server: Server,
  { logger, origins = '*', requireOrigin: required = false }: ServicesSettings,
  table: Readonly<Record<string, Service>> = services,
): () => void {
  const trusts = () => false
  const mounted = Object.entries(table).map(
    ([prefix, service]) =>
      new Transports({
        transports: TRANSPORT_NAMES,
        ...service,
        server,
        prefix,
        origins: new OriginRules({ origins, required, trusts }),
        trusts,
        throttle: new TurnThrottle(),
        pingInterval: 25_000,
        pingTimeout: 20_000,
        limits: {
          connections: 1000,
          message: 1024 * 1024,
          authMessage: 1024 * 1024,
          fragments: 2048,
          connectionsPerAddress: 1000,
          bodyBytes: 16 * 1024 * 1024,
          bodyBytesPerAddress: 16 * 1024 * 1024,
          bodyTimeout: 30_000,
        },
        logger,
        failed: (cause) => logger.error({ err: cause }, 'a request failed'),
      }),
  )
  return () => {
    for (const transports of mounted) transports.close()
  }
}

/** Sends back each message. What is no text is no message of SockJS's: a peer could make it throw on its way to one. */
function echo(connection: Connection): void {
  connection.listen({
    message: (text) => {
      if (typeof text === 'string') connection.send([text])
    },
    closed: () => {},
  })
}
