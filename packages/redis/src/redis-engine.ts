import { type Broker, type Engine, EventIds, type History } from '@token-socket/server'
import { Commands } from './commands.js'
import { Complaints } from './complaints.js'
import { Connection, openClient } from './connection.js'
import { Keys } from './keys.js'
import { FOLLOW, PUBLISH, READ } from './log-scripts.js'
import { Logs } from './logs.js'
import { type RedisEngineOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { ENTER, LEAVE, MEMBERS, RENEW } from './presence-scripts.js'
import { RedisBroker } from './redis-broker.js'
import { RedisClock } from './redis-clock.js'
import { RedisHistory } from './redis-history.js'
import { RedisPresence } from './redis-presence.js'
import { RedisTickets, TICKET_SCRIPTS } from './redis-tickets.js'
import { StoreName } from './store-name.js'

const SCRIPTS = [PUBLISH, FOLLOW, READ, ENTER, LEAVE, RENEW, MEMBERS, ...TICKET_SCRIPTS]

/**
 * An engine for many nodes, on Redis. It connects by itself, at once and whenever the connection was lost.
 * @throws RpcError `bad_option`
 */
export function redisEngine(options: RedisEngineOptions = {}): RedisEngine {
  return new RedisEngine(options)
}

/**
 * One node's part in what nodes share through Redis. While Redis is away every operation fails with `engine_unavailable`;
 * when it is back, the node hears what was published meanwhile and is kept, in order, and its members are where they were.
 */
export class RedisEngine implements Engine {
  readonly name = 'redis'
  readonly shared = true
  readonly broker: Broker
  readonly history: History
  readonly tickets: RedisTickets
  readonly presence: RedisPresence
  readonly #broker: RedisBroker
  readonly #connection: Connection

  /** @throws RpcError `bad_option` */
  constructor(options: RedisEngineOptions = {}) {
    const settings = resolveOptions(options)
    const keys = new Keys(settings.prefix)
    const complaints = new Complaints(settings.logger)
    const clock = new RedisClock()
    const store = new StoreName(keys.store, clock)
    this.#connection = this.#connect(settings, complaints, { clock, store })
    const commands = new Commands(this.#connection)
    const logs = new Logs(commands, store)
    const shared = { commands, logs, keys, store, complaints, ids: new EventIds(() => clock.now()) }
    const tick = async () => {
      clock.set((await commands.send('TIME')) as string[])
      await store.learn((...args) => commands.send(...args))
    }
    const subscriber = { ...settings, complaints, open: () => openClient(settings) }
    this.#broker = new RedisBroker({ ...shared, ...settings, tick, subscriber })
    this.broker = this.#broker
    this.history = new RedisHistory(logs, keys)
    this.tickets = new RedisTickets(commands, keys, settings.tickets)
    this.presence = new RedisPresence({ ...shared, ...settings, watched: () => this.#broker.watched })
  }

  /** Resolves when it is connected, and hears what other nodes say. @throws RpcError `engine_unavailable` */
  ready(): Promise<void> {
    return this.#broker.ready()
  }

  async close(): Promise<void> {
    this.presence.close()
    await this.#broker.close()
    await this.#connection.close()
  }

  #connect(
    settings: ResolvedOptions,
    complaints: Complaints,
    { clock, store }: { readonly clock: RedisClock; readonly store: StoreName },
  ): Connection {
    return new Connection({
      ...settings,
      name: 'command',
      complaints,
      open: () => openClient(settings),
      prepare: async (client) => {
        const loaded = SCRIPTS.map(({ source }) => client.sendCommand(['SCRIPT', 'LOAD', source]))
        const time = client.sendCommand(['TIME'])
        await Promise.all(loaded)
        clock.set((await time) as string[])
        await store.learn((...args) => client.sendCommand(args))
      },
      ready: () => {
        void this.#broker.check()
        void this.presence.restore()
      },
    })
  }
}
