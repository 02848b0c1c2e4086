import { Script } from './script.js'

/**
 * This node lives. Key: nodes (id → until when it does). Arguments: its id, length of a lease; no length: it is about to
 * end. Answers the ids of those that live. A Redis that takes nothing, as a replica or one without memory, answers all the
 * same: the connection is of use to others.
 */
export const LIVE = new Script(`
local time = now()
redis.pcall('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(time))
if ARGV[2] == '' then
  redis.pcall('ZREM', KEYS[1], ARGV[1])
else
  redis.pcall('ZADD', KEYS[1], int(time + ARGV[2]), ARGV[1])
  redis.pcall('PEXPIRE', KEYS[1], int(ARGV[2] * 2))
end
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. int(time), '+inf')
`)
