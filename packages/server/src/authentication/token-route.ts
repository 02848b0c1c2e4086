import { decodeData, ERRORS, encodeData, forCaller, RpcError } from '@token-socket/protocol'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { readClaims } from '../claims/claims.js'
import { hashSession, subjectsOf } from '../claims/subjects.js'
import type { Development } from '../development/development.js'
import type { TicketOwner, Tickets } from '../engine/engine.js'
import { addressBlock, withoutPort } from '../http/address-block.js'
import type { OriginRules } from '../http/origins.js'
import type { LogEntry, ThrottledLog } from '../runtime/throttled-log.js'
import { classOf, shortError } from '../runtime/thrown-values.js'
import { type OpeningOptions, readOpening } from '../socket/opening-request.js'
import {
  type AuthenticationFunction,
  type AuthenticationOption,
  callAuthentication,
} from './authentication-call.js'
import { ClaimsCheck } from './claims-check.js'
import { encodeGiven } from './given-auth.js'
import { SessionKey, SetupError, WITHOUT_SESSION } from './session-key.js'
import { encodeTicket, type TicketData } from './ticket-data.js'
import { TokenRateError, type TokenRateLimits, TokenRates } from './token-rates.js'
import type { TokenRequest, TokenRequests } from './token-requests.js'
import type { Tokens } from './tokens.js'

/**
 * Decides whether a request may have a token, and for which user.
 *
 * - A text is the key of a session's value that has to be truthy. The socket gets the session's
 *   data.
 * - A function, `(req, callback)` or `async (req)`, refuses with a falsy result. An object becomes
 *   `socket.auth`; any other truthy value stands for the session's data. An RpcError refuses with
 *   its code, message and data: the client does not try again, except after codes that say nothing
 *   about the user, such as `timeout` or `internal`. Any other error is a failure, and clients try
 *   again.
 */
export type Authentication = string | AuthenticationFunction<Request>

/** Dependencies of {@link tokenRoute}. */
export interface TokenRouteOptions extends OpeningOptions {
  readonly authentication: Authentication
  /** The only prefix at which the tokens open sockets. @default wherever the ticket is known */
  readonly prefix?: string | undefined
  readonly tokenTtl: number
  readonly limits: TokenRateLimits & {
    /** Milliseconds that `authentication` may take. */
    readonly authenticationTimeout: number
    /** Bytes of a ticket's data, as JSON. */
    readonly authData: number
    /** Unused tickets of one user, and of one session. */
    readonly ticketsPerUser: number
    /** Unused tickets of one address. */
    readonly ticketsPerAddress: number
  }
  readonly tokens: Tokens
  readonly tickets: Tickets
  readonly requests: TokenRequests
  readonly origins: OriginRules
  readonly log: Pick<ThrottledLog, 'write'>
  /** Set on development servers only: refusals then give clients advice, too. @default none */
  readonly development?: Pick<Development, 'checkData'> | undefined
}

/** The options, and what is derived from them once. */
interface RouteParts extends TokenRouteOptions {
  readonly rates: TokenRates
  readonly check: ClaimsCheck
  readonly sessionKey: SessionKey | undefined
}

const OPTION = 'authentication'

/** A JavaScript name that a JSONP answer may call. */
const CALLBACK = /^[\w$.[\]]{1,128}$/

/**
 * Creates the token endpoint, which gives a signed-in session a short-lived token that works once.
 */
export function tokenRoute(options: TokenRouteOptions): RequestHandler {
  const check = new ClaimsCheck(options.log)
  const parts = {
    ...options,
    rates: new TokenRates(options.limits),
    check,
    sessionKey: sessionKeyOf(options),
  }
  return async (request, response) => {
    try {
      await options.requests.run((pending) => answer([request, response], parts, pending))
    } catch (failure) {
      if (failure instanceof TokenRateError) {
        failure.log({ ip: ipOf(request) }, options.log)
        return send(request, response, [429, failure.answer(response)])
      }
      const refusal = refusalOf(failure)
      const cause = refusal ? refuse([request, response], options, refusal) : failure
      if (cause === undefined) return
      options.log.write(...failureLine(cause, request))
      const body = { error: 'Internal error', ...(options.development && { hint: SEE_LOG }) }
      if (!response.headersSent) send(request, response, [statusOf(cause), body])
    }
  }
}

const BAD_CALLBACK = 'a token request is refused: its JSONP callback is no name of a function'

const SEE_LOG = 'the log of the server says why: look for "a token request failed"'

function sessionKeyOf({ authentication, log, development }: TokenRouteOptions): SessionKey | undefined {
  if (typeof authentication !== 'string') return undefined
  return new SessionKey(authentication, { log, warns: development !== undefined })
}

