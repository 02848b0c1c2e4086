import { TimeoutScheduler } from '@token-socket/protocol'
import { AgingMap } from './aging-map.js'
import type { EvictionListener, PublishOptions, Receipt } from './engine.js'
import { IDEMPOTENCY } from './idempotency.js'

/** An idempotency key, and its owner. */
export type OwnedKey = Pick<PublishOptions, 'idempotencyKey' | 'keyOwner'>

interface Entry {
  readonly receipt: Receipt
  readonly owner: string | undefined
}

/**
 * The receipts of publications with an idempotency key. Their number is limited for each owner and
 * in all. Beyond the limit of an owner, the oldest of that owner is forgotten; beyond the limit in
 * all, the oldest of all.
 */
export class MemoryReceipts {
  /** Each is added once: the oldest is the first. */
  readonly #receipts = new AgingMap<Entry>()
  /** The names of each owner's receipts, oldest first. */
  readonly #owners = new Map<string, Set<string>>()
  readonly #deadlines = new TimeoutScheduler<string>((name) => this.#forget(name))
  readonly #limit: number
  readonly #onevict: EvictionListener

  /** @param limit receipts in all */
  constructor(limit: number, onevict: EvictionListener = () => {}) {
    this.#limit = limit
    this.#onevict = onevict
  }

  get(channel: string, { idempotencyKey: key }: OwnedKey): Receipt | undefined {
    return key === undefined ? undefined : this.#receipts.get(nameOf(channel, key))?.receipt
  }

  put(channel: string, { idempotencyKey: key, keyOwner: owner }: OwnedKey, receipt: Receipt): void {
    if (key === undefined) return
    const name = nameOf(channel, key)
    if (owner !== undefined) this.#own(owner, name)
    if (this.#receipts.size >= this.#limit) this.#forgetOldest()
    this.#receipts.set(name, { receipt, owner })
    this.#deadlines.set(name, IDEMPOTENCY.ttl)
  }

  clear(): void {
    this.#receipts.clear()
    this.#owners.clear()
    this.#deadlines.clear()
  }

  #forgetOldest(): void {
    const oldest = this.#receipts.takeOldest()
    if (!oldest) return
    const [name, { owner }] = oldest
    this.#deadlines.delete(name)
    this.#disown(owner, name)
    this.#onevict('idempotencyKeys')
  }

  #own(owner: string, name: string): void {
    const [oldest] = this.#owners.get(owner) ?? []
    if (oldest !== undefined && (this.#owners.get(owner)?.size ?? 0) >= IDEMPOTENCY.keysPerOwner)
      this.#forget(oldest)
    const names = this.#owners.get(owner) ?? new Set()
    this.#owners.set(owner, names.add(name))
  }

  #forget(name: string): void {
    const owner = this.#receipts.get(name)?.owner
    this.#receipts.delete(name)
    this.#deadlines.delete(name)
    this.#disown(owner, name)
  }

  #disown(owner: string | undefined, name: string): void {
    if (owner === undefined) return
    const names = this.#owners.get(owner)
    names?.delete(name)
    if (names?.size === 0) this.#owners.delete(owner)
  }
}

/** A text that no other pair has. */
function nameOf(channel: string, key: string): string {
  return `${channel.length}:${channel}${key}`
}
