import { limitError } from '@token-socket/protocol'
import { TokenBucket } from '../runtime/token-bucket.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { RuleRate } from './publishing-rules.js'

/** Dependencies of {@link RuleRates}. */
export interface RuleRatesOwner {
  /**
   * Returns the rates of a socket's publications of an event on a channel. Each of them has to have
   * room.
   */
  rates(channel: string, event: string | undefined): readonly RuleRate[]
}

/** A client's publication, its channel and event. */
export interface RatedPublication {
  readonly channel: string
  readonly event?: string | undefined
}

/** Buckets of one socket that are not full: channels times rates. Clients choose the channels. */
export const BUCKETS_PER_SOCKET = 1024

/** New buckets after which full ones are removed. */
const SWEPT_EACH = 64

const NOTHING_TAKEN = () => {}

/**
 * Limits each socket to the rates of channel rules, on each channel. A full bucket is removed,
 * because a new one is the same.
 */
export class RuleRates {
  readonly #owner: RuleRatesOwner
  readonly #buckets = new WeakMap<ServerSocket, Map<string, TokenBucket>>()

  constructor(owner: RuleRatesOwner) {
    this.#owner = owner
  }

  /** How many buckets a socket has. */
  sizeFor(socket: ServerSocket): number {
    return this.#buckets.get(socket)?.size ?? 0
  }

  /**
   * Counts a publication for all of its rates, or for none.
   * @param now milliseconds of a clock that does not jump
   * @returns a function that takes it back, if the publication is refused for another reason
   * @throws RpcError `rate_limited`, with `data: { field, limit, retryAfter, channel, event }`
   */
  take(socket: ServerSocket, publication: RatedPublication, now = performance.now()): () => void {
    const { channel, event } = publication
    const rates = this.#owner.rates(channel, event)
    if (rates.length === 0) return NOTHING_TAKEN
    const taken: TokenBucket[] = []
    const restore = () => {
      for (const bucket of taken) bucket.restore()
    }
    for (const rate of rates) {
      const bucket = this.#bucketOf(socket, [rate, publication], now)
      const wait = typeof bucket === 'number' ? bucket : bucket.take(1, now)
      if (typeof bucket === 'object' && wait === 0) taken.push(bucket)
      else {
        restore()
        throw over(rate, publication, wait)
      }
    }
    return restore
  }

  /** @returns the bucket, or the milliseconds until there is room for another one */
  #bucketOf(
    socket: ServerSocket,
    [rate, { channel }]: readonly [RuleRate, RatedPublication],
    now: number,
  ): TokenBucket | number {
    const buckets = this.#buckets.get(socket) ?? new Map<string, TokenBucket>()
    const key = `${rate.id} ${channel}`
    const known = buckets.get(key)
    if (known) return known
    this.#buckets.set(socket, buckets)
    const wait = buckets.size > 0 && buckets.size % SWEPT_EACH === 0 ? makeRoom(buckets, now) : 0
    if (wait > 0) return wait
    const bucket = new TokenBucket(rate)
    buckets.set(key, bucket)
    return bucket
  }
}

/** Removes the full buckets. @returns milliseconds until the next one is full, if none was */
function makeRoom(buckets: Map<string, TokenBucket>, now: number): number {
  let soonest = Number.POSITIVE_INFINITY
  for (const [key, bucket] of buckets) {
    const wait = bucket.fullIn(now)
    if (wait === 0) buckets.delete(key)
    else soonest = Math.min(soonest, wait)
  }
  return buckets.size < BUCKETS_PER_SOCKET ? 0 : soonest
}

function over({ field, perSecond: limit }: RuleRate, publication: RatedPublication, retryAfter: number) {
  const { channel, event } = publication
  return limitError('rate_limited', {
    field,
    limit,
    retryAfter,
    channel,
    ...(event !== undefined && { event }),
  })
}
