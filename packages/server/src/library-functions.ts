/** What libraries that are built on the server need of it. */
import { Cluster } from './cluster.js'
import { DEFAULT_LIMITS } from './options/limits.js'
import { ServerSocket } from './socket/server-socket.js'

/** A socket of this node, or a server. */
export type SocketOrServer = ServerSocket | { readonly cluster: Cluster }

/**
 * Reports a failure where no caller can catch it, as the server does with its own: to the log, and
 * to the `error` event. For libraries that are built on the server. Never throws; does nothing for
 * what is neither a socket of this node nor a server.
 * @param subject the socket that it is about, whose `sid` is added to the details; or the server
 * @param details what failed, such as `{ function: 'orders.pay' }`
 */
export function reportFailure(subject: SocketOrServer, cause: unknown, details: object): void {
  if (subject instanceof ServerSocket)
    ServerSocket.ownerOf(subject).failed(cause, { ...details, sid: subject.sid })
  else clusterOwner(subject)?.failed(cause, details)
}

/**
 * Milliseconds that a call has which names no time-out: `limits.callTimeout` of the server. For
 * libraries that are built on the server. For what is neither a socket of this node nor a server it
 * is the default of that limit.
 */
export function callTimeoutOf(subject: SocketOrServer): number {
  if (subject instanceof ServerSocket) return ServerSocket.ownerOf(subject).limits.timeout
  return clusterOwner(subject)?.callTimeout ?? DEFAULT_LIMITS.callTimeout
}

/** The socket of a `sid`, if it is one of this node. For libraries that are built on the server. */
export function localSocket(server: { readonly cluster: Cluster }, sid: string): ServerSocket | undefined {
  return clusterOwner(server)?.hub.get(sid)
}

/**
 * Records an id, such as that of a token whose order is done, for all nodes that share the server's
 * engine. For libraries that are built on the server. Without a server, it does nothing.
 * @param ttl milliseconds for which the id is known
 * @throws RpcError `engine_unavailable`
 */
export async function recordId(server: SocketOrServer, id: string, ttl: number): Promise<void> {
  // The engine's marks, of owners whose tickets were revoked: this owner has no tickets.
  await clusterOwner(server)?.tickets.revoke(`recorded ${id}`, ttl)
}

/**
 * Whether a node has recorded an id by {@link recordId}. Without a server, none has.
 * @throws RpcError `engine_unavailable`
 */
export async function isRecorded(server: SocketOrServer, id: string): Promise<boolean> {
  return (await clusterOwner(server)?.tickets.revoked(`recorded ${id}`)) !== undefined
}

/**
 * Warns the developer of a server, by its log and once for each pattern, of channels that a
 * contract says have presence, and that get none by the server's rules. For libraries that are
 * built on the server. Does nothing in production, and for what is no server.
 * @param pattern the name that the log shows
 * @param channels some that the pattern means: one that may have presence is enough
 */
export function checkPresence(server: SocketOrServer, pattern: string, channels: readonly string[]): void {
  clusterOwner(server)?.channels.checkPresence(pattern, channels)
}

function clusterOwner(subject: unknown): ReturnType<typeof Cluster.ownerOf> | undefined {
  const { cluster } = Object(subject) as { readonly cluster?: unknown }
  return cluster instanceof Cluster ? Cluster.ownerOf(cluster) : undefined
}
