import { RpcError, type SessionInfo, type SessionNotice } from '@token-socket/protocol'
import type { Authorization, AuthorizationSource } from '../claims/authorization.js'
import type { ChannelIdentity } from '../claims/channel-identities.js'

/**
 * The authorization that replaces another one on an open socket. The session stays the known one
 * where the source names none.
 * @throws RpcError `identity_changed` if it is of another user: another `uid`, or another session of
 *   a user without one
 */
export function changeOf(present: Authorization, source: AuthorizationSource): Authorization {
  const { session = present.session } = source
  const isSame =
    source.claims?.uid === present.uid && (present.uid !== undefined || session === present.session)
  if (!isSame) throw new RpcError('identity_changed')
  return present.changed({ ...source, session })
}

/** What a client is told of its authorization. */
export function sessionNotice(socket: {
  readonly authorization: Pick<Authorization, 'expiresAt'>
  identity(): ChannelIdentity
}): SessionNotice {
  return { type: 'session', ...lifetimeOf(socket.authorization), ...socket.identity() }
}

/**
 * How long an authorization lasts, as the wire carries it: nothing if it has no end, and a
 * second if it is over, so that clients do not ask for tokens without a pause.
 */
export function lifetimeOf({ expiresAt }: Pick<Authorization, 'expiresAt'>): Pick<SessionInfo, 'expiresIn'> {
  if (expiresAt === undefined) return {}
  const left = expiresAt - performance.now()
  return { expiresIn: left > 0 ? Math.ceil(left) : LEAST }
}

/** Milliseconds that an authorization which is over is said to last. */
const LEAST = 1000
