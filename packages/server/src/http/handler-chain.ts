import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express'
import { handleRejection } from '../runtime/isolated.js'

/**
 * Combines several Express handlers. They run as on a route of their own: `next()` continues,
 * `next(error)` skips to the handlers of four parameters, and `next('route')` leaves. An error that
 * a handler throws or rejects with counts as `next(error)`, also in Express 4, which does not
 * handle promises.
 */
export function chainHandlers(handlers: readonly RequestHandler[]): RequestHandler {
  return (request, response, done) => runFrom(handlers, [request, response, done])
}

function runFrom(
  handlers: readonly RequestHandler[],
  call: readonly [Request, Response, NextFunction],
  error?: unknown,
): void {
  const [request, response, done] = call
  const [handler, ...rest] = handlers
  if (!handler || error === 'route' || error === 'router') return done(error)
  const takesErrors = handler.length > 3
  const next = (cause?: unknown) => runFrom(rest, call, cause)
  if (takesErrors !== Boolean(error)) return next(error)
  try {
    const returned: unknown = takesErrors
      ? (handler as unknown as ErrorRequestHandler)(error, request, response, next)
      : handler(request, response, next)
    handleRejection(returned, (cause) => next(cause ?? new Error('a handler rejected')))
  } catch (cause) {
    next(cause)
  }
}
