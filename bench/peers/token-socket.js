import { TokenSocketServer } from '@token-socket/server'
import express from 'express'
import { failed } from './peer.js'
import { publishAll } from './publish-all.js'

/** Nothing goes wrong in a run that counts. */
const error = (details) => queueMicrotask(() => failed(details.err))
const logger = { debug() {}, info() {}, warn() {}, error }

/** This library, with its default engine. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  const app = express()
  server.on('request', app)
  const sockets = new TokenSocketServer({
    app,
    server,
    secret: 'the secret of a benchmark, 32 bytes or more',
    authentication: async () => ({ name: 'bench' }),
    logger,
    socketController: {
      echo: (_auth, data) => data,
      publish: (_auth, request) => publishAll(request, (data) => sockets.publish('news', data)),
    },
  })
  return {
    connections: () => sockets.sockets().length,
    callers: () =>
      sockets.sockets().map((socket) => (data, done) => socket.rpc('echo', data).then(done, failed)),
  }
}
