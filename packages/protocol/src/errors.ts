import { type ErrorCode, textOf } from './error-texts.js'
import { plainFields } from './plain-fields.js'
import { readForeign } from './read-foreign.js'

/** What the legacy server says without a code. */
const OLD_TEXTS: ReadonlyMap<unknown, ErrorCode> = new Map([
  ['Forbidden', 'forbidden'],
  ['Function not found', 'not_found'],
  ['Invalid message', 'bad_message'],
  ['Invalid request', 'bad_message'],
  ['Invalid token', 'invalid_token'],
  ['Token not found', 'invalid_token'],
])

const BRAND = Symbol.for('@token-socket/RpcError')

/**
 * The one error class of the library, at both ends.
 *
 * Thrown in a handler, or given to its callback, it reaches the caller whole: `code`, `message` and `data`.
 * What any other thrown error says stays on its own side; the caller gets `internal`.
 */
export class RpcError extends Error {
  override readonly name: string = 'RpcError'
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
  }

  /** @internal */
  get [BRAND](): true {
    return true
  }

  /** Whether a value is an RpcError, also of another copy of this package (ESM beside CommonJS). Never throws. */
  static is(value: unknown): value is RpcError {
    return readForeign(() => (value as { [BRAND]?: unknown } | null | undefined)?.[BRAND]) === true
  }
}

/** An error as the wire carries it: `error` in the shape that the legacy pair knows, its `code` beside it. */
export interface WireError {
  /** A text, or an object such as `{ message, … }`: what a callback of the legacy client gets. */
  readonly error: unknown
  /** Always there from this library; the legacy pair sends none. */
  readonly code?: string | undefined
  /** The function or channel that an error of the library is about, beside the text that the legacy pair knows. */
  readonly about?: unknown
}

/** The function or channel that an error is about. */
export type Subject = { readonly function: string } | { readonly channel: string }

/**
 * One of the library's own errors with its subject, in the message and as `data`: `Forbidden: room-7`,
 * `{ channel: 'room-7' }`. Every other error, and one that has a text or data of its own, stays as it is.
 */
export function withSubject(error: unknown, subject: Subject): unknown {
  if (!RpcError.is(error) || error.data !== undefined || error.message !== textOf(error.code)) return error
  return new RpcError(error.code, `${error.message}: ${nameIn(subject)}`, subject, error.cause)
}

/** The field or the limit that an error is about. */
export interface ErrorSubject {
  readonly field: string
  readonly limit?: number
  /** The channel whose limit it is. */
  readonly channel?: string
  /** The event whose limit it is. */
  readonly event?: string
  /** Milliseconds after which it would do, of a rate. */
  readonly retryAfter?: number
}

/**
 * An error as plain data, which costs no stack trace. For what a peer can cause as often as it likes: wrong frames,
 * unknown functions, limits.
 */
export interface PlainError {
  readonly message: string
  readonly code: string
  readonly data?: unknown
}

/** The same as {@link limitError}, as plain data. */
export function plainRefusal(code: ErrorCode, about: ErrorSubject): PlainError {
  const limit = about.limit === undefined ? '' : ` (limit ${about.limit})`
  return { message: `${textOf(code)}: ${about.field}${limit}`, code, data: about }
}

/** Plain data as an error; of an {@link RpcError}, another that says the same. */
export function errorFrom({
  code,
  message,
  data,
  cause,
}: PlainError & { readonly cause?: unknown }): RpcError {
  return new RpcError(code, message, data, cause)
}

/** One of the library's own errors about a field or a limit, e.g. `Too long: req.channel (limit 256)`. */
export function limitError(code: ErrorCode, about: ErrorSubject): RpcError {
  return errorFrom(plainRefusal(code, about))
}

/** The error for an option that is wrong. @param what it has to be, to go after "has to be" */
export function badOption(option: string, what: string): RpcError {
  return new RpcError('bad_option', `Invalid option: ${option} has to be ${what}`, { field: option })
}

/** One of the library's errors that has its usual text, and a subject at most, as the wire carries it. */
export function wireError(code: ErrorCode, about?: Subject): WireError {
  return { error: textOf(code), code, ...(about && { about }) }
}

