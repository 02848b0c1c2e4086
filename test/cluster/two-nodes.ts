/** Two nodes on one Redis behind nginx, with the configuration that docs/CLUSTER.md shows. */
import type { TokenSocketOptions } from '@token-socket/client'
import { RedisEngine } from '@token-socket/redis'
import type { ServerSocket, TokenSocketServer } from '@token-socket/server'
import type { ReverseProxy } from '../browser/reverse-proxy.js'
import type { Surroundings } from '../end-to-end/surroundings.js'
import { RedisProcess } from '../redis/redis-process.js'
import { startBalancer } from './balancer.js'

const SECRET = 'of the tests; nodes have it in common'

let redis: Promise<RedisProcess> | undefined
let sites = 0

/** Starts nothing but the Redis, and that once. @param client options of every client */
export async function twoNodes(client: TokenSocketOptions): Promise<Surroundings> {
  redis ??= startRedis()
  const { url } = await redis
  sites += 1
  const prefix = `site-${sites}:`
  const engines = [1, 2].map(() => new RedisEngine({ url, prefix }))
  await Promise.all(engines.map((engine) => engine.ready()))
  let proxy: ReverseProxy | undefined
  return {
    nodes: engines.map((engine) => ({ engine, secret: SECRET })),
    get port() {
      return proxy && Number(new URL(proxy.origin).port)
    },
    client,
    join,
    open: async (ports) => {
      proxy = await startBalancer(ports)
    },
    close: async () => {
      await proxy?.close()
    },
  }
}

async function startRedis(): Promise<RedisProcess> {
  const started = await RedisProcess.start()
  started.endAtExit()
  return started
}

/** What asks about the sockets of one node. */
const LISTS = new Set(['sockets', 'channels', 'channelSockets'])

/** What is about a socket, and so for the node that has it. */
const ABOUT_SOCKET = new Set(['subscribe', 'unsubscribe', 'rpc'])

/** What any node can do for all. */
const FOR_ALL = new Set([
  'publish',
  'broadcast',
  'history',
  'members',
  'unsubscribeAll',
  'send',
  'close',
  'isConnected',
])

/** Sockets in the order of their coming, as one node has them. */
function inOrder(list: unknown[]): unknown[] {
  const createdOf = (one: unknown) => (typeof one === 'object' ? (one as ServerSocket).created : 0)
  return list.sort((one, other) => createdOf(one) - createdOf(other))
}

/** Servers as one: what one can do for all is done by turns, what is about a socket by its node, all else by each. */
function join(servers: readonly TokenSocketServer[]): TokenSocketServer {
  let turn = 0
  const [first] = servers as readonly [TokenSocketServer]
  const call = (server: TokenSocketServer, name: string, args: unknown[]) =>
    (server[name as 'publish'] as unknown as (...args: unknown[]) => unknown).apply(server, args)
  const use = (name: string, args: unknown[]): unknown => {
    const each = () => servers.map((server) => call(server, name, args))
    if (LISTS.has(name)) return inOrder([...new Set(each().flat())])
    if (FOR_ALL.has(name)) {
      turn += 1
      return call(servers[turn % servers.length] ?? first, name, args)
    }
    if (ABOUT_SOCKET.has(name)) {
      const owner = servers.find((server) => server.sockets().includes(args[0] as ServerSocket))
      return call(owner ?? first, name, args)
    }
    const done = each()
    // What `use` gives takes a middleware away: from each node.
    if (name === 'use')
      return () => {
        for (const undo of done) (undo as () => void)()
      }
    return done.some((one) => one instanceof Promise) ? Promise.all(done).then(() => undefined) : done[0]
  }
  return new Proxy(first, {
    get: (_, name) => {
      const value = first[name as keyof TokenSocketServer] as unknown
      return typeof value === 'function' ? (...args: unknown[]) => use(String(name), args) : value
    },
    set: (_, name, value) => servers.every((server) => Reflect.set(server, name, value)),
  })
}
