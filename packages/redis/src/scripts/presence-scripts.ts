import { KIND_LETTERS } from './messages.js'
import { Script } from './script.js'

/** How many changes a channel keeps for nodes that missed some, and for how many milliseconds. */
const CHANGES = { size: 1000, ttl: 60_000 }

/** Milliseconds after which nothing is left of a channel whose nodes have all died. */
const HOLD = 600_000

/**
 * The functions of all presence scripts. Keys: members (uid → number of entries, `umd`), entries
 * (`<node> <sid> <uid>`), leases (node → end), graces (uid → end), and the log of changes. Names
 * are encoded. Arguments: topic, candidate id, new epoch, node, length of a lease, '1' to remove
 * ended leases. `sweep` removes what has expired. A change is published first, because only that
 * can fail. `sweep` keeps the leases of nodes that may not have been able to renew them. It decides
 * by this node's own lease, which is renewed three times in its length. While Redis stalls, the
 * renewals of nodes wait, and run when all leases have ended.
 */
const LIBRARY = `
local MEMBERS, PLACES, LEASES, GRACES, META, LOG = unpack(KEYS)
local time = now()
-- What this node's own lease has left; nothing if it has none.
local left = redis.call('ZSCORE', LEASES, ARGV[4])
left = left and left - time

local function change(what, uid, umd)
  append('${KIND_LETTERS.change}', META, LOG, {
    topic = ARGV[1], payload = what .. ' ' .. uid .. ' ' .. umd, size = ${CHANGES.size}, ttl = ${CHANGES.ttl},
    hold = ${HOLD}, random = ARGV[2]:sub(11), epoch = ARGV[3]
  })
end

-- The number of places is not there for who is not.
local function member(uid)
  local value = redis.call('HGET', MEMBERS, uid)
  if not value then return nil, '' end
  local count, umd = value:match('^(%d+) (.*)$')
  return tonumber(count), umd
end

local function settle(uid, count, umd)
  if count == 0 and not redis.call('ZSCORE', GRACES, uid) then
    change('left', uid, umd)
    redis.call('HDEL', MEMBERS, uid)
  else
    redis.call('HSET', MEMBERS, uid, int(count) .. ' ' .. umd)
  end
end

local function vacate(place)
  local uid = place:match('%S+$')
  local count, umd = member(uid)
  if count then settle(uid, math.max(0, count - 1), umd) end
  redis.call('SREM', PLACES, place)
end

local function sweep()
  for _, uid in ipairs(redis.call('ZRANGEBYSCORE', GRACES, '-inf', int(time))) do
    local count, umd = member(uid)
    if count == 0 then
      change('left', uid, umd)
      redis.call('HDEL', MEMBERS, uid)
    end
    redis.call('ZREM', GRACES, uid)
  end
  if ARGV[6] ~= '1' or not left or left < ARGV[5] / 3 then return end
  local dead, isAny = {}, false
  for _, node in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', int(time))) do
    dead[node], isAny = true, true
  end
  if not isAny then return end
  for _, place in ipairs(redis.call('SMEMBERS', PLACES)) do
    if dead[place:match('^%S+')] then vacate(place) end
  end
  for node in pairs(dead) do redis.call('ZREM', LEASES, node) end
end

local function hold()
  for at = 1, 5 do redis.call('PEXPIRE', KEYS[at], ${HOLD}) end
end

local function renew()
  redis.call('ZADD', LEASES, int(time + ARGV[5]), ARGV[4])
  hold()
end

local function remainder()
  return left and int(left) or ''
end

local function snapshot()
  local meta = redis.call('HMGET', META, 'epoch', 'offset')
  local reply = {remainder(), meta[1] or '', meta[2] or '0'}
  local members = redis.call('HGETALL', MEMBERS)
  for at = 1, #members, 2 do
    table.insert(reply, members[at])
    table.insert(reply, members[at + 1]:match('^%d+ (.*)$'))
  end
  return reply
end
`

const presenceScript = (body: string) => new Script(LIBRARY + body)

/**
 * More arguments: sid, uid, umd (empty for none), limit, and '1' for a new socket, '0' for one that
 * is sent again in case it was lost. If a '0' is added, its member keeps its umd, which may be that
 * of a later socket. Answers with the rest of the node's lease, empty if it had none. For '1' a
 * snapshot follows (epoch, seq, then uid and umd of each member), unless there are too many
 * members.
 */
export const ENTER = presenceScript(`
local uid, umd = ARGV[8], ARGV[9]
local place = ARGV[4] .. ' ' .. ARGV[7] .. ' ' .. uid
renew()
sweep()
local isThere = redis.call('SISMEMBER', PLACES, place) == 1
local count, old = member(uid)
if ARGV[11] == '0' and isThere and count then umd = old end
if not count then
  if redis.call('HLEN', MEMBERS) >= tonumber(ARGV[10]) then return {remainder()} end
  change('joined', uid, umd)
elseif old ~= umd then
  change('updated', uid, umd)
end
redis.call('ZREM', GRACES, uid)
redis.call('SADD', PLACES, place)
redis.call('HSET', MEMBERS, uid, int((count or 0) + (isThere and 0 or 1)) .. ' ' .. umd)
hold()
return ARGV[11] == '1' and snapshot() or {remainder(), '', '0'}
`)

/** More arguments: sid, uid, grace. Answers with 1 if the entry existed. */
export const LEAVE = presenceScript(`
local uid, grace = ARGV[8], tonumber(ARGV[9])
local place = ARGV[4] .. ' ' .. ARGV[7] .. ' ' .. uid
sweep()
if redis.call('SISMEMBER', PLACES, place) == 0 then return {'0'} end
if grace > 0 then redis.call('ZADD', GRACES, 'GT', int(time + grace), uid) end
vacate(place)
hold()
return {'1'}
`)

/** Renews a node's lease, and sweeps. Answers with the rest of the lease, empty if it had none. */
export const RENEW = presenceScript(`
renew()
sweep()
return {remainder()}
`)

/**
 * Answers with the rest of the node's lease, and a snapshot. A node without a lease cannot have
 * been prevented from renewing one.
 */
export const MEMBERS = presenceScript(`
left = left or tonumber(ARGV[5])
sweep()
return snapshot()
`)
