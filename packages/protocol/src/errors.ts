import { type ErrorCode, textOf } from './error-texts.js'
import { plainFields } from './plain-fields.js'
import { readForeign } from './read-foreign.js'

/** The texts that the legacy server sends without a code. */
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
 * The one error class of the library, on both sides.
 *
 * If a handler throws it, or passes it to its callback, the caller gets all of it: `code`,
 * `message` and `data`. Of any other error that is thrown, the caller gets `internal` only.
 */
export class RpcError extends Error {
  override readonly name: string = 'RpcError'
  /** Stable, for programs: one of {@link ERRORS} or the application's own. */
  readonly code: string
  /** Details as JSON, such as `{ field, limit }`; `undefined` if there are none. */
  readonly data: unknown

  /**
   * @param code one of {@link ERRORS}, or the application's own
   * @param message for people. @default the code's own text
   * @param data anything that JSON can carry
   * @param cause the cause; it is not sent
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

/** An error on the wire: `error` in the form that the legacy pair understands, and its `code`. */
export interface WireError {
  /** A text, or an object such as `{ message, … }`: what a callback of the legacy client gets. */
  readonly error: unknown
  /** Always present from this library; the legacy pair sends none. */
  readonly code?: string | undefined
  /**
   * The function or channel that an error of the library is about, in addition to the text that the
   * legacy pair understands.
   */
  readonly about?: unknown
}

/** The function or channel that an error is about. */
export type Subject = { readonly function: string } | { readonly channel: string }

/**
 * Makes one of the library's own errors with its subject, in the message and as `data`: `Forbidden:
 * room-7`, `{ channel: 'room-7' }`. An error with a text or data of its own stays as it is.
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
  /** Milliseconds after which a retry would pass a rate limit. */
  readonly retryAfter?: number
}

/**
 * An error as plain data, which costs no stack trace. For errors that a peer can cause at will:
 * wrong frames, unknown functions, limits.
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

/** Makes an error of plain data; of an {@link RpcError}, another one with the same content. */
export function errorFrom({
  code,
  message,
  data,
  cause,
}: PlainError & { readonly cause?: unknown }): RpcError {
  return new RpcError(code, message, data, cause)
}

/**
 * Makes one of the library's own errors about a field or a limit, such as `Too long: req.channel
 * (limit 256)`.
 */
export function limitError(code: ErrorCode, about: ErrorSubject): RpcError {
  return errorFrom(plainRefusal(code, about))
}

/** Makes the error for a wrong option. @param what completes the sentence "has to be" */
export function badOption(option: string, what: string): RpcError {
  return new RpcError('bad_option', `Invalid option: ${option} has to be ${what}`, { field: option })
}

/**
 * Makes one of the library's errors with its usual text and an optional subject, in the form of the
 * wire.
 */
export function wireError(code: ErrorCode, about?: Subject): WireError {
  return { error: textOf(code), code, ...(about && { about }) }
}

/**
 * Converts any thrown value to an {@link RpcError}. Any other value becomes its cause, and gives
 * its text. Never throws: an error that cannot be read has the text of the code.
 */
export function asRpcError(error: unknown, code: ErrorCode = 'internal'): RpcError {
  if (RpcError.is(error)) return error
  const text = readForeign(() => (error instanceof Error ? String(error.message) : undefined))
  return new RpcError(code, text, undefined, error)
}

/**
 * Encodes what a handler's `callback(error)` was given: a text or a plain value as it is, an
 * `Error` as its message and its own enumerable properties, a list as one of such, as the legacy
 * server did.
 * @throws what a getter of the error throws
 */
export function encodeError(error: unknown): WireError {
  const { code: own } = Object(error) as { readonly code?: unknown }
  const code = isObject(error) && isString(own) ? own : 'application_error'
  if (RpcError.is(error)) return encodeOwn(error)
  return { error: Array.isArray(error) ? error.map(plainError) : plainError(error), code }
}

/**
 * Encodes what a handler threw: all of an {@link RpcError}; of anything else only that it happened.
 * Never throws.
 */
export function encodeThrown(cause: unknown): WireError {
  return readForeign(() => (RpcError.is(cause) ? encodeError(cause) : undefined)) ?? wireError('internal')
}

/** Returns the `error` field of an error that arrived on the wire. */
const SAID = new WeakMap<RpcError, unknown>()

/**
 * Returns what callbacks of the legacy pair got of an error: the peer's `error`, a text or an
 * object, unchanged. Of an error that arose on this side it is the text.
 */
export function plainErrorOf(error: RpcError): unknown {
  return SAID.get(error) ?? error.message
}

/**
 * Decodes an answer's `error` and `code`, the reverse of {@link encodeError}. The subject of the
 * error is added to its data; data that is no object becomes its field `data`.
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

/** The fields of data that hold the subject. */
function fieldsOf(data: unknown): object {
  if (data === undefined) return {}
  return isObject(data) && !Array.isArray(data) ? data : { data }
}

/**
 * Encodes the failure of a notification.
 * @param outcome as the answer to a call would have it
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

/**
 * JSON would drop it, and the failure would arrive as a success. A function's text is source code,
 * and is not sent.
 */
function plainError(error: unknown): unknown {
  if (error instanceof Error) return plainFields(error)
  if (typeof error === 'function' || typeof error === 'symbol') return textOf('application_error')
  const isLost = typeof error === 'bigint' || (typeof error === 'number' && !Number.isFinite(error))
  return isLost ? String(error) : error
}

/**
 * The library's plain refusals are sent with the very text of the legacy server, and the subject in
 * a field. All other errors are sent as an object.
 */
function encodeOwn({ message, code, data }: RpcError): WireError {
  const text = textOf(code)
  if (data === undefined) return { error: message === text ? text : { message, code }, code }
  const name = nameIn(data)
  if (name && message === `${text}: ${name}`) return { error: text, code, about: data }
  return { error: { message, code, data }, code }
}

/** Returns the name of a {@link Subject}; `undefined` of anything else. */
function nameIn(subject: unknown): string | undefined {
  const [[kind, name] = [], ...others] = isObject(subject) ? Object.entries(subject) : []
  const isName = (kind === 'function' || kind === 'channel') && isString(name)
  return isName && others.length === 0 ? name : undefined
}
