import { errorFrom, plainRefusal, RpcError } from '@token-socket/protocol'
import type { AuthorizationSource } from '../claims/authorization.js'
import type { Refusal } from '../claims/vetoes.js'
import { isThenable } from '../runtime/isolated.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { refusalOf } from '../runtime/thrown-values.js'
import type { TurnThrottle } from '../runtime/turn-throttle.js'
import { changeOf } from '../socket/authorization-change.js'
import type { PendingRefresh, RefreshedSocket } from '../socket/refreshed-socket.js'
import type { AuthorizationLog } from './authorization-log.js'

/** Dependencies of {@link Refreshes}. */
export interface RefreshesOwner {
  readonly tokenAuthenticator: {
    /** Takes the ticket or the claims of a token. @throws RpcError `invalid_token` */
    connect(token: string): Promise<AuthorizationSource>
  }
  /**
   * The `authentication` listeners, and the middleware around them. The socket still has its
   * present authorization.
   * @default no listeners
   */
  readonly vetoes?:
    | { decide(socket: RefreshedSocket, auth: unknown): Refusal | undefined | Promise<Refusal | undefined> }
    | undefined
  /** Knows what was revoked, over all nodes. @default nothing is revoked */
  readonly authorizations?: Pick<AuthorizationLog, 'refuses' | 'amend'> | undefined
  readonly log: Pick<ThrottledLog, 'write'>
  /** Queues the tokens, so that many at once do not block other sockets. */
  readonly throttle: Pick<TurnThrottle, 'wait'>
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

  /** How many refreshes run. */
  get size(): number {
    return this.#running.size
  }

  /**
   * Takes a token, and replaces the socket's authorization. Resolves when the new one applies to
   * everything of the socket. When it rejects, the socket keeps its present one; the token may be
   * used up.
   * @throws RpcError `invalid_token`, `identity_changed`, `bad_claims`, `engine_unavailable`; the
   *   refusal of a listener; and `too_many_calls` while an earlier refresh of the socket runs
   */
  async run(socket: RefreshedSocket, refresh: PendingRefresh): Promise<void> {
    if (this.#running.has(socket)) throw errorFrom(plainRefusal('too_many_calls', ONE))
    this.#running.add(socket)
    try {
      await this.#owner.throttle.wait()
      this.#check(socket, refresh)
      const redeemed = this.#amended(socket, await this.#owner.tokenAuthenticator.connect(refresh.token))
      this.#check(socket, refresh)
      await this.#ask(socket, redeemed)
      this.#check(socket, refresh)
      this.#checkOrders(redeemed)
      await socket.changeAuthorization(this.#amended(socket, redeemed))
    } finally {
      this.#running.delete(socket)
    }
  }

  /** Applies the orders since the token was issued. */
  #amended({ sid, authorization }: RefreshedSocket, source: AuthorizationSource): AuthorizationSource {
    const { authorizations } = this.#owner
    return authorizations ? authorizations.amend(source, { sid, session: authorization.session }) : source
  }

  /** Listeners are asked only about the same user. They may take their time. */
  async #ask(socket: RefreshedSocket, source: AuthorizationSource): Promise<void> {
    const { throttle, log } = this.#owner
    const { auth } = changeOf(socket.authorization, source)
    const decided = this.#owner.vetoes?.decide(socket, auth)
    const refusal = isThenable(decided) ? await decided : decided
    if (refusal) {
      const error = refusalOf(refusal.error)
      const details = { sid: socket.sid, uid: socket.uid, code: error.code }
      log.write('refresh listener', ['info', details, REFUSED])
      throw error
    }
    if (isThenable(decided)) await throttle.wait()
  }

  /**
   * An order may have arrived after the token was checked. Nothing is awaited from here to the
   * change.
   */
  #checkOrders({ claims, session, jti, issuedAt }: AuthorizationSource): void {
    const isRefused = this.#owner.authorizations?.refuses({ uid: claims?.uid, session, jti, issuedAt })
    if (isRefused) throw new RpcError('invalid_token')
  }

  /** Nothing changes after the answer, or on a closed socket. */
  #check({ isOpen }: RefreshedSocket, { isAnswered }: PendingRefresh): void {
    if (!isOpen) throw new RpcError('connection_lost')
    if (isAnswered) throw new RpcError('timeout')
  }
}

const REFUSED = 'an authentication listener, or a middleware, refused a new token'

const ONE = { field: 'refresh', limit: 1 } as const
