import { RpcError, type SessionInfo, type SessionNotice } from '@token-socket/protocol'
import type { Authorization, AuthorizationSource } from '../claims/authorization.js'
import type { ChannelIdentity } from '../claims/channel-identities.js'

/**
 * Makes the authorization that replaces another one on an open socket. The session stays the same
 * if the source has none.
 * @throws RpcError `identity_changed` if it is another user's: another `uid`, or another session of
 *   a user without one
 */
export function changeOf(present: Authorization, source: AuthorizationSource): Authorization {
  const { session = present.session } = source
  const isSame =
    source.claims?.uid === present.uid && (present.uid !== undefined || session === present.session)
  if (!isSame) throw new RpcError('identity_changed')
  return present.changed({ ...source, session })
}

/** The authorization as the client is told. */
export function sessionNotice(socket: {
  readonly authorization: Pick<Authorization, 'expiresAt'>
  identity(): ChannelIdentity
}): SessionNotice {
  return { type: 'session', ...lifetimeOf(socket.authorization), ...socket.identity() }
}

/**
 * Returns how long an authorization lasts, for the wire: nothing if it has no end, and a second if
 * it has ended, so that clients do not request tokens without a pause.
 */
export function lifetimeOf({ expiresAt }: Pick<Authorization, 'expiresAt'>): Pick<SessionInfo, 'expiresIn'> {
  if (expiresAt === undefined) return {}
  const left = expiresAt - performance.now()
  return { expiresIn: left > 0 ? Math.ceil(left) : LEAST }
}

/** Milliseconds that an ended authorization is reported to last. */
const LEAST = 1000
