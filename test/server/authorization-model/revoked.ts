/** What was revoked, as docs/AUTHORISATION.md says it. */
import { hashSession } from '#server/claims/subjects.js'
import type { Link } from './link.js'
import type { ModelToken } from './tokens.js'

/** Whom an order is about. */
export type Target =
  | { readonly sid: string }
  | { readonly uid: string }
  /** The session's id, as applications name it. */
  | { readonly session: string }
  | { readonly jti: string }
  | { readonly issuedBefore: number }

/** Whether a token belongs to whom an order is about, and was issued before it. */
function isBefore(who: Target, { uid, token }: { uid: string | undefined; token: ModelToken }, at: number) {
  if ('jti' in who) return token.jti === who.jti
  // A moment that is to come is now.
  if ('issuedBefore' in who) return token.issuedAt < Math.min(who.issuedBefore, at)
  if ('uid' in who) return uid === who.uid && token.issuedAt <= at
  return 'session' in who && token.session === who.session && token.issuedAt <= at
}

/** One revocation. */
export class Revocation {
  /** Milliseconds since 1970. */
  readonly at = Date.now()
  /** When it was acknowledged. */
  doneAt: number | undefined

  constructor(readonly who: Target) {}

  get isDone(): boolean {
    return this.doneAt !== undefined
  }

  /** Whether a token is refused. */
  refuses(token: ModelToken): boolean {
    return isBefore(this.who, { uid: token.rights?.uid, token }, this.at)
  }

  /** Whether a token may be refused: tickets are taken back by the engine, which may be a little later. */
  mayRefuse(token: ModelToken): boolean {
    const isByEngine = token.isTicket && !('issuedBefore' in this.who)
    const at = isByEngine ? (this.doneAt ?? Number.POSITIVE_INFINITY) : this.at
    return isBefore(this.who, { uid: token.rights?.uid, token }, at)
  }
}

/** Whether an order is certainly about a connection. */
export function isMeant(who: Target, { sid, uid, brought }: Link): boolean {
  if ('sid' in who) return sid === who.sid
  if ('uid' in who) return uid === who.uid
  if (!('session' in who)) return false
  const hash = hashSession(who.session)
  return brought.every(({ session }) => session === hash)
}
