import { TokenSocketServer } from '@token-socket/server'
import express from 'express'
import { CALL_TIMEOUT, failed } from './peer.js'
import { publishAll } from './publish-all.js'

/** Nothing goes wrong in a run that counts. */
const error = (details) => queueMicrotask(() => failed(details.err))
export const logger = { debug() {}, info() {}, warn() {}, error }

/** This library, with its default engine. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  return startTokenSocket({ server })
}

/**
 * @param {{ server: import('node:http').Server } & Partial<import('@token-socket/server').TokenSocketServerOptions>} options
 * @param {typeof TokenSocketServer} [Server] of another checkout
 */
export function startTokenSocket({ server, ...options }, Server = TokenSocketServer) {
  const app = express()
  server.on('request', app)
  const sockets = new Server({
    app,
    server,
    secret: 'the secret of a benchmark, 32 bytes or more',
    authentication: async () => ({ name: 'bench' }),
    logger,
    socketController: {
      echo: (_auth, data) => data,
      publish: (_auth, request) => publishAll(request, (data) => sockets.publish('news', data)),
      /** Publishes on many channels, and answers when the last is accepted. */
      publishOn: async (_auth, { channels, count, text }) => {
        for (const channel of channels)
          for (let n = 1; n <= count; n += 1) await sockets.publish(channel, { n, text })
      },
    },
    ...options,
  })
  const callOn = (sid) => (data, done) =>
    sockets.cluster.rpc(sid, 'echo', data, { timeout: CALL_TIMEOUT }).then(done, failed)
  return {
    connections: () => sockets.sockets().length,
    sids: () => sockets.sockets().map(({ sid }) => sid),
    remoteCallers: (sids) => sids.map(callOn),
    callers: () =>
      sockets.sockets().map((socket) => (data, done) => socket.rpc('echo', data).then(done, failed)),
  }
}
