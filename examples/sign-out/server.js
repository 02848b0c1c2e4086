// Sessions in memory, and sockets that end with them.

import { join } from 'node:path'
import { TokenSocketServer } from '@token-socket/server'
import { backChannelLogout, expressSession } from '@token-socket/sign-out'
import express from 'express'
import session from 'express-session'
import { Site } from '../site.js'
import { AUDIENCE, Provider } from './provider.js'

const site = new Site()
const { app, server } = site
const provider = await Provider.create()
const store = new session.MemoryStore()

app.use(express.static(join(import.meta.dirname, 'public')))
app.use(
  session({
    secret: 'an example has none',
    resave: false,
    saveUninitialized: false,
    store,
    cookie: { sameSite: 'lax', maxAge: 600_000 },
  }),
)

app.post('/sign-in', (request, response) => {
  Object.assign(request.session, { uid: 'ann', role: 'reader' })
  response.json({ role: request.session.role })
})

app.post('/sign-out', (request, response, next) => {
  request.session.destroy((error) => (error ? next(error) : response.json({})))
})

app.post('/role', (request, response) => {
  if (!request.session.uid) return response.status(403).json({ error: 'Forbidden' })
  request.session.role = request.session.role === 'reader' ? 'editor' : 'reader'
  response.json({ role: request.session.role })
})

// What a user does at the provider, and not here.
app.post('/provider/sign-out', async (_request, response) => {
  const { port } = server.address()
  response.json({ status: await provider.signOut('ann', `http://localhost:${port}/logout/backchannel`) })
})

const sockets = new TokenSocketServer({
  app,
  server,
  authentication: async ({ session: { uid, role } }) =>
    uid && {
      uid,
      umd: { role },
      channels: { news: { subscribe: true, messages: { '': { publish: role === 'editor' } } } },
    },
})

// Roles count: where a request changes one, the clients fetch new tokens.
expressSession(sockets, store, { watch: ({ role }) => role })

const jwks = await provider.keys()
const { issuer } = provider
app.post('/logout/backchannel', backChannelLogout(sockets, { issuer, audience: AUDIENCE, jwks, select }))

/** Ends the sessions of a user. The store is small, so that all of it can be searched. */
async function select({ sub }) {
  const sessions = await new Promise((resolve, reject) => {
    store.all((error, all) => (error ? reject(error) : resolve(all ?? {})))
  })
  const ids = Object.keys(sessions).filter((id) => sessions[id].uid === sub)
  for (const id of ids) store.destroy(id)
  return { uid: sub }
}

await site.open('sign-out', sockets)
