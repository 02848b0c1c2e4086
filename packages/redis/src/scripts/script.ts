import { createHash } from 'node:crypto'

/**
 * The functions of all scripts. The time is that of Redis, not of the nodes' clocks. Offsets and
 * times are written as integers, because Lua writes large numbers as powers of ten. `append` adds
 * an entry to a log and publishes it, so that messages have the order of the offsets. Everything
 * that can fail, such as a key of the wrong type, fails before the first write. A log without its
 * meta key begins a new epoch. The id is greater than those of the log, and than `after`. Entries
 * that a node has received may be missing in the log, and the clock of a replica that took over may
 * be behind.
 */
const LIBRARY = `
local DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function int(number)
  return string.format('%.0f', number)
end

local function idAt(time, random)
  local text = ''
  for _ = 1, 10 do
    local digit = time % 32
    text = DIGITS:sub(digit + 1, digit + 1) .. text
    time = (time - digit) / 32
  end
  return text .. random
end

local function idAfter(id)
  for at = #id, 1, -1 do
    local digit = DIGITS:find(id:sub(at, at), 1, true)
    if digit < 32 then
      return id:sub(1, at - 1) .. DIGITS:sub(digit + 1, digit + 1) .. ('0'):rep(#id - at)
    end
  end
end

local function offsetOf(entry)
  return tonumber(entry[1]:match('^%d+'))
end

local function idOf(entry)
  return entry[2][2]
end

local function trim(log, time)
  for _, entry in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', 2)) do
    if tonumber(entry[2][4]) > time then return end
    redis.call('XDEL', log, entry[1])
  end
end

local function append(letter, meta, log, entry)
  local time = now()
  local known = redis.call('HMGET', meta, 'epoch', 'offset', 'id', 'floor', 'expires')
  local offset = int((tonumber(known[2]) or 0) + 1)
  local epoch = known[1] or entry.epoch
  local id = idAt(time, entry.random)
  for _, floor in ipairs({known[3] or '', known[4] or '', entry.after or ''}) do
    if id <= floor then id = idAfter(floor) end
  end
  if not known[1] and redis.call('TYPE', log).ok == 'stream' then redis.call('DEL', log) end
  local over = time + entry.ttl
  local expires = math.max(tonumber(known[5]) or 0, over)
  redis.call('XADD', log, 'MAXLEN', '=', entry.size, offset .. '-0', 'i', id, 'x', int(over), 'd', entry.payload)
  redis.call('HSET', meta, 'epoch', epoch, 'offset', offset, 'id', id, 'expires', int(expires))
  redis.call('PEXPIREAT', log, int(expires))
  redis.call('PEXPIREAT', meta, int(expires + entry.hold))
  trim(log, time)
  redis.call('PUBLISH', entry.topic, letter .. ' ' .. id .. ' ' .. epoch .. ' ' .. offset .. ' ' .. entry.payload)
  return {id, epoch, offset}
end

-- The offset of the first entry whose id is wanted, as those of all later ones are; there may be holes between them.
local function search(log, offset, isWanted)
  local head = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  if not head then return offset + 1 end
  local low, high = offsetOf(head), offset + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XRANGE', log, int(middle), int(high - 1), 'COUNT', 1)[1]
    if not entry or isWanted(idOf(entry)) then high = middle else low = offsetOf(entry) + 1 end
  end
  return low
end
`

/** A script as it is sent to Redis. */
export interface ScriptText {
  readonly source: string
  /** The hash by which Redis identifies it. */
  readonly sha: string
}

/** A Lua script, which Redis runs atomically. */
export class Script {
  readonly #ordinary: ScriptText
  readonly #sharded: ScriptText

  /** @param body the code after the library */
  constructor(body: string) {
    this.#ordinary = textOf(LIBRARY + body)
    this.#sharded = textOf((LIBRARY + body).replaceAll("'PUBLISH'", "'SPUBLISH'"))
  }

  /** @param isSharded whether it publishes on sharded Redis channels */
  text(isSharded: boolean): ScriptText {
    return isSharded ? this.#sharded : this.#ordinary
  }
}

function textOf(source: string): ScriptText {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}
