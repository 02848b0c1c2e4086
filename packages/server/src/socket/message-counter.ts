import { type CloseReason, type PlainError, plainRefusal } from '@token-socket/protocol'
import type { Turns } from '../runtime/turns.js'
import { MessageLimiter, type MessageLimits } from './message-limits.js'
import { MINUTE, Rate } from './rate.js'
import type { RateOwner } from './rate-owner.js'

/**
 * Messages in a second, beyond `limits.rate`, each of which is refused. One more closes the socket.
 */
const REFUSALS = 10_000

/** Dependencies of a {@link MessageCounter} that all sockets of a server share. */
export interface MessageCounterOwner {
  readonly limits: { readonly rate: number; readonly rateRefusals: number }
  /** Limits of a token bucket. @default none */
  readonly messageLimits?: MessageLimits | undefined
  /** The time of the turn by which messages are counted. @default the time of each message */
  readonly turns?: Pick<Turns, 'time'>
}

/** A socket whose messages are counted. */
export interface CountedSocket extends RateOwner {
  closeFor(why: CloseReason): void
}

/**
 * Counts the messages of one socket, each before it is decoded, and closes a socket that keeps
 * exceeding its limits.
 */
export class MessageCounter extends Rate {
  readonly #socket: CountedSocket
  readonly #owner: MessageCounterOwner
  #limiter: MessageLimiter | undefined
  #refusals: Rate | undefined

  constructor(socket: CountedSocket, owner: MessageCounterOwner) {
    super()
    this.#socket = socket
    this.#owner = owner
  }

  /**
   * A message arrived.
   * @returns nothing if it is allowed; why it is refused; or `closed`, if the socket is closed for
   *   it
   */
  take(): PlainError | 'closed' | undefined {
    const { limits, messageLimits, turns } = this.#owner
    const now = turns?.time
    const count = this.count(now)
    if (count > limits.rate) return this.#tooMany(count)
    if (!messageLimits) return undefined
    this.#limiter ??= new MessageLimiter(this.#socket, messageLimits)
    return this.#limiter.take(now)
  }

  /** The last message, which was not refused, does not count for the token buckets after all. */
  restore(): void {
    this.#limiter?.restore()
  }

  /** The library has refused a request. @param code of the error */
  refused(code: string | undefined): void {
    if (code !== 'rate_limited') return
    this.#refusals ??= new Rate(MINUTE)
    const { limits, turns } = this.#owner
    if (this.#refusals.count(turns?.time) > limits.rateRefusals) this.#socket.closeFor('rate_limited')
  }

  #tooMany(count: number): PlainError | 'closed' {
    const { rate: limit } = this.#owner.limits
    if (count <= limit + REFUSALS) return plainRefusal('too_many_messages', { field: 'rate', limit })
    this.#socket.closeFor('too_many_messages')
    return 'closed'
  }
}
