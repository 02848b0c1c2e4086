import { RpcError } from '@token-socket/protocol'
import {
  type AuthorizationOrder,
  CLOCK_SLACK,
  type OrderTarget,
} from '../authentication/authorization-order.js'
import type { OrderedSubject } from '../authentication/held-revocations.js'
import type { JoiningMatcher, JoiningSockets } from '../authentication/joining-sockets.js'
import { claimsOf } from '../claims/auth-claims.js'
import { sessionSubject, uidSubject } from '../claims/subjects.js'
import { inShares } from '../runtime/shares.js'
import { codeOf } from '../runtime/thrown-values.js'
import type { ServerSocket } from '../socket/server-socket.js'

/** Dependencies of {@link NodeOrders}. */
export interface NodeOrdersOwner {
  /** This node's sockets. */
  readonly hub: { readonly sockets: readonly ServerSocket[]; get(sid: string): ServerSocket | undefined }
  /** The connections that are not authenticated yet. */
  readonly joining: Pick<JoiningSockets, 'endWhere' | 'later'>
  readonly revocations: { readonly requests: { revoke(subject: string): void } }
  /** Waits for the publications of sockets, closed ones included, for a limited time. */
  publishedWhere(matches: (socket: ServerSocket) => boolean): Promise<void>
  /** Receives the reasons why sockets did not get their new authorisation. */
  failed(cause: unknown, details: object): void
}

/** Options of {@link NodeOrders.apply}. */
interface ApplyOptions {
  readonly isLate?: boolean
  isReplaced?(subject: OrderedSubject): boolean
}

type Test = (socket: ServerSocket) => boolean

/**
 * Applies orders to the sockets of this node, those that are signing in included. The first share
 * of the sockets is handled before the promise is returned.
 */
export class NodeOrders {
  readonly #owner: NodeOrdersOwner

  constructor(owner: NodeOrdersOwner) {
    this.#owner = owner
  }

  /**
   * Applies an order.
   * @param options.isLate whether this node receives it late: it then skips sockets that signed in
   *   after the order
   * @param options.isReplaced whether a later order was applied to a socket. @default none was
   * @returns how many sockets it affected
   * @throws RpcError the reason if no socket took the new authorisation, such as `identity_changed`
   */
  apply(order: AuthorizationOrder, { isLate = false, isReplaced }: ApplyOptions = {}): Promise<number> {
    const matches = isLate ? beforeOnly(order) : matcherOf(order.who)
    switch (order.type) {
      case 'revoke':
        return this.#revoke(order.who, matches)
      case 'reauthorize':
        return this.#reauthorize(order, (socket) => matches(socket) && !isReplaced?.(subjectOfSocket(socket)))
      case 'refresh':
        return this.#refresh(order.who, matches)
    }
  }

  /**
   * Closes every socket, because their authorisation may be out of date. Their clients reconnect.
   */
  async closeAll(): Promise<void> {
    await inShares(this.#owner.hub.sockets, (socket) => socket.closeFor('expired'))
  }

  async #revoke(who: OrderTarget, matches: Test): Promise<number> {
    const { joining, revocations } = this.#owner
    const end = { reconnect: true, why: 'revoked' } as const
    const subject = subjectOf(who)
    if (subject !== undefined) revocations.requests.revoke(subject)
    let count = joining.endWhere(always(matches), end)
    await this.#each(who, matches, (socket) => {
      socket.closeFor('revoked')
      count += 1
    })
    await this.#owner.publishedWhere(matches)
    return count
  }

  async #refresh(who: OrderTarget, matches: Test): Promise<number> {
    let count = 0
    this.#owner.joining.later(always(matches), renew)
    await this.#each(who, matches, (socket) => {
      renew(socket)
      count += 1
    })
    return count
  }

  async #reauthorize({ who, auth }: AuthorizationOrder, matches: Test): Promise<number> {
    const changes: Promise<boolean>[] = []
    const codes = new Set<unknown>()
    const change = async (socket: ServerSocket): Promise<boolean> => {
      try {
        await socket.changeAuthorization(sourceOf(socket, auth))
        return true
      } catch (error) {
        codes.add(codeOf(error))
        const cause = codeOf(error) === 'identity_changed' ? anotherUser() : error
        this.#owner.failed(cause, { sid: socket.sid, uid: socket.uid, step: 'reauthorize' })
        return false
      }
    }
    this.#owner.joining.later(always(matches), (socket) => void change(socket))
    await this.#each(who, matches, (socket) => changes.push(change(socket)))
    const done = (await Promise.all(changes)).filter(Boolean).length
    if (codes.has('identity_changed') && done === 0) throw anotherUser()
    return done
  }

  #each(who: OrderTarget, matches: Test, run: (socket: ServerSocket) => void): Promise<void> {
    const { hub } = this.#owner
    const one = 'sid' in who ? hub.get(who.sid) : undefined
    const sockets = 'sid' in who ? (one ? [one] : []) : hub.sockets
    return inShares(sockets, (socket) => {
      if (!socket.isClosed && matches(socket)) run(socket)
    })
  }
}

/**
 * The error of `reauthorize` for another user's sockets. Its text does not mention a token, because
 * none was sent.
 */
export function anotherUser(): RpcError {
  return new RpcError('identity_changed', 'The auth is for another user: its uid has to stay the same')
}

/** Returns a new authorisation of the same sign-in. Its end time does not change. */
function sourceOf({ authorization }: ServerSocket, auth: unknown) {
  const { session, jti, issuedAt, expiresAt, isFixed } = authorization
  return { auth, claims: claimsOf(auth), session, jti, issuedAt, expiresAt, isFixed }
}

function renew(socket: ServerSocket): void {
  socket.demandRefresh()
}

function always(matches: Test): JoiningMatcher {
  return { matches, mayMatch: matches }
}

/**
 * Matches the selected sockets that signed in before the order. It never replaces a newer
 * authorisation.
 */
function beforeOnly({ type, who, at }: AuthorizationOrder): Test {
  const matches = matcherOf(who)
  const latest = type === 'revoke' ? at + CLOCK_SLACK : at
  return (socket) => matches(socket) && (socket.authorization.issuedAt ?? Number.NEGATIVE_INFINITY) <= latest
}

function subjectOfSocket({ sid, uid, session, authorization }: ServerSocket): OrderedSubject {
  return { sid, uid, session, issuedAt: authorization.issuedAt }
}

function subjectOf(who: OrderTarget): string | undefined {
  if ('uid' in who) return uidSubject(who.uid)
  return 'session' in who ? sessionSubject(who.session) : undefined
}

function matcherOf(who: OrderTarget): Test {
  if ('sid' in who) return ({ sid }) => sid === who.sid
  if ('uid' in who) return ({ uid }) => uid === who.uid
  if ('session' in who) return ({ session }) => session === who.session
  if ('jti' in who) return ({ authorization }) => authorization.jti === who.jti
  return ({ authorization }) => (authorization.issuedAt ?? Number.NEGATIVE_INFINITY) < who.issuedBefore
}