/**
 * Returns the refusal of `authentication`. A failed call of its own is none, because it says
 * nothing about the user.
 */
function refusalOf(failure: unknown): RpcError | undefined {
  const { cause } = failure instanceof AuthenticationFailure ? failure : {}
  return RpcError.is(cause) && forCaller(cause) === cause ? cause : undefined
}

/** `authentication` threw, or rejected. */
class AuthenticationFailure {
  constructor(readonly cause: unknown) {}
}

/** @returns the kind and the log line of a token request that failed */
function failureLine(failure: unknown, request: Request): readonly [kind: string, entry: LogEntry] {
  if (failure instanceof SetupError) {
    const line = `a token request failed: ${failure.message}`
    return ['token request setup', ['error', failure.details, line]]
  }
  if (!(failure instanceof AuthenticationFailure))
    return [`token request ${classOf(failure)}`, ['error', { err: failure }, 'a token request failed']]
  const { cause } = failure
  const err = shortError(cause)
  const isSessionMissing = classOf(err) === 'TypeError' && !('session' in request && request.session)
  const details = { option: 'authentication', err, ...(isSessionMissing && { hint: WITHOUT_SESSION }) }
  return [
    `authentication ${classOf(err)}`,
    ['error', details, 'a token request failed: authentication threw'],
  ]
}

/**
 * Creates the middleware that runs before everything else on the route: caching, CORS, and the
 * allowed origins.
 * @param log receives a line for each kind of refusal that is not about an origin. @default none
 * @param isDown whether the server is shut down: a 404 would tell clients never to reconnect
 */
export function tokenGuard(
  origins: OriginRules,
  isDown: () => boolean,
  log?: Pick<ThrottledLog, 'write'>,
): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    const { origin, allowed, hint } = isJsonp(request) ? origins.judgeScript(request) : origins.judge(request)
    response.vary('Origin').set('Cache-Control', 'no-store')
    if (!allowed)
      return send(request, response, [403, { error: ERRORS.origin_refused, code: 'origin_refused', hint }])
    if (isJsonp(request) && !isCallbackName(request.query.callback)) {
      log?.write('token request callback', ['info', { ip: ipOf(request) }, BAD_CALLBACK])
      return void response.status(400).json({ error: 'Invalid callback name', code: 'bad_message' })
    }
    // A script of another origin: with `helmet`, pages may load it only if the response allows it.
    if (isJsonp(request)) response.set('Cross-Origin-Resource-Policy', 'cross-origin')
    if (origin !== undefined && request.headers.origin !== undefined) {
      response.set({
        'Access-Control-Allow-Origin': request.headers.origin,
        'Access-Control-Allow-Credentials': 'true',
      })
    }
    if (isDown()) {
      response.set('Retry-After', '1')
      return send(request, response, [503, { error: ERRORS.shutting_down, code: 'shutting_down' }])
    }
    if (request.method !== 'OPTIONS') return next()
    const headers = request.headers['access-control-request-headers'] ?? ''
    response.set({ 'Access-Control-Allow-Methods': 'GET, POST', 'Access-Control-Allow-Headers': headers })
    response.status(204).end()
  }
}

/**
 * Sends the refusal that `authentication` threw. @returns the failure to send it, if its data is no
 * JSON
 */
function refuse(
  [request, response]: readonly [Request, Response],
  { log }: Pick<TokenRouteOptions, 'log'>,
  { message: error, code, data }: RpcError,
): unknown {
  try {
    const body = { error, code, ...(data !== undefined && { data: decodeData(encodeData(data)) }) }
    log.write('token request forbidden', ['debug', { ip: ipOf(request), code }, REFUSED])
    send(request, response, [403, body])
    return undefined
  } catch (cause) {
    return new AuthenticationFailure(cause)
  }
}

const REFUSED = 'a token request is refused: authentication gave an RpcError'

async function answer(
  [request, response]: readonly [Request, Response],
  options: RouteParts,
  pending: TokenRequest,
): Promise<void> {
  const [began, issuedAt] = [performance.now(), Date.now()]
  options.rates.countAddress(request)
  const auth = await authenticate(request, options)
  if (!auth) {
    const [why, entry] = notSignedIn(request, options)
    options.log.write('token request forbidden', entry)
    const hint = options.development ? { hint: why } : {}
    return send(request, response, [403, { error: 'Forbidden', code: 'forbidden', ...hint }])
  }
  const hasClaims = typeof options.authentication === 'function' && options.check.isClaims(auth)
  if (hasClaims) readClaims(auth)
  const { token, id } = options.tokens.issue()
  const { hostname: host } = request
  const [ip, ips] = [ipOf(request), request.ips.map(withoutPort)]
  const data = typeof auth === 'object' ? auth : sessionData(request)
  const session = sessionOf(request)
  if (data === auth) options.development?.checkData(OPTION, '', auth)
  const opening = readOpening({ headers: request.headers, url: request.originalUrl }, options)
  const of = { ip, ips, host, opening, session, prefix: options.prefix, issuedAt }
  const ticket: TicketData = { auth: data, ...(hasClaims && { hasClaims }), ...of }
  const json = encode(ticket, options, data === auth)
  const owners = ownersOf(ticket, options)
  options.rates.countUser(owners.slice(1).map(({ name }) => name))
  await options.tickets.put({ id, json, ttl: options.tokenTtl, owners, age: performance.now() - began })
  // The user may have been cut off while `authentication` ran, so its result may be out of date.
  // The client may ask again.
  if (pending.isRevoked(owners.map(({ name }) => name))) await options.tickets.take(id)
  send(request, response, [200, { token }])
}

