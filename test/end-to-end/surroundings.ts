/**
 * What is around the servers of a test: one node as it is, or, with `TOKEN_SOCKET_NODES=2`, two nodes on one real Redis behind a
 * real nginx. `TOKEN_SOCKET_TRANSPORT` names the only transport that clients use.
 */
import type { TokenSocketOptions } from '@token-socket/client'
import type { TokenSocketServer, TokenSocketServerOptions } from '@token-socket/server'
import SockJS from 'sockjs-client'

/** What nodes run in. */
export interface Surroundings {
  /** The options that each node has of its own. */
  readonly nodes: readonly Partial<TokenSocketServerOptions>[]
  /** The port that clients use, if it is not the node's. */
  readonly port: number | undefined
  /** Options of every client. */
  readonly client: TokenSocketOptions
  /** The servers as one. */
  join(servers: readonly TokenSocketServer[]): TokenSocketServer
  /** The nodes listen. */
  open(ports: readonly number[]): Promise<void>
  close(): Promise<void>
}

const ONE_NODE: Surroundings = {
  nodes: [{}],
  port: undefined,
  client: {},
  join: ([server]) => server as TokenSocketServer,
  open: async () => {},
  close: async () => {},
}

/** @param wish `one node` where a test needs just that, and has transports of its own */
export async function surroundings(wish?: 'one node'): Promise<Surroundings> {
  const { TOKEN_SOCKET_TRANSPORT: transport, TOKEN_SOCKET_NODES: nodes } = process.env
  if (wish === 'one node') return ONE_NODE
  const client = transport === undefined ? {} : clientOf(transport)
  if (nodes !== '2') return { ...ONE_NODE, client }
  const { twoNodes } = await import('../cluster/two-nodes.js')
  return twoNodes(client)
}

function clientOf(transport: string): TokenSocketOptions {
  if (transport === 'websocket') return { transports: ['websocket'] }
  // Its own SockJS is the one for browsers, which finds no transport in Node.
  Object.assign(globalThis, { SockJS })
  return { transports: ['sockjs'], sockjs: { transports: [transport] } }
}
