import type { Client, Connection } from './connection.js'
import type { Script } from './script.js'

/** What Redis answers to the commands and scripts of this package. */
export type Reply = readonly (string | null)[]

/** Commands and scripts, on a connection; they are carried out in the order of the calls. All fail with `engine_unavailable`. */
export class Commands {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** How long Redis has been reachable, in milliseconds; below 0 if it is not. */
  get age(): number {
    return this.#connection.age
  }

  /** @throws RpcError `engine_unavailable` */
  send(...args: readonly string[]): Promise<unknown> {
    return this.#connection.run((client) => client.sendCommand(args))
  }

  /** Runs a script; if Redis has forgotten it, it is told again. @throws RpcError `engine_unavailable` */
  evaluate(script: Script, keys: readonly string[], args: readonly (string | number)[] = []): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args.map(String)]
    const run = (client: Client) =>
      client.sendCommand(['EVALSHA', script.sha, ...rest]).catch((cause) => {
        if (!String(cause).includes('NOSCRIPT')) throw cause
        return client.sendCommand(['EVAL', script.source, ...rest])
      })
    return this.#connection.run(run) as Promise<Reply>
  }
}

/** A time to live as Redis takes it: whole milliseconds above 0, up to a number that no clock will show. */
export function wholeTime(ttl: number): number {
  return Math.min(Math.max(1, Math.ceil(ttl)), 2 ** 52)
}