/**
 * @throws AuthenticationFailure if the result of `authentication` is no object as JSON
 * @throws Error if it is too large
 */
function encode(ticket: TicketData, { limits, log }: RouteParts, isGiven: boolean): string {
  const limit = limits.authData
  const json = isGiven ? encodeGiven(ticket, { option: OPTION, log, limit }) : encodeTicket(ticket, limit)
  if (typeof json !== 'string') throw new AuthenticationFailure(json)
  return json
}

/**
 * Returns the owners that a ticket counts for: its user, by a `uid` or by the session, and the
 * address.
 */
function ownersOf(
  { auth, hasClaims, ip, session }: TicketData,
  { limits }: Pick<TokenRouteOptions, 'limits'>,
): TicketOwner[] {
  const uid = hasClaims ? (auth as { readonly uid?: string }).uid : undefined
  const users = subjectsOf({ uid, session }).map((name) => ({ name, limit: limits.ticketsPerUser }))
  return [{ name: `address:${addressBlock(ip ?? '')}`, limit: limits.ticketsPerAddress }, ...users]
}

/** Returns a hash: session ids are secrets, and may be long. */
function sessionOf(request: Request): string | undefined {
  const id = 'sessionID' in request ? request.sessionID : undefined
  return typeof id === 'string' && id !== '' ? hashSession(id) : undefined
}

async function authenticate(request: Request, options: RouteParts): Promise<unknown> {
  const { authentication, sessionKey } = options
  if (typeof authentication === 'string') return sessionKey?.isSignedIn(request)
  try {
    return await ask(authentication, request, options)
  } catch (cause) {
    throw new AuthenticationFailure(cause)
  }
}

function ask(
  authentication: AuthenticationFunction<Request>,
  request: Request,
  options: TokenRouteOptions,
): Promise<unknown> {
  const { limits, log, development } = options
  const timeout = limits.authenticationTimeout
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`authentication did not answer within ${timeout} ms`)),
      timeout,
    )
    timer.unref()
    const option: AuthenticationOption<Request> = {
      name: OPTION,
      authentication,
      log,
      isDevelopment: development !== undefined,
    }
    callAuthentication(option, request)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}

function notSignedIn(
  request: Request,
  { authentication }: TokenRouteOptions,
): readonly [why: string, entry: LogEntry] {
  const isFunction = typeof authentication === 'function'
  const why = isFunction ? 'authentication refuses' : 'the session key has no value'
  const details = { ip: ipOf(request), ...(!isFunction && { key: authentication }) }
  const hint = isFunction ? 'authentication gave nothing: is the user signed in?' : unsigned(authentication)
  return [hint, ['debug', details, `a token request is refused: ${why}`]]
}

/** Returns the client's address, as Express sees it, without a port. */
function ipOf({ ip }: Request): string | undefined {
  return ip === undefined ? undefined : withoutPort(ip)
}

function unsigned(key: string): string {
  return `the session has no value under "${key}": sign in before, or set the option authentication`
}

/** Returns the session as data: without its methods, and without its cookie's settings. */
function sessionData(request: Request): object {
  const session = 'session' in request ? request.session : undefined
  const { cookie, ...data } = decodeData(encodeData(session ?? {})) as Record<string, unknown>
  return data
}

function isJsonp(request: Request): boolean {
  return request.method === 'GET' && request.query.callback !== undefined
}

/** With the query parser `extended`, a client can send a list or an object instead of a text. */
function isCallbackName(name: unknown): boolean {
  return typeof name === 'string' && CALLBACK.test(name)
}

function send(request: Request, response: Response, [status, body]: readonly [number, object]): void {
  response.status(status)
  if (isJsonp(request)) response.jsonp(body)
  else response.json(body)
}

function statusOf(cause: unknown): number {
  return RpcError.is(cause) && cause.code === 'too_many_tickets' ? 503 : 500
}
