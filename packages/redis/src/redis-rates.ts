import type { RateGrant, RateRequest, Rates } from '@token-socket/server/engine'
import type { Commands } from './connection/commands.js'
import type { Keys } from './scripts/keys.js'
import { Script } from './scripts/script.js'

/**
 * Keys: the bucket. Arguments: the amount that it regains in a second, its size, and the requested
 * amount. Answers with the taken amount, the remaining one, and the milliseconds until the rest is
 * available. A full bucket has no key. A clock that jumps back adds nothing.
 */
const TAKE = new Script(`
local clock = redis.call('TIME')
local time = clock[1] * 1000 + clock[2] / 1000
local rate, burst, amount = tonumber(ARGV[1]) / 1000, tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = burst
if known[1] and known[2] then
  left = math.min(burst, tonumber(known[1]) + math.max(0, time - tonumber(known[2])) * rate)
end
local granted = math.min(amount, left)
left = left - granted
local function text(number)
  return string.format('%.17g', number)
end
redis.call('HSET', KEYS[1], 'left', text(left), 'at', text(time))
redis.call('PEXPIRE', KEYS[1], int(math.ceil((burst - left) / rate) + 1))
return {text(granted), text(left), int(math.ceil((amount - granted) / rate))}
`)

/** The scripts of rates. */
export const RATE_SCRIPTS: readonly Script[] = [TAKE]

/** Token buckets in Redis, by its own clock. Each is removed once it is full. */
export class RedisRates implements Rates {
  readonly #commands: Commands
  readonly #keys: Keys

  constructor(commands: Commands, keys: Keys) {
    this.#commands = commands
    this.#keys = keys
  }

  /** @throws RpcError `engine_unavailable` */
  async take(key: string, { perSecond, burst, amount }: RateRequest): Promise<RateGrant> {
    const reply = await this.#commands.evaluate(TAKE, [this.#keys.rate(key)], [perSecond, burst, amount])
    const [granted = 0, left = 0, retryAfter = 0] = reply.map(Number)
    return { granted, left, retryAfter }
  }
}
