/**
 * What `authentication` returns for a socket. TypeScript users name its fields by
 * `declare module '@token-socket/server' { interface SocketAuth { name: string } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add their fields.
export interface SocketAuth {}

/**
 * What an application keeps with a socket: any fields, on this node only. TypeScript users name theirs by
 * `declare module '@token-socket/server' { interface SocketData { cart?: string[] } }`.
 */
export interface SocketData {
  [name: string]: unknown
}
