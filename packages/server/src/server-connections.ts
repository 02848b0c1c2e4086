import type { Cluster, ClusterCount } from './cluster.js'
import { ServerChannels, type ServerChannelsParts } from './server-channels.js'
import type { SendOptions } from './socket/send-options.js'

/** Dependencies of {@link ServerConnections}. */
export interface ServerConnectionsParts extends ServerChannelsParts {
  readonly cluster: Cluster
}

/** The part of the server that works on connections by their ids, on all nodes. */
export abstract class ServerConnections extends ServerChannels {
  /** @internal */
  protected abstract override get parts(): ServerConnectionsParts

  /**
   * Sends a message to a client on any node, which receives it as the event `direct`. It belongs to
   * no channel and no call.
   * @param id the `connectionId` of its connection
   * @param data anything that JSON can carry
   * @returns a promise that resolves with `true` when the option `ack` is met; with `false` if
   *   there is no such connection and `throwIfNotConnected` is `false`
   * @throws RpcError `not_connected` (an {@link InvalidConnectionError}) if there is no such
   *   connection, or it ended before the message was sent
   * @throws RpcError `connection_lost` if the connection or its node ended before it was known
   *   whether the message arrived
   * @throws RpcError `timeout`; `unserializable`; `unsupported` by clients that take no such
   *   messages; `too_many_calls`; `too_large`; `bad_message`; `bad_option`; `engine_unavailable` if
   *   another node has to be asked
   * @example
   * await sockets.send(socket.sid, { text: 'Paid' }, { ack: 'client', timeout: 5000 })
   */
  send(id: string, data: unknown, options?: SendOptions): Promise<boolean> {
    return this.parts.cluster.sendTo(id, data, options)
  }

  /**
   * Closes connections on any node, after sending what was queued for them. Unknown ids are
   * ignored.
   * @param ids one `connectionId`, or a list of them
   * @param options.reconnect `false` tells the clients not to reconnect. @default true
   * @returns how many were closed, and the ids of the nodes that did not answer
   * @throws RpcError `bad_message`, `bad_option`; `engine_unavailable` if other nodes have to be
   *   asked, after this node's connections were closed
   * @example
   * const { count } = await sockets.close([socket.sid], { reconnect: false })
   */
  close(
    ids: string | readonly string[],
    options?: { readonly reconnect?: boolean | undefined },
  ): Promise<ClusterCount> {
    return this.parts.cluster.closeAll(ids, options)
  }

  /**
   * Returns whether a connection is open on any node. A node that does not answer counts as not
   * having it.
   * @param id its `connectionId`
   * @throws RpcError `bad_message`; `engine_unavailable` if another node has to be asked
   * @example
   * if (await sockets.isConnected(socket.sid)) console.log('online')
   */
  isConnected(id: string): Promise<boolean> {
    return this.parts.cluster.hasConnection(id)
  }
}
