// The chat's server: an Express application that signs tokens, and a TokenSocketServer that keeps
// what was said in an embedded database. Stop it in the middle of a conversation, start it again:
// no line is lost.

import { join } from 'node:path'
import { lmdbEngine } from '@token-socket/lmdb'
import { TokenSocketServer } from '@token-socket/server'
import express from 'express'
import { Site } from '../site.js'
import { issueToken, readKey } from './tokens.js'

/** Where the key and the conversations are. */
const folder = process.env.CHAT_DATA || join(import.meta.dirname, 'data')
const key = readKey(join(folder, 'key'))

const site = new Site()
const { app, server } = site

app.use(express.static(join(import.meta.dirname, 'public')))

// Who a user is, is the application's own business: here, every visitor may be Jim or Pam.
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
  // There are no sessions here, so the token endpoint refuses everyone.
  authentication: () => false,
  // Claims say who may do what; the server only adds that people see each other.
  channels: { 'chat-*': { presence: true } },
  engine: lmdbEngine({ path: join(folder, 'conversations') }),
})

tokenSockets.on('connected', ({ uid, transport }) => console.log(`${uid} is connected by ${transport}`))
tokenSockets.on('disconnected', ({ uid }, reason) => console.log(`${uid} is gone: ${reason}`))

await site.open('chat', tokenSockets)
