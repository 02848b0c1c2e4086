import type { Followed, LogPosition } from './log-reader.js'
import type { LogKeys } from './scripts/keys.js'
import type { Entry, EntryKind, KeptEntry } from './scripts/messages.js'

/** Dependencies of a {@link LogFollower}. */
export interface FeedOwner {
  readonly kind: EntryKind
  readonly keys: LogKeys
  /** Reads the entries after a position. */
  follow(from: LogPosition | undefined): Promise<Followed>
  /** Receives the next entry. */
  deliver(entry: Entry): void
  /** Receives a message with a position that the log does not have. */
  refuse(entry: Entry): void
}

/** Entries that are held, at most. */
const HELD = 1000

/**
 * Follows one log for this node: it delivers each entry once and in order, however many messages
 * are lost. It knows the position of the last entry. It holds a message that is not the next one,
 * reads the entries between from the log, and delivers them first. It skips entries that the log no
 * longer has: a reader that counts offsets detects this.
 */
export class LogFollower {
  readonly #owner: FeedOwner
  /** It starts when its position is known. While it is behind, it holds messages. */
  #state: 'new' | 'live' | 'behind' | 'ended' = 'new'
  #position: LogPosition | undefined
  #checked: LogPosition | undefined
  #held: Entry[] = []
  #isReading = false

  constructor(owner: FeedOwner) {
    this.#owner = owner
  }

  get keys(): LogKeys {
    return this.#owner.keys
  }

  /** Its position; `undefined` before the first entry that is kept. */
  get position(): LogPosition | undefined {
    return this.#position
  }

  /** Whether its position has not changed since the last check, and nothing waits. */
  get isIdle(): boolean {
    const isIdle = this.#state !== 'live' || this.#checked === this.#position
    this.#checked = this.#position
    return isIdle
  }

  /** A message arrived. */
  receive(entry: Entry): void {
    if (this.#state === 'live' && this.#take(entry)) return
    this.#hold(entry)
    if (this.#state === 'live') this.#catchUp()
  }

  /**
   * Compares its position with its log.
   * @param place the position of the log's latest entry
   * @param seen this follower's own position when that was requested: if it has moved since,
   *   nothing is missing
   */
  check(place: LogPosition | undefined, seen: LogPosition | undefined): void {
    if (this.#state === 'ended') return
    if (this.#state === 'new') this.#start(place)
    else if (this.#state === 'behind') this.#catchUp()
    else if (this.#position === seen && !isSame(place, seen)) {
      if (place) this.#catchUp()
      else this.#position = undefined
    }
  }

  /** Stops delivering. */
  end(): void {
    this.#state = 'ended'
    this.#held = []
  }

  #start(place: LogPosition | undefined): void {
    this.#position = place
    this.#state = 'behind'
    this.#release()
    if (this.#state === 'behind') this.#catchUp()
  }

  #hold(entry: Entry): void {
    if (this.#state === 'ended') return
    if (this.#held.length >= HELD) {
      // Kept entries are read again; the others are delivered now.
      for (const held of this.#held.splice(0)) if (held.offset === undefined) this.#deliver(held)
    }
    this.#held.push(entry)
  }

  /**
   * @returns whether the entry is done: it was the next one and is delivered, or was delivered
   *   before
   */
  #take(entry: Entry): boolean {
    const { epoch, offset, id } = entry
    if (epoch === undefined || offset === undefined) {
      this.#deliver(entry)
      return true
    }
    const at = this.#position
    if (at !== undefined && at.epoch !== epoch) return false
    const isNext = offset === (at?.offset ?? 0) + 1
    if (isNext) this.#pass({ ...entry, epoch, offset })
    return isNext || (at !== undefined && isKnown({ offset, id }, at))
  }

  /** Returns whether it is before this position, possibly in an epoch that has ended since. */
  #isPast({ id }: Entry): boolean {
    return this.#position !== undefined && id <= this.#position.id
  }

  #pass(entry: KeptEntry): void {
    // A copy, so that the entry's payload does not stay in memory. The position moves first,
    // whatever the listener does.
    this.#position = { epoch: entry.epoch, offset: entry.offset, id: entry.id }
    this.#deliver(entry)
  }

  #deliver(entry: Entry): void {
    if (this.#state !== 'ended') this.#owner.deliver(entry)
  }

  #catchUp(): void {
    this.#state = 'behind'
    if (this.#isReading) return
    this.#isReading = true
    // A failure is tried again at the next check; the connection has reported it.
    this.#read()
      .catch(() => {})
      .finally(() => {
        this.#isReading = false
      })
  }

  async #read(): Promise<void> {
    while (this.#state === 'behind') {
      const early = this.#held
      this.#held = []
      try {
        await this.#follow()
      } catch (error) {
        this.#held.unshift(...early)
        throw error
      }
      // They arrived before the log was read, so the log has them, if they are real.
      for (const entry of early) if (!this.#take(entry) && !this.#isPast(entry)) this.#owner.refuse(entry)
      this.#release()
    }
  }

  async #follow(): Promise<void> {
    for (let isEnd = false; !isEnd && this.#state === 'behind'; ) {
      const followed = await this.#owner.follow(this.#position)
      for (const entry of followed.entries) this.#pass(entry)
      this.#position = followed.place
      isEnd = followed.isEnd
    }
  }

  /** Continues with the held entries, as far as none is missing. */
  #release(): void {
    const held = this.#held
    const stop = held.findIndex((entry) => !this.#take(entry))
    this.#held = stop < 0 ? [] : held.slice(stop)
    if (stop < 0 && this.#state === 'behind') this.#state = 'live'
  }
}

/**
 * Returns whether an entry was delivered before. Another id at the latest offset means that the log
 * has lost the entry of this offset.
 */
function isKnown({ offset, id }: Pick<LogPosition, 'offset' | 'id'>, at: LogPosition): boolean {
  return offset === at.offset ? id === at.id : offset < at.offset && id < at.id
}

function isSame(one: LogPosition | undefined, other: LogPosition | undefined): boolean {
  return one?.epoch === other?.epoch && one?.offset === other?.offset && one?.id === other?.id
}
