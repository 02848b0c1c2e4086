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

/** The part of the server that works on channels of all nodes, and lists this node's sockets. */
export abstract class ServerChannels extends ServerEmitter {
  /** The parts that do the work. @internal */
  protected abstract get parts(): ServerChannelsParts

  /**
   * Publishes on a channel, on every node. Resolves when the engine has accepted the publication
   * and this node's sockets were sent it.
   * @throws RpcError
   * @example
   * await sockets.publish('news', { title: 'Hello' }, { event: 'published' })
   */
  publish(channel: string, data: unknown, options?: PublicationOptions): Promise<Receipt> {
    const { channels, failures } = this.parts
    return failures.watched(channels.publish(channel, data, options), { method: 'publish' })
  }

  /**
   * Reads a page of a channel's history, the oldest first unless `reverse` is true. A page has 100
   * publications unless `limit` says otherwise, and no bound of bytes unless `bytes` does.
   * @throws RpcError `too_long`, `bad_message`
   * @example
   * const { publications, more } = await sockets.history('news', { reverse: true, limit: 20 })
   */
  history(channel: string, query?: PageQuery): Promise<HistoryPage> {
    const { channels, failures } = this.parts
    return failures.watched(channels.history(channel, query), { method: 'history' })
  }

  /**
   * Publishes on every channel of every node. Resolves when the engine has accepted it.
   * @throws RpcError
   * @example
   * await sockets.broadcast('The shop closes in five minutes')
   */
  broadcast(data: unknown): Promise<void> {
    const { channels, failures } = this.parts
    return failures.watched(channels.broadcast(data), { method: 'broadcast' })
  }

  /**
   * Subscribes a socket to a channel without asking listeners. Resolves when publications reach it.
   * @example
   * await sockets.subscribe(socket, 'news')
   */
  subscribe(socket: ServerSocket, channel: string): Promise<void> {
    const { channels, failures } = this.parts
    return failures.watched(channels.subscribe(socket, channel), { method: 'subscribe' })
  }

  /**
   * Unsubscribes a socket from a channel, without asking listeners.
   * @example
   * sockets.unsubscribe(socket, 'news')
   */
  unsubscribe(socket: ServerSocket, channel: string): void {
    noted('server.unsubscribe', () => checkName('channel', channel))
    this.parts.channels.unsubscribe(socket, channel)
  }

  /**
   * Unsubscribes every socket of every node from a channel.
   * @example
   * await sockets.unsubscribeAll('meeting-7') // the meeting is over
   */
  unsubscribeAll(channel: string): Promise<void> {
    const { channels, failures } = this.parts
    return failures.watched(channels.unsubscribeAll(channel), { method: 'unsubscribeAll' })
  }

  /**
   * Returns the members of a channel with presence, over all nodes.
   * @throws RpcError `too_long`, `bad_message`
   * @example
   * const uids = (await sockets.members('meeting-7')).map(({ uid }) => uid)
   */
  members(channel: string): Promise<Member[]> {
    const { channels, failures } = this.parts
    return failures.watched(channels.members(channel), { method: 'members' })
  }

  /**
   * Returns the authenticated sockets of this node.
   * @example
   * for (const socket of sockets.sockets()) console.log(socket.sid, socket.uid)
   */
  sockets(): ServerSocket[] {
    return this.parts.hub.sockets
  }

  /**
   * Returns the names of the channels that sockets of this node are subscribed to.
   * @example
   * console.log(sockets.channels()) // ['news', 'meeting-7']
   */
  channels(): string[] {
    return this.parts.hub.channels
  }

  /**
   * Returns the sockets of this node that are subscribed to a channel.
   * @example
   * const count = sockets.channelSockets('news').length
   */
  channelSockets(channel: string): ServerSocket[] {
    return this.parts.hub.on(channel)
  }
}
