/** How long the members of a node that was killed are seen, and that those who move on are not seen leaving. */
import { TokenSocket } from '@token-socket/client'
import type { ReverseProxy } from '../browser/reverse-proxy.js'
import { startBalancer } from '../cluster/balancer.js'
import { freePort } from '../ports.js'
import { RedisProcess } from '../redis/redis-process.js'
import { ChaosNode } from './chaos-node.js'

/** Two nodes on a Redis, and nginx in front of them. */
export class Pair {
  readonly #clients: TokenSocket[] = []
  readonly #redis: RedisProcess
  readonly #proxy: ReverseProxy
  readonly nodes: readonly [ChaosNode, ChaosNode]
  readonly #ports: readonly [number, number]

  private constructor(
    redis: RedisProcess,
    proxy: ReverseProxy,
    ports: readonly [number, number],
    lease?: number,
  ) {
    const engine = { url: redis.url, ...(lease !== undefined && { lease }) }
    this.#redis = redis
    this.#proxy = proxy
    this.#ports = ports
    this.nodes = [new ChaosNode({ port: ports[0], engine }), new ChaosNode({ port: ports[1], engine })]
  }

  /** @param lease milliseconds; see the engine's option */
  static async start(lease?: number): Promise<Pair> {
    const redis = await RedisProcess.start()
    const ports = [await freePort(), await freePort()] as const
    const pair = new Pair(redis, await startBalancer(ports), ports, lease)
    await Promise.all(pair.nodes.map((node) => node.start()))
    return pair
  }

  get redis(): RedisProcess {
    return this.#redis
  }

  /** A client that is ready. @param at a node, or `proxy` for whichever nginx chooses */
  async client(at: 0 | 1 | 'proxy', uid: string, reconnect = true): Promise<TokenSocket> {
    const host = at === 'proxy' ? new URL(this.#proxy.origin).host : `127.0.0.1:${this.#ports[at]}`
    const client = new TokenSocket({ host, transports: ['websocket'], authentication: { uid }, reconnect })
    this.#clients.push(client)
    await client.ready()
    return client
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()))
    await this.#proxy.close()
    await Promise.all(this.nodes.map((node) => node.kill()))
    await this.#redis.stop()
  }
}

/** Milliseconds for which the last member of a killed node was still seen, for each kill. */
export async function measureGhosts(pair: Pair, kills: number, told: (ms: number) => void): Promise<void> {
  const onlooker = await pair.client(0, 'onlooker')
  const room = onlooker.channel('room-ghosts')
  await room.subscribe()
  for (let kill = 0; kill < kills; kill += 1) {
    for (let member = 0; member < 10; member += 1) {
      const client = await pair.client(1, `member-${kill}-${member}`, false)
      client.on('error', () => {})
      await client.subscribe('room-ghosts')
    }
    await seen(room, (count) => count === 11)
    const killed = performance.now()
    await pair.nodes[1].kill()
    await seen(room, (count) => count === 1)
    told(performance.now() - killed)
    await pair.nodes[1].start()
  }
}

function seen(room: ReturnType<TokenSocket['channel']>, isRight: (count: number) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!isRight(room.members.length)) return
      for (const event of ['joined', 'left', 'subscribed'] as const) room.off(event, look)
      resolve()
    }
    for (const event of ['joined', 'left', 'subscribed'] as const) room.on(event, look)
    look()
  })
}

/** What an onlooker sees while members move to the other node: the names of the changes. */
export async function changesWhileMoving(pair: Pair, members: number, wait: number): Promise<string[]> {
  const onlooker = await pair.client(0, 'onlooker')
  const room = onlooker.channel('room-moving')
  await room.subscribe()
  const clients = await Promise.all(
    Array.from({ length: members }, (_, index) => pair.client('proxy', `member-${index}`)),
  )
  await Promise.all(clients.map((client) => client.subscribe('room-moving')))
  await seen(room, (count) => count === members + 1)
  const changes: string[] = []
  for (const event of ['joined', 'left', 'updated'] as const) {
    room.on(event, ({ uid }) => changes.push(`${event} ${uid}`))
  }
  await pair.nodes[1].kill()
  await new Promise((resolve) => setTimeout(resolve, wait))
  const isBack = clients.every((client) => client.state === 'ready')
  return isBack ? changes : [...changes, 'somebody is not back']
}
