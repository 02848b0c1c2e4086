import type { CallOptions } from '@token-socket/protocol'
import type { RemoteClient, TokenSocketServer } from '@token-socket/server'

/** What calls of a client go to. */
export interface CallTarget {
  rpc(name: string, data: unknown, options: CallOptions | undefined): Promise<unknown>
  notify(name: string, data: unknown): Promise<unknown>
}

/** A socket of this node. */
export function socketTarget(socket: RemoteClient): CallTarget {
  return {
    rpc: (name, data, options) => socket.rpc(name, data, options),
    notify: (name, data) => socket.rpc(name, data),
  }
}

/** A socket of any node, by its id. */
export function sidTarget({ cluster }: TokenSocketServer, sid: string): CallTarget {
  return {
    rpc: (name, data, options) => cluster.rpc(sid, name, data, options),
    notify: (name, data) => cluster.rpc(sid, name, data),
  }
}
