import { errorFrom, plainRefusal, RpcError } from '@token-socket/protocol'
import type { AuthorizationSource } from '../claims/authorization.js'
import type { Turnstile } from '../turnstile.js'

/** A socket whose client brings a new token. */
export interface RefreshedSocket {
  /** Whether it is let in and its connection lives. */
  readonly isOpen: boolean
  /**
   * Puts another authorization in the place of its own.
   * @throws RpcError `identity_changed`, `bad_claims`
   */
  changeAuthorization(source: AuthorizationSource): Promise<void>
}

/** A refresh under way. */
export interface PendingRefresh {
  readonly token: string
  /** It was answered, with `timeout`: it changes nothing any longer. */
  readonly isAnswered: boolean
}

/** Dependencies of {@link Refreshes}. */
export interface RefreshesOwner {
  readonly redeemer: {
    /** Takes what a token stands for. @throws RpcError `invalid_token` */
    connect(token: string): Promise<AuthorizationSource>
  }
  /** What tokens pass, so that many at once do not keep the event loop from other sockets. */
  readonly turnstile: Pick<Turnstile, 'wait'>
}

/**
 * Takes new tokens for open sockets: tickets, and connect tokens that the application signed. One
 * refresh of a socket runs at a time.
 */
export class Refreshes {
  readonly #owner: RefreshesOwner
  readonly #running = new Set<RefreshedSocket>()

  constructor(owner: RefreshesOwner) {
    this.#owner = owner
  }

  /** How many run. */
  get size(): number {
    return this.#running.size
  }

  /**
   * Takes a token, and puts what it says in the place of what the socket had. Resolves when the new
   * authorization holds for everything that the socket has. When it rejects, the socket has what it
   * had; the token may be used up.
   * @throws RpcError `invalid_token`, `identity_changed`, `bad_claims`, `engine_unavailable`; and
   *   `too_many_calls` while an earlier refresh of the socket runs
   */
  async run(socket: RefreshedSocket, refresh: PendingRefresh): Promise<void> {
    if (this.#running.has(socket)) throw errorFrom(plainRefusal('too_many_calls', ONE))
    this.#running.add(socket)
    try {
      await this.#owner.turnstile.wait()
      this.#check(socket, refresh)
      const redeemed = await this.#owner.redeemer.connect(refresh.token)
      this.#check(socket, refresh)
      await socket.changeAuthorization(redeemed)
    } finally {
      this.#running.delete(socket)
    }
  }

  /** Nothing changes after the answer, or on a socket that is gone. */
  #check({ isOpen }: RefreshedSocket, { isAnswered }: PendingRefresh): void {
    if (!isOpen) throw new RpcError('connection_lost')
    if (isAnswered) throw new RpcError('timeout')
  }
}

const ONE = { field: 'refresh', limit: 1 } as const
