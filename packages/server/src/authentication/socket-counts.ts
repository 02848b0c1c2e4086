import { limitError } from '@token-socket/protocol'
import { type Subject, subjectsOf } from '../claims/subjects.js'
import { OwnerCounts } from '../runtime/owner-counts.js'

/** How many sockets each user has on this node. */
export class SocketCounts {
  readonly #counts = new OwnerCounts()
  /** What each socket was counted by: a new token may name another session. */
  readonly #names = new Map<Subject, readonly string[]>()
  readonly #limit: number

  /** @param limit sockets that one user may have */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many users have sockets, by the names that they have. */
  get size(): number {
    return this.#counts.size
  }

  /**
   * Counts one more socket.
   * @throws RpcError `too_many_sockets`
   */
  enter(socket: Subject): void {
    const names = subjectsOf(socket)
    if (names.length === 0) return
    if (names.some((name) => this.#counts.of(name) >= this.#limit))
      throw limitError('too_many_sockets', { field: 'socketsPerUser', limit: this.#limit })
    for (const name of names) this.#counts.add(name)
    this.#names.set(socket, names)
  }

  /** Takes a socket away again, by the names that it had. Does nothing if it is not counted. */
  leave(socket: Subject): void {
    for (const name of this.#names.get(socket) ?? []) this.#counts.remove(name)
    this.#names.delete(socket)
  }
}
