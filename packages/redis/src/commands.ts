import type { Client } from './client.js'
import type { Masters } from './masters.js'
import type { Script } from './script.js'
import { isSharded } from './sharding.js'

/** What Redis answers to the commands and scripts of this package. */
export type Reply = readonly (string | null)[]

/**
 * Commands and scripts, for who has their keys; those about one key are carried out in the order of the calls. All fail with
 * `engine_unavailable`.
 */
export class Commands {
  readonly #masters: Masters

  constructor(masters: Masters) {
    this.#masters = masters
  }

  /** How long who has the key has been reachable, in milliseconds; below 0 if it is not. */
  age(key: string): number {
    return this.#masters.masterOf(key)?.connection.age ?? Number.NEGATIVE_INFINITY
  }

  /** @throws RpcError `engine_unavailable` */
  send(name: string, key: string, ...args: readonly string[]): Promise<unknown> {
    return this.#masters.run(key, (client) => client.sendCommand([name, key, ...args]))
  }

  /** @throws RpcError `engine_unavailable` */
  publish(topic: string, message: string): Promise<unknown> {
    return this.#masters.run(topic, (client) =>
      client.sendCommand([isSharded(client) ? 'SPUBLISH' : 'PUBLISH', topic, message]),
    )
  }

  /** Runs a script; if Redis has forgotten it, it is told again. @throws RpcError `engine_unavailable` */
  evaluate(script: Script, keys: readonly string[], args: readonly (string | number)[] = []): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args.map(String)]
    const run = (client: Client) => {
      const { source, sha } = script.text(isSharded(client))
      return client.sendCommand(['EVALSHA', sha, ...rest]).catch((cause) => {
        if (!String(cause).includes('NOSCRIPT')) throw cause
        return client.sendCommand(['EVAL', source, ...rest])
      })
    }
    return this.#masters.run(keys[0] ?? '', run) as Promise<Reply>
  }
}

/** A time to live as Redis takes it: whole milliseconds above 0, up to a number that no clock will show. */
export function wholeTime(ttl: number): number {
  return Math.min(Math.max(1, Math.ceil(ttl)), 2 ** 52)
}
