import { createHash, timingSafeEqual } from 'node:crypto'
import { badOption } from '@token-socket/protocol'
import { checkReplayTtl, usedTokens } from './back-channel-logout.js'
import { eventsOf } from './events-claim.js'
import { readTokenBody, type SignOutRequest } from './request-body.js'
import {
  type FailureListener,
  failureListener,
  orderAll,
  type SignOutOrder,
  type SignOutSockets,
  selectorsOf,
  type Who,
} from './sign-out-sockets.js'
import { type Subject, subjectOf, userOfSubject } from './subject.js'
import { type SignOutHandler, tokenRoute } from './token-route.js'
import { type TokenClaimSet, TokenError, type TokenOptions, TokenVerifier } from './token-verifier.js'

/** One event of a security event token. */
export interface SecurityEvent {
  /** Its URI. */
  readonly type: string
  /** The event's data. */
  readonly event: Readonly<Record<string, unknown>>
  /** The claims of the token. */
  readonly claims: TokenClaimSet
}

/** Options of {@link sharedSignals}. */
export interface SharedSignalsOptions extends TokenOptions {
  /**
   * Selects the sockets of an event.
   * @default `iss_sub` of the same issuer and `opaque` name the `uid`; of a complex subject its
   *   `user`
   */
  readonly select?:
    | ((
        subject: Subject,
        event: SecurityEvent,
      ) => Who | readonly Who[] | undefined | Promise<Who | readonly Who[] | undefined>)
    | undefined
  /**
   * What further events do, by their URIs.
   * @default `session-revoked` and `token-claims-change` only
   */
  readonly events?: Readonly<Record<string, SignOutOrder>> | undefined
  /** The required header `Authorization`, as configured for the stream. @default anything */
  readonly authorization?: string | undefined
  /**
   * Milliseconds for which used tokens are remembered. Older tokens are refused.
   * @default 86400000, a day
   */
  readonly replayTtl?: number | undefined
  /** Receives the reasons of refused requests. @default they are only in the answers */
  readonly onrefused?: ((error: Error) => void) | undefined
  /** Receives failures. @default the log and the `error` event of the server */
  readonly onerror?: FailureListener | undefined
}

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'

const DAY = 24 * 60 * 60 * 1000

/**
 * Creates a route for the push delivery (RFC 8935) of the Shared Signals Framework. The CAEP event
 * `session-revoked` closes the sockets of its subject on all nodes. For `token-claims-change` their
 * clients fetch new tokens. Other events do nothing. It answers 202 when that is done, also for a
 * token that was handled before; 400 with `err` and `description` for a wrong one; 503 when it
 * failed.
 * @throws RpcError `bad_option`
 */
export function sharedSignals(sockets: SignOutSockets, options: SharedSignalsOptions): SignOutHandler {
  const { replayTtl: age = DAY, authorization, onrefused, onerror } = options
  checkReplayTtl(age)
  const failed = failureListener(sockets, 'sharedSignals', onerror)
  const orders = ordersOf(options)
  const select = selectionOf(options, failed)
  const kind = { types: ['secevent+jwt'], needsType: true, claims: ['events'], age }
  const verifier = new TokenVerifier(options, kind)
  const used = usedTokens(sockets, age)
  return tokenRoute({
    async run(request) {
      checkSender(request, authorization)
      const claims = await verifier.verify(await readTokenBody(request, 'application/secevent+jwt'))
      const events = [...eventsOf(claims)].filter(([type]) => orders.has(type))
      const run = async () => {
        for (const [type, event] of events) {
          const selected = await select(subjectOf(claims, event), { type, event, claims })
          await orderAll(sockets, orders.get(type) ?? 'revoke', selectorsOf(selected))
        }
      }
      // A transmitter that has lost the answer sends the token again, which is no mistake.
      await used.once(`${claims.iss} ${claims.jti}`, run)
      return { status: 202 }
    },
    refuse: (part, description) => ({ err: CODES.get(part) ?? 'invalid_request', description }),
    onrefused,
    failed,
  })
}

/** The error codes of RFC 8935. */
const CODES: ReadonlyMap<string, string> = new Map([
  ['iss', 'invalid_issuer'],
  ['aud', 'invalid_audience'],
  ['key', 'invalid_key'],
  ['signature', 'invalid_key'],
  ['authorization', 'authentication_failed'],
])

function ordersOf({ events = {} }: SharedSignalsOptions): ReadonlyMap<string, SignOutOrder> {
  const orders = new Map<string, SignOutOrder>([
    [`${CAEP}session-revoked`, 'revoke'],
    [`${CAEP}token-claims-change`, 'refresh'],
  ])
  for (const [type, order] of Object.entries(events)) {
    if (order !== 'revoke' && order !== 'refresh') throw badOption('events', "'revoke' or 'refresh' for each")
    orders.set(type, order)
  }
  return orders
}

function selectionOf(
  { select, issuer }: SharedSignalsOptions,
  failed: FailureListener,
): NonNullable<SharedSignalsOptions['select']> {
  if (select !== undefined && typeof select !== 'function') throw badOption('select', 'a function')
  if (select) return select
  return (subject) => {
    const uid = userOfSubject(subject, issuer)
    if (uid !== undefined) return { uid }
    failed(new Error(`a subject of the format ${subject.format} names no uid: give the option select`))
    return undefined
  }
}

/** @throws TokenError if it is not the expected transmitter */
function checkSender({ headers }: SignOutRequest, authorization: string | undefined): void {
  if (authorization === undefined) return
  const hash = (value: string) => createHash('sha256').update(value).digest()
  if (timingSafeEqual(hash(headers.authorization ?? ''), hash(authorization))) return
  throw new TokenError('authorization', 'the header Authorization is wrong')
}
