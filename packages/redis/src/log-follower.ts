import type { Followed, LogPosition } from './log-reader.js'
import type { LogKeys } from './scripts/keys.js'
import type { Entry, EntryKind, KeptEntry } from './scripts/messages.js'

/** What a {@link LogFollower} needs. */
export interface FeedOwner {
  readonly kind: EntryKind
  readonly keys: LogKeys
  /** Reads what came after a place. */
  follow(from: LogPosition | undefined): Promise<Followed>
  /** The next entry. */
  deliver(entry: Entry): void
  /** A message that says a place which the log has not. */
  refuse(entry: Entry): void
}

/** Entries that are held at most. */
const HELD = 1000

/**
 * One log, as this node hears it: each entry once and in order, however many messages are lost. The node knows the place
 * of the last one it heard. A message that is not the next is held; what is between is read from the log and delivered
 * first. What the log no longer has is left out: a reader that counts offsets sees that.
 */
export class LogFollower {
  readonly #owner: FeedOwner
  /** It begins when its place is known; while it is behind it holds what comes. */
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

  /** Where it is; `undefined` before the first entry that is kept. */
  get position(): LogPosition | undefined {
    return this.#position
  }

  /** Whether it is where it was at the last look, or has something to do. */
  get isIdle(): boolean {
    const isIdle = this.#state !== 'live' || this.#checked === this.#position
    this.#checked = this.#position
    return isIdle
  }

  /** A message came. */
  receive(entry: Entry): void {
    if (this.#state === 'live' && this.#take(entry)) return
    this.#hold(entry)
    if (this.#state === 'live') this.#catchUp()
  }

  /**
   * Compares it with its log.
   * @param place of the log's latest entry
   * @param seen this feed's own place when that was asked for: if it has moved since, nothing is missing
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

  /** Nothing more is delivered. */
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
      // Those that are kept are read again; the others can wait no longer.
      for (const held of this.#held.splice(0)) if (held.offset === undefined) this.#deliver(held)
    }
    this.#held.push(entry)
  }

  /** @returns whether nothing more has to be done: it was the next and is delivered, or was heard before */
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

  /** Whether it stands before this place, if under the name of an epoch that has ended since. */
  #isPast({ id }: Entry): boolean {
    return this.#position !== undefined && id <= this.#position.id
  }

  #pass(entry: KeptEntry): void {
    // A copy: the entry's payload is not to stay in memory. It moves first, whatever the listener does.
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
    // What fails is tried again at the next check: the connection has told of it.
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
      // They came before the log was read, so it has them, if they are real.
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

  /** Goes on with what was held, as far as nothing is missing. */
  #release(): void {
    const held = this.#held
    const stop = held.findIndex((entry) => !this.#take(entry))
    this.#held = stop < 0 ? [] : held.slice(stop)
    if (stop < 0 && this.#state === 'behind') this.#state = 'live'
  }
}

/**
 * Whether an entry was heard before. Another one at the latest offset says that the log has lost
 * what stood there.
 */
function isKnown({ offset, id }: Pick<LogPosition, 'offset' | 'id'>, at: LogPosition): boolean {
  return offset === at.offset ? id === at.id : offset < at.offset && id < at.id
}

function isSame(one: LogPosition | undefined, other: LogPosition | undefined): boolean {
  return one?.epoch === other?.epoch && one?.offset === other?.offset && one?.id === other?.id
}
