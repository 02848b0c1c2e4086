import { limitError } from '@token-socket/protocol'
import type { Ticket, Tickets } from '@token-socket/server/engine'
import { type Commands, wholeTime } from './connection/commands.js'
import type { Keys } from './scripts/keys.js'
import { Script } from './scripts/script.js'

/** The suffix of the key of a ticket's owners. No encoded id ends like this. */
const OWNERS = '%owners'

/** The suffix of the key of an owner's revocation. No encoded name ends like this. */
const REVOKED = '%revoked'

/**
 * Adds a function that removes a ticket, also from its owners. Times are in microseconds: a ticket
 * that was requested after its owner's revocation never counts as an earlier one.
 */
function ticketScript(body: string): Script {
  return new Script(`
local function micros()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function drop(index, ticket, names)
  local json, text = redis.call('GETDEL', ticket), redis.call('GETDEL', names)
  local asked, owners = (text or ''):match('^asked (%d+)\\n(.*)$')
  local isRevoked = false
  redis.call('ZREM', index, ticket)
  for owner in (owners or text or ''):gmatch('[^\\n]+') do
    redis.call('ZREM', owner, ticket)
    local revoked = redis.call('GET', owner .. '${REVOKED}')
    if revoked and tonumber(revoked) >= tonumber(asked or 0) then isRevoked = true end
  end
  return json, isRevoked
end
${body}`)
}

/**
 * Keys: the index, the ticket, its owners' names, and for each owner its tickets by the time at
 * which they expire. Arguments: JSON, ttl, limit, milliseconds since its request, and each owner's
 * limit. Answers with 1, or nothing at the limit. An owner over its limit loses its oldest tickets.
 * Expired ones are removed last: once a script has removed anything, Redis lets it write over the
 * limit of its memory.
 */
const PUT = ticketScript(`
local time = now()
local count = redis.call('ZCOUNT', KEYS[1], '(' .. int(time), '+inf')
local lost, owners = {}, {}
for at = 4, #KEYS do
  table.insert(owners, KEYS[at])
  local over = redis.call('ZCOUNT', KEYS[at], '(' .. int(time), '+inf') + 1 - tonumber(ARGV[at + 1])
  if over > 0 then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[at], '(' .. int(time), '+inf', 'LIMIT', 0, over)) do
      if not lost[id] then count = count - 1 end
      lost[id] = true
    end
  end
end
if count >= tonumber(ARGV[3]) and not redis.call('ZSCORE', KEYS[1], KEYS[2]) then return {} end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[1], int(time + ARGV[2]), KEYS[2])
local asked = 'asked ' .. int(micros() - ARGV[4] * 1000) .. '\\n'
if #owners > 0 then redis.call('SET', KEYS[3], asked .. table.concat(owners, '\\n'), 'PX', ARGV[2]) end
for _, owner in ipairs(owners) do
  redis.call('ZADD', owner, int(time + ARGV[2]), KEYS[2])
  local left = redis.call('PTTL', owner)
  if left < tonumber(ARGV[2]) then redis.call('PEXPIRE', owner, ARGV[2]) end
end
for id in pairs(lost) do
  if id ~= KEYS[2] then drop(KEYS[1], id, id .. '${OWNERS}') end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(time))
for _, owner in ipairs(owners) do redis.call('ZREMRANGEBYSCORE', owner, '-inf', int(time)) end
return {'1'}
`)

/**
 * Keys: the index, the ticket, its owners' names. Answers with its JSON, unless an owner was
 * revoked since.
 */
const TAKE = ticketScript(`
local json, isRevoked = drop(KEYS[1], KEYS[2], KEYS[3])
return {not isRevoked and json}
`)

/** Keys: an owner's revocation. Arguments: milliseconds for which it is known. */
const REVOKE = ticketScript(`
redis.call('SET', KEYS[1], int(micros()), 'PX', ARGV[1])
return {}
`)

/** The scripts of tickets. */
export const TICKET_SCRIPTS: readonly Script[] = [PUT, TAKE, REVOKE]

/**
 * Tickets that any node can take. Claimed ids are not limited: only a signer of tokens can create
 * more of them.
 */
export class RedisTickets implements Tickets {
  readonly #commands: Commands
  readonly #keys: Keys
  readonly #limit: number

  constructor(commands: Commands, keys: Keys, limit: number) {
    this.#commands = commands
    this.#keys = keys
    this.#limit = limit
  }

  async put({ id, json, ttl, owners = [], age = 0 }: Ticket): Promise<void> {
    const keys = [...this.#keysOf(id), ...owners.map(({ name }) => this.#keys.ticketOwner(name))]
    const args = [json, wholeTime(ttl), this.#limit, Math.max(0, age), ...owners.map(({ limit }) => limit)]
    const [isPut] = await this.#commands.evaluate(PUT, keys, args)
    if (!isPut) throw limitError('too_many_tickets', { field: 'tickets', limit: this.#limit })
  }

  async take(id: string): Promise<string | undefined> {
    const [json] = await this.#commands.evaluate(TAKE, this.#keysOf(id))
    return json ?? undefined
  }

  /**
   * Returns whether no node has claimed this id yet. @param ttl milliseconds until it may be
   * claimed again
   */
  async claim(id: string, ttl: number): Promise<boolean> {
    const time = String(wholeTime(ttl))
    return (await this.#commands.send('SET', this.#keys.claim(id), '1', 'NX', 'PX', time)) === 'OK'
  }

  async revoke(owner: string, ttl: number): Promise<void> {
    await this.#commands.evaluate(REVOKE, [this.#keys.ticketOwner(owner) + REVOKED], [wholeTime(ttl)])
  }

  async revoked(owner: string): Promise<number | undefined> {
    const micros = await this.#commands.send('GET', this.#keys.ticketOwner(owner) + REVOKED)
    return micros === null ? undefined : Math.floor(Number(micros) / 1000)
  }

  #keysOf(id: string): string[] {
    const ticket = this.#keys.ticket(id)
    return [this.#keys.tickets, ticket, ticket + OWNERS]
  }
}
