import { refusal } from '@token-socket/protocol'
import type { RemoteClient } from '../remote-client.js'

/** The amounts of one socket in the present second, by channel. */
interface Second {
  readonly startedAt: number
  readonly amounts: Map<string, number>
}

/**
 * Bounds how much one socket does on one channel in a second, so that one writer does not make slow readers of all others. What
 * is counted is forgotten with the socket's next second, and is bounded by the messages that a socket may send in one.
 */
export class ChannelRate {
  readonly #field: string
  readonly #limit: number
  readonly #seconds = new WeakMap<RemoteClient, Second>()

  /** @param field the name of the limit, for the error */
  constructor(field: string, limit: number) {
    this.#field = field
    this.#limit = limit
  }

  /** Counts an amount. The first of a second may be over the limit. @throws RpcError `too_many_messages`; then it does not count */
  count(socket: RemoteClient, channel: string, amount = 1): void {
    const { amounts } = this.#secondOf(socket)
    const before = amounts.get(channel) ?? 0
    const limit = this.#limit
    if (before > 0 && before + amount > limit)
      throw refusal('too_many_messages', { field: this.#field, limit, channel })
    amounts.set(channel, before + amount)
  }

  #secondOf(socket: RemoteClient): Second {
    const now = performance.now()
    const known = this.#seconds.get(socket)
    if (known && now - known.startedAt < 1000) return known
    const next = { startedAt: now, amounts: new Map<string, number>() }
    this.#seconds.set(socket, next)
    return next
  }
}
