// A node: an Express application with a TokenSocketServer, on the Redis that all nodes have in
// common. All of them run this.

import { createServer } from 'node:http'
import { join } from 'node:path'
import { redisEngine } from '@token-socket/redis'
import { TokenSocketServer } from '@token-socket/server'
import express from 'express'

/** One or two words of letters and digits of any script. */
const NAME = /^[\p{L}\p{N}]{1,20}( [\p{L}\p{N}]{1,20})?$/u

/**
 * @param {{ name: string, redis: string, secret: string, trustProxy?: unknown }} settings what the
 *   page calls this node; the address of the Redis; what tokens are signed with, the same on every
 *   node; Express's setting
 * @returns an HTTP server that does not listen yet; how to publish the nodes' states; how to end as
 *   a rolling deploy does
 */
export function createNode({ name, redis, secret, trustProxy = 'loopback' }) {
  const app = express()
  const server = createServer(app)
  // The proxy says who the client is.
  app.set('trust proxy', trustProxy).disable('x-powered-by')
  app.use((_request, response, next) => {
    response.set({
      'Content-Security-Policy': "default-src 'self'; connect-src 'self' ws: wss:",
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'same-origin',
    })
    next()
  })
  app.use(express.static(join(import.meta.dirname, 'public')))
  app.get('/shared.css', (_request, response) =>
    response.sendFile(join(import.meta.dirname, '../shared.css')),
  )

  const sockets = new TokenSocketServer({
    app,
    server,
    secret,
    engine: redisEngine({ url: redis }),
    // Who a user is, is the application's own business: here, a name is enough.
    authentication: ({ query }) => NAME.test(String(query.name)) && { uid: query.name },
    channels: {
      // The states of the nodes, as their supervisor sees them. A page that is opened later takes
      // the newest from the history. That one need not be the last: a node that is slow may publish
      // an older version after it.
      nodes: { subscribe: true, history: { size: 20, ttl: 86_400_000 } },
      hall: { subscribe: true, publish: true, presence: true, history: { size: 100, ttl: 3_600_000 } },
    },
    socketController: {
      node: () => name,
      // So that the page can show what happens then.
      crash: () => process.kill(process.pid, 'SIGKILL'),
    },
  })

  return {
    server,
    /**
     * Every node receives the same states from the supervisor. The key makes them one publication.
     */
    async publishStates({ version, states }) {
      const idempotencyKey = `states ${version}`
      await sockets
        .publish('nodes', { version, states }, { event: 'states', idempotencyKey })
        .catch((error) => console.error(`The nodes’ states were not published: ${error.message}`))
    },
    /** Sockets are told that they may come back, to another node; resolves when they are gone. */
    async end() {
      server.close()
      await sockets.shutdown()
      server.closeAllConnections()
    },
  }
}
