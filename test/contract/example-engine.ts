import { randomUUID } from 'node:crypto'
import {
  type Broker,
  type Draft,
  type Engine,
  EventIds,
  type History,
  type HistoryPage,
  type HistoryQuery,
  IDEMPOTENCY,
  LocalDelivery,
  MemoryEngine,
  MemoryPresence,
  newEpoch,
  type Position,
  type Publication,
  type PublishOptions,
  type Receipt,
  type Retention,
  receiptOf,
  SingleNode,
} from '@token-socket/server/engine'

/** The publications of one channel. */
interface Log {
  readonly epoch: string
  offset: number
  kept: { readonly publication: Publication; readonly expires: number }[]
}

/** Keeps publications in arrays. A store of your own takes their place. */
class ArrayHistory implements History {
  /** Another one after each start, because the arrays are empty then. */
  readonly #store = randomUUID()
  readonly #logs = new Map<string, Log>()

  add(draft: Draft, id: string, { size, ttl }: Retention): Publication {
    const { channel } = draft
    const log = this.#logs.get(channel) ?? { epoch: newEpoch(this.#store), offset: 0, kept: [] }
    this.#logs.set(channel, log)
    log.offset += 1
    const publication = { ...draft, id, epoch: log.epoch, offset: log.offset }
    log.kept.push({ publication, expires: performance.now() + ttl })
    log.kept = log.kept.slice(-size)
    return publication
  }

  async position(channel: string): Promise<Position> {
    const { epoch = newEpoch(this.#store), offset = 0 } = this.#logs.get(channel) ?? {}
    return { epoch, offset }
  }

  async read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    const { limit, bytes = Number.POSITIVE_INFINITY, reverse } = query
    const now = performance.now()
    const kept = (this.#logs.get(channel)?.kept ?? []).filter(({ expires }) => expires > now)
    const found = kept.map(({ publication }) => publication).filter((one) => isWithin(one, query))
    if (reverse) found.reverse()
    let size = 0
    const tooMany = found.findIndex(({ json }, index) => {
      size += Buffer.byteLength(json)
      return index >= limit || (index > 0 && size > bytes)
    })
    const publications = tooMany < 0 ? found : found.slice(0, tooMany)
    return { position: await this.position(channel), publications, more: tooMany >= 0 }
  }
}

/** Whether a publication is between the exclusive bounds of a query. */
function isWithin({ id, offset = 0 }: Publication, { after, before }: HistoryQuery): boolean {
  const isAfter = after === undefined || (typeof after === 'number' ? offset > after : id > after)
  return isAfter && (before === undefined || id < before)
}

/** Remembers the receipts of idempotency keys. */
class Receipts {
  readonly #known = new Map<string, { readonly receipt: Receipt; readonly expires: number }>()
  /** The keys of each owner, the oldest first. */
  readonly #owners = new Map<string, string[]>()

  get(channel: string, { idempotencyKey, keyOwner }: PublishOptions): Receipt | undefined {
    const known = this.#known.get(nameOf(channel, idempotencyKey, keyOwner))
    return known && known.expires > performance.now() ? known.receipt : undefined
  }

  put(channel: string, { idempotencyKey, keyOwner }: PublishOptions, receipt: Receipt): void {
    if (idempotencyKey === undefined) return
    const name = nameOf(channel, idempotencyKey, keyOwner)
    this.#known.set(name, { receipt, expires: performance.now() + IDEMPOTENCY.ttl })
    if (keyOwner === undefined) return
    const names = [...(this.#owners.get(keyOwner) ?? []), name]
    if (names.length > IDEMPOTENCY.keysPerOwner) this.#known.delete(names.shift() ?? '')
    this.#owners.set(keyOwner, names)
  }
}

const nameOf = (...parts: readonly (string | undefined)[]) => JSON.stringify(parts)

/** An engine of one process, with a history and a broker of its own. */
export class ExampleEngine implements Engine {
  readonly name = 'example'
  readonly shared = false
  readonly nodes = new SingleNode()
  readonly history = new ArrayHistory()
  readonly #delivery = new LocalDelivery()
  readonly presence = new MemoryPresence((event) => this.#delivery.presence(event))
  /** What this engine keeps in memory, as every engine may. */
  readonly #memory: MemoryEngine
  readonly tickets: MemoryEngine['tickets']
  readonly broker: Broker
  readonly #ids = new EventIds()
  readonly #receipts = new Receipts()

  constructor(limits: { readonly tickets?: number } = {}) {
    this.#memory = new MemoryEngine(limits)
    this.tickets = this.#memory.tickets
    const delivery = this.#delivery
    this.broker = {
      listen: (listener) => delivery.listen(listener),
      subscribe: async (channel) => delivery.subscribe(channel),
      unsubscribe: async (channel) => delivery.unsubscribe(channel),
      broadcast: async (json) => delivery.broadcast(json),
      command: async (command) => delivery.command(command),
      publish: async (draft, options = {}) => this.#publish(draft, options),
    }
  }

  #publish(draft: Draft, options: PublishOptions): Receipt {
    const known = this.#receipts.get(draft.channel, options)
    if (known) return known
    const id = this.#ids.next()
    const { retention } = options
    const publication = retention ? this.history.add(draft, id, retention) : { ...draft, id }
    const receipt = receiptOf(publication)
    this.#receipts.put(draft.channel, options, receipt)
    // The subscribed node receives it before `publish` resolves.
    this.#delivery.publication(publication)
    return receipt
  }

  async close(): Promise<void> {
    this.presence.clear()
    await this.#memory.close()
  }
}
