import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenSocketServer } from '@token-socket/server'
import express from 'express'
import type { MockPort, ServedMock } from './mock-port.js'

/**
 * Opens a port with a real server on it. Every client that reaches it may sign in, with a token or
 * without.
 * @throws Error if the port is taken
 */
export async function openPort(mock: ServedMock): Promise<MockPort> {
  const { host = '127.0.0.1', port = 0 } = mock
  const app = express()
  const http = createServer(app)
  const server = serve(mock, app, http)
  try {
    http.listen(port, host)
    await once(http, 'listening')
  } catch (error) {
    await server.shutdown()
    throw error
  }
  const address = http.address() as AddressInfo
  return {
    url: `http://${address.family === 'IPv6' ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    server,
    close: async () => {
      await server.shutdown()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

function serve(mock: ServedMock, app: express.Express, http: Server): TokenSocketServer {
  const { socketController, auth = {}, presence, failed, umdOf } = mock
  let count = 0
  const signIn = async () => {
    count += 1
    const uid = `user-${count}`
    const umd = await umdOf(uid)
    return { uid, ...(umd !== undefined && { umd }), ...auth }
  }
  const server = new TokenSocketServer({
    app,
    server: http,
    socketController,
    authentication: signIn,
    connectAuthentication: signIn,
    origins: '*',
    logger: SILENT,
    channels: {
      '*': OPEN,
      ...Object.fromEntries(presence.map((pattern) => [wildcard(pattern), PRESENCE])),
    },
  })
  server.on('error', failed)
  return server
}

const OPEN = { subscribe: true, publish: true, history: { ttl: 3_600_000, size: 100 } }

const PRESENCE = { ...OPEN, presence: true }

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** The server's pattern for a pattern of a contract. */
function wildcard(pattern: string): string {
  return pattern.replace(/\{[^{}]*\}/g, '*')
}