/**
 * Any thrown value as an {@link RpcError}; what is not one yet becomes one with its text, and is its cause. Never throws: the
 * text of an error that cannot be read is that of the code.
 */
export function asRpcError(error: unknown, code: ErrorCode = 'internal'): RpcError {
  if (RpcError.is(error)) return error
  const text = readForeign(() => (error instanceof Error ? String(error.message) : undefined))
  return new RpcError(code, text, undefined, error)
}

/**
 * What a handler's `callback(error)` puts on the wire: a text or a plain value as it is, an `Error` as its message
 * and its own enumerable properties, a list as one of such, as the legacy server did.
 * @throws what reading the error throws, as a getter may
 */
export function encodeError(error: unknown): WireError {
  const { code: own } = Object(error) as { readonly code?: unknown }
  const code = isObject(error) && isString(own) ? own : 'application_error'
  if (RpcError.is(error)) return encodeOwn(error)
  return { error: Array.isArray(error) ? error.map(plainError) : plainError(error), code }
}

/**
 * What a handler's `throw` puts on the wire: an {@link RpcError} whole, of anything else only that it happened. Never throws,
 * whatever reading the error does.
 */
export function encodeThrown(cause: unknown): WireError {
  return readForeign(() => (RpcError.is(cause) ? encodeError(cause) : undefined)) ?? wireError('internal')
}

/** The `error` of the wire, of the errors that came by it. */
const SAID = new WeakMap<RpcError, unknown>()

/**
 * What the callbacks of the legacy pair got of an error: what its other end said, as it came, a text
 * or an object. Of an error that arose on this side it is the text.
 */
export function plainErrorOf(error: RpcError): unknown {
  return SAID.get(error) ?? error.message
}

/**
 * The reverse of {@link encodeError}: makes an {@link RpcError} of an answer's `error` and `code`.
 * What the error is about is in its data, beside what is there: data that is no object becomes the
 * field `data` of it.
 */
export function decodeError(wire: WireError): RpcError {
  const error = readError(wire)
  SAID.set(error, wire.error)
  return error
}

function readError({ error, code, about }: WireError): RpcError {
  const name = nameIn(about)
  if (!isObject(error)) {
    const own = code ?? OLD_TEXTS.get(error) ?? 'application_error'
    return name ? new RpcError(own, `${error}: ${name}`, about) : new RpcError(own, String(error))
  }
  const { message, code: own, data, ...others } = error
  const known = isString(own) ? own : (code ?? 'application_error')
  const said = Object.keys(others).length === 0 ? data : error
  const full = name ? { ...fieldsOf(said), ...(about as object) } : said
  return new RpcError(known, isString(message) ? message : undefined, full)
}

/** The fields of data beside which something else is said. */
function fieldsOf(data: unknown): object {
  if (data === undefined) return {}
  return isObject(data) && !Array.isArray(data) ? data : { data }
}

/**
 * What a notification failed with, as the wire carries it.
 * @param outcome as the answer to a call would carry it
 */
export function notificationError(outcome: WireError, name: string): WireError {
  return { ...outcome, about: { function: name } }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

/** What JSON would lose would arrive as a success. A function's text is not sent: it is source code. */
function plainError(error: unknown): unknown {
  if (error instanceof Error) return plainFields(error)
  if (typeof error === 'function' || typeof error === 'symbol') return textOf('application_error')
  const isLost = typeof error === 'bigint' || (typeof error === 'number' && !Number.isFinite(error))
  return isLost ? String(error) : error
}

/**
 * The library's plain refusals travel as the very text that the legacy server sent, with their subject beside it; everything
 * else travels as an object.
 */
function encodeOwn({ message, code, data }: RpcError): WireError {
  const text = textOf(code)
  if (data === undefined) return { error: message === text ? text : { message, code }, code }
  const name = nameIn(data)
  if (name && message === `${text}: ${name}`) return { error: text, code, about: data }
  return { error: { message, code, data }, code }
}

/** The name of a {@link Subject}; `undefined` of anything else. */
function nameIn(subject: unknown): string | undefined {
  const [[kind, name] = [], ...others] = isObject(subject) ? Object.entries(subject) : []
  const isName = (kind === 'function' || kind === 'channel') && isString(name)
  return isName && others.length === 0 ? name : undefined
}
