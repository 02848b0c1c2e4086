import { Script } from './script.js'

/**
 * Renews a node's lease. Key: nodes (id → end of the lease). Arguments: its id, length of a lease;
 * without a length the node is about to end. Answers with the ids of the living nodes. A Redis that
 * refuses writes, as a replica or without memory, answers all the same, because other operations
 * can use the connection.
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
