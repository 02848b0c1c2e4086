import { limitError } from '@token-socket/protocol'
import type { ServerSocket } from '../socket/server-socket.js'

/** The amounts of one socket in this second and the one before, by channel. */
interface Seconds {
  readonly startedAt: number
  readonly amounts: Map<string, number>
  readonly before: ReadonlyMap<string, number>
}

const NOTHING: ReadonlyMap<string, number> = new Map()

/**
 * Limits how much one socket does on one channel in a second, so that one publisher does not make
 * slow readers of all others. The next second may use what one left unused, because a stall of the
 * network bunches messages. Counts are dropped two seconds later. The messages that a socket may
 * send in that time bound their number.
 */
export class ChannelRate {
  readonly #field: string
  readonly #limit: number
  readonly #seconds = new WeakMap<ServerSocket, Seconds>()

  /** @param field the name of the limit, for the error */
  constructor(field: string, limit: number) {
    this.#field = field
    this.#limit = limit
  }

  /**
   * Counts an amount. The first of a second may exceed the limit.
   * @throws RpcError `too_many_messages`; then it does not count
   */
  count(socket: ServerSocket, channel: string, amount = 1): void {
    const { amounts, before } = this.#secondsOf(socket)
    const used = amounts.get(channel) ?? 0
    const limit = this.#limit
    if (used > 0 && used + amount > limit + Math.max(0, limit - (before.get(channel) ?? 0)))
      throw limitError('too_many_messages', { field: this.#field, limit, channel })
    amounts.set(channel, used + amount)
  }

  #secondsOf(socket: ServerSocket): Seconds {
    const now = performance.now()
    const known = this.#seconds.get(socket)
    const age = known ? now - known.startedAt : 2000
    if (known && age < 1000) return known
    const before = known && age < 2000 ? known.amounts : NOTHING
    // Seconds follow each other without gaps: the rest of one counts for the next one only.
    const startedAt = known && age < 2000 ? known.startedAt + 1000 : now
    const next = { startedAt, amounts: new Map<string, number>(), before }
    this.#seconds.set(socket, next)
    return next
  }
}
