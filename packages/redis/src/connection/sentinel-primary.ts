import { Master, type MasterOwner, type Masters } from './primaries.js'
import { Connection } from './redis-connection.js'
import type { Client, SentinelSource } from './redis-handle.js'

/** What a {@link SentinelMaster} needs. */
export interface SentinelMasterOwner extends Omit<MasterOwner, 'open' | 'isCluster' | 'isReplaceable'> {
  readonly source: SentinelSource
}

/**
 * The master that sentinels name. A connection to one of them says at once when it is another: the one before may still take
 * what it is told, though all of that will be lost.
 */
export class SentinelMaster implements Masters {
  readonly #owner: SentinelMasterOwner
  readonly #master: Master
  readonly #sentinel: Connection
  readonly #listeners = new Set<() => void>()

  constructor(owner: SentinelMasterOwner) {
    const { source } = owner
    this.#owner = owner
    this.#master = new Master({ ...owner, open: () => source.open(), isCluster: false, isReplaceable: true })
    this.#sentinel = new Connection({
      ...owner,
      name: 'sentinel',
      open: async () => source.openSentinel(),
      prepare: (client) => client.subscribe(['+switch-master'], (message) => this.#hear(message)),
      ready: () => void this.check(),
    })
  }

  /** Calls a listener when there is another master. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  masterOf(): Master {
    return this.#master
  }

  run<Result>(_key: string, use: (client: Client) => Promise<Result>): Promise<Result> {
    return this.#master.connection.run(use)
  }

  /** Asks who is the master, in case it was not heard. */
  async check(): Promise<void> {
    const { source } = this.#owner
    const command = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', source.masterName]
    const answer = await this.#sentinel.run((client) => client.sendCommand(command)).catch(() => null)
    if (Array.isArray(answer)) this.#compare(answer[0], answer[1])
  }

  async close(): Promise<void> {
    await Promise.all([this.#sentinel.close(), this.#master.connection.close()])
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
    this.#master.connection.renew(new Error('there is another master'))
    for (const listener of this.#listeners) listener()
  }
}
