import { decodeData, encodeData, encodePublication } from '@token-socket/protocol'
import type { Draft, Position, Receipt } from '../engine/engine.js'
import { isEarlier, isNext } from '../engine/epoch.js'
import { handleRejection } from '../runtime/isolated.js'
import { OwnerCounts } from '../runtime/owner-counts.js'
import type { ServerSocket } from '../socket/server-socket.js'

/**
 * Changes what one socket gets of a publication: returns the message, changed or not, or something falsy to send it
 * nothing. `message` is the socket's own copy. It has to be synchronous.
 */
export type PublishFilter = {
  filter(socket: ServerSocket, channel: string, message: unknown): unknown
}['filter']

/** A publication; one on every channel has no id. */
export type Delivery = Draft & Partial<Receipt>

/** Publications that are kept from a socket for a while. */
export interface PublicationBuffer {
  /** Whether it goes on. */
  isOn(): boolean
  end(): void
}

/** The sockets of this node, and which of them are on which channel. */
export class Hub {
  readonly #sockets = new Map<string, ServerSocket>()
  readonly #channels = new Map<string, Set<ServerSocket>>()
  /** The subscriptions of each user, over all sockets. A user without a name has none here. */
  readonly #users = new OwnerCounts()
  /** What receives a channel's publications in a socket's place, while it is being brought up to date. */
  readonly #buffered = new Map<string, Map<ServerSocket, (publication: Delivery) => void>>()
  /** Sockets that are removed. Channels may still know them. */
  readonly #removed = new WeakSet<ServerSocket>()
  /** A place on each channel, in the epoch that its sockets know. */
  readonly #positions = new Map<string, Position>()
  readonly #onerror: (cause: unknown, details: object) => void
  /** See {@link PublishFilter}. May be changed at any time. */
  filter: PublishFilter | undefined

  /** @param onerror receives what the filter throws; that socket then gets nothing */
  constructor(onerror: (cause: unknown, details: object) => void, filter?: PublishFilter) {
    this.#onerror = onerror
    this.filter = filter
  }

