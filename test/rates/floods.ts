/** Floods of messages against limits of rates, on one node or two, with Redis or while it is away; and what of them passes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisEngine } from '@token-socket/redis'
import { MemoryEngine } from '@token-socket/server'
import { RedisProcess } from '../redis/redis-process.js'
import { type Flooder, type FloodTransport, openFlooder } from './flooder.js'
import { type FloodKind, limitOf, PER_SECOND, transportsOf } from './kinds.js'
import { startNode } from './node.js'

/** Milliseconds between two frames of one flooder. */
export const PACE = 50

/** By how much a flood is over its limit, from each connection. */
const EXCESS = 3

/** Milliseconds after which the last second that is counted one by one has had what it may have. */
const EARLY = 100

/** What passed of a flood by one transport. */
export interface FloodResult {
  readonly kind: string
  /** Or the user, or the address, that asks for tokens. */
  readonly transport: string
  readonly sent: number
  readonly passed: number
  /** What may pass in that time. */
  readonly limit: number
  /** Connections that were lost. */
  readonly lost: number
}

/** Counts by name. */
export class Counts {
  readonly #counts = new Map<string, number>()

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  add(name: string, count = 1): void {
    this.#counts.set(name, this.of(name) + count)
  }

  clear(): void {
    this.#counts.clear()
  }
}

/** One client of a flood. */
class FloodingClient {
  readonly #texts: readonly string[]
  #flooder: Flooder

  private constructor(
    readonly transport: FloodTransport,
    readonly url: string,
    flooder: Flooder,
    { request = { rpc: 'hit' }, perSecond = PER_SECOND }: FloodKind,
  ) {
    this.#flooder = flooder
    const length = Math.round((perSecond * EXCESS * PACE) / 1000)
    this.#texts = Array.from({ length }, (_, index) =>
      transport === 'raw' ? 'hit' : JSON.stringify({ ...request, uuid: `h${index}` }),
    )
  }

  static async open(transport: FloodTransport, url: string, kind: FloodKind): Promise<FloodingClient> {
    return new FloodingClient(transport, url, await signIn(url, transport), kind)
  }

  get isLost(): boolean {
    return this.#flooder.isClosed
  }

  async send(sent: Counts): Promise<void> {
    await this.#flooder.send(this.#texts).catch(() => {})
    sent.add(this.transport, this.#texts.length)
  }

  async comeBack(): Promise<void> {
    this.#flooder = await signIn(this.url, this.transport)
  }

  close(): void {
    this.#flooder.close()
  }
}

/** A flooder of one user that has signed in. */
async function signIn(url: string, transport: FloodTransport): Promise<Flooder> {
  if (transport === 'raw') return openFlooder('raw', `${url}?name=raw`)
  const answer = await fetch(`${url}/socket/token?name=${transport}`, { method: 'POST' })
  const { token } = (await answer.json()) as { readonly token: string }
  const flooder = await openFlooder(transport, url)
  await flooder.send([JSON.stringify({ rpc: 'auth', token, uuid: 'auth', version: 1 })])
  return flooder
}

/** The engines of the nodes, with a Redis between them if there are several. */
async function startEngines({ nodes }: FloodKind) {
  if (nodes === 1) return { redis: undefined, engines: [new MemoryEngine()] }
  const redis = await RedisProcess.start()
  const engines = Array.from(
    { length: nodes },
    () => new RedisEngine({ url: redis.url, logger: { info() {}, warn() {} } }),
  )
  await Promise.all(engines.map((engine) => engine.ready()))
  return { redis, engines }
}

/** Sends frames until it is told to stop. */
async function run(client: FloodingClient, { comesBack }: FloodKind, state: { isOn: boolean; sent: Counts }) {
  const begun = performance.now()
  for (let at = 1; state.isOn && (comesBack || !client.isLost); at += 1) {
    if (client.isLost) await client.comeBack()
    await client.send(state.sent)
    await sleep(Math.max(0, begun + at * PACE - performance.now()))
  }
  client.close()
}

/** Floods the nodes by all transports at once, each with a user of its own. @param seconds for which is counted */
export async function flood(kind: FloodKind, seconds: number): Promise<FloodResult[]> {
  const { redis, engines } = await startEngines(kind)
  const [passed, state] = [new Counts(), { isOn: true, sent: new Counts() }]
  const { limits, channels } = kind
  const options = { limits, ...(channels && { channels }) }
  const nodes = await Promise.all(
    engines.map((engine) => startNode({ ...options, engine }, (uid) => passed.add(uid))),
  )
  const transports = transportsOf(kind)
  const opening = nodes.flatMap(({ url }) =>
    transports.flatMap((transport) =>
      Array.from({ length: kind.connections }, () => FloodingClient.open(transport, url, kind)),
    ),
  )
  const clients = await Promise.all(opening)
  await sleep(300)
  const running = clients.map((client) => run(client, kind, state))
  if (kind.isAway) {
    await sleep(2000)
    await redis?.kill()
    await sleep(1000)
    state.sent.clear()
    passed.clear()
  }
  const begun = performance.now()
  await sleep(seconds * 1000 - (kind.bySeconds ? EARLY : 0))
  const limit = limitOf(kind, (performance.now() - begun) / 1000)
  const isLost = (name: string) =>
    clients.filter(({ transport, isLost }) => transport === name && !kind.comesBack && isLost).length
  const results = transports.map((transport) => ({
    kind: kind.name,
    transport,
    sent: state.sent.of(transport),
    passed: passed.of(transport),
    limit,
    lost: isLost(transport),
  }))
  state.isOn = false
  await Promise.all(running)
  await Promise.all(nodes.map((node) => node.close().catch(() => {})))
  await redis?.stop()
  return results
}
