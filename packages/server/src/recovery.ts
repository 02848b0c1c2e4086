import { type GapReason, type Position, startTimer } from '@token-socket/protocol'
import type { ClaimedPosition } from './channels/access.js'
import type { History, HistoryPage, Publication } from './engine.js'
import { isNext } from './epoch.js'
import type { Delivery, Hub } from './hub.js'
import type { Arrival } from './presence.js'
import type { RemoteClient } from './remote-client.js'

/** What a {@link Recovery} needs. */
export interface RecoveryOwner {
  readonly hub: Hub
  readonly history: History
  /** Bytes that may wait for a socket when it is given the next page. */
  readonly backlog: number
  /** Whether a channel may keep something that a socket could miss. */
  keeps(socket: RemoteClient, channel: string): boolean
  /** Whether a socket may have what came after a position that its client names. @param first the first of that */
  mayRecover(socket: RemoteClient, from: ClaimedPosition, first: Publication | undefined): boolean
  /** Puts a socket on a channel's presence, if that is still wanted. @throws what refuses the subscription */
  enter(socket: RemoteClient, channel: string, isWanted: () => boolean): Promise<Arrival | undefined>
}

/** Publications that are read at once. */
const PAGE = 100

/** Publications that are held at the most. */
const HELD = 1000

/** Milliseconds between two looks at a socket that has not read its last page yet. */
const PATIENCE = 20

/**
 * Brings a socket that has joined a channel up to date: the notice that it is subscribed, with who is there on a channel
 * with presence, what was published since it was there last, what was published meanwhile, all in order and each once;
 * then publications reach it by themselves. What the channel does not keep is told as a gap, and the socket goes on from
 * now. The work is that of what this socket missed, however much others did.
 */
export class Recovery {
  readonly #owner: RecoveryOwner
  readonly #socket: RemoteClient
  readonly #channel: string
  /** What came meanwhile. */
  #held: Delivery[] = []
  /** There was more than could be held: what is kept has to be read once more. */
  #isShort = false
  #at: Position | undefined
  #hasBegun = false

  constructor(owner: RecoveryOwner, socket: RemoteClient, channel: string) {
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
   * @throws what refuses the subscription, or what the engine throws; nothing once the socket has left the channel
   */
  async run(from?: ClaimedPosition): Promise<void> {
    const { hub } = this.#owner
    const hold = hub.hold(this.#socket, this.#channel, (publication) => this.#hold(publication))
    try {
      const entering = this.#owner.enter(this.#socket, this.#channel, hold.isOn)
      const reading = this.#read(from ? from.offset : Number.MAX_SAFE_INTEGER)
      let [page, arrival] = await Promise.all([reading, entering])
      if (!hold.isOn()) return
      if (this.#begin(page, from, arrival))
        while (this.#deliver(page)) {
          this.#restart()
          await this.#drained()
          page = await this.#read(this.#at?.offset ?? 0)
          if (!hold.isOn()) return
        }
      for (const publication of this.#held) this.#deliverHeld(publication)
    } catch (error) {
      if (hold.isOn()) throw error
    } finally {
      hold.end()
    }
  }

  #read(after: number): Promise<HistoryPage> {
    return this.#owner.history.read(this.#channel, { after, limit: PAGE })
  }

  #hold(publication: Delivery): void {
    if (this.#held.length >= HELD) {
      this.#held = []
      this.#isShort = true
    }
    this.#held.push(publication)
  }

  #restart(): void {
    if (this.#isShort) this.#held = []
    this.#isShort = false
  }

  /** Sends the notice. @returns whether there is a page to be delivered */
  #begin(page: HistoryPage, from: ClaimedPosition | undefined, arrival: Arrival | undefined): boolean {
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
  #deliver({ publications, position }: HistoryPage): boolean {
    for (const publication of publications) {
      const { offset = 0 } = publication
      if (offset !== (this.#at?.offset ?? 0) + 1) this.#skipTo(offset - 1)
      this.#owner.hub.deliverTo(this.#socket, publication)
      this.#moveTo(offset)
    }
    const isLast = publications.length < PAGE
    if (isLast && position.offset > (this.#at?.offset ?? 0)) this.#skipTo(position.offset)
    return !isLast || this.#isShort
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

  #deliverHeld(publication: Delivery): void {
    const { epoch, offset = 0 } = publication
    if (epoch !== undefined && this.#at) {
      if (epoch === this.#at.epoch && offset <= this.#at.offset) return
      if (epoch !== this.#at.epoch) this.#restartIn(epoch, offset - 1)
    }
    this.#owner.hub.deliverTo(this.#socket, publication)
  }

  /** Resolves when the socket has read most of what it was given. */
  async #drained(): Promise<void> {
    this.#socket.flush()
    while (!this.#socket.isClosed && this.#socket.backlog > this.#owner.backlog) {
      await new Promise<void>((resolve) => startTimer(PATIENCE, resolve))
    }
  }
}

/** Why a client that was at `from` cannot get all since, if it can't. */
function gapBetween(from: Position, { position, publications }: HistoryPage): GapReason | undefined {
  const isSame = position.epoch === from.epoch || (from.offset === 0 && isNext(from.epoch, position.epoch))
  if (!isSame || from.offset > position.offset) return 'epoch_changed'
  const next = publications[0]?.offset
  return position.offset > from.offset && next !== from.offset + 1 ? 'trimmed' : undefined
}
