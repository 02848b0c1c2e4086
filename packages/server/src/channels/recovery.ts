import { type GapReason, type Position, RpcError } from '@token-socket/protocol'
import type { History, HistoryPage, Publication } from '../engine/engine.js'
import { isNext } from '../engine/epoch.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { ClaimedPosition } from './access.js'
import type { Delivery, Hub, PublicationBuffer } from './hub.js'
import type { PresenceJoin } from './presence.js'

/** What a {@link Recovery} needs. */
export interface RecoveryOwner {
  readonly hub: Hub
  readonly history: History
  /** Whether a channel may keep something that a socket could miss. */
  keeps(socket: ServerSocket, channel: string): boolean
  /** Whether a socket may have what came after a position that its client names. @param first the first of that */
  mayRecover(socket: ServerSocket, from: ClaimedPosition, first: Publication | undefined): boolean
  /** Puts a socket on a channel's presence, if that is still wanted. @throws what refuses the subscription */
  enter(socket: ServerSocket, channel: string, isWanted: () => boolean): Promise<PresenceJoin | undefined>
  /** Whether the client does not wait for it any longer. @default it does */
  isOver?(): boolean
}

/** Publications that are read at once. */
const PAGE = 100

/** Bytes of data that are read at once, if that is more than one publication. */
const PAGE_BYTES = 256 * 1024

/** Publications that one subscription holds at most. A socket's {@link HeldSize} bounds those of all its subscriptions. */
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
  /** What came meanwhile. */
  #held: Delivery[] = []
  #heldSize = 0
  /** There was more than could be held: what is kept has to be read once more. */
  #isShort = false
  /** What could not be held had publications that are not kept: the client is told of a gap. */
  #hasLost = false
  #at: Position | undefined
  #hasBegun = false
  /** The version of the authorization by which the socket was told that it is subscribed. */
  #version = 0
  /** Where the channel was then. */
  #joinedAt = 0
  #proof: string | undefined

  constructor(owner: RecoveryOwner, socket: ServerSocket, channel: string) {
    this.#owner = owner
    this.#socket = socket
    this.#channel = channel
  }

  /** Whether the client was told that it is subscribed. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /**
   * @param from where the client says that it was; without it, the socket begins now
   * @throws what refuses the subscription, or what the engine throws; RpcError `timeout` if the client does not wait any
   *   longer and was told nothing; nothing once the socket has left the channel
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
      // What says that it has left the presence is said once.
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

  /** Delivers what came meanwhile: from now on publications reach the socket directly. */
  #release(hold: PublicationBuffer): false {
    // What proves a position may have become necessary.
    if (this.#hasChanged && this.#at) this.#socket.joined(this.#channel, { position: this.#at })
    this.#socket.inBulk(() => this.#deliverAllHeld())
    hold.end()
    return false
  }

  /** Whether the socket's authorization is not the one with which this began. */
  get #hasChanged(): boolean {
    return this.#socket.authorization.version !== this.#version
  }

  /**
   * Whether the socket may still have a page of what it missed. What came after it had joined the
   * channel it may have as a subscriber.
   */
  #mayHave({ publications: [first] }: HistoryPage): boolean {
    if (!this.#hasChanged || !this.#at || first?.offset === undefined) return true
    if (first.offset > this.#joinedAt) return true
    return this.#owner.mayRecover(this.#socket, { ...this.#at, proof: this.#proof }, first)
  }

  /** It may not have the rest of what it missed: it goes on from where it joined. */
  #forbid(): void {
    if (!this.#at) return
    this.#at = { epoch: this.#at.epoch, offset: this.#joinedAt }
    this.#socket.joined(this.#channel, { position: this.#at, recovered: false, reason: 'forbidden' })
  }

  // Also a throw of the engine becomes a rejection: the socket is being entered at the same time.
  async #read(after: number): Promise<HistoryPage> {
    return this.#owner.history.read(this.#channel, { after, limit: PAGE, bytes: PAGE_BYTES })
  }

  #hold(publication: Delivery): void {
    const all = this.#socket.held
    if (this.#held.length >= HELD || all.isFull) this.#overflow()
    // Others hold it all.
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

  /** What is held counts no longer. */
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

  /** Sends the notice. @returns whether there is a page to be delivered */
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
    // A client that begins here has missed nothing, and one with a gap is told already.
    this.#hasLost &&= isGiven
    return this.#at !== undefined && (isGiven || this.#isShort)
  }

  #gapSince(from: ClaimedPosition, page: HistoryPage): GapReason | undefined {
    const reason = gapBetween(from, page)
    if (reason || this.#owner.mayRecover(this.#socket, from, page.publications[0])) return reason
    return 'forbidden'
  }

  /** Before the first that is held, or where the channel is. */
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

  /** What was still kept a moment ago is gone: its time was over, or it had to make room. */
  #skipTo(offset: number): void {
    this.#moveTo(offset)
    this.#socket.joined(this.#channel, { position: this.#at, recovered: false, reason: 'trimmed' })
  }

  /** What was read is lost since. */
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

/** Why a client that was at `from` cannot get all since, if it can't. */
function gapBetween(from: Position, { position, publications }: HistoryPage): GapReason | undefined {
  const isSame = position.epoch === from.epoch || (from.offset === 0 && isNext(from.epoch, position.epoch))
  if (!isSame || from.offset > position.offset) return 'epoch_changed'
  const next = publications[0]?.offset
  return position.offset > from.offset && next !== from.offset + 1 ? 'trimmed' : undefined
}
