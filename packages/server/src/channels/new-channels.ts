import { limitError, type Position } from '@token-socket/protocol'
import { OwnerCounts } from '../runtime/owner-counts.js'
import { rateOwnerOf } from '../socket/rate-owner.js'
import type { ServerSocket } from '../socket/server-socket.js'

/** Milliseconds after which users may begin as many channels again. */
const WINDOW = 60 * 60 * 1000

/** Dependencies of {@link NewChannels}. */
export interface NewChannelsOwner {
  readonly limits: {
    /** Channels that one user may begin in an hour. */
    readonly channelsPerUser: number
  }
  readonly history: { position(channel: string): Promise<Position> }
}

/**
 * Counts the channels with history that each user's publications begin. The engine remembers the
 * position of each for a day, so one user may begin a limited number. Publishing on existing
 * channels is not limited.
 */
export class NewChannels {
  readonly #owner: NewChannelsOwner
  readonly #begun = new OwnerCounts()
  #since = Number.NEGATIVE_INFINITY

  constructor(owner: NewChannelsOwner) {
    this.#owner = owner
  }

  /** How many users have begun channels in this hour. */
  get size(): number {
    return this.#begun.size
  }

  /**
   * Checks a publication before it is kept.
   * @returns nothing if it may be kept; else a promise, which rejects with `too_many_channels` if
   *   it would begin the channel
   */
  check(socket: ServerSocket, channel: string): Promise<void> | undefined {
    this.#renew()
    const isOver = this.#begun.of(rateOwnerOf(socket)) >= this.#owner.limits.channelsPerUser
    return isOver ? this.#checkPosition(channel) : undefined
  }

  async #checkPosition(channel: string): Promise<void> {
    const limit = this.#owner.limits.channelsPerUser
    const { offset } = await this.#owner.history.position(channel)
    if (offset === 0) throw limitError('too_many_channels', { field: 'channelsPerUser', limit })
  }

  /** Counts a publication that was kept. @param offset its offset */
  published(socket: ServerSocket, offset: number | undefined): void {
    if (offset === 1) this.#begun.add(rateOwnerOf(socket))
  }

  #renew(): void {
    const now = performance.now()
    if (now - this.#since < WINDOW) return
    this.#since = now
    this.#begun.clear()
  }
}
