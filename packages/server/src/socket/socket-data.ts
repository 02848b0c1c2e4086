/**
 * What an application keeps with a socket: any fields, on this node only. TypeScript users name theirs by
 * `declare module '@token-socket/server' { interface SocketData { cart?: string[] } }`.
 */
export interface SocketData {
  [name: string]: unknown
}
