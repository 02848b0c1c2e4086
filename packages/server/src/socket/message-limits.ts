import { type PlainError, plainRefusal } from '@token-socket/protocol'
import type { Engine } from '../engine/engine.js'
import { SharedRates } from '../engine/shared-rates.js'
import { type BucketSize, TokenBucket } from '../runtime/token-bucket.js'
import { type RateOwner, rateOwnerOf } from './rate-owner.js'

/** Limits of messages; see the server's limits of the same names. `Infinity` is no limit. */
export interface MessageLimitOptions {
  readonly messagesPerSecond: number
  readonly messagesBurst: number
  readonly userMessagesPerSecond: number
  readonly userMessagesBurst: number
}

/**
 * The limits on the messages of a server's sockets: of each socket, and of each user over all
 * nodes.
 */
export class MessageLimits {
  /** Of each socket. @default no limit */
  readonly socket: BucketSize | undefined
  /** Of each user. @default no limit */
  readonly users: SharedRates | undefined
  readonly #limits: MessageLimitOptions

  constructor(limits: MessageLimitOptions, { rates, nodes }: Pick<Engine, 'rates' | 'nodes'>) {
    this.#limits = limits
    const { messagesPerSecond, messagesBurst, userMessagesPerSecond, userMessagesBurst } = limits
    if (isLimit(messagesPerSecond)) this.socket = { perSecond: messagesPerSecond, burst: messagesBurst }
    if (isLimit(userMessagesPerSecond)) {
      const size = { perSecond: userMessagesPerSecond, burst: userMessagesBurst }
      this.users = new SharedRates({ ...size, rates, nodes, prefix: 'messages ' })
    }
  }

  /** Returns nothing if messages are not limited. */
  static of(limits: MessageLimitOptions, engine: Pick<Engine, 'rates' | 'nodes'>): MessageLimits | undefined {
    const isOn = isLimit(limits.messagesPerSecond) || isLimit(limits.userMessagesPerSecond)
    return isOn ? new MessageLimits(limits, engine) : undefined
  }

  /** Makes the error of a refused message. @param retryAfter milliseconds */
  refusal(field: 'messagesPerSecond' | 'userMessagesPerSecond', retryAfter: number): PlainError {
    return plainRefusal('rate_limited', { field, limit: this.#limits[field], retryAfter })
  }
}

/** The messages of one socket, each of which is counted before it is decoded. */
export class MessageLimiter {
  readonly #limits: MessageLimits
  readonly #bucket: TokenBucket | undefined
  readonly #owner: string

  constructor(socket: RateOwner, limits: MessageLimits) {
    this.#limits = limits
    this.#bucket = limits.socket && new TokenBucket(limits.socket)
    this.#owner = limits.users ? rateOwnerOf(socket) : ''
  }

  /**
   * A message arrived.
   * @param now milliseconds of `performance.now()`
   * @returns why it is refused; nothing if it is allowed
   */
  take(now?: number): PlainError | undefined {
    const wait = this.#bucket?.take(1, now) ?? 0
    if (wait > 0) return this.#limits.refusal('messagesPerSecond', wait)
    const userWait = this.#limits.users?.take(this.#owner, now) ?? 0
    if (userWait === 0) return undefined
    this.#bucket?.restore()
    return this.#limits.refusal('userMessagesPerSecond', userWait)
  }

  /** The last allowed message does not count after all. */
  restore(): void {
    this.#bucket?.restore()
    this.#limits.users?.restore(this.#owner)
  }
}

function isLimit(perSecond: number): boolean {
  return perSecond !== Number.POSITIVE_INFINITY
}
