import { badOption } from '@token-socket/protocol'
import { isRecorded, recordId } from '@token-socket/server'
import { eventsOf } from './events-claim.js'
import { readField } from './request-body.js'
import {
  type FailureListener,
  failureListener,
  orderAll,
  type SignOutSockets,
  selectorsOf,
  serverOf,
  type Who,
} from './sign-out-sockets.js'
import { type SignOutHandler, tokenRoute, UnsupportedError } from './token-route.js'
import { type TokenClaimSet, TokenError, type TokenOptions, TokenVerifier } from './token-verifier.js'
import { UsedTokens } from './used-tokens.js'

/** The claims of a logout token. It has `sub`, `sid`, or both. */
export interface LogoutClaims extends TokenClaimSet {
  /** The user's id at the provider. */
  readonly sub?: string
  /** The id of the session at the provider. */
  readonly sid?: string
}

/** Options of {@link backChannelLogout}. */
export interface BackChannelLogoutOptions extends TokenOptions {
  /**
   * Ends the application's own sessions, and selects the sockets to close.
   * @default the sockets whose `uid` is the token's `sub`; a token without `sub` is answered 501
   */
  readonly select?:
    | ((claims: LogoutClaims) => Who | readonly Who[] | undefined | Promise<Who | readonly Who[] | undefined>)
    | undefined
  /**
   * Milliseconds for which used tokens are remembered. Older tokens are refused.
   * @default 600000, ten minutes
   */
  readonly replayTtl?: number | undefined
  /** Receives the reasons of refused requests. @default they are only in the answers */
  readonly onrefused?: ((error: Error) => void) | undefined
  /** Receives failures. @default the log and the `error` event of the server */
  readonly onerror?: FailureListener | undefined
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * Creates a route for OpenID Connect Back-Channel Logout 1.0. The provider posts a logout token,
 * and the user's sockets are closed on all nodes. It answers 200 when that is done, and 400 for a
 * wrong or used token. It answers 501 for a token that names a session only, if `select` is not
 * given; and 503 when the logout failed, so that the provider may try again.
 * @throws RpcError `bad_option`
 */
export function backChannelLogout(
  sockets: SignOutSockets,
  options: BackChannelLogoutOptions,
): SignOutHandler {
  const { replayTtl: age = 10 * 60 * 1000, select = userOf, onrefused, onerror } = options
  checkReplayTtl(age)
  if (typeof select !== 'function') throw badOption('select', 'a function')
  const kind = { types: ['logout+jwt', 'jwt'], needsType: false, claims: ['exp', 'events'], age }
  const verifier = new TokenVerifier(options, kind)
  const used = usedTokens(sockets, age)
  const failed = failureListener(sockets, 'backChannelLogout', onerror)
  return tokenRoute({
    async run(request) {
      const claims = checked(await verifier.verify(await readField(request, 'logout_token')))
      const logOut = async () => orderAll(sockets, 'revoke', selectorsOf(await select(claims)))
      const isFirst = await used.once(`${claims.iss} ${claims.jti}`, logOut)
      if (!isFirst) throw new TokenError('jti', 'the token was used before')
      return { status: 200 }
    },
    refuse: (part, text) => ({ error: CODES.get(part) ?? 'invalid_request', error_description: text }),
    onrefused,
    failed,
  })
}

const CODES: ReadonlyMap<string, string> = new Map([
  ['failed', 'temporarily_unavailable'],
  ['unsupported', 'unsupported_logout'],
])

/** Remembers the tokens that one route has handled, on all nodes if the server supports it. */
export function usedTokens(sockets: SignOutSockets, ttl: number): UsedTokens {
  const server = serverOf(sockets)
  return new UsedTokens(ttl, {
    has: (id) => isRecorded(server, id),
    add: (id, time) => recordId(server, id, time),
  })
}

/** @throws RpcError `bad_option` */
export function checkReplayTtl(replayTtl: unknown): void {
  const isRight = typeof replayTtl === 'number' && replayTtl >= 1000 && Number.isFinite(replayTtl)
  if (!isRight) throw badOption('replayTtl', 'a number of milliseconds, 1000 or above')
}

/** @throws TokenError if it is another kind of token */
function checked(claims: TokenClaimSet): LogoutClaims {
  if (!eventsOf(claims).has(EVENT)) throw new TokenError('events', 'events has no logout')
  // So that no other token of the provider counts as a logout token, and no logout token as another
  // one.
  if ('nonce' in claims) throw new TokenError('nonce', 'nonce must not be there')
  const { sub, sid } = claims
  for (const [name, value] of Object.entries({ sub, sid })) {
    const isRight = value === undefined || (typeof value === 'string' && value !== '')
    if (!isRight) throw new TokenError(name, `${name} has to be a text`)
  }
  if (sub === undefined && sid === undefined) throw new TokenError('sub', 'sub or sid has to be there')
  return claims as LogoutClaims
}

function userOf({ sub }: LogoutClaims): Who {
  if (sub !== undefined) return { uid: sub }
  throw new UnsupportedError('a logout token names a session only: give the option select')
}
