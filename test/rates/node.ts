import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ServerSocket, TokenSocketServer, type TokenSocketServerOptions } from '@token-socket/server'
import express from 'express'

/** One node that is flooded. */
export interface Node {
  readonly url: string
  close(): Promise<void>
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

const nameIn = ({ url = '' }: IncomingMessage) => new URL(url, 'http://node').searchParams.get('name')

/**
 * Starts a node where a user is whom the query names.
 * @param passed receives the user of each call, publication and message that passed
 */
export async function startNode(
  options: Pick<TokenSocketServerOptions, 'limits' | 'channels' | 'engine'>,
  passed: (uid: string) => void,
): Promise<Node> {
  const app = express()
  app.set('trust proxy', true)
  const http = createServer(app)
  const sockets = new TokenSocketServer({
    app,
    server: http,
    secret: 'of the floods; nodes have it in common',
    transports: ['websocket', 'xhr-streaming', 'xhr-polling', 'jsonp-polling', 'raw'],
    authentication: ({ query }: { query: Record<string, unknown> }) => ({ uid: query.name }),
    connectAuthentication: (request: IncomingMessage) => ({ uid: nameIn(request) }),
    socketController: { hit: (auth: { readonly uid: string }) => passed(auth.uid) },
    logger: silent,
    ...options,
  } as TokenSocketServerOptions)
  const count = ({ uid = '' }: ServerSocket) => passed(uid)
  sockets.on('published', count)
  sockets.on('message', count)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      await sockets.shutdown()
      http.closeAllConnections()
      http.close()
    },
  }
}
