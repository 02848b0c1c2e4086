import { claimsOf } from '../claims/auth-claims.js'
import type { AuthorizationSource } from '../claims/authorization.js'
import { endIn } from '../claims/end-time.js'
import type { AuthorizationOrder } from './authorization-order.js'
import type { HeldRevocations } from './held-revocations.js'

/** An open socket that a token is for. */
export interface OrderedSocket {
  readonly sid: string
  /** The hash of its sign-in's session. */
  readonly session?: string | undefined
}

/**
 * What a token gives after the orders that were given since it was issued, as an open socket has it
 * then: `reauthorize` puts its auth in the place of the token's, and by `refresh` it has ended.
 * @param socket the one that brings it. @default one that is signing in
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

/** An order for another user changes nothing: open sockets refuse it, too. */
function reauthorized<Source extends AuthorizationSource>(
  source: Source,
  { auth }: AuthorizationOrder,
): Source {
  const claims = claimsOf(auth)
  return claims?.uid === source.claims?.uid ? { ...source, auth, claims } : source
}

/** An order of a node whose clock is ahead ends it now. */
function endOf({ expiresAt }: AuthorizationSource, { at }: AuthorizationOrder): number | undefined {
  const end = endIn(Math.min(0, at - Date.now()))
  return expiresAt === undefined || end === undefined ? end : Math.min(expiresAt, end)
}
