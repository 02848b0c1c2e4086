/** Functions for libraries that are built on the server. */
import { Cluster } from './cluster.js'
import { DEFAULT_LIMITS } from './options/limits.js'
import { ServerSocket } from './socket/server-socket.js'

/** A socket of this node, or a server. */
export type SocketOrServer = ServerSocket | { readonly cluster: Cluster }

/**
 * Reports a failure that no caller can catch, to the log and to the `error` event. For libraries
 * that are built on the server. Never throws. Does nothing for anything but a socket of this node
 * or a server.
 * @param subject the socket, whose `sid` is added to the details, or the server
 * @param details what failed, such as `{ function: 'orders.pay' }`
 */
export function reportFailure(subject: SocketOrServer, cause: unknown, details: object): void {
  if (subject instanceof ServerSocket)
    ServerSocket.ownerOf(subject).failed(cause, { ...details, sid: subject.sid })
  else clusterOwner(subject)?.failed(cause, details)
}

/**
 * Returns the milliseconds that a call without a timeout may take: the server's
 * `limits.callTimeout`. For libraries that are built on the server. For anything but a socket of
 * this node or a server it returns the default of that limit.
 */
export function callTimeoutOf(subject: SocketOrServer): number {
  if (subject instanceof ServerSocket) return ServerSocket.ownerOf(subject).limits.timeout
  return clusterOwner(subject)?.limits.callTimeout ?? DEFAULT_LIMITS.callTimeout
}

/**
 * Returns the socket with a `sid`, if it is on this node. For libraries that are built on the
 * server.
 */
export function localSocket(server: { readonly cluster: Cluster }, sid: string): ServerSocket | undefined {
  return clusterOwner(server)?.hub.get(sid)
}

/**
 * Records an id, such as that of a used token, for all nodes that share the server's engine. For
 * libraries that are built on the server. Does nothing without a server.
 * @param ttl milliseconds for which the id is known
 * @throws RpcError `engine_unavailable`
 */
export async function recordId(server: SocketOrServer, id: string, ttl: number): Promise<void> {
  // The engine records revoked owners of tickets. This owner has no tickets.
  await clusterOwner(server)?.tickets.revoke(`recorded ${id}`, ttl)
}

/**
 * Returns whether a node has recorded an id by {@link recordId}. `false` without a server.
 * @throws RpcError `engine_unavailable`
 */
export async function isRecorded(server: SocketOrServer, id: string): Promise<boolean> {
  return (await clusterOwner(server)?.tickets.revoked(`recorded ${id}`)) !== undefined
}

/**
 * Warns a developer, in the log and once for each pattern, of channels that a contract says have
 * presence, and that the server's rules give none. For libraries that are built on the server. Does
 * nothing in production, and for anything but a server.
 * @param pattern the name that the log shows
 * @param channels examples of the pattern; one that may have presence is enough
 */
export function checkPresence(server: SocketOrServer, pattern: string, channels: readonly string[]): void {
  clusterOwner(server)?.channels.checkPresence(pattern, channels)
}

function clusterOwner(subject: unknown): ReturnType<typeof Cluster.ownerOf> | undefined {
  const { cluster } = Object(subject) as { readonly cluster?: unknown }
  return cluster instanceof Cluster ? Cluster.ownerOf(cluster) : undefined
}
