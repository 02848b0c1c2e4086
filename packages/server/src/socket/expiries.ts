import { TimeoutScheduler } from '@token-socket/protocol'
import type { TurnThrottle } from '../runtime/turn-throttle.js'

/**
 * Milliseconds after its end for which an authorization still counts where a new token may come: it
 * may be late.
 */
export const GRACE = 30_000

/** A socket whose authorization may end. */
export interface ExpiringSocket {
  readonly authorization: {
    /** In milliseconds of `performance.now()`; `undefined` for never. */
    readonly expiresAt: number | undefined
  }
  /** Whether its client can bring a new token. */
  readonly canRefresh: boolean
  closeFor(why: 'expired'): void
}

/**
 * Closes sockets whose authorization has ended, idle ones too, as `expired`: 30 s later where a new
 * token may come, else at once. One timer serves all of them, and nothing is kept for a socket whose authorization has no end. Jumps of the clock
 * change nothing. When many end at once, a few are closed in each turn of the event loop.
 */
export class Expiries {
  readonly #ends = new TimeoutScheduler<ExpiringSocket>((socket) => this.#expire(socket))
  readonly #throttle: Pick<TurnThrottle, 'run'>

  /** @param throttle what the closings pass, as sign-ins do */
  constructor(throttle: Pick<TurnThrottle, 'run'>) {
    this.#throttle = throttle
  }

  /** How many sockets have an end. */
  get size(): number {
    return this.#ends.size
  }

  /** A socket was let in, or its authorization has changed: follows the end that it has now. */
  follow(socket: ExpiringSocket): void {
    const wait = waitOf(socket)
    if (wait === undefined) this.forget(socket)
    else this.#ends.set(socket, Math.max(wait, 1))
  }

  /** A socket has ended, or its authorization ends no longer. The last one leaves no timer. */
  forget(socket: ExpiringSocket): void {
    this.#ends.delete(socket)
    this.#ends.disarmIfEmpty()
  }

  #expire(socket: ExpiringSocket): void {
    this.#throttle.run(() => {
      // A new token may have come while it waited.
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
