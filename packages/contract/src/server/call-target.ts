import type { CallOptions } from '@token-socket/protocol'
import type { ServerSocket, TokenSocketServer } from '@token-socket/server'
import { callTimeoutOf, localSocket, reportFailure } from '#server-functions'
import type { MessageOrder } from '../message-order.js'
import { sendingOrder } from './sending-order.js'

/** The target of calls of a client. */
export interface CallTarget {
  /** Milliseconds that a call without a time-out may take. */
  readonly callTimeout: number
  /** Keeps the order of messages that are checked before they are sent. */
  readonly order: MessageOrder
  rpc(name: string, data: unknown, options: CallOptions | undefined): Promise<unknown>
  notify(name: string, data: unknown): Promise<unknown>
  /** Reports a one-way message that was not sent: its sender may ignore the promise. */
  failed(cause: unknown, details: object): void
}

/** A socket of this node. */
export function socketTarget(socket: ServerSocket): CallTarget {
  return {
    callTimeout: callTimeoutOf(socket),
    get order() {
      return sendingOrder(socket)
    },
    rpc: (name, data, options) => socket.rpc(name, data, options),
    notify: (name, data) => socket.notify(name, data),
    failed: (cause, details) => reportFailure(socket, cause, details),
  }
}

/** A socket of any node, by its id. */
export function sidTarget(server: TokenSocketServer, sid: string): CallTarget {
  const { cluster } = server
  return {
    callTimeout: callTimeoutOf(server),
    get order() {
      return sendingOrder(localSocket(server, sid) ?? server)
    },
    rpc: (name, data, options) => cluster.rpc(sid, name, data, options),
    notify: (name, data) => cluster.notify(sid, name, data),
    failed: (cause, details) => reportFailure(server, cause, { ...details, sid }),
  }
}
