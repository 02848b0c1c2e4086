import type { ServerResponse } from 'node:http'
import { encodeData } from '@token-socket/protocol'
import { RequestError, type SignOutRequest } from './request-body.js'
import type { FailureListener } from './sign-out-sockets.js'
import { TokenError } from './token-verifier.js'

/** A handler for Express 4 and 5, connect, or Node's own server. */
export type SignOutHandler = (request: SignOutRequest, response: ServerResponse) => void

/** The answer to a request. */
export interface RouteAnswer {
  readonly status: number
  /** Sent as JSON. @default nothing */
  readonly body?: object | undefined
}

/** A valid token that the application's options do not cover. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError'
}

/** Parts of a {@link tokenRoute}. */
export interface TokenRouteParts {
  /** Carries out a request. @throws an error that {@link refuse} answers, or any failure */
  run(request: SignOutRequest): Promise<RouteAnswer>
  /**
   * Returns the body of the answer to a refused request or token. `part` is that of {@link
   * TokenError}.
   */
  refuse(part: string, text: string): object
  /** Receives refusals. */
  readonly onrefused?: ((error: Error) => void) | undefined
  /** Receives failures. */
  readonly failed: FailureListener
}

/** Creates a route that accepts tokens. It answers each request once, never from a cache. */
export function tokenRoute(parts: TokenRouteParts): SignOutHandler {
  return (request, response) => {
    parts
      .run(request)
      .catch((cause) => answerOf(cause, parts))
      .then((answer) => send(response, answer))
      .catch(parts.failed)
  }
}

function answerOf(cause: unknown, parts: TokenRouteParts): RouteAnswer {
  if (cause instanceof RequestError || cause instanceof TokenError) {
    const part = cause instanceof TokenError ? cause.part : 'request'
    const status = cause instanceof RequestError ? cause.status : 400
    const answer = { status, body: parts.refuse(part, cause.message) }
    tell(cause, parts)
    return answer
  }
  parts.failed(cause)
  // The cause is not sent, because it belongs to the application.
  if (cause instanceof UnsupportedError)
    return { status: 501, body: parts.refuse('unsupported', 'not supported') }
  return { status: 503, body: parts.refuse('failed', 'it failed: try again') }
}

function tell(cause: Error, { onrefused, failed }: TokenRouteParts): void {
  try {
    onrefused?.(cause)
  } catch (failure) {
    failed(failure)
  }
}

function send(response: ServerResponse, { status, body }: RouteAnswer): void {
  if (response.headersSent || response.destroyed) return
  response.statusCode = status
  response.setHeader('Cache-Control', 'no-store')
  if (status === 405) response.setHeader('Allow', 'POST')
  if (status === 503) response.setHeader('Retry-After', '5')
  // The rest of the body was not read, so the connection cannot be used again.
  if (status === 408 || status === 413) response.setHeader('Connection', 'close')
  if (!body) return void response.end()
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.end(encodeData(body))
}
