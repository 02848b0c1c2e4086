import { TimeoutScheduler } from '@token-socket/protocol'
import type { TurnThrottle } from '../runtime/turn-throttle.js'

/**
 * Milliseconds for which an ended authorization still counts if a new token may arrive, which may
 * be late.
 */
export const GRACE = 30_000

/** A socket whose authorization may end. */
export interface ExpiringSocket {
  readonly authorization: {
    /** In milliseconds of `performance.now()`; `undefined` for never. */
    readonly expiresAt: number | undefined
  }
  /** Whether its client can send a new token. */
  readonly canRefresh: boolean
  closeFor(why: 'expired'): void
}

/**
 * Closes sockets whose authorization has ended, idle ones too, as `expired`: after 30 s if a new
 * token may arrive, or at once. One timer serves all sockets, and nothing is kept for a socket
 * whose authorization has no end. Jumps of the clock have no effect. When many end at once, a few
 * are closed in each turn of the event loop.
 */
export class Expiries {
  readonly #ends = new TimeoutScheduler<ExpiringSocket>((socket) => this.#expire(socket))
  readonly #throttle: Pick<TurnThrottle, 'run'>

  /** @param throttle runs the closings, as it does sign-ins */
  constructor(throttle: Pick<TurnThrottle, 'run'>) {
    this.#throttle = throttle
  }

  /** How many sockets have an end. */
  get size(): number {
    return this.#ends.size
  }

  /** A socket was authenticated, or its authorization has changed: schedules its current end. */
  follow(socket: ExpiringSocket): void {
    const wait = waitOf(socket)
    if (wait === undefined) this.forget(socket)
    else this.#ends.set(socket, Math.max(wait, 1))
  }

  /**
   * A socket has ended, or its authorization has no end any longer. The last one leaves no timer.
   */
  forget(socket: ExpiringSocket): void {
    this.#ends.delete(socket)
    this.#ends.disarmIfEmpty()
  }

  #expire(socket: ExpiringSocket): void {
    this.#throttle.run(() => {
      // A new token may have arrived meanwhile.
      if ((waitOf(socket) ?? 1) <= 0) socket.closeFor('expired')
    })
  }
}

/** Milliseconds until a socket is closed; `undefined` for never. */
function waitOf({ authorization, canRefresh }: ExpiringSocket): number | undefined {
  const { expiresAt } = authorization
  if (expiresAt === undefined) return undefined
  return expiresAt + (canRefresh ? GRACE : 0) - performance.now()
}
