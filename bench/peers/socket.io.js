import { createSecretKey } from 'node:crypto'
import express from 'express'
import jwt from 'jsonwebtoken'
import { Server } from 'socket.io'
import { failed } from './peer.js'
import { publishAll } from './publish-all.js'

/** As a KeyObject: given the text, jsonwebtoken would try to read it as a PEM every time, which costs more than all else. */
const SECRET = createSecretKey('the secret of a benchmark, 32 bytes or more', 'utf8')

/** Socket.IO with its in-memory adapter. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  const app = express()
  server.on('request', app)
  app.get('/socket/token', (_request, response) => {
    response.json({ token: jwt.sign({ name: 'bench' }, SECRET, { expiresIn: 30 }) })
  })
  const io = new Server(server, { transports: ['websocket'], serveClient: false })
  // Its guide on memory: the first request is not needed any more.
  io.engine.on('connection', (connection) => {
    connection.request = null
  })
  io.use((socket, next) => {
    jwt.verify(socket.handshake.auth.token, SECRET, { algorithms: ['HS256'] }, (error, auth) => {
      socket.data.auth = auth
      next(error ?? undefined)
    })
  })
  io.on('connection', (socket) => {
    socket.on('echo', (data, callback) => callback(data))
    socket.on('subscribe', (channel, callback) => {
      socket.join(channel)
      callback(null)
    })
    socket.on('publish', (request, callback) => {
      callback(publishAll(request, (data) => io.to('news').emit('news', data)))
    })
  })
  const callOn = (socket) => (data, done) => socket.emitWithAck('echo', data).then(done, failed)
  return { callers: () => [...io.sockets.sockets.values()].map(callOn) }
}
