import type { IncomingMessage } from 'node:http'
import { decodeData, forCaller, RpcError } from '@token-socket/protocol'
import { subjectsOf } from '../claims/subjects.js'
import { type Claims, readClaims } from '../claims.js'
import { clientAddress, clientAddresses, hostName, type TrustProxy } from '../forwarded.js'
import { addressBlock } from '../http/address-block.js'
import type { Redeemed } from '../redeemer.js'
import type { Development } from '../runtime/development.js'
import type { FailureListener } from '../runtime/failures.js'
import { FairSlots } from '../runtime/fair-slots.js'
import { describeGiven } from '../runtime/given-value.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { codeOf } from '../runtime/thrown-values.js'
import { type AuthenticationFunction, callAuthentication } from './authentication-call.js'
import { ClaimsCheck } from './claims-check.js'
import type { Revocations } from './revocations.js'
import { encodeTicket, type TicketData } from './ticket-data.js'
import { withoutQuery } from './url-query.js'

/**
 * Whether, and as whom, a WebSocket may connect that brings no token: asked with the upgrade request, whose `headers`, `url` and
 * `socket` say where it comes from. `(request, callback)` or `async (request)`.
 *
 * Falsy is refused for good, and so is an RpcError, which reaches the client with its code, message and data. An object becomes
 * `socket.auth`, `true` stands for `{}`. Any other error is a failure, after which clients try again.
 */
export type ConnectAuthentication = AuthenticationFunction<IncomingMessage>

/** Dependencies of {@link ConnectAuthenticator}. */
export interface ConnectAuthenticatorOptions {
  readonly connectAuthentication: ConnectAuthentication
  readonly limits: {
    /** Bytes of what the function gives, as JSON. */
    readonly authData: number
    /** Calls of the function that may run at once. */
    readonly connectAuthentications: number
  }
  readonly trusts: TrustProxy
  readonly revocations: Pick<Revocations, 'check'>
  readonly log: Pick<ThrottledLog, 'write'>
  readonly development?: Pick<Development, 'checkData'> | undefined
  readonly failed: FailureListener
  /** Milliseconds that the function may take, with the wait for its turn; `undefined` for no limit of its own. */
  authTimeout(): number | undefined
}

/** Milliseconds that the function may take at most. */
const LONGEST = 30_000

const OPTION = 'connectAuthentication'

/** Judges connections without a token by their upgrade requests. The query of a URL is in no line, error or event. */
export class ConnectAuthenticator {
  readonly #options: ConnectAuthenticatorOptions
  readonly #check: ClaimsCheck
  readonly #slots: FairSlots

  constructor(options: ConnectAuthenticatorOptions) {
    this.#options = options
    this.#check = new ClaimsCheck(options.log, OPTION)
    this.#slots = new FairSlots(options.limits.connectAuthentications)
  }

  /**
   * Asks the application about a connection, and reports why it was refused, or what failed.
   * @throws RpcError `forbidden`, or what the application refuses with; `internal` for a failure
   */
  async authenticate(request: IncomingMessage): Promise<Redeemed> {
    const { trusts, failed } = this.#options
    const ip = clientAddress(request, trusts)
    try {
      const began = Date.now()
      const auth = await this.#ask(request, ip)
      const ips = clientAddresses(request, trusts)
      const admitted = this.#admit(auth, { ip, ips, host: hostName(request, trusts) })
      await this.#checkRevoked(admitted.claims, began)
      return admitted
    } catch (cause) {
      if (cause instanceof Refused) throw this.#refused(cause, ip)
      failed(withoutQuery(cause, request.url), { option: OPTION, ip })
      throw new RpcError('internal')
    }
  }

  async #ask(request: IncomingMessage, ip: string): Promise<unknown> {
    try {
      return await this.#call(request, addressBlock(ip))
    } catch (cause) {
      const isRefusal = RpcError.is(cause) && forCaller(cause) === cause
      throw isRefusal ? new Refused(cause) : cause
    }
  }

  /** The function is called in turn, and in time. */
  #call(request: IncomingMessage, address: string): Promise<unknown> {
    const timeout = Math.min(this.#options.authTimeout() ?? LONGEST, LONGEST)
    return new Promise((resolve, reject) => {
      let isAsked = false
      let leave = () => {}
      const settle = (error?: unknown, auth?: unknown) => {
        clearTimeout(timer)
        leave()
        if (error) reject(error)
        else resolve(auth)
      }
      const timer = setTimeout(() => settle(lateError(timeout, isAsked)), timeout)
      timer.unref()
      leave = this.#slots.enter(address, () => {
        isAsked = true
        // Its client may have left while it waited.
        if (request.socket.destroyed)
          queueMicrotask(() => settle(new Refused(new RpcError('connection_lost'))))
        else callAuthentication(this.#options.connectAuthentication, request, settle)
      })
    })
  }

  #admit(auth: unknown, from: Pick<TicketData, 'ip' | 'ips' | 'host'>): Redeemed {
    const { limits, development } = this.#options
    if (!auth) throw new Refused(new RpcError('forbidden'))
    if (auth !== true && typeof auth !== 'object') throw this.#wrong(auth)
    const given = auth === true ? {} : auth
    development?.checkData(OPTION, '', given)
    const hasClaims = this.#check.isClaims(given)
    const kept = decodeData(encodeTicket({ auth: given, ...from }, limits.authData)) as TicketData
    return { ...from, auth: kept.auth, claims: hasClaims ? readClaims(kept.auth) : undefined }
  }

  /** A user who was cut off for good meanwhile must not get in by what the function saw before. */
  async #checkRevoked(claims: Claims | undefined, began: number): Promise<void> {
    for (const subject of subjectsOf({ uid: claims?.uid }))
      await this.#options.revocations.check(subject, began / 1000).catch((cause: unknown) => {
        throw codeOf(cause) === 'invalid_token' ? new Refused(new RpcError('forbidden')) : cause
      })
  }

  #wrong(auth: unknown): Refused {
    const type = describeGiven(auth)
    const line = `${OPTION} gave ${type}, so the connection is refused: return an object, true, or false`
    this.#options.log.write(`${OPTION} ${type}`, ['error', { option: OPTION, type }, line])
    return new Refused(new RpcError('forbidden'))
  }

  #refused({ error }: Refused, ip: string): RpcError {
    const details = { option: OPTION, ip, code: codeOf(error) }
    this.#options.log.write(`${OPTION} refused`, [
      'info',
      details,
      'a connection without a token was refused',
    ])
    return error
  }
}

/** The application refuses a connection. */
class Refused {
  constructor(readonly error: RpcError) {}
}

function lateError(timeout: number, isAsked: boolean): Error {
  if (isAsked) return new Error(`${OPTION} did not answer within ${timeout} ms`)
  return new Error(`${OPTION} was not asked within ${timeout} ms: limits.connectAuthentications calls run`)
}
