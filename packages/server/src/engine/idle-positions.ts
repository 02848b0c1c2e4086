import { AgingMap } from './aging-map.js'

/** The position of a channel that keeps no publications any more. */
export interface IdlePosition {
  /** Identifies the epoch, together with {@link begun}. */
  readonly generation: number
  /** When the epoch began, in milliseconds since 1970. */
  readonly begun: number
  readonly offset: number
  /** When its last publication expired, in milliseconds since 1970. */
  readonly expires: number
}

/** Numbers of one position. */
const FIELDS = 4

/** The initial number of slots. */
const FIRST = 64

/**
 * Positions of channels that keep nothing any more, by the channels' names. Clients choose the
 * names, and each is kept for a day. So a channel has no object, only its name and four numbers,
 * some hundred bytes together.
 */
export class IdlePositions {
  /**
   * The slot of a channel in {@link #numbers}. The channel that has been idle for longest is the
   * first.
   */
  readonly #slots = new AgingMap<number>()
  readonly #free: number[] = []
  #numbers = new Float64Array(FIRST * FIELDS)

  get size(): number {
    return this.#slots.size
  }

  get(channel: string): IdlePosition | undefined {
    const slot = this.#slots.get(channel)
    return slot === undefined ? undefined : this.#at(slot)
  }

  /** Adds a channel that is not in it. */
  add(channel: string, { generation, begun, offset, expires }: IdlePosition): void {
    const slot = this.#free.pop() ?? this.#slots.size
    if ((slot + 1) * FIELDS > this.#numbers.length) this.#grow()
    this.#slots.set(channel, slot)
    this.#numbers.set([generation, begun, offset, expires], slot * FIELDS)
  }

  /** @returns whether the channel was in it */
  delete(channel: string): boolean {
    const slot = this.#slots.get(channel)
    if (slot === undefined) return false
    this.#slots.delete(channel)
    this.#free.push(slot)
    return true
  }

  /** Forgets the channel that has been idle for longest. @returns its name */
  deleteOldest(): string | undefined {
    const oldest = this.#slots.takeOldest()
    if (!oldest) return undefined
    this.#free.push(oldest[1])
    return oldest[0]
  }

  /**
   * Removes expired positions among the next ones. @param times in how many calls all are visited
   */
  sweep(times: number, isOver: (position: IdlePosition) => boolean): void {
    this.#slots.lookAt(times, (channel, slot) => isOver(this.#at(slot)) && this.delete(channel))
    if (this.size === 0) this.clear()
  }

  clear(): void {
    this.#slots.clear()
    this.#free.length = 0
    this.#numbers = new Float64Array(FIRST * FIELDS)
  }

  #at(slot: number): IdlePosition {
    const [generation = 0, begun = 0, offset = 0, expires = 0] = this.#numbers.subarray(
      slot * FIELDS,
      (slot + 1) * FIELDS,
    )
    return { generation, begun, offset, expires }
  }

  #grow(): void {
    const numbers = new Float64Array(this.#numbers.length * 2)
    numbers.set(this.#numbers)
    this.#numbers = numbers
  }
}
