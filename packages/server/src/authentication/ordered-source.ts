import { claimsOf } from '../claims/auth-claims.js'
import type { AuthorizationSource } from '../claims/authorization.js'
import { endIn } from '../claims/end-time.js'
import type { AuthorizationOrder } from './authorization-order.js'
import type { HeldRevocations } from './held-revocations.js'

/** An open socket that sends a token. */
export interface OrderedSocket {
  readonly sid: string
  /** The hash of its sign-in's session. */
  readonly session?: string | undefined
}

/**
 * Applies the orders since a token was issued, as an open socket has applied them: `reauthorize`
 * replaces the token's auth, and `refresh` ends it.
 * @param socket the one that sends it. @default one that is signing in
 */
export function orderedSource<Source extends AuthorizationSource>(
  source: Source,
  orders: Pick<HeldRevocations, 'since'>,
  socket?: OrderedSocket,
): Source {
  const { session = socket?.session, issuedAt, claims } = source
  const subject = { uid: claims?.uid, session, sid: socket?.sid, issuedAt }
  let ordered = source
  for (const order of orders.since('reauthorize', subject)) ordered = reauthorized(ordered, order)
  const refresh = orders.since('refresh', subject).at(-1)
  return refresh ? { ...ordered, expiresAt: endOf(ordered, refresh) } : ordered
}

/** An order for another user changes nothing, as open sockets refuse it, too. */
function reauthorized<Source extends AuthorizationSource>(
  source: Source,
  { auth }: AuthorizationOrder,
): Source {
  const claims = claimsOf(auth)
  return claims?.uid === source.claims?.uid ? { ...source, auth, claims } : source
}

/** An order of a node whose clock is ahead ends it now, not later. */
function endOf({ expiresAt }: AuthorizationSource, { at }: AuthorizationOrder): number | undefined {
  const end = endIn(Math.min(0, at - Date.now()))
  return expiresAt === undefined || end === undefined ? end : Math.min(expiresAt, end)
}
