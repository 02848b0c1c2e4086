import { createSecretKey } from 'node:crypto'
import express from 'express'
import jwt from 'jsonwebtoken'
import { Server } from 'socket.io'
import { CALL_TIMEOUT, failed } from './peer.js'
import { publishAll } from './publish-all.js'

/** As a KeyObject: given the text, jsonwebtoken would try to read it as a PEM every time, which costs more than all else. */
const SECRET = createSecretKey('the secret of a benchmark, 32 bytes or more', 'utf8')

/** Socket.IO with its in-memory adapter. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  return startSocketIO({ server })
}

/** @param {{ server: import('node:http').Server } & Partial<import('socket.io').ServerOptions>} options */
export function startSocketIO({ server, ...options }) {
  const app = express()
  server.on('request', app)
  app.get('/socket/token', (_request, response) => {
    response.json({ token: jwt.sign({ name: 'bench' }, SECRET, { expiresIn: 30 }) })
  })
  const io = new Server(server, { transports: ['websocket'], serveClient: false, ...options })
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
    socket.on('publishOn', ({ channels, count, text }, callback) => {
      for (const channel of channels)
        publishAll({ n: 1, count, text }, (data) => io.to(channel).emit('news', data))
      callback(null)
    })
  })
  const callOn = (socket) => (data, done) => socket.emitWithAck('echo', data).then(done, failed)
  return {
    callers: () => [...io.sockets.sockets.values()].map(callOn),
    sids: () => [...io.sockets.sockets.keys()],
    remoteCallers: (sids) => sids.map((sid) => callAcross(io, sid)),
  }
}

/** A room may hold many, so that answers come in a list. */
function callAcross(io, sid) {
  return (data, done) => {
    const answered = ([answer, ...more]) => {
      if (more.length > 0) failed(more)
      else done(answer)
    }
    io.to(sid).timeout(CALL_TIMEOUT).emitWithAck('echo', data).then(answered, failed)
  }
}
