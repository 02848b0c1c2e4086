import { Script } from './script.js'

/**
 * This node lives. Key: nodes (id → until when it does). Arguments: its id, length of a lease; no length: it is about to
 * end. Answers the ids of those that live.
 */
export const LIVE = new Script(`
local time = now()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(time))
if ARGV[2] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], int(time + ARGV[2]), ARGV[1])
  redis.call('PEXPIRE', KEYS[1], int(ARGV[2] * 2))
end
return redis.call('ZRANGE', KEYS[1], 0, -1)
`)
