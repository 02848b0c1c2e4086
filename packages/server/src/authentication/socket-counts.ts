import { limitError } from '@token-socket/protocol'
import { OwnerCounts } from '../runtime/owner-counts.js'

/** How many sockets each user has on this node. */
export class SocketCounts {
  readonly #counts = new OwnerCounts()
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
   * @param subjects the names of its user
   * @returns takes it away again, once
   * @throws RpcError `too_many_sockets`
   */
  enter(subjects: readonly string[]): () => void {
    if (subjects.some((subject) => this.#counts.of(subject) >= this.#limit))
      throw limitError('too_many_sockets', { field: 'socketsPerUser', limit: this.#limit })
    for (const subject of subjects) this.#counts.add(subject)
    let isIn = true
    return () => {
      if (!isIn) return
      isIn = false
      for (const subject of subjects) this.#counts.remove(subject)
    }
  }
}
