import { type GapReason, type Position, RpcError } from '@token-socket/protocol'
import type { History, HistoryPage, Publication } from '../engine/engine.js'
import { isNext } from '../engine/epoch.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { ClaimedPosition } from './access.js'
import type { Delivery, Hub, PublicationBuffer } from './hub.js'
import type { PresenceJoin } from './presence.js'

/** Dependencies of a {@link Recovery}. */
export interface RecoveryOwner {
  readonly hub: Hub
  readonly history: History
  /** Whether a channel may keep something that a socket could miss. */
  keeps(socket: ServerSocket, channel: string): boolean
  /**
   * Whether a socket may read what came after its client's position.
   * @param first the first publication after it
   */
  mayRecover(socket: ServerSocket, from: ClaimedPosition, first: Publication | undefined): boolean
  /**
   * Enters a socket into a channel's presence, if that is still wanted.
   * @throws the error that refuses the subscription
   */
  enter(socket: ServerSocket, channel: string, isWanted: () => boolean): Promise<PresenceJoin | undefined>
  /** Whether the client has stopped waiting. @default it waits */
  isOver?(): boolean
}

/** Publications that are read at once. */
const PAGE = 100

/** Bytes of data that are read at once, if that is more than one publication. */
const PAGE_BYTES = 256 * 1024

/**
 * Publications that one subscription buffers, at most. {@link HeldSize} bounds those of all
 * subscriptions of a socket.
 */
const HELD = 1000

/**
 * Brings a socket that has joined a channel up to date: the notice that it is subscribed, with who is there on a channel
 * with presence, what was published since it was there last, what was published meanwhile, all in order and each once;
 * then publications reach it by themselves. What the channel does not keep is told as a gap, and the socket goes on from
 * now. The work is that of what this socket missed, however much others did.
 */
export class Recovery {
  readonly #owner: RecoveryOwner
  readonly #socket: ServerSocket
  readonly #channel: string
  /** Publications that arrived meanwhile. */
  #held: Delivery[] = []
  #heldSize = 0
  /** The buffer was full: what the channel keeps has to be read again. */
  #isShort = false
  /**
   * Publications that are not kept did not fit into the buffer: the client is notified of a gap.
   */
  #hasLost = false
  #at: Position | undefined
  #hasBegun = false
  /** The version of the authorization when the client was notified of its subscription. */
  #version = 0
  /** The channel's offset at that moment. */
  #joinedAt = 0
  #proof: string | undefined

  constructor(owner: RecoveryOwner, socket: ServerSocket, channel: string) {
    this.#owner = owner
    this.#socket = socket
    this.#channel = channel
  }

