import type { Draft, HistoryPage, HistoryQuery, Position, Publication, Retention } from './engine.js'

/** The result of a read, without the position. */
type Read = Pick<HistoryPage, 'publications' | 'more'>

/** Fields that few publications have. */
type Rest = Pick<Draft, 'event' | 'meta' | 'except'>

/**
 * The publications of one channel. Their offsets have no gap, but a publication may expire before
 * an older one.
 *
 * It has a ring for each field instead of a list of objects: the garbage collector then only moves
 * texts and numbers.
 */
export class ChannelHistory {
  readonly epoch: string
  readonly #channel: string
  #offset: number
  #bytes = 0
  #ids: string[] = []
  #jsons: string[] = []
  #rests: (Rest | undefined)[] = []
  #expires: number[] = []
  #lastExpires: number
  /** The number of publications, and the slot of the oldest. */
  #count = 0
  #oldest = 0

  /** @param before the position when it last kept something */
  constructor(
    channel: string,
    epoch: string,
    before: { readonly offset: number; readonly expires: number } = NEVER,
  ) {
    this.#channel = channel
    this.epoch = epoch
    this.#offset = before.offset
    this.#lastExpires = before.expires
  }

  /** About the bytes of its publications. */
  get bytes(): number {
    return this.#bytes
  }

  /** When the last of its publications expires, in milliseconds since 1970. */
  get expires(): number {
    return this.#lastExpires
  }

  /** Whether it keeps nothing. */
  get isEmpty(): boolean {
    return this.#count === 0
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
    this.#bytes += bytesOf(this.#jsons[slot] ?? '', this.#rests[slot])
    this.#lastExpires = Math.max(this.#lastExpires, expires)
    this.#offset += 1
    return { ...draft, id, epoch: this.epoch, offset: this.#offset }
  }

  /** Removes expired publications, from the oldest on. */
  trim(now: number): void {
    while (this.#count > 0 && this.#expiresAt(0) <= now) this.#drop()
  }

  /** Removes the oldest ones until at most this many bytes are left. */
  shrink(bytes: number): void {
    while (this.#bytes > bytes) this.#drop()
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
    this.#bytes -= bytesOf(this.#jsons[slot] ?? '', this.#rests[slot])
    this.#ids[slot] = this.#jsons[slot] = ''
    this.#rests[slot] = undefined
    this.#oldest = (slot + 1) % this.#ids.length
    this.#count -= 1
  }

  /** Doubles the slots; the oldest publication moves to the first. */
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

  /** Returns the slot of the publication that is this many younger than the oldest. */
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

  /**
   * Returns the index of the first publication whose id fulfils a condition that all later ones
   * fulfil as well.
   */
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

/** Bytes of a publication in addition to its texts: its slots, its id. */
const ENTRY = 160

/** Bytes of a JavaScript text of ASCII; other texts take twice as much. */
function bytesOf(json: string, rest: Rest | undefined): number {
  if (!rest) return ENTRY + json.length
  return (
    ENTRY + json.length + (rest.event?.length ?? 0) + (rest.meta?.length ?? 0) + (rest.except?.length ?? 0)
  )
}

const NEVER = { offset: 0, expires: 0 }

function restOf({ channel: _channel, json: _json, ...rest }: Draft): Rest | undefined {
  const { event, meta, except } = rest
  return event === undefined && meta === undefined && except === undefined ? undefined : rest
}
