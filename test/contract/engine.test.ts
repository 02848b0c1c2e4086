/** The contract's own proof: an engine of several nodes that keeps it, in one process. */
import { type BrokerListener, type Engine, MemoryEngine, type PresenceEntry } from '@token-socket/server'
import sinon from 'sinon'
import { type EngineLimits, engineContract } from './engine.js'

/** What the nodes of one case share: one engine, which every node hears. */
class Store {
  readonly nodes = new Set<Node>()
  readonly engine: Engine

  constructor(limits: EngineLimits = {}) {
    this.engine = new MemoryEngine(limits)
    this.engine.broker.listen({
      publication: (publication) => {
        for (const node of this.nodes) {
          if (node.channels.has(publication.channel)) node.listener?.publication(publication)
        }
      },
      broadcast: (json) => {
        for (const node of this.nodes) node.listener?.broadcast(json)
      },
      command: (command) => {
        for (const node of this.nodes) node.listener?.command(command)
      },
      presence: (event) => {
        for (const node of this.nodes) {
          if (node.channels.has(event.channel)) node.listener?.presence(event)
        }
      },
    })
  }
}

class Node implements Engine {
  readonly name = 'test'
  readonly shared = true
  readonly tickets: Engine['tickets']
  readonly history: Engine['history']
  readonly presence: Engine['presence']
  readonly broker: Engine['broker']
  readonly channels = new Set<string>()
  listener: BrokerListener | undefined
  readonly #store: Store
  /** What has entered here. */
  readonly #entries = new Map<string, PresenceEntry>()

  constructor(store: Store) {
    const { broker, tickets, history, presence } = store.engine
    this.#store = store
    this.tickets = tickets
    this.history = history
    this.presence = {
      enter: async (entry, limit) => {
        // Its changes are heard by whichever node wants the channel.
        await broker.subscribe(entry.channel)
        const snapshot = await presence.enter(entry, limit)
        this.#entries.set(`${entry.sid} ${entry.channel}`, entry)
        return snapshot
      },
      leave: (entry, grace) => {
        this.#entries.delete(`${entry.sid} ${entry.channel}`)
        return presence.leave(entry, grace)
      },
      members: (channel) => presence.members(channel),
    }
    store.nodes.add(this)
    this.broker = {
      listen: (listener) => {
        this.listener = listener
      },
      subscribe: (channel) => {
        this.channels.add(channel)
        return broker.subscribe(channel)
      },
      unsubscribe: async (channel) => void this.channels.delete(channel),
      publish: (...how) => broker.publish(...how),
      broadcast: (json) => broker.broadcast(json),
      command: (command) => broker.command(command),
    }
  }

  async close(): Promise<void> {
    this.#store.nodes.delete(this)
  }

  /** Its leases end. */
  die(): void {
    this.#store.nodes.delete(this)
    const end = () => {
      for (const entry of this.#entries.values()) void this.#store.engine.presence.leave(entry, 0)
    }
    setTimeout(end, 10_000).unref()
  }
}

engineContract(
  'test',
  (count, limits) => {
    const store = new Store(limits)
    return Array.from({ length: count }, () => new Node(store))
  },
  {
    clock: () => {
      const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
      return { pass: (ms) => void clock.tick(ms), restore: () => clock.restore() }
    },
    kill: (node) => (node as Node).die(),
  },
)
