import { limitError, TimeoutScheduler } from '@token-socket/protocol'
import { AgingMap } from './aging-map.js'
import type { EvictionListener, Ticket, Tickets } from './engine.js'

/** Limits of {@link MemoryTickets}. */
export interface MemoryTicketLimits {
  /** How many tickets may wait, and how many ids of used tokens are remembered. */
  readonly tickets: number
  /** Bytes of the waiting tickets, as JSON. One owner may have a quarter of them. */
  readonly ticketBytes: number
}

/** The share of the bytes that one owner may have. */
const OWNER_SHARE = 1 / 4

/** A waiting ticket. */
interface WaitingTicket extends Pick<Ticket, 'json'> {
  /** When it was requested, by `performance.now()`. */
  readonly asked: number
  readonly bytes: number
  readonly owners: readonly string[]
}

/** The tickets of one owner, the oldest first. */
interface OwnedTickets {
  readonly ids: Set<string>
  bytes: number
}

/** When an owner was revoked. */
interface Revocation {
  /** By `performance.now()`. */
  readonly at: number
  /** Milliseconds since 1970. */
  readonly time: number
}

/** Tickets in this process's memory. */
export class MemoryTickets implements Tickets {
  readonly #tickets = new Map<string, WaitingTicket>()
  readonly #deadlines = new TimeoutScheduler<string>((id) => this.#delete(id))
  readonly #owners = new Map<string, OwnedTickets>()
  readonly #claimed = new Set<string>()
  readonly #claimEnds = new TimeoutScheduler<string>((id) => this.#claimed.delete(id))
  /** Each is set anew: the oldest is the first. */
  readonly #revocations = new AgingMap<Revocation>()
  readonly #revocationEnds = new TimeoutScheduler<string>((owner) => this.#revocations.delete(owner))
  readonly #limits: MemoryTicketLimits
  readonly #onevict: EvictionListener
  #bytes = 0

  constructor(limits: MemoryTicketLimits, onevict: EvictionListener = () => {}) {
    this.#limits = limits
    this.#onevict = onevict
  }

  /** Its size. */
  get size(): { readonly tickets: number; readonly owners: number; readonly bytes: number } {
    return { tickets: this.#tickets.size, owners: this.#owners.size, bytes: this.#bytes }
  }

  async put({ id, json, ttl, owners = [], age = 0 }: Ticket): Promise<void> {
    const bytes = Buffer.byteLength(json)
    const most = this.#limits.ticketBytes * OWNER_SHARE
    if (bytes > most) throw limitError('too_many_tickets', { field: 'ticketBytes', limit: most })
    this.#delete(id)
    for (const { name, limit } of owners) this.#makeRoom(name, { limit: limit - 1, bytes: most - bytes })
    const { ticketBytes } = this.#limits
    this.#checkRoom(this.#tickets.size)
    if (this.#bytes + bytes > ticketBytes)
      throw limitError('too_many_tickets', { field: 'ticketBytes', limit: ticketBytes })
    const names = owners.map(({ name }) => name)
    this.#tickets.set(id, { json, bytes, owners: names, asked: performance.now() - age })
    this.#bytes += bytes
    for (const name of names) this.#own(name, id, bytes)
    this.#deadlines.set(id, ttl)
  }

  async take(id: string): Promise<string | undefined> {
    const ticket = this.#tickets.get(id)
    this.#delete(id)
    return ticket && !this.#isRevoked(ticket) ? ticket.json : undefined
  }

  async claim(id: string, ttl: number): Promise<boolean> {
    if (this.#claimed.has(id)) return false
    this.#checkRoom(this.#claimed.size)
    this.#claimed.add(id)
    this.#claimEnds.set(id, Math.max(ttl, 1))
    return true
  }

  /** As many are remembered as tickets may wait; one more removes the oldest. */
  async revoke(owner: string, ttl: number): Promise<void> {
    this.#revocations.delete(owner)
    if (this.#revocations.size >= this.#limits.tickets) this.#forgetRevocation()
    this.#revocations.set(owner, { at: performance.now(), time: Date.now() })
    this.#revocationEnds.set(owner, Math.max(ttl, 1))
  }

  async revoked(owner: string): Promise<number | undefined> {
    return this.#revocations.get(owner)?.time
  }

  /** Forgets everything. Leaves no timer. */
  clear(): void {
    this.#revocations.clear()
    this.#revocationEnds.clear()
    this.#tickets.clear()
    this.#owners.clear()
    this.#bytes = 0
    this.#deadlines.clear()
    this.#claimed.clear()
    this.#claimEnds.clear()
  }

  #forgetRevocation(): void {
    const oldest = this.#revocations.takeOldest()
    if (!oldest) return
    this.#revocationEnds.delete(oldest[0])
    this.#onevict('tickets')
  }

  #isRevoked({ owners, asked }: WaitingTicket): boolean {
    return owners.some((name) => {
      const revocation = this.#revocations.get(name)
      return revocation !== undefined && revocation.at >= asked
    })
  }

  #checkRoom(size: number): void {
    const { tickets: limit } = this.#limits
    if (size >= limit) throw limitError('too_many_tickets', { field: 'tickets', limit })
  }

  /** Removes the oldest tickets of an owner until at most this is left. */
  #makeRoom(name: string, { limit, bytes }: { readonly limit: number; readonly bytes: number }): void {
    const owned = this.#owners.get(name)
    for (const id of owned?.ids ?? []) {
      if (!owned || (owned.ids.size <= limit && owned.bytes <= bytes)) return
      this.#delete(id)
    }
  }

  #own(name: string, id: string, bytes: number): void {
    const owned = this.#owners.get(name) ?? { ids: new Set(), bytes: 0 }
    owned.ids.add(id)
    owned.bytes += bytes
    this.#owners.set(name, owned)
  }

  #delete(id: string): void {
    const ticket = this.#tickets.get(id)
    if (!ticket) return
    this.#tickets.delete(id)
    this.#deadlines.delete(id)
    this.#bytes -= ticket.bytes
    for (const name of ticket.owners) this.#disown(name, id, ticket.bytes)
  }

  #disown(name: string, id: string, bytes: number): void {
    const owned = this.#owners.get(name)
    if (!owned?.ids.delete(id)) return
    owned.bytes -= bytes
    if (owned.ids.size === 0) this.#owners.delete(name)
  }
}
