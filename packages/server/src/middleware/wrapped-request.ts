import { decodeError, encodeError, limitError, RpcError } from '@token-socket/protocol'
import type { ChannelAnswer } from '../socket/server-socket.js'
import type { MiddlewareContext } from './contexts.js'
import { MiddlewareRun } from './middleware-run.js'
import type { RequestContext, RequestSubject } from './request-contexts.js'
import type { WrappedParts } from './wrapped-call.js'

/** A request other than a call, with its middleware. Only `next()` allows it. */
export class WrappedRequest {
  readonly #parts: WrappedParts
  readonly #context: RequestContext
  /** The original values of the context: a middleware may change it. */
  readonly #subject: RequestSubject
  #answer: ChannelAnswer = {}
  /** The request's own refusal or failure, and its answer, if it has one. */
  #own: { readonly cause: unknown; readonly answer?: ChannelAnswer } | undefined

  constructor(parts: WrappedParts, context: RequestContext) {
    this.#parts = parts
    this.#context = context
    const { type, socket, channel } = context
    this.#subject = { type, socket, channel }
  }

  /**
   * Runs the middleware, and the request inside it. @throws errors of `carryOut`, other than
   * RpcErrors
   */
  async run(carryOut: () => Promise<ChannelAnswer>): Promise<ChannelAnswer> {
    const { steps, reports, timeouts, limits } = this.#parts
    const run = new MiddlewareRun<MiddlewareContext>(steps, this.#context, {
      givesAnswer: false,
      timeouts,
      timeout: limits.vetoTimeout,
      innermost: () => this.#carryOut(carryOut),
      skipped: (returned) => reports.skipped(this.#subject, returned),
      misused: (cause) => reports.fault(this.#subject, cause),
      over: () => this.#whyOver(),
      late: () => this.#late(),
    })
    try {
      await run.start()
      return this.#answer
    } catch (cause) {
      return this.#refuse(cause)
    }
  }

  async #carryOut(carryOut: () => Promise<ChannelAnswer>): Promise<unknown> {
    try {
      this.#answer = await carryOut()
    } catch (cause) {
      this.#own = { cause }
      throw cause
    }
    const { error, data } = this.#answer
    if (!error) return this.#subject.type === 'publish' ? data : undefined
    const cause = rejectionOf(error)
    this.#own = { cause, answer: this.#answer }
    throw cause
  }

  /** The request's own answer stays as it is without middleware. */
  #refuse(cause: unknown): ChannelAnswer {
    const { reports } = this.#parts
    const own = this.#own?.cause === cause ? this.#own : undefined
    // A client's data is JSON already: only a middleware can have replaced it.
    const isSpoilt = own && RpcError.is(cause) && cause.code === 'unserializable'
    if (isSpoilt) return { error: reports.fault(this.#subject, cause) }
    if (own?.answer) return own.answer
    if (own) throw cause
    return { error: RpcError.is(cause) ? cause : reports.fault(this.#subject, cause) }
  }

  /**
   * Nothing is asked for a client that has left while it signed in. Other requests check that
   * themselves.
   */
  #whyOver(): RpcError | undefined {
    const { type, socket } = this.#subject
    return type === 'authentication' && socket.isClosed ? new RpcError('connection_lost') : undefined
  }

  #late(): RpcError {
    this.#parts.reports.late(this.#subject)
    return limitError('veto_timeout', { field: 'vetoTimeout', limit: this.#parts.limits.vetoTimeout })
  }
}

/**
 * Converts a refusal to an RpcError. One that cannot be read, as when a getter throws, is answered
 * like any other.
 */
function rejectionOf(error: unknown): RpcError {
  try {
    return RpcError.is(error) ? error : decodeError(encodeError(error))
  } catch (cause) {
    return new RpcError('internal', undefined, undefined, cause)
  }
}
