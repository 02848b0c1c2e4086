import type { Script } from '../scripts/script.js'
import { type ConnectionOwner, RedisConnection } from './redis-connection.js'
import type { RedisHandle } from './redis-handle.js'
import { askSharding, isSharded } from './sharding.js'

/** What a {@link Primary} needs. */
export interface PrimaryOwner extends Omit<ConnectionOwner, 'prepare'> {
  /** What is run on it. */
  readonly scripts: readonly Script[]
  readonly isCluster: boolean
  /** Whether another may take its place, which need not have all that it had. */
  readonly isReplaceable: boolean
  /** Learns what is to be known of it on each new connection, before anybody else uses it. */
  learn(client: RedisHandle, primary: Primary): Promise<unknown>
}

/** A Redis that has keys, and the connection on which it gets commands. */
export class Primary {
  readonly connection: RedisConnection
  #run = ''

  constructor(owner: PrimaryOwner) {
    this.connection = new RedisConnection({ ...owner, prepare: (client) => this.#prepare(client, owner) })
  }

  /**
   * Names this run of its process, where another may take its place; else it is empty. Who sees another one knows that the
   * latest may be lost.
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

/** The one Redis there is, or the primaries of a cluster. All that fails, fails with `engine_unavailable`. */
export interface Primaries {
  /** Who has a key, as far as is known. */
  primaryOf(key: string): Primary | undefined
  /** Uses the connection to who has the key, in the order of the calls. @throws RpcError `engine_unavailable` */
  run<Result>(key: string, use: (client: RedisHandle) => Promise<Result>): Promise<Result>
  /** Looks now and then whether all is as it was. */
  check(): Promise<void>
  close(): Promise<void>
}

/** The one Redis there is: it has every key. */
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
