import type { IncomingMessage } from 'node:http'
import { startTimeout } from '@token-socket/protocol'
import { OwnerCounts } from '../runtime/owner-counts.js'

/** Limits of {@link RequestBodies}. */
export interface BodyLimits {
  /** Bytes of all bodies that are being read. */
  readonly bodyBytes: number
  /** Bytes of those from one address. */
  readonly bodyBytesPerAddress: number
  /** Milliseconds that a body may take to arrive. */
  readonly bodyTimeout: number
}

/** Why a body was not read. `broken_off`: its client has disconnected. */
export type BodyFailure = 'too_large' | 'too_slow' | 'no_room' | 'ended' | 'broken_off'

/** A body that is being read. */
export interface RequestBody {
  /** The whole body, or the failure. */
  readonly result: Promise<Buffer | BodyFailure>
  /** Stops reading: `result` is `ended`. Does nothing once it has settled. */
  end(): void
}

/** The owner of a body, and the body's limit. */
export interface BodyOwner {
  readonly address: string
  /** Bytes. */
  readonly limit: number
  /**
   * Whether its session is not authenticated. Such bodies may use a quarter of the room of their
   * address, and of all room.
   */
  readonly isStranger: boolean
}

/**
 * The share of the room that sessions may use before they are authenticated, so that they cannot
 * block the others.
 */
const STRANGERS = 1 / 4

/**
 * Reads request bodies. It counts the bytes that have arrived, for each address and in total. If a
 * limit is reached, the body that needs more room fails. Each body has a time-out, so that a slow
 * client does not hold its room for long.
 */
export class RequestBodies {
  readonly #limits: BodyLimits
  readonly #all = new BodyRoom(1)
  readonly #strangers = new BodyRoom(STRANGERS)
  #size = 0

  constructor(limits: BodyLimits) {
    this.#limits = limits
  }

  /** How many bodies are being read. */
  get size(): number {
    return this.#size
  }

  /** Bytes that have arrived of those that are being read. */
  get bytes(): number {
    return this.#all.bytes
  }

  /** Starts to read a body. */
  read(request: IncomingMessage, { address, limit, isStranger }: BodyOwner): RequestBody {
    if (Number(request.headers['content-length'] ?? 0) > limit)
      return { result: Promise.resolve('too_large'), end: () => {} }
    const rooms = isStranger ? [this.#strangers, this.#all] : [this.#all]
    const reader = new BodyReader(request, limit, (bytes) => this.#take(rooms, address, bytes))
    const stopTimer = startTimeout(this.#limits.bodyTimeout, () => reader.fail('too_slow'))
    this.#size += 1
    const result = reader.result.finally(() => {
      stopTimer()
      this.#size -= 1
      for (const room of rooms) room.give(address, reader.counted)
    })
    return { result, end: () => reader.fail('ended') }
  }

  /** @returns whether there is room for these bytes; then they are counted */
  #take(rooms: readonly BodyRoom[], address: string, bytes: number): boolean {
    if (!rooms.every((room) => room.has(this.#limits, address, bytes))) return false
    for (const room of rooms) room.take(address, bytes)
    return true
  }
}

/** The bytes of bodies that are being read, of each address and in all. */
class BodyRoom {
  readonly #part: number
  readonly #addresses = new OwnerCounts()
  bytes = 0

  /** @param part the share of the limits */
  constructor(part: number) {
    this.#part = part
  }

  has(limits: BodyLimits, address: string, bytes: number): boolean {
    const { bodyBytes, bodyBytesPerAddress } = limits
    const isInAll = this.bytes + bytes <= bodyBytes * this.#part
    return isInAll && this.#addresses.of(address) + bytes <= bodyBytesPerAddress * this.#part
  }

  take(address: string, bytes: number): void {
    this.bytes += bytes
    this.#addresses.add(address, bytes)
  }

  give(address: string, bytes: number): void {
    this.bytes -= bytes
    this.#addresses.remove(address, bytes)
  }
}

/** Bytes of the first buffer of a body. */
const FIRST_BUFFER = 1024

/**
 * Reads one body into one buffer that grows. A list of small chunks would take many times their
 * bytes.
 */
class BodyReader {
  readonly result: Promise<Buffer | BodyFailure>
  /** Bytes that are counted for it. */
  counted = 0
  readonly #request: IncomingMessage
  readonly #limit: number
  readonly #take: (bytes: number) => boolean
  #buffer = Buffer.alloc(0)
  #settle: (result: Buffer | BodyFailure) => void = () => {}

  constructor(request: IncomingMessage, limit: number, take: (bytes: number) => boolean) {
    this.#request = request
    this.#limit = limit
    this.#take = take
    this.result = new Promise((resolve) => {
      this.#settle = resolve
    })
    request.on('data', this.#data)
    request.on('end', this.#end)
    request.on('close', this.#close)
  }

  fail(why: BodyFailure): void {
    this.#finish(why)
  }

  readonly #data = (chunk: Buffer) => {
    if (this.counted + chunk.length > this.#limit) return this.#finish('too_large')
    if (!this.#take(chunk.length)) return this.#finish('no_room')
    this.#grow(this.counted + chunk.length)
    chunk.copy(this.#buffer, this.counted)
    this.counted += chunk.length
  }

  readonly #end = () => this.#finish(this.#buffer.subarray(0, this.counted))
  readonly #close = () => this.#finish('broken_off')

  #grow(size: number): void {
    if (size <= this.#buffer.length) return
    const wanted = Math.max(FIRST_BUFFER, this.#buffer.length * 2)
    const grown = Buffer.allocUnsafeSlow(Math.max(size, Math.min(wanted, this.#limit)))
    this.#buffer.copy(grown, 0, 0, this.counted)
    this.#buffer = grown
  }

  #finish(result: Buffer | BodyFailure): void {
    this.#request.off('data', this.#data).off('end', this.#end).off('close', this.#close)
    this.#buffer = Buffer.alloc(0)
    this.#settle(result)
  }
}
