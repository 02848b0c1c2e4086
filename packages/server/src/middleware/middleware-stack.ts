import { type CallAround, createTimeouts, RpcError } from '@token-socket/protocol'
import type { Refusal } from '../claims/vetoes.js'
import type { ChannelAnswer, ChannelRequest, ServerSocket } from '../socket/server-socket.js'
import type { Middleware, MiddlewareContext, MiddlewareType } from './contexts.js'
import { MiddlewareReports, type MiddlewareReportsOwner } from './middleware-reports.js'
import { contextOf, type RequestContext, withData } from './request-contexts.js'
import { WrappedCall, type WrappedParts } from './wrapped-call.js'
import { WrappedRequest } from './wrapped-request.js'

/** Dependencies of a {@link MiddlewareStack}. */
export interface MiddlewareStackOwner extends MiddlewareReportsOwner {
  readonly limits: {
    /**
     * Milliseconds for middleware before a request is carried out, and again after it. Calls have
     * their own.
     */
    readonly vetoTimeout: number
    /** Milliseconds for a call, unless it has its own time-out. */
    readonly callTimeout: number
  }
}

/** Why a socket is refused; `undefined` if it is not. */
type SignInDecision = Refusal | undefined | Promise<Refusal | undefined>

const TYPES: readonly MiddlewareType[] = [
  'call',
  'subscribe',
  'unsubscribe',
  'publish',
  'broadcast',
  'history',
  'message',
  'authentication',
]

/**
 * The middleware of a server, by type of request. A request without middleware costs one look at a
 * list.
 */
export class MiddlewareStack {
  readonly #limits: MiddlewareStackOwner['limits']
  readonly #reports: MiddlewareReports
  readonly #timeouts = createTimeouts()
  /** Never changed in place: running requests continue with their own list. */
  readonly #lists = new Map<MiddlewareType, readonly Middleware[]>()

  constructor(owner: MiddlewareStackOwner) {
    this.#limits = owner.limits
    this.#reports = new MiddlewareReports(owner)
  }

  /**
   * Adds middleware inside the existing ones, the first outermost.
   * @param given functions around everything; or one type of request, and then the functions
   * @returns a function that removes them
   * @throws RpcError `bad_message`; then none is added
   */
  use(...given: readonly (MiddlewareType | Middleware | undefined)[]): () => void {
    const [first, ...others] = given
    const [type, middleware] = typeof first === 'function' ? [undefined, given] : [first, others]
    const isWrong = middleware.length === 0 || middleware.some((one) => typeof one !== 'function')
    if (isWrong) throw wrong('middleware', 'has to be a function')
    const types = TYPES.filter((one) => type === undefined || one === type)
    if (types.length === 0) throw wrong('type', `has to be one of ${TYPES.join(', ')}`)
    // A function that is added twice runs twice, and each is removed separately.
    const added = (middleware as readonly Middleware[]).map(
      (one): Middleware =>
        (...request) =>
          one(...request),
    )
    for (const one of types) this.#lists.set(one, [...this.#of(one), ...added])
    return () => {
      for (const one of types) {
        const left = this.#of(one).filter((other) => !added.includes(other))
        this.#lists.set(one, left)
      }
    }
  }

  /** Whether requests of a type have middleware. */
  has(type: MiddlewareType): boolean {
    return this.#of(type).length > 0
  }

  /**
   * Returns the middleware around the function of a call; `undefined` if there is none. @param
   * socket a ServerSocket
   */
  aroundCall(socket: object, data: unknown): CallAround | undefined {
    return this.has('call') ? new WrappedCall(this.#parts('call'), socket as ServerSocket, data) : undefined
  }

  /**
   * Carries out a request of a client, with its middleware.
   * @param run carries it out, with the current data
   * @throws errors of `run`, other than RpcErrors
   */
  aroundRequest<Request extends ChannelRequest>(
    socket: ServerSocket,
    request: Request,
    run: (request: Request) => Promise<ChannelAnswer>,
  ): Promise<ChannelAnswer> {
    const context = contextOf(socket, request)
    return this.#wrap(context).run(() => run(withData(request, context)))
  }

  /**
   * Passes a message of a client to listeners, with its middleware.
   * @param socket a ServerSocket
   * @param run passes it, with the current data
   * @throws errors of `run`, other than RpcErrors
   */
  aroundMessage(
    socket: object,
    data: unknown,
    run: (data: unknown) => ChannelAnswer,
  ): Promise<ChannelAnswer> {
    const context: MiddlewareContext<'message'> = { type: 'message', socket: socket as ServerSocket, data }
    return this.#wrap(context).run(async () => run(context.data))
  }

  /**
   * Decides about a socket that signs in, or sends a new token, with its middleware.
   * @param auth the authorization of the token
   * @returns the refusal, if any
   */
  aroundSignIn(socket: ServerSocket, auth: unknown, decide: () => SignInDecision): SignInDecision {
    if (!this.has('authentication')) return decide()
    const wrapped = this.#wrap({ type: 'authentication', socket, auth })
    const answer = wrapped.run(async () => (await decide()) ?? {})
    return answer.then(({ error }) => (error ? { error } : undefined))
  }

  #of(type: MiddlewareType): readonly Middleware[] {
    return this.#lists.get(type) ?? []
  }

  #parts(type: MiddlewareType): WrappedParts {
    const [timeouts, limits] = [this.#timeouts, this.#limits]
    return { steps: this.#of(type), reports: this.#reports, timeouts, limits }
  }

  #wrap(context: RequestContext): WrappedRequest {
    return new WrappedRequest(this.#parts(context.type), context)
  }
}

function wrong(field: string, what: string): RpcError {
  return new RpcError('bad_message', `Invalid message: ${field} ${what}`, { field })
}
