import { RpcError } from '@token-socket/protocol'
import { describeGiven } from '../runtime/given-value.js'

/**
 * What `authentication` returns for a socket. In TypeScript, name its fields by `declare module
 * '@token-socket/server' { interface SocketAuth { name: string } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add their fields.
export interface SocketAuth {}

/**
 * What an application keeps with a socket: any fields, on this node only. In TypeScript, name its
 * fields by `declare module '@token-socket/server' { interface SocketData { cart?: string[] } }`.
 */
export interface SocketData {
  [name: string]: unknown
}

/**
 * Checks the data that an application keeps with a socket.
 * @throws RpcError `bad_message` if it is no object, or a list
 */
export function checkSocketData(data: unknown): SocketData {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data as SocketData
  const text = `Invalid message: socket.data has to be an object, not ${describeGiven(data)}`
  throw new RpcError('bad_message', text, { field: 'data' })
}
