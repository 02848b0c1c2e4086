/** Floods of messages against limits of rates, on one node or two, with Redis or while it is away; and what of them passes. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisEngine } from '@token-socket/redis'
import { MemoryEngine, TokenSocketServer, type TokenSocketServerOptions } from '@token-socket/server'
import express from 'express'
import { RedisProcess } from '../redis/redis-process.js'
import { type Flooder, type FloodTransport, openFlooder, TRANSPORTS } from './flooder.js'

/** Milliseconds between two frames of one flooder. */
const PACE = 50

/** By how much a flood is over its limit, from each connection. */
const EXCESS = 3

/** Each limit is so many messages in a second. */
export const PER_SECOND = 100

/** What a flood is. */
export interface FloodKind {
  readonly name: string
  readonly limits: TokenSocketServerOptions['limits']
  readonly nodes: number
  /** Whether Redis is killed before what passes is counted. */
  readonly isAway?: true
  /** Connections of each user on each node. */
  readonly connections: number
}

const off = { rateRefusals: Number.POSITIVE_INFINITY }
const user = { userMessagesPerSecond: PER_SECOND, userMessagesBurst: PER_SECOND, ...off }

export const FLOODS: readonly FloodKind[] = [
  {
    name: 'messagesPerSecond, one node',
    limits: { messagesPerSecond: PER_SECOND, messagesBurst: PER_SECOND, ...off },
    nodes: 1,
    connections: 1,
  },
  { name: 'userMessagesPerSecond, one node', limits: user, nodes: 1, connections: 2 },
  { name: 'userMessagesPerSecond, two nodes', limits: user, nodes: 2, connections: 1 },
  { name: 'the same, while Redis is away', limits: user, nodes: 2, connections: 1, isAway: true },
]

/** What passed of a flood by one transport. */
export interface FloodResult {
  readonly kind: string
  readonly transport: FloodTransport
  readonly sent: number
  readonly passed: number
  /** What may pass in that time. */
  readonly limit: number
  /** Connections that were lost. */
  readonly lost: number
}

interface Node {
  readonly url: string
  close(): Promise<void>
}

async function startNode(
  kind: FloodKind,
  engine: TokenSocketServerOptions['engine'],
  hit: (uid: string) => void,
): Promise<Node> {
  const app = express()
  const http = createServer(app)
  const sockets = new TokenSocketServer({
    app,
    server: http,
    engine,
    secret: 'of the floods; nodes have it in common',
    transports: ['websocket', 'xhr-streaming', 'xhr-polling', 'jsonp-polling'],
    authentication: ({ query }: { query: Record<string, unknown> }) => ({ uid: query.name }),
    socketController: { hit: (auth: { readonly uid: string }) => hit(auth.uid) },
    limits: kind.limits,
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  } as TokenSocketServerOptions)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      await sockets.shutdown()
      http.closeAllConnections()
      http.close()
    },
  }
}

/** A flooder of one user that has signed in. */
async function signIn(url: string, transport: FloodTransport): Promise<Flooder> {
  const answer = await fetch(`${url}/socket/token?name=${transport}`, { method: 'POST' })
  const { token } = (await answer.json()) as { readonly token: string }
  const flooder = await openFlooder(transport, url)
  await flooder.send([JSON.stringify({ rpc: 'auth', token, uuid: 'auth', version: 1 })])
  return flooder
}

/** Floods the nodes by all transports at once, each with a user of its own. @param seconds for which is counted */
export async function flood(kind: FloodKind, seconds: number): Promise<FloodResult[]> {
  const redis = kind.nodes > 1 ? await RedisProcess.start() : undefined
  const passed = new Map<string, number>()
  const hit = (uid: string) => passed.set(uid, (passed.get(uid) ?? 0) + 1)
  const engines = Array.from({ length: kind.nodes }, () =>
    redis ? new RedisEngine({ url: redis.url, logger: { info() {}, warn() {} } }) : new MemoryEngine(),
  )
  for (const engine of engines) if (engine instanceof RedisEngine) await engine.ready()
  const nodes = await Promise.all(engines.map((engine) => startNode(kind, engine, hit)))
  const flooders = await Promise.all(
    nodes.flatMap(({ url }) =>
      TRANSPORTS.flatMap((transport) =>
        Array.from({ length: kind.connections }, async () => ({
          transport,
          flooder: await signIn(url, transport),
        })),
      ),
    ),
  )
  await sleep(300)
  const sent = new Map<string, number>()
  let isOn = true
  const running = flooders.map(async ({ transport, flooder }) => {
    const count = Math.round((PER_SECOND * EXCESS * PACE) / 1000)
    const texts = Array.from({ length: count }, (_, index) =>
      JSON.stringify({ rpc: 'hit', uuid: `h${index}` }),
    )
    const begun = performance.now()
    for (let at = 1; isOn && !flooder.isClosed; at += 1) {
      await flooder.send(texts).catch(() => {})
      sent.set(transport, (sent.get(transport) ?? 0) + count)
      await sleep(Math.max(0, begun + at * PACE - performance.now()))
    }
  })
  if (kind.isAway) {
    await sleep(2000)
    await redis?.kill()
    await sleep(1000)
    sent.clear()
    passed.clear()
  }
  const begun = performance.now()
  await sleep(seconds * 1000)
  const elapsed = (performance.now() - begun) / 1000
  const limit = Math.round(PER_SECOND * elapsed + (kind.isAway ? 0 : PER_SECOND))
  const counted = new Map(passed)
  const offered = new Map(sent)
  const lost = (name: string) =>
    flooders.filter(({ transport, flooder }) => transport === name && flooder.isClosed).length
  const results = TRANSPORTS.map((transport) => ({
    kind: kind.name,
    transport,
    sent: offered.get(transport) ?? 0,
    passed: counted.get(transport) ?? 0,
    limit,
    lost: lost(transport),
  }))
  isOn = false
  for (const { flooder } of flooders) flooder.close()
  await Promise.all(running)
  await Promise.all(nodes.map((node) => node.close().catch(() => {})))
  await redis?.stop()
  return results
}
