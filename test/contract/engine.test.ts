/** The contract's own proof: an engine of several nodes that keeps it, in one process. */
import { type BrokerListener, type Engine, MemoryEngine } from '@token-socket/server'
import sinon from 'sinon'
import { type EngineLimits, engineContract } from './engine.js'

/** What the nodes of one case share. */
class Store {
  readonly nodes = new Set<Node>()
  readonly tickets: Engine['tickets']

  constructor(limits: EngineLimits = {}) {
    this.tickets = new MemoryEngine(limits).tickets
  }
}

class Node implements Engine {
  readonly name = 'test'
  readonly shared = true
  readonly tickets: Engine['tickets']
  readonly broker: Engine['broker']
  readonly channels = new Set<string>()
  readonly #store: Store
  #listener: BrokerListener | undefined

  constructor(store: Store) {
    this.#store = store
    this.tickets = store.tickets
    store.nodes.add(this)
    this.broker = {
      listen: (listener) => {
        this.#listener = listener
      },
      subscribe: async (channel) => void this.channels.add(channel),
      unsubscribe: async (channel) => void this.channels.delete(channel),
      publish: async (channel, json) => {
        for (const node of this.#store.nodes) {
          if (node.channels.has(channel)) node.#listener?.publication(channel, json)
        }
      },
      broadcast: async (json) => {
        for (const node of this.#store.nodes) node.#listener?.broadcast(json)
      },
      command: async (command) => {
        for (const node of this.#store.nodes) node.#listener?.command(command)
      },
    }
  }

  async close(): Promise<void> {
    this.#store.nodes.delete(this)
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
      const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      return { pass: (ms) => void clock.tick(ms), restore: () => clock.restore() }
    },
  },
)
