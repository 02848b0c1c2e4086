import { decodeData, encodeData, encodePublication } from '@token-socket/protocol'
import type { Draft, Position, Receipt } from '../engine/engine.js'
import { isEarlier, isNext } from '../engine/epoch.js'
import { handleRejection } from '../runtime/isolated.js'
import { OwnerCounts } from '../runtime/owner-counts.js'
import type { ServerSocket } from '../socket/server-socket.js'

/**
 * Changes what one socket receives of a publication. Returns the message, changed or not, or a
 * falsy value to send nothing. `message` is the socket's own copy. The function has to be
 * synchronous.
 */
export type PublishFilter = {
  filter(socket: ServerSocket, channel: string, message: unknown): unknown
}['filter']

/** A publication. A broadcast has no id. */
export type Delivery = Draft & Partial<Receipt>

/** Buffers a channel's publications for one socket. */
export interface PublicationBuffer {
  /** Whether it still buffers. */
  isOn(): boolean
  end(): void
}

/** The sockets of this node, and their channels. */
export class Hub {
  readonly #sockets = new Map<string, ServerSocket>()
  readonly #channels = new Map<string, Set<ServerSocket>>()
  /** The subscriptions of each user, over all sockets. Users without a name are not counted. */
  readonly #users = new OwnerCounts()
  /** What receives a channel's publications instead of a socket that is recovering. */
  readonly #buffered = new Map<string, Map<ServerSocket, (publication: Delivery) => void>>()
  /** Removed sockets, which channels may still hold. */
  readonly #removed = new WeakSet<ServerSocket>()
  /** The position of each channel, in the epoch that its sockets know. */
  readonly #positions = new Map<string, Position>()
  readonly #onerror: (cause: unknown, details: object) => void
  /** See {@link PublishFilter}. It may be replaced at any time. */
  filter: PublishFilter | undefined

  /** @param onerror receives what the filter throws; that socket then receives nothing */
  constructor(onerror: (cause: unknown, details: object) => void, filter?: PublishFilter) {
    this.#onerror = onerror
    this.filter = filter
  }

  /** All sockets. */
  get sockets(): ServerSocket[] {
    return [...this.#sockets.values()]
  }

  /** The names of the channels that have sockets. */
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
   * Removes a socket: it is on no channel, and is not counted.
   * @returns the channels that it was on. The caller has to call {@link leave} for each, now or
   *   later.
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

  /**
   * Returns how many subscriptions the sockets of a socket's user have together; 0 for a user
   * without a name.
   */
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

  /**
   * Delivers a publication to every socket on its channel. It is encoded once, unless there is a
   * filter.
   * @returns how many sockets are on the channel
   */
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
   * Records a channel's position. If the epoch has changed, its sockets may have missed
   * publications that are lost: they are notified of the gap. Recovering sockets learn it from
   * their recovery.
   * @param from the position before, where the new publications begin
   */
  reach(channel: string, position: Position, from = position): void {
    const known = this.#positions.get(channel)
    if (known?.epoch === position.epoch && known.offset > 0) return
    // A page that was read before the first publication, and arrives after it.
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
   * Sends a socket the position of the last publication that it received, with its proof. A
   * recovering socket receives it from its recovery.
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

  /** The positions of channels without publications, as their sockets know them. */
  get idle(): readonly (readonly [channel: string, position: Position])[] {
    return [...this.#positions].filter(([, { offset }]) => offset === 0)
  }

  /**
   * Gives the sockets of an idle channel its current position, unless it has moved from `before`.
   */
  renew(channel: string, before: Position, position: Position): void {
    const isIdle = this.#positions.get(channel) === before && position.offset === 0
    if (!isIdle || !isNext(before.epoch, position.epoch)) return
    this.#positions.set(channel, position)
    const held = this.#buffered.get(channel)
    for (const socket of this.on(channel))
      if (!held?.has(socket) && !socket.isLegacy) socket.joined(channel, { position })
  }

  /** Delivers a publication to one socket on its channel, also past a {@link hold}. */
  deliverTo(socket: ServerSocket, publication: Delivery): void {
    this.#deliverTo(socket, publication, encodePublication(publication))
  }

  /**
   * Returns what one socket may see of a publication's data, as JSON: all of it, unless the filter
   * changes or withholds it. Live delivery, recovery and history use only this.
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

  /**
   * Passes a socket's publications of a channel to a buffer, until the buffer ends or the socket
   * leaves the channel.
   */
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
