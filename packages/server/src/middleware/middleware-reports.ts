import { RpcError } from '@token-socket/protocol'
import type { FailureListener } from '../runtime/failures.js'
import { MIDDLEWARE_LATE } from '../runtime/request-log.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { detailsOf, type RequestSubject } from './request-contexts.js'

const SKIPPED =
  'a middleware returned without calling next(): that allows nothing. Return next() to go on, or false to refuse'

/** Dependencies of {@link MiddlewareReports}. */
export interface MiddlewareReportsOwner {
  readonly log: Pick<ThrottledLog, 'write'>
  /** Receives errors of middleware, other than RpcErrors. */
  readonly failed: FailureListener
}

/** Reports failures in middleware, with the type and the name of the request. */
export class MiddlewareReports {
  readonly #owner: MiddlewareReportsOwner

  constructor(owner: MiddlewareReportsOwner) {
    this.#owner = owner
  }

  /** A middleware failed. @returns the client's error */
  fault(subject: RequestSubject, cause: unknown): RpcError {
    this.#owner.failed(cause, detailsOf(subject))
    return new RpcError('internal')
  }

  /** A middleware neither called `next()` nor answered a call. @returns the client's error */
  skipped(subject: RequestSubject, returned: unknown): RpcError {
    if (returned !== false) this.#warn(subject, 'skipped', SKIPPED)
    return new RpcError('forbidden')
  }

  /** A middleware has timed out. */
  late(subject: RequestSubject): void {
    this.#warn(subject, 'late', MIDDLEWARE_LATE)
  }

  /** A kind contains no names that clients choose. */
  #warn(subject: RequestSubject, what: string, text: string): void {
    this.#owner.log.write(`${what} middleware ${subject.type}`, ['warn', detailsOf(subject), text])
  }
}
