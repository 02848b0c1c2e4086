import { type Position, startTimeout } from '@token-socket/protocol'
import type { History } from '../engine/engine.js'
import { POSITION_TTL } from '../engine/epoch.js'

/** Dependencies of {@link IdlePositions}. */
export interface IdlePositionsOwner {
  readonly hub: {
    /** Whether any socket is on a channel. */
    readonly hasChannels: boolean
    /** The positions of channels on which nothing has been published, as far as their sockets know. */
    readonly idle: readonly (readonly [channel: string, position: Position])[]
    /** Gives the sockets of a channel a newer position, unless it has moved from `before`. */
    renew(channel: string, before: Position, position: Position): void
  }
  readonly history: Pick<History, 'read'>
  failed(cause: unknown, details: object): void
}

/** Milliseconds between two renewals: several within the time for which a position is good. */
const RENEWAL = POSITION_TTL / 4

/**
 * Renews the positions of sockets on channels where nothing is published. Such a position is good for a day only: who was
 * away longer may have missed what is forgotten again. A socket that stays connected misses nothing, so its first
 * publication, or its next connection, is no gap.
 */
export class IdlePositions {
  readonly #owner: IdlePositionsOwner
  #stopTimer: (() => void) | undefined

  constructor(owner: IdlePositionsOwner) {
    this.#owner = owner
  }

  /** A socket has come to a channel. */
  start(): void {
    this.#stopTimer ??= startTimeout(RENEWAL, () => void this.#renew())
  }

  /** A socket has left a channel: does nothing unless it was the last one. */
  stop(): void {
    if (this.#owner.hub.hasChannels) return
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }

  async #renew(): Promise<void> {
    this.#stopTimer = undefined
    const { hub, history, failed } = this.#owner
    for (const [channel, before] of hub.idle) {
      try {
        const { position } = await history.read(channel, { limit: 0 })
        hub.renew(channel, before, position)
      } catch (cause) {
        failed(cause, { step: 'position', channel })
      }
    }
    if (hub.hasChannels) this.start()
  }
}
