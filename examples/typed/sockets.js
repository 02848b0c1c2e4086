// The TokenSocketServer of the page's server and of the tour's.

import { randomUUID } from 'node:crypto'
import { TokenSocketServer } from '@token-socket/server'
import { forget, socketController } from './handlers.js'

export function createSockets(app, server) {
  const sockets = new TokenSocketServer({
    app,
    server,
    secret: randomUUID(),
    // Everybody may come in: a real application looks at its session here.
    authentication: () => ({}),
    socketController,
  })
  return sockets.on('disconnected', forget)
}
