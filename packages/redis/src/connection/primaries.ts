import type { Script } from '../scripts/script.js'
import { type ConnectionOwner, RedisConnection } from './redis-connection.js'
import type { RedisHandle } from './redis-handle.js'
import { askSharding, isSharded } from './sharding.js'

/** Dependencies of a {@link Primary}. */
export interface PrimaryOwner extends Omit<ConnectionOwner, 'prepare'> {
  /** The scripts that run on it. */
  readonly scripts: readonly Script[]
  readonly isCluster: boolean
  /** Whether another process with less data may replace it. */
  readonly isReplaceable: boolean
  /** Reads the primary's state on each new connection, before any other use of it. */
  learn(client: RedisHandle, primary: Primary): Promise<unknown>
}

/** A Redis that has keys, and the connection for commands to it. */
export class Primary {
  readonly connection: RedisConnection
  #run = ''

  constructor(owner: PrimaryOwner) {
    this.connection = new RedisConnection({ ...owner, prepare: (client) => this.#prepare(client, owner) })
  }

  /**
   * The id of this run of its process, if another process may replace it; otherwise an empty text.
   * If it changes, the latest data may be lost.
   */
  get run(): string {
    return this.#run
  }

  async #prepare(client: RedisHandle, owner: PrimaryOwner): Promise<void> {
    if (owner.isCluster) await askSharding(client)
    const loaded = owner.scripts.map((script) =>
      client.sendCommand(['SCRIPT', 'LOAD', script.text(isSharded(client)).source]),
    )
    const info = owner.isReplaceable ? client.sendCommand(['INFO', 'server']) : Promise.resolve('')
    await Promise.all([...loaded, info, owner.learn(client, this)])
    this.#run = /^run_id:(\w{12})/m.exec(String(await info))?.[1] ?? ''
  }
}

/** The only Redis, or the primaries of a cluster. All operations fail with `engine_unavailable`. */
export interface Primaries {
  /** Returns the primary of a key, as far as is known. */
  primaryOf(key: string): Primary | undefined
  /**
   * Uses the connection to the key's primary, in the order of the calls. @throws RpcError
   * `engine_unavailable`
   */
  run<Result>(key: string, use: (client: RedisHandle) => Promise<Result>): Promise<Result>
  /** Checks whether the primaries have changed. Called at intervals. */
  check(): Promise<void>
  close(): Promise<void>
}

/** The only Redis, which has every key. */
export class OnePrimary implements Primaries {
  readonly #primary: Primary

  constructor(owner: PrimaryOwner) {
    this.#primary = new Primary(owner)
  }

  primaryOf(): Primary {
    return this.#primary
  }

  run<Result>(_key: string, use: (client: RedisHandle) => Promise<Result>): Promise<Result> {
    return this.#primary.connection.run(use)
  }

  async check(): Promise<void> {}

  close(): Promise<void> {
    return this.#primary.connection.close()
  }
}
