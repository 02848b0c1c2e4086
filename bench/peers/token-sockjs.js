import express from 'express4'
import TokenSocketServer from 'node-token-sockjs'
import redis from 'redis-0.12'
import sockjs from 'sockjs'
import { failed } from './peer.js'
import { publishAll } from './publish-all.js'

/** This library's predecessor, set up as its README has it. @param {import('./peer.js').PeerOptions} options */
export function start({ server, redisPort }) {
  const app = express()
  server.on('request', app)
  const socketServer = sockjs.createServer({ log() {} })
  socketServer.installHandlers(server, { prefix: '/sockets' })
  const createClient = () => redis.createClient(redisPort, '127.0.0.1')
  const sockets = new TokenSocketServer(app, createClient(), socketServer, {
    pubsubClient: createClient(),
    authentication: (_request, callback) => callback(null, { name: 'bench' }),
    socketController: {
      echo: (_auth, data, callback) => callback(null, data),
      publish: (_auth, request, callback) => {
        callback(
          null,
          publishAll(request, (data) => sockets.publish('news', data)),
        )
      },
    },
  })
  const answered = (done) => (error, data) => (error ? failed(error) : done(data))
  const callOn = (socket) => (data, done) => sockets.rpc(socket, 'echo', data, answered(done))
  return { callers: () => sockets.sockets().map(callOn) }
}
