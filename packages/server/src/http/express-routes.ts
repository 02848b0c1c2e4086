import {
  type Action,
  type CallContext,
  type Controller,
  decodeData,
  findAction,
  RpcError,
} from '@token-socket/protocol'
import type { Express, Request, RequestHandler, Response } from 'express'
import inject, { type DispatchFunc, type Response as Injected, type InjectOptions } from 'light-my-request'

/** The socket that calls a route, as the route sees it. */
interface Caller {
  readonly ip: string | undefined
  readonly host: string | undefined
}

interface Call {
  readonly path: string
  readonly auth: unknown
  readonly data: unknown
  readonly caller: Caller
  /** Aborts when the call ends before its answer. @default never */
  readonly signal: AbortSignal | undefined
}

/** A nested tree of Express handlers, called as RPC by dotted name. */
export interface Routes {
  readonly [name: string]: RequestHandler | Routes
}

/**
 * An answer of a route with another status than 2xx. The caller gets the body's `error`, or the
 * body.
 */
interface RouteAnswer {
  readonly error?: unknown
  readonly data?: unknown
}

/**
 * Makes Express handlers callable as RPC. Each call is a request injected into Express's own `req` and `res`, with the
 * application's settings, but past its middleware: `req.body`, `req.query` and `req.params` are the call's data,
 * `req.session` and `req.user` the socket's `auth`. The answer carries the headers as `_headers` and the status as
 * `_code`, cookies left out; a status of 300 or more is an error. When the call ends before its answer, `req` and `res`
 * emit `close`.
 */
export class ExpressRoutes {
  readonly #app: Express
  readonly #routes: Routes

  constructor(app: Express, routes: Routes) {
    this.#app = app
    this.#routes = routes
  }

  /** Returns the function that answers for the route of a dotted name, or `undefined`. */
  find(name: string): Action | undefined {
    const handler = findAction(this.#routes as Controller, name) as RequestHandler | undefined
    if (!handler) return undefined
    return (
      auth: unknown,
      data: unknown,
      callback: (error?: unknown, data?: unknown) => void,
      caller: Caller,
      context?: CallContext,
    ) =>
      this.#call(handler, { auth, data, caller, path: `/${name}`, signal: context?.signal }).then(
        ({ error, data }) => callback(error, data),
      )
  }

  async #call(handler: RequestHandler, call: Call): Promise<RouteAnswer> {
    const { signal } = call
    const response = await new Promise<Injected>((resolve, reject) => {
      const dispatch = (request: unknown, response: unknown) => {
        const [req, res] = this.#dress(request as Request, response as Response, call.auth, call.data)
        const next = (error?: unknown) => reject(isError(error) ? error : new RpcError('not_found'))
        req.next = next
        const done = () => signal?.aborted && reject(signal.reason)
        signal?.addEventListener('abort', () => closeAll(req, res))
        res.once('finish', done)
        Promise.resolve()
          .then(() => handler(req, res, next))
          .then(done, reject)
      }
      // A handler may continue after its call has ended, when its response is closed.
      inject(dispatch as DispatchFunc, requestOf(call)).then(
        resolve,
        (cause) => signal?.aborted || reject(cause),
      )
    })
    return decode(response)
  }

  /**
   * Prepares the request as Express does for its handlers, and puts the call's data where they
   * expect it.
   */
  #dress(request: Request, response: Response, auth: unknown, data: unknown): readonly [Request, Response] {
    graft(request, this.#app.request)
    graft(response, this.#app.response)
    Object.assign(request, { res: response, app: this.#app, user: auth, session: auth })
    Object.assign(response, { req: request, app: this.#app, locals: {} })
    // In Express 5 these are getters of the prototype.
    for (const key of ['body', 'query', 'params']) {
      Object.defineProperty(request, key, {
        value: data,
        writable: true,
        configurable: true,
        enumerable: true,
      })
    }
    return [request, response]
  }
}

/**
 * Inserts Express's prototype below an injected object, which keeps its own methods (they collect
 * the answer). light-my-request does the reverse for a whole application: it changes the prototypes
 * of real requests.
 */
function graft(injected: object, prototype: object): void {
  const { constructor: _constructor, ...methods } = Object.getOwnPropertyDescriptors(
    Object.getPrototypeOf(injected),
  )
  Object.setPrototypeOf(Object.defineProperties(injected, methods), prototype)
}

/** As if a browser had aborted the request: each emits `close`. */
function closeAll(request: Request, response: Response): void {
  request.destroy()
  // A request whose body was read is not destroyed.
  if (!request.destroyed) request.emit('close')
  response.destroy()
}

/** Express treats any truthy argument of `next` as an error, except these two words. */
function isError(given: unknown): boolean {
  return Boolean(given) && given !== 'route' && given !== 'router'
}

function requestOf({ path, caller }: Call): InjectOptions {
  return {
    method: 'POST',
    url: path,
    headers: {
      host: caller.host ?? 'localhost',
      'content-type': 'application/json',
      accept: 'application/json',
    },
    ...(caller.ip && { remoteAddress: caller.ip }),
  }
}

function decode({ statusCode, headers, payload }: Injected): RouteAnswer {
  const isJson = String(headers['content-type'] ?? '').includes('json')
  const body = isJson && payload !== '' ? decodeData(payload) : payload
  const isObject = typeof body === 'object' && body !== null
  if (statusCode >= 300) {
    const error = isObject && 'error' in body ? body.error : body
    return { error: error || `Status ${statusCode}` }
  }
  if (!isObject || Array.isArray(body)) return { data: body }
  return { data: { ...body, _headers: withoutCookies(headers), _code: statusCode } }
}

/**
 * Scripts must not read `httpOnly` cookies. As with `fetch`, an answer's headers have no cookies.
 */
function withoutCookies(headers: Injected['headers']): object {
  const { 'set-cookie': _, ...others } = headers
  return others
}
