import type { IncomingMessage } from 'node:http'
import { decodeData, forCaller, RpcError } from '@token-socket/protocol'
import { type Claims, readClaims } from '../claims/claims.js'
import { endAt } from '../claims/end-time.js'
import { subjectsOf } from '../claims/subjects.js'
import type { Development } from '../development/development.js'
import { addressBlock } from '../http/address-block.js'
import { clientAddress, clientAddresses, hostName, type TrustProxy } from '../http/forwarded.js'
import { AverageDuration } from '../runtime/average-duration.js'
import type { FailureListener } from '../runtime/failures.js'
import { FairSlots } from '../runtime/fair-slots.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { codeOf } from '../runtime/thrown-values.js'
import type { TurnThrottle } from '../runtime/turn-throttle.js'
import { type OpeningOptions, readOpening } from '../socket/opening-request.js'
import {
  type AuthenticationFunction,
  type AuthenticationOption,
  callAuthentication,
} from './authentication-call.js'
import type { AuthorizationLog } from './authorization-log.js'
import { ClaimsCheck } from './claims-check.js'
import { ConnectCall, WITHDRAWN } from './connect-call.js'
import { encodeGiven, refuseGiven } from './given-auth.js'
import type { PendingConnection } from './pending-connection.js'
import type { Revocations } from './revocations.js'
import type { TicketData } from './ticket-data.js'
import type { AuthenticatedToken } from './token-authenticator.js'
import { codeWithoutQuery, OwnError, withoutQuery } from './url-query.js'

/**
 * Decides whether a WebSocket without a token may connect, and for which user: `(request,
 * callback)` or `async (request)`. It gets the upgrade request, with its `headers`, `url` and
 * `socket`.
 *
 * A falsy result refuses the client for good. So does an RpcError, which reaches the client with
 * its code, message and data. After codes that say nothing about the user, such as `timeout` or
 * `internal`, clients try again. An object becomes `socket.auth`; `true` stands for `{}`. Any other
 * error is a failure, after which clients try again.
 *
 * The socket lasts until the object's `exp`, in seconds since 1970, as in a JWT. Without it, it
 * lasts as long as its connection. An `exp` in the past is refused.
 */
export type ConnectAuthentication = AuthenticationFunction<IncomingMessage>

/** Dependencies of {@link ConnectAuthenticator}. */
export interface ConnectAuthenticatorOptions extends OpeningOptions {
  readonly connectAuthentication: ConnectAuthentication
  readonly limits: {
    /** Bytes of the function's result, as JSON. */
    readonly authData: number
    /** Calls of the function that may run at once. */
    readonly connectAuthentications: number
  }
  /** Whether the socket ends at the `exp` of the function's result. @default true */
  readonly enforceExpiry?: boolean
  readonly trusts: TrustProxy
  readonly revocations: Pick<Revocations, 'check'>
  /** Knows what was revoked, over all nodes. @default nothing is revoked */
  readonly authorizations?: Pick<AuthorizationLog, 'refuses'> | undefined
  readonly log: Pick<ThrottledLog, 'write'>
  readonly development?: Pick<Development, 'checkData'> | undefined
  readonly failed: FailureListener
  /** Queues the answers, as it does for tokens. */
  readonly throttle: Pick<TurnThrottle, 'run' | 'wait'>
  /**
   * Milliseconds that the function may take, including the wait for a slot; `undefined` for no
   * limit of its own.
   */
  authTimeout(): number | undefined
}

/** Milliseconds that the function may take, at most. */
const LONGEST = 30_000

const OPTION = 'connectAuthentication'

/**
 * Authenticates connections without a token by their upgrade requests. No log line, error or event
 * contains the query of a URL.
 */
export class ConnectAuthenticator {
  readonly #options: ConnectAuthenticatorOptions
  readonly #check: ClaimsCheck
  readonly #slots: FairSlots
  readonly #durations = new AverageDuration()
  readonly #hook: AuthenticationOption<IncomingMessage>

  constructor(options: ConnectAuthenticatorOptions) {
    this.#options = options
    this.#check = new ClaimsCheck(options.log, OPTION)
    this.#slots = new FairSlots(options.limits.connectAuthentications)
    const { connectAuthentication: authentication, log, development } = options
    this.#hook = { name: OPTION, authentication, log, isDevelopment: development !== undefined }
  }

