/**
 * Makes a thousand servers on one application and one HTTP server, and shuts each down. Prints as JSON what they left.
 * Arguments: `4` or `5` for the version of Express.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenSocket } from '@token-socket/client'
import { TokenSocketServer, type TokenSocketServerOptions } from '@token-socket/server'
import { memoryInUse } from '../garbage.js'
import { EXPRESS_VERSIONS } from './applications.js'

const version = EXPRESS_VERSIONS.find(({ name }) => name.endsWith(process.argv[2] ?? ''))
if (!version) throw new Error('there is no such version of Express')
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const app = version.make()
app.get('/hello', (_request, response) => void response.send('hello'))
const http = createServer(app)
http.listen(0, '127.0.0.1')
await once(http, 'listening')
const port = (http.address() as AddressInfo).port

interface Paths {
  readonly prefix?: string
  readonly tokenRoute?: string
}

function make(options: Partial<TokenSocketServerOptions> = {}): TokenSocketServer {
  const socketController = { echo: (_auth: unknown, data: unknown) => data }
  const given = { app, server: http, secret: 's'.repeat(32), logger, socketController, ...options }
  return new TokenSocketServer({ ...given, authentication: () => ({ uid: 'ann' }) })
}

/** A client that gets in, calls, and has a channel. It is still there when its server is shut down. */
async function connect({ prefix: socketPrefix, tokenRoute: tokenPath }: Paths = {}): Promise<TokenSocket> {
  const path = { ...(socketPrefix && { socketPrefix }), ...(tokenPath && { tokenPath }) }
  const client = new TokenSocket({ host: `127.0.0.1:${port}`, reconnect: false, ...path })
  if ((await client.rpc('echo', 'hi')) !== 'hi') throw new Error('a client is not served')
  await client.subscribe('room')
  return client
}

/** A polling session that does not sign in. */
async function poll(session: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/sockets/000/session-${session}/xhr`
  const answer = await (await fetch(url, { method: 'POST' })).text()
  if (answer !== 'o\n') throw new Error('a polling session is not served')
}

/** Two servers at once, which end in either order; sometimes with clients, and sometimes for good. */
async function round(number: number): Promise<void> {
  const paths = { prefix: `/other-${number}`, tokenRoute: `/other-${number}-token` }
  const servers = [make(), make(paths)]
  const clients = number % 25 === 0 ? [await connect(), await connect(paths)] : []
  if (number % 25 === 0) await poll(number)
  if (number % 2 === 0) servers.reverse()
  for (const server of servers) await server.shutdown({ final: number % 3 === 0 })
  for (const client of clients) await client.end()
}

/** What can be counted of what servers take. */
function taken() {
  type Router = { readonly stack: readonly unknown[] }
  const router =
    (app as unknown as { _router?: Router })._router ?? (app as unknown as { router: Router }).router
  const events = ['request', 'upgrade', 'connection', 'close', 'error', 'listening', 'clientError'] as const
  return { listeners: events.map((event) => http.listenerCount(event)), routes: router.stack.length }
}

/** As a library that watches requests does, and keeps what it found. */
function wrapEmit(): void {
  const { emit } = http
  http.emit = ((...args: Parameters<typeof emit>) => Reflect.apply(emit, http, args)) as typeof emit
}

const before = { ...taken(), emit: Object.hasOwn(http, 'emit') }
// What is loaded and compiled, and sockets that take 2 s to close, are the same from here on.
for (let number = 1; number <= 100; number += 1) await round(number)
const memory = memoryInUse()
for (let number = 101; number <= 400; number += 1) await round(number)
await make().shutdown({ final: true })
const after = { ...taken(), emit: Object.hasOwn(http, 'emit') }
const grown = memoryInUse() - memory

const watched = make()
wrapEmit()
await watched.shutdown({ final: true })
for (let number = 401; number <= 499; number += 1) await round(number)
const last = make()
const client = await connect()
await client.end()
await last.shutdown()
const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status
const answers = [await status('/socket/token'), await status('/sockets/health'), await status('/hello')]
http.closeAllConnections()
http.close()
await once(http, 'close')
process.stdout.write(JSON.stringify({ before, after, grown, answers }))
