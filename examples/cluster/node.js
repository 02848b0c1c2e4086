// A node: an Express application with a TokenSocketServer, on the Redis that all nodes have in common. All of them run this.

import { createServer } from 'node:http'
import { join } from 'node:path'
import { redisEngine } from '@token-socket/redis'
import { TokenSocketServer } from '@token-socket/server'
import express from 'express'

/** Letters and digits of any script; 1 to 20 of them. */
const NAME = /^[\p{L}\p{N}]{1,20}$/u

/**
 * @param {{ name: string, redis: string, secret: string, trustProxy?: unknown }} settings what people call this node;
 * the address of the Redis; what tokens are signed with, the same on every node; Express's setting
 * @returns an HTTP server that does not listen yet, and how to end it as a rolling deploy does
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

  const sockets = new TokenSocketServer({
    app,
    server,
    secret,
    engine: redisEngine({ url: redis }),
    // Who somebody is, is the application's own business: here, anybody who has a name.
    authentication: ({ query }) => NAME.test(String(query.name)) && { uid: query.name },
    channels: {
      hall: { subscribe: true, publish: true, presence: true, history: { size: 100, ttl: 3_600_000 } },
    },
    socketController: {
      node: () => name,
      // For everybody to see what happens then.
      crash: () => process.kill(process.pid, 'SIGKILL'),
    },
  })

  return {
    server,
    /** Sockets are told that they may come back, to another node; resolves when they are gone. */
    async end() {
      server.close()
      await sockets.shutdown()
      server.closeAllConnections()
    },
  }
}
