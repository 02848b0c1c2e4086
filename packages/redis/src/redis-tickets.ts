import { refusal } from '@token-socket/protocol'
import type { Tickets } from '@token-socket/server'
import { type Commands, wholeTime } from './commands.js'
import type { Keys } from './keys.js'
import { Script } from './script.js'

/**
 * Keys: the index, the ticket. Arguments: JSON, ttl, limit. Answers with 1, or nothing at the limit. What is over is taken away
 * last: once a script has taken anything away, Redis lets it write over the limit of its memory.
 */
const PUT = new Script(`
local time = now()
local count = redis.call('ZCOUNT', KEYS[1], '(' .. int(time), '+inf')
if count >= tonumber(ARGV[3]) and not redis.call('ZSCORE', KEYS[1], KEYS[2]) then return {} end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[1], int(time + ARGV[2]), KEYS[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(time))
return {'1'}
`)

/** Keys: the index, the ticket. Answers with its JSON. */
const TAKE = new Script(`
local json = redis.call('GETDEL', KEYS[2])
redis.call('ZREM', KEYS[1], KEYS[2])
return {json}
`)

/** The scripts of tickets. */
export const TICKET_SCRIPTS: readonly Script[] = [PUT, TAKE]

/** Tickets that any node can take. What is claimed is not counted: only who signs tokens can make more of it. */
export class RedisTickets implements Tickets {
  readonly #commands: Commands
  readonly #keys: Keys
  readonly #limit: number

  constructor(commands: Commands, keys: Keys, limit: number) {
    this.#commands = commands
    this.#keys = keys
    this.#limit = limit
  }

  async put(id: string, json: string, ttl: number): Promise<void> {
    const args = [json, wholeTime(ttl), this.#limit]
    const [isPut] = await this.#commands.evaluate(PUT, [this.#keys.tickets, this.#keys.ticket(id)], args)
    if (!isPut) throw refusal('too_many_tickets', { field: 'tickets', limit: this.#limit })
  }

  async take(id: string): Promise<string | undefined> {
    const [json] = await this.#commands.evaluate(TAKE, [this.#keys.tickets, this.#keys.ticket(id)])
    return json ?? undefined
  }

  /** Whether nobody has claimed this id yet, on whichever node. @param ttl milliseconds until it may be claimed again */
  async claim(id: string, ttl: number): Promise<boolean> {
    const time = String(wholeTime(ttl))
    return (await this.#commands.send('SET', this.#keys.claim(id), '1', 'NX', 'PX', time)) === 'OK'
  }
}
