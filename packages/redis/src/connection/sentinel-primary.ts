import { type Primaries, Primary, type PrimaryOwner } from './primaries.js'
import { RedisConnection } from './redis-connection.js'
import type { RedisHandle, SentinelSource } from './redis-handle.js'

/** Dependencies of a {@link SentinelMaster}. */
export interface SentinelMasterOwner extends Omit<PrimaryOwner, 'open' | 'isCluster' | 'isReplaceable'> {
  readonly source: SentinelSource
}

/**
 * The primary that sentinels name. A connection to a sentinel reports a change at once. The former
 * primary may still accept writes, but all of them will be lost.
 */
export class SentinelMaster implements Primaries {
  readonly #owner: SentinelMasterOwner
  readonly #primary: Primary
  readonly #sentinel: RedisConnection
  readonly #listeners = new Set<() => void>()

  constructor(owner: SentinelMasterOwner) {
    const { source } = owner
    this.#owner = owner
    this.#primary = new Primary({
      ...owner,
      open: () => source.open(),
      isCluster: false,
      isReplaceable: true,
    })
    this.#sentinel = new RedisConnection({
      ...owner,
      name: 'sentinel',
      open: async () => source.openSentinel(),
      prepare: (client) => client.subscribe(['+switch-master'], (message) => this.#hear(message)),
      ready: () => void this.check(),
    })
  }

  /** Calls a listener when the primary changes. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  primaryOf(): Primary {
    return this.#primary
  }

  run<Result>(_key: string, use: (client: RedisHandle) => Promise<Result>): Promise<Result> {
    return this.#primary.connection.run(use)
  }

  /** Asks for the primary, in case a change was missed. */
  async check(): Promise<void> {
    const { source } = this.#owner
    const command = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', source.masterName]
    const answer = await this.#sentinel.run((client) => client.sendCommand(command)).catch(() => null)
    if (Array.isArray(answer)) this.#compare(answer[0], answer[1])
  }

  async close(): Promise<void> {
    await Promise.all([this.#sentinel.close(), this.#primary.connection.close()])
  }

  #hear(message: string): void {
    const [name, oldHost = '', oldPort, host, port] = message.split(' ')
    const { source } = this.#owner
    if (name !== source.masterName) return
    source.replace({ host: oldHost, port: Number(oldPort) })
    this.#compare(host, port)
  }

  #compare(host: unknown, port: unknown): void {
    if (this.#owner.source.isMaster({ host: String(host), port: Number(port) })) return
    this.#primary.connection.renew(new Error('there is another primary'))
    for (const listener of this.#listeners) listener()
  }
}