  /** Whether the client was notified of its subscription. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /**
   * @param from the position that the client sends; without it, the socket begins now
   * @throws the error that refuses the subscription, or the engine's; RpcError `timeout` if the
   *   client has stopped waiting and was not notified. Nothing once the socket has left the
   *   channel.
   */
  async run(from?: ClaimedPosition): Promise<void> {
    const { hub } = this.#owner
    const hold = hub.hold(this.#socket, this.#channel, (publication) => this.#hold(publication))
    const { bulk } = this.#socket
    try {
      let isMore = await bulk.run(() => this.#enter(hold, from))
      while (isMore) isMore = await bulk.run(() => this.#goOn(hold))
    } catch (error) {
      if (hold.isOn()) throw error
    } finally {
      hold.end()
      this.#letGo()
    }
  }

  /** @returns whether there is more to read */
  async #enter(hold: PublicationBuffer, from: ClaimedPosition | undefined): Promise<boolean> {
    let arrival: PresenceJoin | undefined
    while (hold.isOn()) {
      this.#version = this.#socket.authorization.version
      const entering = this.#owner.enter(this.#socket, this.#channel, hold.isOn)
      const reading = this.#read(from ? from.offset : Number.MAX_SAFE_INTEGER)
      const [page, entered] = await Promise.all([reading, entering])
      // The join that reports that it has left the presence is sent once.
      arrival = entered ?? arrival
      if (!hold.isOn()) return false
      if (this.#owner.isOver?.()) throw new RpcError('timeout')
      if (this.#hasChanged) continue
      return (this.#begin(page, from, arrival) && this.#deliver(page)) || this.#release(hold)
    }
    return false
  }

  /** Reads and delivers the next page. @returns whether there is more to read */
  async #goOn(hold: PublicationBuffer): Promise<boolean> {
    if (!hold.isOn()) return false
    this.#restart()
    this.#tellLost()
    const page = await this.#read(this.#at?.offset ?? 0)
    if (!hold.isOn()) return false
    if (this.#mayHave(page)) return this.#deliver(page) || this.#release(hold)
    this.#forbid()
    return this.#isShort || this.#release(hold)
  }

  /** Delivers what arrived meanwhile. From now on publications reach the socket directly. */
  #release(hold: PublicationBuffer): false {
    // A position may need a proof by now.
    if (this.#hasChanged && this.#at) this.#socket.joined(this.#channel, { position: this.#at })
    this.#socket.inBulk(() => this.#deliverAllHeld())
    hold.end()
    return false
  }

  /** Whether the socket's authorization has changed since this began. */
  get #hasChanged(): boolean {
    return this.#socket.authorization.version !== this.#version
  }

  /**
   * Whether the socket may still read a page of what it missed. As a subscriber it may read what
   * came after it joined.
   */
  #mayHave({ publications: [first] }: HistoryPage): boolean {
    if (!this.#hasChanged || !this.#at || first?.offset === undefined) return true
    if (first.offset > this.#joinedAt) return true
    return this.#owner.mayRecover(this.#socket, { ...this.#at, proof: this.#proof }, first)
  }

  /** Denies the rest of what it missed: it continues from where it joined. */
  #forbid(): void {
    if (!this.#at) return
    this.#at = { epoch: this.#at.epoch, offset: this.#joinedAt }
    this.#socket.joined(this.#channel, { position: this.#at, recovered: false, reason: 'forbidden' })
  }

  // Turns an exception of the engine into a rejection, because the socket is being entered at the
  // same time.
  async #read(after: number): Promise<HistoryPage> {
    return this.#owner.history.read(this.#channel, { after, limit: PAGE, bytes: PAGE_BYTES })
  }

  #hold(publication: Delivery): void {
    const all = this.#socket.held
    if (this.#held.length >= HELD || all.isFull) this.#overflow()
    // Other subscriptions of the socket use up the buffer.
    if (all.isFull) return this.#lose(publication)
    this.#held.push(publication)
    this.#heldSize += all.add(publication)
  }

  #overflow(): void {
    for (const publication of this.#held) this.#lose(publication)
    this.#letGo()
    this.#isShort = true
  }

  #lose({ offset }: Delivery): void {
    this.#hasLost ||= offset === undefined
  }

  /** Stops counting what is buffered. */
  #letGo(): void {
    this.#held = []
    this.#socket.held.remove(this.#heldSize)
    this.#heldSize = 0
  }

  #restart(): void {
    if (this.#isShort) this.#overflow()
    this.#isShort = false
  }

  #tellLost(): void {
    if (this.#hasLost)
      this.#socket.joined(this.#channel, { position: this.#at, recovered: false, reason: 'trimmed' })
    this.#hasLost = false
  }

  /** Sends the notice. @returns whether there is a page to deliver */
  #begin(page: HistoryPage, from: ClaimedPosition | undefined, arrival: PresenceJoin | undefined): boolean {
    this.#joinedAt = page.position.offset
    this.#proof = from?.proof
    const isKept = page.position.offset > 0 || this.#owner.keeps(this.#socket, this.#channel)
    const reason = from && (isKept ? this.#gapSince(from, page) : 'no_history')
    if (from && !reason) this.#at = { epoch: page.position.epoch, offset: from.offset }
    else this.#at = this.#start(isKept ? page.position : undefined)
    this.#socket.joined(this.#channel, {
      position: this.#at,
      ...(from && { recovered: reason === undefined, reason }),
      members: arrival?.members,
    })
    this.#hasBegun = true
    if (this.#at) this.#owner.hub.reach(this.#channel, this.#at)
    arrival?.follow()
    const isGiven = from !== undefined && reason === undefined
    // A client that begins now has missed nothing, and one with a gap is notified of it already.
    this.#hasLost &&= isGiven
    return this.#at !== undefined && (isGiven || this.#isShort)
  }

  #gapSince(from: ClaimedPosition, page: HistoryPage): GapReason | undefined {
    const reason = gapBetween(from, page)
    if (reason || this.#owner.mayRecover(this.#socket, from, page.publications[0])) return reason
    return 'forbidden'
  }

  /** Returns the position before the first buffered publication, or the channel's own. */
  #start(position: Position | undefined): Position | undefined {
    const first = this.#isShort ? undefined : this.#held.find(({ offset }) => offset !== undefined)
    if (first?.epoch === undefined || first.offset === undefined) return position
    return { epoch: first.epoch, offset: first.offset - 1 }
  }

  /** @returns whether there is more to read */
  #deliver(page: HistoryPage): boolean {
    this.#socket.inBulk(() => this.#deliverPage(page))
    return (page.more && page.publications.length > 0) || this.#isShort
  }

  #deliverPage({ publications, position, more }: HistoryPage): void {
    for (const publication of publications) {
      const { offset = 0 } = publication
      if (offset !== (this.#at?.offset ?? 0) + 1) this.#skipTo(offset - 1)
      this.#owner.hub.deliverTo(this.#socket, publication)
      this.#moveTo(offset)
    }
    if (!more && position.offset > (this.#at?.offset ?? 0)) this.#skipTo(position.offset)
  }

  /** Entries expired or were trimmed while they were being read: reports a gap. */
  #skipTo(offset: number): void {
    this.#moveTo(offset)
    this.#socket.joined(this.#channel, { position: this.#at, recovered: false, reason: 'trimmed' })
  }

  /** The history was lost after it was read. */
  #restartIn(epoch: string, offset: number): void {
    const isGap = this.#at && !(this.#at.offset === 0 && isNext(this.#at.epoch, epoch))
    this.#at = { epoch, offset }
    if (isGap) {
      this.#socket.joined(this.#channel, { position: this.#at, recovered: false, reason: 'epoch_changed' })
    }
  }

  #moveTo(offset: number): void {
    if (this.#at) this.#at = { epoch: this.#at.epoch, offset }
  }

  #deliverAllHeld(): void {
    for (const publication of this.#held) this.#deliverHeld(publication)
  }

  #deliverHeld(publication: Delivery): void {
    const { epoch, offset = 0 } = publication
    if (epoch !== undefined && this.#at) {
      if (epoch === this.#at.epoch && offset <= this.#at.offset) return
      if (epoch !== this.#at.epoch) this.#restartIn(epoch, offset - 1)
    }
    this.#owner.hub.deliverTo(this.#socket, publication)
  }
}

/** Returns why a client at `from` cannot recover everything since; `undefined` if it can. */
function gapBetween(from: Position, { position, publications }: HistoryPage): GapReason | undefined {
  const isSame = position.epoch === from.epoch || (from.offset === 0 && isNext(from.epoch, position.epoch))
  if (!isSame || from.offset > position.offset) return 'epoch_changed'
  const next = publications[0]?.offset
  return position.offset > from.offset && next !== from.offset + 1 ? 'trimmed' : undefined
}
