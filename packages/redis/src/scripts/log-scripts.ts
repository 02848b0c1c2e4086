import { POSITION_TTL } from '@token-socket/server/engine'
import { KIND_LETTERS } from './messages.js'
import { Script } from './script.js'

/**
 * Publishes, unless the idempotency key is known. Without a size nothing is kept, and the candidate
 * is the id. Keys: meta, log, and the receipt if there is an idempotency key. Arguments:
 * - topic, payload, size, ttl, candidate, new epoch;
 * - the milliseconds for which the key is known;
 * - the latest id that the node has received on the channel.
 * Answers with id, epoch and offset, or the id alone.
 */
export const PUBLISH = new Script(`
local known = KEYS[3] and redis.call('GET', KEYS[3])
if known then
  local receipt = {}
  for word in known:gmatch('%S+') do table.insert(receipt, word) end
  return receipt
end
local receipt
if ARGV[3] == '' then
  receipt = {ARGV[5]}
  redis.call('PUBLISH', ARGV[1], '${KIND_LETTERS.publication} ' .. ARGV[5] .. ' - ' .. ARGV[2])
else
  receipt = append('${KIND_LETTERS.publication}', KEYS[1], KEYS[2], {
    topic = ARGV[1], payload = ARGV[2], size = ARGV[3], ttl = tonumber(ARGV[4]),
    hold = ${POSITION_TTL}, random = ARGV[5]:sub(11), epoch = ARGV[6],
    after = ARGV[8]
  })
end
if KEYS[3] then redis.call('SET', KEYS[3], table.concat(receipt, ' '), 'PX', ARGV[7]) end
return receipt
`)

/**
 * Reads a page of the kept entries. Keys: meta, log. Arguments:
 * - the offset after which, the id after which, the id before which, the offset before which, each
 *   empty for none;
 * - the limit, and '1' for the latest first;
 * - the bytes of payload that a page may have, empty for any; the first entry may be larger.
 * Answers with epoch, offset, the start of the next page (empty at the end), and '1' if the bytes
 * ended it. The offset, id and payload of each entry follow. The answer is empty for a channel that
 * never kept any.
 */
export const READ = new Script(`
local MOST = 1000
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
if not meta[1] then return {} end
local log, offset, limit, isReverse = KEYS[2], tonumber(meta[2]), tonumber(ARGV[5]), ARGV[6] == '1'
local bytes, isFull, isFirst = tonumber(ARGV[7]), false, true
local reply, time, left = {meta[1], meta[2], '', ''}, now(), math.min(limit, MOST)
if limit == 0 then return reply end
local first, last = 1, offset
if ARGV[1] ~= '' then first = tonumber(ARGV[1]) + 1
elseif ARGV[2] ~= '' then first = search(log, offset, function(id) return id > ARGV[2] end) end
if ARGV[4] ~= '' then last = math.min(last, tonumber(ARGV[4]) - 1)
elseif ARGV[3] ~= '' then last = search(log, offset, function(id) return id >= ARGV[3] end) - 1 end

local examined = 0
while left > 0 and first <= last and examined < MOST and not isFull do
  local page
  -- With a bound in bytes, a few at a time: what is read beyond it is for nothing.
  local count = bytes and math.min(left, 16) or left
  if isReverse then page = redis.call('XREVRANGE', log, int(last), int(first), 'COUNT', count)
  else page = redis.call('XRANGE', log, int(first), int(last), 'COUNT', count) end
  if #page == 0 then return reply end
  for _, entry in ipairs(page) do
    local fields = entry[2]
    local isKept = tonumber(fields[4]) > time
    if bytes and isKept then
      bytes = bytes - #fields[6]
      if bytes < 0 and not isFirst then
        isFull, reply[4] = true, '1'
        break
      end
      isFirst = false
    end
    examined = examined + 1
    if isReverse then last = offsetOf(entry) - 1 else first = offsetOf(entry) + 1 end
    if isKept then
      left = left - 1
      for _, part in ipairs({int(offsetOf(entry)), fields[2], fields[6]}) do table.insert(reply, part) end
    end
  end
end
if first <= last then reply[3] = int(isReverse and last + 1 or first - 1) end
return reply
`)

/**
 * Reads the entries after a node's position. Redis may have lost that position, because it was
 * restarted, or replaced by a replica that was behind. Offsets are then used a second time: a new
 * epoch begins, and the entries that the node lacks are found by their ids. A log that began again
 * is read from its beginning. Keys: meta, log. Arguments: epoch (empty for none), offset, id, new
 * epoch, limit. Answers with epoch, offset and id of the latest, then offset, id and payload of
 * each.
 */
export const FOLLOW = new Script(`
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'id', 'base')
if not meta[1] then return {} end
local log, epoch, offset = KEYS[2], meta[1], tonumber(meta[2])
local knownOffset, knownId = tonumber(ARGV[2]), ARGV[3]
local function isNew(id) return id > knownId end
local first = 1
if epoch == ARGV[1] then
  local entry = redis.call('XRANGE', log, int(knownOffset), int(knownOffset))[1]
  local isOther = entry and idOf(entry) ~= knownId or offset == knownOffset and meta[3] ~= knownId
  first = knownOffset + 1
  if offset < knownOffset or isOther then
    epoch = ARGV[4]
    local floor = knownId > meta[3] and knownId or meta[3]
    redis.call('HSET', KEYS[1], 'epoch', epoch, 'base', int(offset), 'floor', floor)
    first = search(log, offset, isNew)
  end
elseif meta[4] and ARGV[1] ~= '' then
  first = search(log, offset, isNew)
end
local reply = {epoch, meta[2], meta[3]}
if first > offset then return reply end
for _, entry in ipairs(redis.call('XRANGE', log, int(first), '+', 'COUNT', ARGV[5])) do
  for _, part in ipairs({int(offsetOf(entry)), idOf(entry), entry[2][6]}) do table.insert(reply, part) end
end
return reply
`)
