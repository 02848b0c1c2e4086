/** The contract's own proof: an engine of several nodes that keeps it, in one process. */

import { type EngineLimits, engineContract } from '@token-socket/engine-tests'
import {
  type BrokerListener,
  type Engine,
  MemoryEngine,
  type MissingAnswer,
  type NodeAnswer,
  type NodeAnswers,
  type NodeAskOptions,
  type Nodes,
  newNodeId,
  type PresenceEntry,
} from '@token-socket/server'
import sinon from 'sinon'

/** What the nodes of one case share: one engine, which every node hears. */
class Store {
  readonly nodes = new Set<Node>()
  readonly engine: MemoryEngine

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

/** The nodes of one store. */
class StoreNodes implements Nodes {
  readonly id = newNodeId()
  readonly #store: Store
  #answer: NodeAnswer = async () => ''
  /** Rejects when the node closes: it answers nothing from then on. */
  readonly #closed: Promise<never>
  close = () => {}

  constructor(store: Store) {
    this.#store = store
    this.#closed = new Promise((_, reject) => {
      this.close = () => reject(new Error('closed'))
    })
    this.#closed.catch(() => {})
  }

  serve(answer: NodeAnswer): void {
    this.#answer = answer
  }

  async list(): Promise<readonly string[]> {
    return [...this.#store.nodes].map(({ nodes }) => nodes.id)
  }

  async ask(question: string, { node, timeout }: NodeAskOptions): Promise<NodeAnswers> {
    const answers = new Map<string, string>()
    const missing = new Map<string, MissingAnswer>()
    const others = [...this.#store.nodes].map(({ nodes }) => nodes).filter((one) => one !== this)
    if (node !== undefined && !others.some(({ id }) => id === node)) missing.set(node, 'unreached')
    const asked = others.filter(({ id }) => node === undefined || id === node)
    const late = (ms: number) => new Promise<never>((_, reject) => setTimeout(reject, ms).unref())
    const ask = async (one: StoreNodes) => {
      const said = await Promise.race([one.#answer(question), one.#closed, late(timeout)]).catch(
        () => undefined,
      )
      if (said === undefined) missing.set(one.id, 'silent')
      else answers.set(one.id, said)
    }
    await Promise.all(asked.map(ask))
    return { answers, missing }
  }
}

class Node implements Engine {
  readonly name = 'test'
  readonly shared = true
  readonly tickets: Engine['tickets']
  readonly history: Engine['history']
  readonly presence: Engine['presence']
  readonly rates: NonNullable<Engine['rates']>
  readonly broker: Engine['broker']
  readonly nodes: StoreNodes
  readonly channels = new Set<string>()
  listener: BrokerListener | undefined
  readonly #store: Store
  /** What has entered here. */
  readonly #entries = new Map<string, PresenceEntry>()

  constructor(store: Store) {
    const { broker, tickets, history, presence, rates } = store.engine
    this.#store = store
    this.nodes = new StoreNodes(store)
    this.tickets = tickets
    this.rates = rates
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
    this.nodes.close()
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
