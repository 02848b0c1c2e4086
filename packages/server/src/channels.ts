import { encodeData, NAME_LIMITS, RpcError, refusal } from '@token-socket/protocol'
import type { Broker } from './engine.js'
import type { Hub } from './hub.js'
import { Interest } from './interest.js'
import type { ChannelRequest, RemoteClient } from './remote-client.js'
import type { Refusal } from './vetoes.js'

/** What {@link Channels} needs from its server. */
export interface ChannelsOwner {
  readonly hub: Hub
  readonly broker: Broker
  /** How many channels one socket may be subscribed to. */
  readonly subscriptions: number
  /** Asks the listeners of an event. */
  decide(event: ChannelRequest['type'], socket: RemoteClient, data: object): Promise<Refusal | undefined>
  failed(cause: unknown, details: object): void
}

/** Subscribes, unsubscribes, publishes and broadcasts: by the server's will, or at a client's request. */
export class Channels {
  readonly #owner: ChannelsOwner
  readonly #interest: Interest
  /** The channels whose subscription waits for the broker; an unsubscribe meanwhile takes them out. */
  readonly #joining = new WeakMap<RemoteClient, Set<string>>()

  constructor(owner: ChannelsOwner) {
    this.#owner = owner
    this.#interest = new Interest(owner.broker, (cause) => owner.failed(cause, { step: 'unsubscribe' }))
    owner.broker.listen({
      publication: (channel, json) => owner.hub.deliver(channel, json),
      broadcast: (json) => owner.hub.deliverAll(json),
      command: ({ channel }) => {
        for (const socket of owner.hub.on(channel)) this.unsubscribe(socket, channel)
      },
    })
  }

  /** Does what a client asks, if no listener objects. @returns why not, or `undefined` when it is done */
  async request(socket: RemoteClient, request: ChannelRequest): Promise<Refusal | undefined> {
    // It may have waited for its turn behind others: what a client asked that is gone, nobody is asked any more.
    if (socket.isClosed) return undefined
    const refused = await this.#owner.decide(request.type, socket, describe(request))
    if (refused || socket.isClosed) return refused
    try {
      await this.#carryOut(socket, request)
      return undefined
    } catch (error) {
      if (!RpcError.is(error)) throw error
      return { error }
    }
  }

  /** Subscribes a socket; its notice and its publications follow. @throws RpcError `too_many_subscriptions` */
  async subscribe(socket: RemoteClient, channel: string): Promise<void> {
    checkChannel(channel)
    if (this.#owner.hub.has(socket, channel)) return socket.joined(channel)
    const isWanted = await this.#acquire(socket, channel)
    const isMember = this.#owner.hub.has(socket, channel)
    const limit = this.#owner.subscriptions
    const isFull = isWanted && !isMember && socket.channels.length >= limit
    const joins = isWanted && !isMember && !isFull && !socket.isClosed
    if (joins) this.#owner.hub.join(socket, channel)
    else this.#interest.release(channel)
    if (isFull) throw refusal('too_many_subscriptions', { field: 'subscriptions', limit })
    if (joins || isMember) socket.joined(channel)
  }

  /** Unsubscribes a socket. It is told so even if it was not subscribed, as the old server did. */
  unsubscribe(socket: RemoteClient, channel: string): void {
    this.#joining.get(socket)?.delete(channel)
    if (this.#owner.hub.leave(socket, channel)) this.#interest.release(channel)
    socket.left(channel)
  }

  /** Publishes; resolves when the engine has accepted it. @throws RpcError `unserializable`, `too_long` */
  async publish(channel: string, data: unknown): Promise<void> {
    checkChannel(channel)
    await this.#owner.broker.publish(channel, encodeData(data))
  }

  /** Publishes on every channel of every node; resolves when the engine has accepted it. */
  async broadcast(data: unknown): Promise<void> {
    await this.#owner.broker.broadcast(encodeData(data))
  }

  /** Takes every socket of every node off a channel. */
  async unsubscribeAll(channel: string): Promise<void> {
    checkChannel(channel)
    await this.#owner.broker.command({ type: 'unsubscribeAll', channel })
  }

  /** Forgets a socket whose connection is gone. */
  forget(socket: RemoteClient): void {
    for (const channel of this.#owner.hub.remove(socket)) this.#interest.release(channel)
  }

  /** @returns whether the socket still wants the channel, now that the broker has it */
  async #acquire(socket: RemoteClient, channel: string): Promise<boolean> {
    const joining = this.#joining.get(socket) ?? new Set()
    this.#joining.set(socket, joining.add(channel))
    let isWanted = false
    try {
      await this.#interest.acquire(channel)
    } finally {
      isWanted = joining.delete(channel)
    }
    return isWanted
  }

  async #carryOut(socket: RemoteClient, request: ChannelRequest): Promise<void> {
    switch (request.type) {
      case 'subscribe':
        return this.subscribe(socket, request.channel)
      case 'unsubscribe':
        return this.unsubscribe(socket, request.channel)
      case 'publish':
        return this.publish(request.channel, request.data)
      case 'broadcast':
        return this.broadcast(request.data)
    }
  }
}

/** What listeners are told of a request: `{ channel }`, `{ channel, data }` or `{ data }`. */
function describe(request: ChannelRequest): object {
  const { type, id, ...data } = request
  return data
}

function checkChannel(channel: string): void {
  if (typeof channel !== 'string' || channel === '') {
    throw new RpcError('bad_message', 'Invalid message: channel has to be a string that is not empty', {
      field: 'channel',
    })
  }
  if (channel.length > NAME_LIMITS.channel)
    throw refusal('too_long', { field: 'channel', limit: NAME_LIMITS.channel })
}
