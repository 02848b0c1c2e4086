import type { Script } from '../scripts/script.js'
import type { Primaries } from './primaries.js'
import type { RedisHandle } from './redis-handle.js'
import { countsAll, isSharded } from './sharding.js'

/** Redis's reply to the commands and scripts of this package. */
export type Reply = readonly (string | null)[]

/** How many subscribers received a message, and whether the count includes all of them. */
export interface PublishResult {
  readonly count: number
  readonly isExact: boolean
}

/**
 * Sends commands and scripts to the primary of their keys. Those about one key run in the order of
 * the calls. All fail with `engine_unavailable`.
 */
export class Commands {
  readonly #primaries: Primaries
  /** Scripts that wait because Redis has lost its scripts, by client. */
  readonly #waiting = new WeakMap<RedisHandle, Waiting>()

  constructor(primaries: Primaries) {
    this.#primaries = primaries
  }

  /**
   * Returns for how many milliseconds the key's primary has been connected; below 0 if it is not.
   */
  age(key: string): number {
    return this.#primaries.primaryOf(key)?.connection.age ?? Number.NEGATIVE_INFINITY
  }

  /** @throws RpcError `engine_unavailable` */
  send(name: string, key: string, ...args: readonly string[]): Promise<unknown> {
    return this.#primaries.run(key, (client) => client.sendCommand([name, key, ...args]))
  }

  /** @returns how many subscribers received it @throws RpcError `engine_unavailable` */
  publish(topic: string, message: string): Promise<PublishResult> {
    return this.#primaries.run(topic, async (client) => {
      const count = await client.sendCommand([isSharded(client) ? 'SPUBLISH' : 'PUBLISH', topic, message])
      return { count: Number(count), isExact: countsAll(client) }
    })
  }

  /**
   * Runs a script. If Redis has lost it, sends it again, in order. @throws RpcError
   * `engine_unavailable`
   */
  evaluate(script: Script, keys: readonly string[], args: readonly (string | number)[] = []): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args.map(String)]
    const run = (client: RedisHandle) => {
      const { source, sha } = script.text(isSharded(client))
      const tell = () => client.sendCommand(['EVAL', source, ...rest])
      const waiting = this.#waiting.get(client)
      if (waiting) return inTurn(waiting.later, tell)
      return client.sendCommand(['EVALSHA', sha, ...rest]).catch((cause) => {
        if (!String(cause).includes('NOSCRIPT')) throw cause
        return inTurn((this.#waiting.get(client) ?? this.#wait(client)).failed, tell)
      })
    }
    return this.#primaries.run(keys[0] ?? '', run) as Promise<Reply>
  }

  /**
   * Scripts under way fail in the same way. Nothing more is sent until they have failed, because it
   * would overtake them.
   */
  #wait(client: RedisHandle): Waiting {
    const waiting: Waiting = { failed: [], later: [] }
    this.#waiting.set(client, waiting)
    const go = () => {
      this.#waiting.delete(client)
      for (const run of [...waiting.failed, ...waiting.later]) run()
    }
    client.sendCommand(['PING']).then(go, go)
    return waiting
  }
}

/** Scripts to send again: those that have failed, and those called since. */
interface Waiting {
  readonly failed: (() => void)[]
  readonly later: (() => void)[]
}

function inTurn<Result>(waiting: (() => void)[], run: () => Promise<Result>): Promise<Result> {
  return new Promise((resolve) => waiting.push(() => resolve(run())))
}

/**
 * Returns a time to live as Redis accepts it: whole milliseconds above 0, with an upper bound that
 * no clock reaches.
 */
export function wholeTime(ttl: number): number {
  return Math.min(Math.max(1, Math.ceil(ttl)), 2 ** 52)
}
