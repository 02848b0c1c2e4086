import { decodeData, encodeData, encodePublication } from '@token-socket/protocol'
import type { RemoteClient } from './remote-client.js'

/**
 * Changes what one socket gets of a publication: returns the message, changed or not, or something falsy to send it
 * nothing. `message` is the socket's own copy. It has to be synchronous.
 */
export type PublishFilter = {
  filter(socket: RemoteClient, channel: string, message: unknown): unknown
}['filter']

/** The sockets of this node, and which of them are on which channel. */
export class Hub {
  readonly #sockets = new Map<string, RemoteClient>()
  readonly #channels = new Map<string, Set<RemoteClient>>()
  readonly #onerror: (cause: unknown, details: object) => void
  /** See {@link PublishFilter}. May be changed at any time. */
  filter: PublishFilter | undefined

  /** @param onerror hears what the filter throws; that socket then gets nothing */
  constructor(onerror: (cause: unknown, details: object) => void) {
    this.#onerror = onerror
  }

  /** All sockets. */
  get sockets(): RemoteClient[] {
    return [...this.#sockets.values()]
  }

  /** The names of the channels that a socket is on. */
  get channels(): string[] {
    return [...this.#channels.keys()]
  }

  add(socket: RemoteClient): void {
    this.#sockets.set(socket.sid, socket)
  }

  /** Takes a socket out. @returns the channels that it was on */
  remove(socket: RemoteClient): string[] {
    this.#sockets.delete(socket.sid)
    return socket.channels.filter((channel) => this.leave(socket, channel))
  }

  /** The sockets on a channel. */
  on(channel: string): RemoteClient[] {
    return [...(this.#channels.get(channel) ?? [])]
  }

  has(socket: RemoteClient, channel: string): boolean {
    return this.#channels.get(channel)?.has(socket) ?? false
  }

  join(socket: RemoteClient, channel: string): void {
    const members = this.#channels.get(channel)
    if (members) members.add(socket)
    else this.#channels.set(channel, new Set([socket]))
  }

  /** Takes a socket off a channel. @returns whether it was on it */
  leave(socket: RemoteClient, channel: string): boolean {
    const members = this.#channels.get(channel)
    if (!members?.delete(socket)) return false
    if (members.size === 0) this.#channels.delete(channel)
    return true
  }

  /** Delivers a publication to every socket on its channel; encoded once unless there is a filter. */
  deliver(channel: string, json: string): void {
    const members = this.#channels.get(channel)
    if (!members) return
    const frame = encodePublication(channel, json)
    for (const socket of members) {
      const own = this.filter ? this.#filtered(this.filter, socket, { channel, json }) : frame
      if (own !== undefined) socket.deliver(own)
    }
  }

  /** Delivers a publication on every channel. */
  deliverAll(json: string): void {
    for (const channel of this.channels) this.deliver(channel, json)
  }

  #filtered(
    filter: PublishFilter,
    socket: RemoteClient,
    { channel, json }: { readonly channel: string; readonly json: string },
  ): string | undefined {
    try {
      const message = filter(socket, channel, decodeData(json))
      return message ? encodePublication(channel, encodeData(message)) : undefined
    } catch (cause) {
      this.#onerror(cause, { sid: socket.sid, channel })
      return undefined
    }
  }
}
