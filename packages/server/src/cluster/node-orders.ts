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
  /** The connections that are not let in yet. */
  readonly joining: Pick<JoiningSockets, 'endWhere' | 'later'>
  readonly revocations: { readonly requests: { revoke(subject: string): void } }
  /** Waits for what sockets have published, those that are closed included, but not without end. */
  publishedWhere(matches: (socket: ServerSocket) => boolean): Promise<void>
  /** Receives what kept a socket from its new authorisation. */
  failed(cause: unknown, details: object): void
}

/** How an order is done. */
interface ApplyOptions {
  readonly isLate?: boolean
  isReplaced?(subject: OrderedSubject): boolean
}

type Test = (socket: ServerSocket) => boolean

/**
 * Does what orders say to the sockets of this node, those that are signing in included. Each first
 * share of the sockets is dealt with before the promise is returned.
 */
export class NodeOrders {
  readonly #owner: NodeOrdersOwner

  constructor(owner: NodeOrdersOwner) {
    this.#owner = owner
  }

  /**
   * Does it.
   * @param options.isLate this node learns of it late: sockets of after it are not meant
   * @param options.isReplaced whether a later order was done to a socket. @default none was
   * @returns how many sockets it met
   * @throws RpcError what kept every socket from a new authorisation, such as `identity_changed`
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

  /** Closes every socket: what they may do is not known any more. Their clients come back. */
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

/** What `reauthorize` fails with: no token was brought. */
export function anotherUser(): RpcError {
  return new RpcError('identity_changed', 'The auth is for another user: its uid has to stay the same')
}

/** A new authorisation of the same sign-in: when it ends stays as it is. */
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

/** Those that are meant, and signed in before the order. A newer authorisation is not replaced. */
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
