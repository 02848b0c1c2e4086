/** A node of the chaos: a whole server in a process of its own, which is killed without warning. */
import { createServer } from 'node:http'
import { RedisEngine, type RedisEngineOptions } from '@token-socket/redis'
import { TokenSocketServer } from '@token-socket/server'
import express from 'express'
import { LoopWatch } from './loop-watch.js'

/** What a node is told at its start. */
export interface NodeSettings {
  readonly port: number
  readonly engine: RedisEngineOptions
  readonly presenceGrace?: number
}

/** What a node is asked to have all nodes do. */
export interface NodeOrder {
  readonly order: 'revoke' | 'reauthorize'
  readonly uid: string
  readonly auth?: object
}

const { port, engine: options, presenceGrace } = JSON.parse(process.argv[2] ?? '{}') as NodeSettings
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const engine = new RedisEngine({ ...options, logger: quiet })
const app = express()
const server = createServer(app)
app.set('trust proxy', 'loopback')
const sockets = new TokenSocketServer({
  app,
  server,
  engine,
  secret: 'of the chaos; all nodes have it in common',
  authentication: ({ query }: { query: Record<string, unknown> }) => ({ uid: query.uid ?? 'somebody' }),
  channels: {
    '*': { subscribe: true, publish: true },
    'kept-*': { history: { size: 100_000, ttl: 3_600_000 } },
    'room-*': { presence: true },
  },
  limits: { members: 10_000 },
  ...(presenceGrace !== undefined && { presenceGrace }),
  logger: quiet,
})
sockets.on('error', () => {})

/** Tells the parent what came of an order to the cluster. */
async function give({ order, uid, auth }: NodeOrder): Promise<void> {
  const { cluster } = sockets
  try {
    const given = order === 'revoke' ? cluster.revoke({ uid }) : cluster.reauthorize({ uid }, auth ?? {})
    process.send?.({ ...(await given) })
  } catch (error) {
    process.send?.({ error: String(error) })
  }
}

const watch = new LoopWatch()
process.on('message', (question: 'watch' | 'look' | NodeOrder) => {
  if (typeof question === 'object') return void give(question)
  if (question === 'watch') watch.start()
  process.send?.({ sockets: sockets.sockets().length, ...watch.report() })
})
// Redis may be away, or still reading its file.
while (
  !(await engine.ready().then(
    () => true,
    () => false,
  ))
)
  await new Promise((resolve) => setTimeout(resolve, 100))
server.listen(port, '127.0.0.1', () => process.send?.({ isReady: true }))