  /**
   * Asks the application about a connection, and reports refusals and failures.
   * @param arrival receives a function that withdraws the question when the connection ends
   * @throws RpcError `forbidden`, or the application's refusal; `internal` for a failure;
   *   `connection_lost`
   */
  async authenticate(
    request: IncomingMessage,
    arrival: Pick<PendingConnection, 'onclosed'>,
  ): Promise<AuthenticatedToken> {
    const { trusts, failed } = this.#options
    const ip = clientAddress(request, trusts)
    try {
      const began = Date.now()
      const call = this.#call(request, ip)
      arrival.onclosed(() => call.withdraw())
      const auth = await this.#answer(call)
      const ips = clientAddresses(request, trusts)
      const opening = readOpening(request, this.#options)
      const admitted = this.#admit(auth, { ip, ips, host: hostName(request, trusts), opening })
      await this.#checkRevoked(admitted.claims, began)
      return { ...admitted, issuedAt: began, isFixed: true }
    } catch (cause) {
      if (cause === WITHDRAWN) throw cause
      if (cause instanceof Refused) throw this.#refused(cause, ip, request.url)
      failed(withoutQuery(cause, request.url), { option: OPTION, ip })
      throw new RpcError('internal')
    }
  }

  /**
   * Answers wait for their turn: of many at once, a few are handled in each turn of the event loop.
   */
  async #answer(call: ConnectCall): Promise<unknown> {
    try {
      return await call.answer
    } catch (cause) {
      const isRefusal = cause !== WITHDRAWN && RpcError.is(cause) && forCaller(cause) === cause
      throw isRefusal ? new Refused(cause) : cause
    } finally {
      await this.#options.throttle.wait()
    }
  }

  /** Calls the function when a slot is free, with a time-out. */
  #call(request: IncomingMessage, ip: string): ConnectCall {
    const { authTimeout, throttle, log } = this.#options
    const timeout = Math.min(authTimeout() ?? LONGEST, LONGEST)
    return new ConnectCall(request, addressBlock(ip), {
      timeout,
      slots: this.#slots,
      durations: this.#durations,
      throttle,
      ask: (asked) => callAuthentication(this.#hook, asked),
      late: (isAsked) => lateError(timeout, isAsked),
      hung: (ms) => log.write(`${OPTION} hung`, ['warn', { option: OPTION, ms, ip }, HUNG]),
    })
  }

  #admit(auth: unknown, from: Pick<TicketData, 'ip' | 'ips' | 'host' | 'opening'>): AuthenticatedToken {
    const { log, development } = this.#options
    if (!auth) throw new Refused(new RpcError('forbidden'))
    if (auth !== true && typeof auth !== 'object')
      throw new Refused(refuseGiven(auth, { option: OPTION, log }))
    const given = auth === true ? {} : auth
    development?.checkData(OPTION, '', given)
    const hasClaims = this.#check.isClaims(given)
    const kept = decodeData(this.#encode({ auth: given, ...from })) as TicketData
    const claims = hasClaims ? readClaims(kept.auth) : undefined
    return { ...from, auth: kept.auth, claims, expiresAt: this.#endOf(kept.auth) }
  }

  #endOf(auth: unknown): number | undefined {
    const { exp } = auth as { readonly exp?: unknown }
    if (exp === undefined || this.#options.enforceExpiry === false) return undefined
    if (typeof exp !== 'number')
      throw new RpcError('bad_claims', 'exp has to be a number of seconds since 1970')
    if (exp * 1000 <= Date.now()) throw new Refused(new RpcError('forbidden'))
    return endAt(exp)
  }

  /** Checks that the user was not cut off while the function ran: its result may be out of date. */
  async #checkRevoked(claims: Claims | undefined, began: number): Promise<void> {
    const subject = { uid: claims?.uid, issuedAt: began }
    if (this.#options.authorizations?.refuses(subject)) throw new Refused(new RevokedMeanwhile())
    for (const subject of subjectsOf({ uid: claims?.uid }))
      await this.#options.revocations.check(subject, began / 1000).catch((cause: unknown) => {
        throw codeOf(cause) === 'invalid_token' ? new Refused(new RpcError('forbidden')) : cause
      })
  }

  #encode(ticket: TicketData): string {
    const { limits, log } = this.#options
    const json = encodeGiven(ticket, { option: OPTION, log, limit: limits.authData })
    if (typeof json !== 'string') throw new Refused(json)
    return json
  }

  #refused({ error }: Refused, ip: string, url?: string): RpcError {
    const details = { option: OPTION, ip, code: codeWithoutQuery(error, url) }
    this.#options.log.write(`${OPTION} refused`, [
      'info',
      details,
      'a connection without a token was refused',
    ])
    return error
  }
}

/**
 * An order arrived while the function ran. The client reconnects, and the function is called again.
 */
export class RevokedMeanwhile extends RpcError {
  constructor() {
    super('invalid_token', 'it was revoked while it signed in')
  }
}

/** The application has refused a connection. */
class Refused {
  constructor(readonly error: RpcError) {}
}

const HUNG =
  'connectAuthentication still has not answered: limits.connectAuthentications no longer counts this call'

function lateError(timeout: number, isAsked: boolean): Error {
  if (isAsked) return new OwnError(`${OPTION} did not answer within ${timeout} ms`)
  return new OwnError(`${OPTION} was not asked within ${timeout} ms: limits.connectAuthentications calls run`)
}
