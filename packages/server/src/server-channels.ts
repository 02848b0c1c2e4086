import type { Member } from '@token-socket/protocol'
import type { Channels } from './channels/channels.js'
import type { Hub } from './channels/hub.js'
import { checkName } from './claims/channel-name.js'
import type { HistoryPage, PageQuery, Receipt } from './engine/engine.js'
import type { Failures } from './runtime/failures.js'
import { noted } from './runtime/own-calls.js'
import { ServerEmitter } from './server-emitter.js'
import type { PublicationOptions, ServerSocket } from './socket/server-socket.js'

/** Dependencies of {@link ServerChannels}. */
export interface ServerChannelsParts {
  readonly channels: Channels
  readonly hub: Hub
  readonly failures: Failures
}

/** What a server does with channels, and which sockets and channels this node has. */
export abstract class ServerChannels extends ServerEmitter {
  /** What does it. @internal */
  protected abstract get parts(): ServerChannelsParts

  /** Publishes on a channel, on every node; resolves when it is accepted, and sent to this node's sockets. @throws RpcError */
  publish(channel: string, data: unknown, options?: PublicationOptions): Promise<Receipt> {
    const { channels, failures } = this.parts
    return failures.watched(channels.publish(channel, data, options), { method: 'publish' })
  }

  /**
   * Reads what a channel keeps, oldest first unless `reverse` says otherwise: a page of 100 publications unless `limit`
   * does, and as large as they are unless `bytes` does.
   * @throws RpcError `too_long`, `bad_message`
   */
  history(channel: string, query?: PageQuery): Promise<HistoryPage> {
    const { channels, failures } = this.parts
    return failures.watched(channels.history(channel, query), { method: 'history' })
  }

  /** Publishes on every channel of every node; resolves when the engine has accepted it. @throws RpcError */
  broadcast(data: unknown): Promise<void> {
    const { channels, failures } = this.parts
    return failures.watched(channels.broadcast(data), { method: 'broadcast' })
  }

  /** Subscribes a socket to a channel, without asking listeners; resolves when publications reach it. */
  subscribe(socket: ServerSocket, channel: string): Promise<void> {
    const { channels, failures } = this.parts
    return failures.watched(channels.subscribe(socket, channel), { method: 'subscribe' })
  }

  /** Unsubscribes a socket from a channel, without asking listeners. */
  unsubscribe(socket: ServerSocket, channel: string): void {
    noted('server.unsubscribe', () => checkName('channel', channel))
    this.parts.channels.unsubscribe(socket, channel)
  }

  /** Unsubscribes every socket of every node from a channel. */
  unsubscribeAll(channel: string): Promise<void> {
    const { channels, failures } = this.parts
    return failures.watched(channels.unsubscribeAll(channel), { method: 'unsubscribeAll' })
  }

  /** Who is on a channel that has presence, over all nodes. @throws RpcError `too_long`, `bad_message` */
  members(channel: string): Promise<Member[]> {
    const { channels, failures } = this.parts
    return failures.watched(channels.members(channel), { method: 'members' })
  }

  /** The authenticated sockets of this node. */
  sockets(): ServerSocket[] {
    return this.parts.hub.sockets
  }

  /** The names of the channels that sockets of this node are subscribed to. */
  channels(): string[] {
    return this.parts.hub.channels
  }

  /** The sockets of this node that are subscribed to a channel. */
  channelSockets(channel: string): ServerSocket[] {
    return this.parts.hub.on(channel)
  }
}
