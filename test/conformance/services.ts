/** The services that the SockJS protocol's own suite asks a server for: two echoes with limits, an echo, and a close. */
import type { Server } from 'node:http'
import type { Connection } from '@token-socket/protocol'
import type { Logger } from '@token-socket/server'
import { OriginRules, type Origins } from '../../packages/server/src/origins.js'
import { Transports } from '../../packages/server/src/transports/transports.js'

/** Settings of {@link mountServices}. */
export interface ServicesSettings {
  readonly logger: Logger
  /** @default '*' */
  readonly origins?: Origins
}

/** What a service does with each connection, and what it has besides the defaults. */
interface Service {
  opened(connection: Connection): void
  readonly websocket?: boolean
  readonly cookie?: boolean
}

/** Every service by its path. */
export const services: Readonly<Record<string, Service>> = {
  '/echo': { opened: echo },
  '/close': { opened: (connection) => connection.close(3000, 'Go away!') },
  '/disabled_websocket_echo': { opened: echo, websocket: false },
  '/cookie_needed_echo': { opened: echo, cookie: true },
}

/** Mounts the services on a server, each with transports of its own. @returns takes them away */
export function mountServices(server: Server, { logger, origins = '*' }: ServicesSettings): () => void {
  const trusts = () => false
  const mounted = Object.entries(services).map(
    ([prefix, service]) =>
      new Transports({
        ...service,
        server,
        prefix,
        origins: new OriginRules({ origins, required: false, trusts }),
        trusts,
        maxPayload: 1024 * 1024,
        pingInterval: 25_000,
        pingTimeout: 20_000,
        connections: 1000,
        logger,
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
