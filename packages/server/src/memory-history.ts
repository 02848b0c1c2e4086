import { randomBytes } from 'node:crypto'
import { startTimer } from '@token-socket/protocol'
import type { Draft, History, HistoryPage, HistoryQuery, Position, Publication, Retention } from './engine.js'
import { newEpoch, POSITION_TTL } from './epoch.js'

/** One channel's publications. Their offsets have no gap, but a publication may expire before an older one. */
class ChannelHistory {
  readonly epoch: string
  offset = 0
  #kept: Publication[] = []
  /** When each is over, in milliseconds since 1970. A list beside the other costs less than an object for each. */
  #expires: number[] = []
  #lastExpires = 0
  /** Those before this index are gone: they are cut off together, now and then. */
  #first = 0

  constructor(epoch: string) {
    this.epoch = epoch
  }

  get position(): Position {
    return { epoch: this.epoch, offset: this.offset }
  }

  add(draft: Draft, id: string, { size, ttl }: Retention): Publication {
    const expires = Date.now() + ttl
    this.offset += 1
    const publication = { ...draft, id, epoch: this.epoch, offset: this.offset }
    this.#kept.push(publication)
    this.#expires.push(expires)
    this.#lastExpires = Math.max(this.#lastExpires, expires)
    if (this.#kept.length - this.#first > size) this.#first = this.#kept.length - size
    this.#cut()
    return publication
  }

  /** Forgets those whose time is over, from the oldest on. */
  trim(now: number): void {
    while ((this.#expires[this.#first] ?? Number.POSITIVE_INFINITY) <= now) this.#first += 1
    this.#cut()
  }

  /** Whether it may be forgotten: clients that come back after that are told that the epoch has changed. */
  isOver(now: number): boolean {
    return this.#first === this.#kept.length && this.#lastExpires + POSITION_TTL <= now
  }

  read({ after, before, limit, reverse }: HistoryQuery): Publication[] {
    const start = after === undefined ? this.#first : this.#indexAfter(after)
    const end = before === undefined ? this.#kept.length : this.#indexOf(before)
    const now = Date.now()
    const found: Publication[] = []
    const step = reverse ? -1 : 1
    for (let at = reverse ? end - 1 : start; at >= start && at < end && found.length < limit; at += step) {
      const kept = this.#kept[at]
      if (kept && (this.#expires[at] ?? 0) > now) found.push(kept)
    }
    return found
  }

  #cut(): void {
    // Half of the list at once: each publication is moved once on average.
    if (this.#first <= this.#kept.length / 2) return
    this.#kept.splice(0, this.#first)
    this.#expires.splice(0, this.#first)
    this.#first = 0
  }

  #indexAfter(after: string | number): number {
    return typeof after === 'string'
      ? this.#search(({ id }) => id > after)
      : this.#search(({ offset = 0 }) => offset > after)
  }

  #indexOf(before: string): number {
    return this.#search(({ id }) => id >= before)
  }

  /** The index of the first of which it is true, as it is of all after that one. */
  #search(isWanted: (publication: Publication) => boolean): number {
    let low = this.#first
    let high = this.#kept.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const kept = this.#kept[middle]
      if (kept && isWanted(kept)) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** Milliseconds between two sweeps. */
const SWEEP = 1000

/** Every channel is looked at once in so many sweeps, so that no sweep stalls the process. */
const SWEEPS = 30

/** Keeps publications in this process's memory. */
export class MemoryHistory implements History {
  readonly #channels = new Map<string, ChannelHistory>()
  #store = randomBytes(8).toString('base64url')
  #round: Iterator<[string, ChannelHistory]> = [].values()
  #stopTimer: (() => void) | undefined

  /** Keeps a publication. @returns it with its place */
  add(draft: Draft, id: string, retention: Retention): Publication {
    return this.#find(draft.channel).add(draft, id, retention)
  }

  async read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    const history = this.#channels.get(channel) ?? new ChannelHistory(newEpoch(this.#store))
    return { position: history.position, publications: history.read(query) }
  }

  async position(channel: string): Promise<Position> {
    return (await this.read(channel, { limit: 0 })).position
  }

  clear(): void {
    this.#channels.clear()
    this.#store = randomBytes(8).toString('base64url')
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }

  #find(channel: string): ChannelHistory {
    const found = this.#channels.get(channel)
    if (found) return found
    const made = new ChannelHistory(newEpoch(this.#store))
    this.#channels.set(channel, made)
    this.#stopTimer ??= startTimer(SWEEP, () => this.#sweep())
    return made
  }

  #sweep(): void {
    const now = Date.now()
    for (let left = Math.ceil(this.#channels.size / SWEEPS); left > 0; left -= 1) {
      const [channel, history] = this.#nextOfRound()
      history.trim(now)
      if (history.isOver(now)) this.#channels.delete(channel)
    }
    this.#stopTimer = this.#channels.size > 0 ? startTimer(SWEEP, () => this.#sweep()) : undefined
  }

  /** There is at least one channel. */
  #nextOfRound(): [string, ChannelHistory] {
    const next = this.#round.next()
    if (!next.done) return next.value
    this.#round = this.#channels.entries()
    return this.#nextOfRound()
  }
}
