import type { Cluster, ClusterCount } from './cluster.js'
import { ServerChannels, type ServerChannelsParts } from './server-channels.js'
import type { SendOptions } from './socket/send-options.js'

/** Dependencies of {@link ServerConnections}. */
export interface ServerConnectionsParts extends ServerChannelsParts {
  readonly cluster: Cluster
}

/** What a server does with connections by their ids, on whichever nodes they are. */
export abstract class ServerConnections extends ServerChannels {
  /** @internal */
  protected abstract override get parts(): ServerConnectionsParts

  /**
   * Sends a message to a client, on whichever node it is connected: its event `direct`. It belongs
   * to no channel and no call.
   * @param id the `connectionId` of its connection
   * @param data anything that JSON can carry
   * @returns a promise that resolves with `true` when the option `ack` is met; with `false` if
   *   there is no such connection and `throwIfNotConnected` is `false`
   * @throws RpcError `not_connected` (an {@link InvalidConnectionError}) if there is no such
   *   connection, or it has ended before the message was sent; `connection_lost` if the connection,
   *   or its node, ended before it was known whether the message arrived; `timeout`;
   *   `unserializable`; `unsupported` by clients that take no such messages; `too_many_calls`;
   *   `too_large`; `bad_message`; `bad_option`; `engine_unavailable` if another node has to be
   *   asked
   */
  send(id: string, data: unknown, options?: SendOptions): Promise<boolean> {
    return this.parts.cluster.sendTo(id, data, options)
  }

  /**
   * Closes connections, on whichever nodes they are. What was sent to them before goes out first.
   * Ids of connections that there are not are passed over.
   * @param ids one `connectionId`, or a list of them
   * @param options.reconnect `false` tells the clients to stay away; otherwise they come back.
   *   @default true
   * @returns how many were closed, and the nodes that did not answer
   * @throws RpcError `bad_message`, `bad_option`; `engine_unavailable` if other nodes have to be
   *   asked, after those of this node were closed
   */
  close(
    ids: string | readonly string[],
    options?: { readonly reconnect?: boolean | undefined },
  ): Promise<ClusterCount> {
    return this.parts.cluster.closeAll(ids, options)
  }

  /**
   * Whether a connection is open, on whichever node. A node that does not answer has none.
   * @param id its `connectionId`
   * @throws RpcError `bad_message`; `engine_unavailable` if another node has to be asked
   */
  isConnected(id: string): Promise<boolean> {
    return this.parts.cluster.hasConnection(id)
  }
}
