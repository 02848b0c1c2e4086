/** Many clients whose node dies, and the one that takes them all. */
import { TokenSocket } from '@token-socket/client'
import { startBalancer } from '../cluster/balancer.js'
import { freePort } from '../ports.js'
import { RedisProcess } from '../redis/redis-process.js'
import { ChaosNode, keepOn } from './chaos-node.js'
import type { LoopReport } from './loop-watch.js'

/** Besides, what the other node's event loop did meanwhile. */
export interface ReconnectReport extends LoopReport {
  readonly clients: number
  /** Milliseconds from the kill until half, 99 in 100, and all clients were ready on the other node. */
  readonly p50: number
  readonly p99: number
  readonly last: number
  /** Commands that Redis carried out for each client, those that scripts make not counted. */
  readonly commands: number
}

/** How many clients, on how many channels each. */
export interface ReconnectSettings {
  readonly count: number
  /** @default 1 */
  readonly channels?: number
  /** Whether the other node has a core of its own, away from the clients, nginx and Redis, for good. @default false */
  readonly isApart?: boolean
  /** The engine's option. */
  readonly checkInterval?: number
  told?(text: string): void
}

export async function reconnect(settings: ReconnectSettings): Promise<ReconnectReport> {
  const { count, channels = 1, isApart = false, checkInterval, told = () => {} } = settings
  if (isApart) keepOn(1)
  const redis = await RedisProcess.start()
  const admin = await redis.admin()
  const ports = [await freePort(), await freePort()] as const
  const proxy = await startBalancer(ports)
  const nodes = ports.map((port) => new ChaosNode({ port, engine: { url: redis.url, checkInterval } }))
  const [survivor, victim] = nodes as [ChaosNode, ChaosNode]
  const clients: TokenSocket[] = []
  try {
    await victim.start()
    const host = new URL(proxy.origin).host
    for (let index = 0; index < count; index += 1) {
      const client = new TokenSocket({ host, transports: ['websocket'] })
      client.on('error', () => {})
      clients.push(client)
      const names = Array.from({ length: channels }, (_, channel) => `kept-${(index + channel) % 100}`)
      await client.ready()
      await Promise.all(names.map((name) => client.subscribe(name)))
      if (index % 500 === 499) told(`${index + 1} clients are connected`)
    }
    await survivor.start()
    if (isApart) survivor.keepOn(0)
    await survivor.ask('watch')
    const before = await commandsOf(admin)
    const killed = performance.now()
    const times: number[] = []
    const back = clients.map((client) =>
      readyAgain(client).then(() => times.push(performance.now() - killed)),
    )
    await victim.kill()
    told('their node is killed')
    await Promise.all(back)
    const { longestBlock, longestWork } = await survivor.ask('look')
    await Promise.all(clients.map((client) => client.rpc('_ping')))
    const after = await commandsOf(admin)
    times.sort((one, other) => one - other)
    const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0
    return {
      clients: count,
      p50: at(0.5),
      p99: at(0.99),
      last: at(1),
      longestBlock,
      longestWork,
      commands: (after - before) / count,
    }
  } finally {
    await Promise.all(clients.map((client) => client.end()))
    await proxy.close()
    await Promise.all(nodes.map((node) => node.kill()))
    await redis.stop()
  }
}

function readyAgain(client: TokenSocket): Promise<void> {
  return new Promise((resolve) => {
    client.on('reconnect', (error) => {
      if (!error) resolve()
    })
  })
}

async function commandsOf(admin: { info(section: string): Promise<string> }): Promise<number> {
  return Number(/^total_commands_processed:(\d+)/m.exec(await admin.info('stats'))?.[1])
}
