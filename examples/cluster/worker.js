// One of several processes on one port, of `node:cluster`.

import { rmSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { createNode } from './node.js'

const { INDEX, WORKERS, FOLDER: folder, PORT: port } = process.env
const { NODE_NAME: name, REDIS_URL: redis, TOKEN_SECRET: secret } = process.env
const index = Number(INDEX)

/**
 * The HTTP transports of SockJS are many requests of one session, which stands in the path. A
 * browser uses any of its connections for any of them, and connections go to any worker: so each
 * worker gives requests of others' sessions on.
 */
const SESSION = /^\/sockets\/[^/]+\/([^/]+)\/(?!websocket)/

// A request that comes by a path of the file system is another worker's.
const node = createNode({ name, redis, secret, trustProxy: (address) => !address })
const open = createServer((request, response) => {
  const [, session] = SESSION.exec(request.url) ?? []
  const owner = session === undefined ? index : ownerOf(session)
  if (owner === index) node.server.emit('request', request, response)
  else giveOn(request, response, owner)
})
// A WebSocket is one connection: the worker that accepts it keeps it.
open.on('upgrade', (...args) => node.server.emit('upgrade', ...args))

function ownerOf(session) {
  let hash = 0
  for (const character of session) hash = (hash * 31 + character.codePointAt(0)) >>> 0
  return hash % Number(WORKERS)
}

function giveOn(request, response, owner) {
  const { method, url: path, socket } = request
  const headers = { ...request.headers, 'x-forwarded-for': forwardedFor(request.headers, socket) }
  const onward = forward({ socketPath: pathOf(owner), method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers)
    response.flushHeaders()
    pipeline(answer, response, () => {})
  })
  // The worker is away: the client opens another session.
  onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
  response.on('close', () => onward.destroy())
  pipeline(request, onward, () => {})
}

function forwardedFor(headers, { remoteAddress }) {
  return [headers['x-forwarded-for'], remoteAddress].filter(Boolean).join(', ')
}

function pathOf(worker) {
  return join(folder, `worker-${worker}.sock`)
}

process.on('SIGTERM', async () => {
  setTimeout(() => process.exit(), 5000).unref()
  open.close()
  await node.end()
  open.closeAllConnections()
  process.exit()
})
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())
process.on('message', (states) => node.publishStates(states))

rmSync(pathOf(index), { force: true })
node.server.listen({ path: pathOf(index), exclusive: true }, () =>
  open.listen(Number(port), () => process.send({ isReady: true })),
)
