/**
 * What is around the servers of a test: one node as it is, or two nodes on one real Redis behind a real nginx, where clients use
 * one transport. `TOKEN_SOCKET_CLUSTER` says so by the transport's name.
 */
import type { TokenSocketOptions } from '@token-socket/client'
import type { TokenSocketServer, TokenSocketServerOptions } from '@token-socket/server'

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

/** @param wish `one node` where a test needs just that */
export async function surroundings(wish?: 'one node'): Promise<Surroundings> {
  const transport = process.env.TOKEN_SOCKET_CLUSTER
  if (transport === undefined || wish === 'one node') return ONE_NODE
  const { twoNodes } = await import('../cluster/two-nodes.js')
  return twoNodes(transport)
}
