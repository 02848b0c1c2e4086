// The chat's server: an Express application that signs tokens, and a TokenSocketServer that keeps what was said in an
// embedded database. Stop it in the middle of a conversation, start it again: no line is lost.

import { createServer } from 'node:http'
import { join } from 'node:path'
import { lmdbEngine } from '@token-socket/lmdb'
import { TokenSocketServer } from '@token-socket/server'
import express from 'express'
import { issueToken, readKey } from './tokens.js'

const FIRST_PORT = 3000
const LAST_PORT = 65_535

/** Where the key and the conversations are. */
const folder = process.env.CHAT_DATA || join(import.meta.dirname, 'data')
const key = readKey(join(folder, 'key'))

const app = express()
const server = createServer(app)
let isStopping = false

// 503 tells clients that it is worth trying again; a 404 of an application that is half gone would not.
app.use((_request, response, next) => {
  if (!isStopping) return next()
  response.status(503).set({ 'Retry-After': '1', Connection: 'close' }).json({ error: 'Shutting down' })
})

// No inline script or style anywhere; connections to this server only.
app.disable('x-powered-by').use((_request, response, next) => {
  response.set({
    'Content-Security-Policy': "default-src 'self'; connect-src 'self' ws: wss:",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
  })
  next()
})

app.use(express.static(join(import.meta.dirname, 'public')))

// Who somebody is, is the application's own business: here, anybody may be Jim or Pam.
app.post('/tokens', express.json({ limit: '1kb' }), (request, response) => {
  const issued = issueToken(key, request.body)
  response.set('Cache-Control', 'no-store')
  if (issued) response.json(issued)
  else response.status(400).json({ error: 'uid is jim or pam; session has 8 to 64 letters, digits, - or _' })
})

const tokenSockets = new TokenSocketServer({
  app,
  server,
  // The same key that `issueToken` signs with: such a token opens a socket.
  keys: { chat: { algorithm: 'HS256', key } },
  // There are no sessions here, so nobody gets a token by one.
  authentication: () => false,
  // Claims say who may do what; the server only adds that people see each other.
  channels: { 'chat-*': { presence: true } },
  engine: lmdbEngine({ path: join(folder, 'conversations') }),
})

app.use((_request, response) => {
  response.status(404).json({ error: 'Not found' })
})

app.use((error, _request, response, _next) => {
  const status = error.status ?? 500
  if (status >= 500) console.error(error)
  response.status(status).json({ error: status < 500 ? 'Bad request' : 'Internal error' })
})

function listen(port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, () => {
      server.off('error', reject)
      resolve(server.address().port)
    })
  })
}

/** On PORT, or without it on the first free port from 3000 on. */
async function open({ PORT: wanted } = process.env) {
  if (wanted && !(/^\d+$/.test(wanted) && Number(wanted) <= LAST_PORT))
    throw new Error(`PORT has to be a number up to ${LAST_PORT}, not ${wanted}.`)
  for (let port = Number(wanted || FIRST_PORT); ; port += 1) {
    try {
      return await listen(port)
    } catch (error) {
      if (error.code === 'EADDRINUSE' && !wanted) continue
      const why = { EADDRINUSE: 'is taken', EACCES: 'may not be used by this user' }[error.code]
      throw why ? new Error(`Port ${port} ${why}. Set PORT to another one, or to none.`) : error
    }
  }
}

/** Says goodbye to every socket, so that pages know that they may come back, and ends. */
async function stop() {
  if (isStopping) return
  isStopping = true
  server.close()
  await tokenSockets.shutdown()
  setTimeout(() => server.closeAllConnections(), 500).unref()
  setTimeout(() => process.exit(), 2000).unref()
}

process.on('SIGINT', stop).on('SIGTERM', stop)

try {
  console.log(`The chat is at http://localhost:${await open()}/`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
  stop()
}
