import type { ClientMessage, Member, PublicationMessage, ServerMessage } from '@token-socket/protocol'
import { ChannelNames } from '../../channel-names.js'
import type { Contract } from '../../contract.js'
import { nextId } from './publication-ids.js'

/** A socket, as its channels see it. */
export interface ChannelSocket extends Member {
  send(message: ServerMessage): void
}

/** What is published. */
export interface MemoryPublication {
  readonly channel: string
  readonly data: unknown
  readonly event?: string | undefined
  /** The client whose message it is. @default the server's own */
  readonly from?: Member | undefined
}

/** How many publications a channel keeps. */
const KEPT = 100

/** What a client asks of its channels. */
export type ChannelRequest = Extract<
  ClientMessage,
  { readonly type: 'subscribe' | 'unsubscribe' | 'publish' | 'history' | 'broadcast' }
>

/**
 * The channels of a server in memory: who is on them, what is published there, and the latest of
 * it.
 */
export class MemoryChannels {
  readonly #contract: Contract
  readonly #names: ChannelNames
  readonly #sockets = new Map<string, Set<ChannelSocket>>()
  readonly #kept = new Map<string, PublicationMessage[]>()

  constructor(contract: Contract) {
    this.#contract = contract
    this.#names = new ChannelNames(Object.keys(contract.definition.channels ?? {}))
  }

  /** The channels of a socket. */
  of(socket: ChannelSocket): string[] {
    return [...this.#sockets].filter(([, sockets]) => sockets.has(socket)).map(([channel]) => channel)
  }

  /** What a client asks. @returns the answer */
  request(socket: ChannelSocket, message: ChannelRequest): unknown {
    switch (message.type) {
      case 'subscribe':
        return this.subscribe(socket, message.channel)
      case 'unsubscribe':
        return this.unsubscribe(socket, message.channel)
      case 'publish':
        return this.publish({ ...message, from: socket })
      case 'history':
        return { publications: this.#page(message) }
      case 'broadcast':
        for (const channel of this.#sockets.keys()) this.publish({ ...message, channel, from: socket })
        return null
      default:
        return message satisfies never
    }
  }

  /** Puts a socket on a channel. */
  subscribe(socket: ChannelSocket, channel: string): null {
    const sockets = this.#sockets.get(channel) ?? new Set()
    const before = membersOf(sockets)
    this.#sockets.set(channel, sockets.add(socket))
    if (!this.#hasPresence(channel)) {
      socket.send({ type: 'subscribed', channel })
      return null
    }
    const own = memberOf(socket)
    socket.send({ type: 'subscribed', channel, ...own, members: [...membersOf(sockets).values()] })
    if (!before.has(socket.uid))
      this.#send(sockets, socket, { type: 'presence', channel, change: 'joined', ...own })
    return null
  }

  /** Takes a socket off a channel, and notifies it. */
  unsubscribe(socket: ChannelSocket, channel: string): null {
    this.#remove(socket, channel)
    socket.send({ type: 'unsubscribed', channel })
    return null
  }

  /** The members of a channel, one for each user. */
  members(channel: string): Member[] {
    return [...membersOf(this.#sockets.get(channel) ?? []).values()]
  }

  /** Takes a socket off all its channels. */
  leave(socket: ChannelSocket): void {
    for (const channel of this.of(socket)) this.#remove(socket, channel)
  }

  /** Publishes. */
  publish({ channel, data, event, from }: MemoryPublication): { readonly id: string } {
    const message: PublicationMessage = {
      type: 'publication',
      channel,
      data,
      id: nextId(),
      ...(event !== undefined && { event }),
      ...(from && { meta: memberOf(from) }),
    }
    const kept = this.#kept.get(channel) ?? []
    this.#kept.set(channel, [...kept, message].slice(-KEPT))
    for (const socket of this.#sockets.get(channel) ?? []) socket.send(message)
    return { id: String(message.id) }
  }

  #page({
    channel,
    after = '',
    before = '~',
    limit = KEPT,
    reverse,
  }: Extract<ChannelRequest, { type: 'history' }>) {
    const kept = (this.#kept.get(channel) ?? []).filter(({ id = '' }) => id > after && id < before)
    return (reverse ? kept.reverse() : kept).slice(0, limit).map(({ type: _, ...publication }) => publication)
  }

  #remove(socket: ChannelSocket, channel: string): void {
    const sockets = this.#sockets.get(channel)
    if (!sockets?.delete(socket)) return
    const isGone = !membersOf(sockets).has(socket.uid)
    if (isGone && this.#hasPresence(channel))
      this.#send(sockets, socket, { type: 'presence', channel, change: 'left', ...memberOf(socket) })
  }

  #send(sockets: Iterable<ChannelSocket>, but: ChannelSocket, message: ServerMessage): void {
    for (const socket of sockets) if (socket !== but) socket.send(message)
  }

  #hasPresence(channel: string): boolean {
    const pattern = this.#names.parse(channel)?.pattern
    return pattern !== undefined && this.#contract.definition.channels?.[pattern]?.presence !== undefined
  }
}

function memberOf({ uid, umd }: Member): Member {
  return umd === undefined ? { uid } : { uid, umd }
}

function membersOf(sockets: Iterable<ChannelSocket>): Map<string, Member> {
  return new Map([...sockets].map((socket) => [socket.uid, memberOf(socket)]))
}
