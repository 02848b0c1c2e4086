import { randomBytes } from 'node:crypto'
import { startTimer } from '@token-socket/protocol'
import type { Draft, History, HistoryPage, HistoryQuery, Position, Publication, Retention } from './engine.js'
import { newEpoch, POSITION_TTL } from './epoch.js'

/** What was found, without the position. */
type Read = Pick<HistoryPage, 'publications' | 'more'>

/** What few publications have. */
type Rest = Pick<Draft, 'event' | 'meta' | 'except'>

/**
 * One channel's publications. Their offsets have no gap, but a publication may expire before an older one.
 *
 * Rings, one for each field, instead of a list of objects: what is kept for a while is what the garbage collector has to
 * carry about, and it carries texts and numbers only.
 */
class ChannelHistory {
  readonly epoch: string
  readonly #channel: string
  #offset = 0
  #ids: string[] = []
  #jsons: string[] = []
  #rests: (Rest | undefined)[] = []
  #expires: number[] = []
  #lastExpires = 0
  /** How many are kept, and the slot of the oldest. */
  #count = 0
  #oldest = 0

  constructor(channel: string, epoch: string) {
    this.#channel = channel
    this.epoch = epoch
  }

  get position(): Position {
    return { epoch: this.epoch, offset: this.#offset }
  }

  add(draft: Draft, id: string, { size, ttl }: Retention): Publication {
    while (this.#count >= size) this.#drop()
    if (this.#count === this.#ids.length) this.#grow()
    const slot = this.#slot(this.#count)
    const expires = Date.now() + ttl
    this.#ids[slot] = id
    this.#jsons[slot] = draft.json
    this.#rests[slot] = restOf(draft)
    this.#expires[slot] = expires
    this.#count += 1
    this.#lastExpires = Math.max(this.#lastExpires, expires)
    this.#offset += 1
    return { ...draft, id, epoch: this.epoch, offset: this.#offset }
  }

  /** Forgets those whose time is over, from the oldest on. */
  trim(now: number): void {
    while (this.#count > 0 && this.#expiresAt(0) <= now) this.#drop()
  }

  /** Whether it may be forgotten: clients that come back after that are told that the epoch has changed. */
  isOver(now: number): boolean {
    return this.#count === 0 && this.#lastExpires + POSITION_TTL <= now
  }

  read({ after, before, limit, bytes = Number.POSITIVE_INFINITY, reverse }: HistoryQuery): Read {
    const start = after === undefined ? 0 : this.#indexAfter(after)
    const end = before === undefined ? this.#count : this.#search((id) => id >= before)
    const now = Date.now()
    const found: Publication[] = []
    const step = reverse ? -1 : 1
    let size = 0
    for (let at = reverse ? end - 1 : start; at >= start && at < end; at += step) {
      if (this.#expiresAt(at) <= now) continue
      if (bytes !== Number.POSITIVE_INFINITY) size += this.#sizeOf(at)
      if (found.length >= limit || (size > bytes && found.length > 0))
        return { publications: found, more: true }
      found.push(this.#publication(at))
    }
    return { publications: found, more: false }
  }

  #drop(): void {
    const slot = this.#oldest
    this.#ids[slot] = this.#jsons[slot] = ''
    this.#rests[slot] = undefined
    this.#oldest = (slot + 1) % this.#ids.length
    this.#count -= 1
  }

  /** Twice as many slots, the oldest in the first. */
  #grow(): void {
    const indices = Array.from({ length: Math.max(4, this.#count * 2) }, (_, index) => index)
    const isKept = (index: number) => index < this.#count
    const slots = indices.map((index) => (isKept(index) ? this.#slot(index) : -1))
    this.#ids = slots.map((slot) => this.#ids[slot] ?? '')
    this.#jsons = slots.map((slot) => this.#jsons[slot] ?? '')
    this.#rests = slots.map((slot) => this.#rests[slot])
    this.#expires = slots.map((slot) => this.#expires[slot] ?? 0)
    this.#oldest = 0
  }

  /** The slot of the one that is so many younger than the oldest. */
  #slot(index: number): number {
    return (this.#oldest + index) % this.#ids.length
  }

  #expiresAt(index: number): number {
    return this.#expires[this.#slot(index)] ?? 0
  }

  #sizeOf(index: number): number {
    const slot = this.#slot(index)
    return Buffer.byteLength(this.#jsons[slot] ?? '') + Buffer.byteLength(this.#rests[slot]?.meta ?? '')
  }

  #publication(index: number): Publication {
    const slot = this.#slot(index)
    return {
      channel: this.#channel,
      json: this.#jsons[slot] ?? 'null',
      ...this.#rests[slot],
      id: this.#ids[slot] ?? '',
      epoch: this.epoch,
      offset: this.#offset - this.#count + index + 1,
    }
  }

  #indexAfter(after: string | number): number {
    if (typeof after === 'string') return this.#search((id) => id > after)
    return Math.min(this.#count, Math.max(0, after - this.#offset + this.#count))
  }

  /** The index of the first whose id it is true of, as it is of all after that one. */
  #search(isWanted: (id: string) => boolean): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isWanted(this.#ids[this.#slot(middle)] ?? '')) high = middle
      else low = middle + 1
    }
    return low
  }
}

function restOf({ channel: _channel, json: _json, ...rest }: Draft): Rest | undefined {
  const { event, meta, except } = rest
  return event === undefined && meta === undefined && except === undefined ? undefined : rest
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
    const history = this.#channels.get(channel) ?? new ChannelHistory(channel, newEpoch(this.#store))
    return { position: history.position, ...history.read(query) }
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
    const made = new ChannelHistory(channel, newEpoch(this.#store))
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
