// The playground's server: an ordinary Express application with sessions, and a TokenSocketServer
// on top of it.

import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { RpcError, TokenSocketServer } from '@token-socket/server'
import express from 'express'
import session from 'express-session'
import { Site } from '../site.js'
import { makeController, routes } from './controller.js'
import { publishEvents, SEEN } from './seen.js'
import { FileStore, SESSION_LIFE, secretFor } from './sessions.js'

const NAME_LIMIT = 40
const TEXT_LIMIT = 500

const site = new Site()
const { app, server } = site

serveFile('/token-socket.min.js', '@token-socket/client/token-socket.min.js')
serveFile('/sockjs.min.js', 'sockjs-client/dist/sockjs.min.js')
app.use(express.static(join(import.meta.dirname, 'public')))

app.use(
  session({
    name: 'playground',
    secret: secretFor('session'),
    store: new FileStore(),
    cookie: { httpOnly: true, sameSite: 'lax', maxAge: SESSION_LIFE },
    resave: false,
    saveUninitialized: false,
  }),
)

app.get('/session', (request, response) => {
  response.set('Cache-Control', 'no-store').json({ name: request.session.auth?.name ?? null })
})

// Who may sign in is the application's own business: here, a name is enough.
app.post('/sign-in', express.json({ limit: '1kb' }), (request, response, next) => {
  const name = nameIn(request.body)
  if (!name) return response.status(400).json({ error: `A name has 1 to ${NAME_LIMIT} characters` })
  // A new session id: one that an attacker planted before the sign-in is worth nothing after it.
  request.session.regenerate((error) => {
    if (error) return next(error)
    request.session.auth = { uid: randomUUID(), name }
    response.json({ name })
  })
})

// The session goes first, so that no new token is issued; then every socket of the user, on
// whichever node it is.
app.post('/sign-out', async (request, response) => {
  const uid = request.session.auth?.uid
  await promisify(request.session.destroy).call(request.session)
  if (uid) await tokenSockets.cluster.disconnect({ uid }, { reconnect: false })
  response.json({})
})

const tokenSockets = new TokenSocketServer({
  app,
  server,
  secret: secretFor('token'),
  // Whom a token is for; it becomes `socket.auth`. Falsy is refused.
  authentication: async (request) => request.session.auth,
  socketController: makeController(() => tokenSockets.sockets()),
  routes,
})

// Only `true` allows; an RpcError tells the page why not.
tokenSockets.on('subscribe', (_socket, { channel }) => {
  if (channel === 'locked') throw new RpcError('members_only', 'This channel is for members only')
  return true
})

tokenSockets.on('publish', ({ auth }, { channel, data }) => {
  if (channel === SEEN) throw new RpcError('server_only', 'Only the server publishes on this channel')
  return isAllowed(data, auth)
})

tokenSockets.on('broadcast', ({ auth }, { data }) => isAllowed(data, auth))

publishEvents(tokenSockets)
await site.open('playground', tokenSockets)

/** Serves one file of an installed package, and its source map. */
function serveFile(path, specifier) {
  const file = createRequire(import.meta.url).resolve(specifier)
  const root = dirname(file)
  app.get(path, (_request, response) => response.sendFile(basename(file), { root }))
  app.get(`${path}.map`, (_request, response) => response.sendFile(`${basename(file)}.map`, { root }))
}

function nameIn(body) {
  const name = typeof body?.name === 'string' ? body.name.normalize().trim() : ''
  return [...name].length <= NAME_LIMIT && !/\p{C}/u.test(name) ? name : ''
}

/** Whatever a page sends: a user writes in their own name only. @throws RpcError what is wrong */
function isAllowed(data, auth) {
  const { from, text } = data ?? {}
  if (from !== auth.name) throw new RpcError('wrong_name', `You are ${auth.name}`)
  if (typeof text !== 'string' || text === '' || text.length > TEXT_LIMIT)
    throw new RpcError('bad_text', `A text has 1 to ${TEXT_LIMIT} characters`)
  return true
}
