import { limitError } from '@token-socket/protocol'
import { TokenBucket } from '../runtime/token-bucket.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { RuleRate } from './publishing-rules.js'

/** Dependencies of {@link RuleRates}. */
export interface RuleRatesOwner {
  /** How often one socket may publish an event on a channel: all of these have to have room. */
  rates(channel: string, event: string | undefined): readonly RuleRate[]
}

/** What a client publishes where. */
export interface RatedPublication {
  readonly channel: string
  readonly event?: string | undefined
}

/** Buckets that are not full, of one socket: channels times rates. Clients choose the channels. */
export const BUCKETS_PER_SOCKET = 1024

/** After this many new buckets those that are full are looked for. */
const SWEPT_EACH = 64

const NOTHING_TAKEN = () => {}

/**
 * Holds each socket to the rates of channel rules, on each channel. A bucket that is full again is
 * forgotten, since a new one does the same.
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
   * Counts a publication for all rates that mean it, or for none.
   * @param now milliseconds of a clock that does not jump
   * @returns what takes it back: the publication is refused for another reason
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

  /** @returns the bucket, or the milliseconds until there is room for another */
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

/** Forgets the buckets that are full. @returns milliseconds until the next one is, if none was */
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
