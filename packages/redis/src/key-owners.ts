import { IDEMPOTENCY } from '@token-socket/server/engine'
import type { Commands } from './connection/commands.js'
import type { Keys } from './scripts/keys.js'
import { Script } from './scripts/script.js'

/**
 * Keys: those of an owner. Arguments: the new one, milliseconds for which it is known, how many
 * there may be. Answers with the oldest keys over the limit. Times are in microseconds, which give
 * the order of two keys. Expired keys are removed last, as with tickets.
 */
const ADD = new Script(`
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local over = micros - ARGV[2] * 1000
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not known or tonumber(known) <= over then redis.call('ZADD', KEYS[1], int(micros), ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(over))
local excess = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3])
local gone = {}
if excess <= 0 then return gone end
for at, part in ipairs(redis.call('ZPOPMIN', KEYS[1], excess)) do
  if at % 2 == 1 then table.insert(gone, part) end
end
return gone
`)

/** The scripts of owners of idempotency keys. */
export const KEY_OWNER_SCRIPTS: readonly Script[] = [ADD]

/**
 * Counts the idempotency keys of each owner, over all channels, whose keys may be on any node of a
 * cluster. If this node dies meanwhile, a key over the limit stays until it expires.
 */
export class KeyOwners {
  readonly #commands: Commands
  readonly #keys: Keys

  constructor(commands: Commands, keys: Keys) {
    this.#commands = commands
    this.#keys = keys
  }

  /**
   * Records the receipt of a further key, and removes the oldest if there are too many. Never
   * fails: it only saves memory.
   */
  async add(owner: string, receipt: string): Promise<void> {
    try {
      const args = [receipt, IDEMPOTENCY.ttl, IDEMPOTENCY.keysPerOwner]
      const gone = await this.#commands.evaluate(ADD, [this.#keys.keysOf(owner)], args)
      await Promise.all(gone.map((key) => key !== null && this.#commands.send('DEL', key)))
    } catch {
      // The publication fails for the same reason, or it needs no room.
    }
  }
}
