/**
 * Every error that this library makes: a stable code and a text. Codes never change, texts may.
 * `docs/ERRORS.md` explains each one; a test holds the two together.
 */
export const ERRORS = {
  aborted: 'Aborted',
  application_error: 'The call was answered with an error',
  bad_claims: 'Invalid claims',
  bad_message: 'Invalid message',
  bad_option: 'Invalid option',
  connection_lost: 'The connection was lost before an answer came; the outcome is unknown',
  ended: 'The socket was ended',
  engine_unavailable: 'The engine is not available',
  forbidden: 'Forbidden',
  internal: 'Internal error',
  invalid_token: 'Invalid token',
  not_connected: 'No such socket is connected',
  not_found: 'Function not found',
  queue_full: 'Too many calls wait for the connection',
  shutting_down: 'The server is shutting down',
  timeout: 'Timed out',
  token_failed: 'The token request failed',
  token_refused: 'The token request was refused',
  too_large: 'Too large',
  too_long: 'Too long',
  too_many_calls: 'Too many calls in flight',
  too_many_members: 'Too many members',
  too_many_messages: 'Too many messages in a second',
  too_many_subscriptions: 'Too many subscriptions',
  too_many_tickets: 'Too many tokens wait to be used',
  transport_failed: 'No transport could connect',
  uid_required: 'Only for sockets with a uid',
  unserializable: 'Not serializable as JSON',
  veto_timeout: 'A listener did not answer in time',
} as const

/** A code of this library's own. An application's errors may carry any other string. */
export type ErrorCode = keyof typeof ERRORS

/** The old server's texts that are not ours. */
const OLD_TEXTS: ReadonlyMap<unknown, ErrorCode> = new Map([
  ['Invalid request', 'bad_message'],
  ['Token not found', 'invalid_token'],
])

/** What an {@link RpcError} is on the wire when its code alone does not say it all. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['message', 'code', 'data'])

const BRAND = Symbol.for('@token-socket/RpcError')

/**
 * The one error class of the library, at both ends.
 *
 * Thrown in a handler, or given to its callback, it reaches the caller whole: `code`, `message` and `data`.
 * What any other thrown error says stays on its own side; the caller gets `internal`.
 */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  /** Stable, for programs: one of {@link ERRORS} or the application's own. */
  readonly code: string
  /** Details as JSON, such as `{ field, limit }`; `undefined` if there are none. */
  readonly data: unknown

  /**
   * @param code one of {@link ERRORS}, or the application's own
   * @param message for people; the code's own text if left out
   * @param data anything that JSON can carry
   * @param cause what led to it; it stays on this side
   */
  constructor(code: string, message?: string, data?: unknown, cause?: unknown) {
    super(message ?? textOf(code), cause === undefined ? undefined : { cause })
    this.code = code
    this.data = data
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** Whether a value is an RpcError, also of another copy of this package (ESM beside CommonJS). */
  static is(value: unknown): value is RpcError {
    return typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true
  }
}

/** An error as the wire carries it: `error` in the shape that the old pair knows, its `code` beside it. */
export interface WireError {
  /** A text, or an object such as `{ message, … }`: what a callback of the old client gets. */
  readonly error: unknown
  /** Always there from this library; the old pair sends none. */
  readonly code?: string | undefined
}

/** One of the library's own errors about a field or a limit, e.g. `Too long: req.channel (limit 256)`. */
export function refusal(
  code: ErrorCode,
  about: { readonly field: string; readonly limit?: number },
): RpcError {
  const limit = about.limit === undefined ? '' : ` (limit ${about.limit})`
  return new RpcError(code, `${ERRORS[code]}: ${about.field}${limit}`, about)
}

/**
 * What a handler's `callback(error)` puts on the wire: a text or a plain value as it is, an `Error` as its message
 * and its own enumerable properties, a list as one of such, as the old server did.
 */
export function encodeError(error: unknown): WireError {
  if (typeof error !== 'object' || error === null)
    return { error: plainError(error), code: 'application_error' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'application_error'
  if (RpcError.is(error)) return { error: ownText(error), code }
  return { error: Array.isArray(error) ? error.map(ownFields) : ownFields(error), code }
}

/** What a handler's `throw` puts on the wire: an {@link RpcError} whole, of anything else only that it happened. */
export function encodeThrown(cause: unknown): WireError {
  return RpcError.is(cause) ? encodeError(cause) : { error: ERRORS.internal, code: 'internal' }
}

/** The reverse of {@link encodeError}: makes an {@link RpcError} of an answer's `error` and `code`. */
export function decodeError({ error, code }: WireError): RpcError {
  if (typeof error !== 'object' || error === null)
    return new RpcError(code ?? oldCodeOf(error), String(error))
  const own = error as { message?: unknown; code?: unknown; data?: unknown }
  const known = typeof own.code === 'string' ? own.code : undefined
  const message = typeof own.message === 'string' ? own.message : undefined
  const isOurs = Object.keys(own).every((key) => OWN_FIELDS.has(key))
  return new RpcError(known ?? code ?? 'application_error', message, isOurs ? own.data : error)
}

function textOf(code: string): string {
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : code
}

function ownFields(error: unknown): unknown {
  return error instanceof Error ? { ...error, message: error.message } : error
}

/** What JSON would lose would arrive as a success. A function's text is not sent: it is source code. */
function plainError(error: unknown): unknown {
  if (typeof error === 'function' || typeof error === 'symbol') return ERRORS.application_error
  if (typeof error === 'bigint' || typeof error === 'number')
    return Number.isFinite(error) ? error : String(error)
  return error
}

/** The library's plain refusals travel as the very text that the old server sent; all else as an object. */
function ownText(error: RpcError): unknown {
  if (error.data === undefined && error.message === textOf(error.code)) return error.message
  return { message: error.message, code: error.code, ...(error.data !== undefined && { data: error.data }) }
}

/** The old server's texts, read as codes. */
function oldCodeOf(error: unknown): string {
  const known = (Object.keys(ERRORS) as ErrorCode[]).find((code) => ERRORS[code] === error)
  return known ?? OLD_TEXTS.get(error) ?? 'application_error'
}