  /** All sockets. */
  get sockets(): ServerSocket[] {
    return [...this.#sockets.values()]
  }

  /** The names of the channels that a socket is on. */
  get channels(): string[] {
    const isAlive = (socket: ServerSocket) => !this.#removed.has(socket)
    return [...this.#channels].filter(([, sockets]) => some(sockets, isAlive)).map(([channel]) => channel)
  }

  /** The socket with an id. */
  get(sid: string): ServerSocket | undefined {
    return this.#sockets.get(sid)
  }

  add(socket: ServerSocket): void {
    this.#sockets.set(socket.sid, socket)
  }

  /**
   * Takes a socket out: from now on it is on no channel, and counts nowhere.
   * @returns the channels that it was on: {@link leave} has to be called for each, now or later
   */
  remove(socket: ServerSocket): readonly string[] {
    const { channelNames: channels, subject } = socket
    this.#sockets.delete(socket.sid)
    if (subject !== undefined) this.#users.remove(subject, channels.length)
    this.#removed.add(socket)
    return channels
  }

  /** The sockets on a channel. */
  on(channel: string): ServerSocket[] {
    return [...(this.#channels.get(channel) ?? [])].filter((socket) => !this.#removed.has(socket))
  }

  has(socket: ServerSocket, channel: string): boolean {
    const isOn = this.#channels.get(channel)?.has(socket) ?? false
    return isOn && !this.#removed.has(socket)
  }

  /** How many subscriptions the sockets of a socket's user have together. 0 for a user without a name. */
  subscriptionsOf(socket: ServerSocket): number {
    const { subject } = socket
    return subject === undefined ? 0 : this.#users.of(subject)
  }

  /** Puts a socket on a channel that it is not on. */
  join(socket: ServerSocket, channel: string): void {
    const { subject } = socket
    if (subject !== undefined && !this.has(socket, channel)) this.#users.add(subject)
    socket.addChannel(channel)
    const members = this.#channels.get(channel)
    if (members) members.add(socket)
    else this.#channels.set(channel, new Set([socket]))
  }

  /** Takes a socket off a channel. @returns whether it was on it */
  leave(socket: ServerSocket, channel: string): boolean {
    const members = this.#channels.get(channel)
    if (!members?.delete(socket)) return false
    socket.removeChannel(channel)
    if (socket.subject !== undefined && !this.#removed.has(socket)) this.#users.remove(socket.subject)
    this.#release(socket, channel)
    if (members.size > 0) return true
    this.#channels.delete(channel)
    this.#positions.delete(channel)
    return true
  }

  /** Delivers a publication to every socket on its channel; encoded once unless there is a filter. @returns to how many */
  deliver(publication: Delivery): number {
    const members = this.#channels.get(publication.channel)
    if (!members) return 0
    const { channel, epoch, offset } = publication
    if (epoch !== undefined && offset !== undefined) {
      const position = { epoch, offset }
      this.reach(channel, position, { epoch, offset: offset - 1 })
      this.#positions.set(channel, position)
    }
    const held = this.#buffered.get(publication.channel)
    const frame = encodePublication(publication)
    for (const socket of members) {
      const holding = held?.get(socket)
      if (holding) holding(publication)
      else this.#deliverTo(socket, publication, frame)
    }
    return members.size
  }

  /**
   * A channel has come to a place, as its publications or its history say. If that is of another epoch than the last one, its
   * sockets may have missed what no one has any more, and are told of the gap. Those that are held learn it otherwise.
   * @param from the place before, where what follows begins
   */
  reach(channel: string, position: Position, from = position): void {
    const known = this.#positions.get(channel)
    if (known?.epoch === position.epoch && known.offset > 0) return
    // A page of before the first publication, which comes after it.
    if (known?.offset && position.offset === 0 && isEarlier(position.epoch, known.epoch)) return
    this.#positions.set(channel, position)
    if (!known || known.epoch === position.epoch) return
    if (known.offset === 0 && isNext(known.epoch, position.epoch)) return
    const held = this.#buffered.get(channel)
    for (const socket of this.on(channel)) {
      if (held?.has(socket) || socket.isLegacy) continue
      socket.joined(channel, { position: from, recovered: false, reason: 'epoch_changed' })
    }
  }

  /**
   * Tells a socket the position of the last publication that it received, with what proves it. One
   * that is being brought up to date receives it in time.
   */
  tellPosition(socket: ServerSocket, channel: string): void {
    const position = this.#positions.get(channel)
    const isHeld = this.#buffered.get(channel)?.has(socket)
    if (position && !isHeld && !socket.isLegacy) socket.joined(channel, { position })
  }

  /** Whether any socket is on a channel. */
  get hasChannels(): boolean {
    return this.#channels.size > 0
  }

  /** The positions of channels on which nothing has been published, as far as their sockets know. */
  get idle(): readonly (readonly [channel: string, position: Position])[] {
    return [...this.#positions].filter(([, { offset }]) => offset === 0)
  }

  /** Gives the sockets of an idle channel the position of now, unless the channel has moved from `before`. */
  renew(channel: string, before: Position, position: Position): void {
    const isIdle = this.#positions.get(channel) === before && position.offset === 0
    if (!isIdle || !isNext(before.epoch, position.epoch)) return
    this.#positions.set(channel, position)
    const held = this.#buffered.get(channel)
    for (const socket of this.on(channel))
      if (!held?.has(socket) && !socket.isLegacy) socket.joined(channel, { position })
  }

  /** Delivers a publication to one socket that is on its channel, also past a {@link hold}. */
  deliverTo(socket: ServerSocket, publication: Delivery): void {
    this.#deliverTo(socket, publication, encodePublication(publication))
  }

  /**
   * What one socket may see of a publication's data, as JSON: all of it unless the filter changes or withholds it. Live
   * delivery, recovery and history give this and nothing else.
   * @returns `undefined` for nothing
   */
  jsonFor(socket: ServerSocket, { channel, json }: Pick<Draft, 'channel' | 'json'>): string | undefined {
    const { filter } = this
    if (!filter) return json
    if (this.#removed.has(socket)) return undefined
    try {
      const message = filter(socket, channel, decodeData(json))
      // A promise would be sent as an empty object.
      if (handleRejection(message, () => {})) throw new TypeError('the filter returned a promise')
      return message ? encodeData(message) : undefined
    } catch (cause) {
      this.#onerror(cause, { sid: socket.sid, channel })
      return undefined
    }
  }

  /** From now on a socket's publications of a channel go somewhere else, until the hold ends or it leaves the channel. */
  hold(socket: ServerSocket, channel: string, holding: (publication: Delivery) => void): PublicationBuffer {
    const held = this.#buffered.get(channel) ?? new Map()
    this.#buffered.set(channel, held.set(socket, holding))
    const isOn = () => this.#buffered.get(channel)?.get(socket) === holding && !this.#removed.has(socket)
    return { isOn, end: () => isOn() && this.#release(socket, channel) }
  }

  #release(socket: ServerSocket, channel: string): void {
    const held = this.#buffered.get(channel)
    held?.delete(socket)
    if (held?.size === 0) this.#buffered.delete(channel)
  }

  #deliverTo(socket: ServerSocket, publication: Delivery, frame: string): void {
    const isWanted = publication.except === undefined || publication.except !== socket.sid
    const json = isWanted ? this.jsonFor(socket, publication) : undefined
    if (json === publication.json) return socket.deliver(frame)
    if (json !== undefined) return socket.deliver(encodePublication({ ...publication, json }))
    const { channel, epoch, offset } = publication
    if (epoch !== undefined && offset !== undefined) socket.passed(channel, { epoch, offset })
  }
}

function some(sockets: Iterable<ServerSocket>, holds: (socket: ServerSocket) => boolean): boolean {
  for (const socket of sockets) if (holds(socket)) return true
  return false
}
