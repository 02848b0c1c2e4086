import { RpcError } from '@token-socket/protocol'
import { isUnchecked, type Schema, type SchemaIssue, type SchemaResult } from './schema.js'

/** What is wrong with a value, and where. It never holds the value itself. */
export interface Issue {
  /**
   * The way to the part that is wrong: names of fields and indexes of lists. Empty for the whole
   * value.
   */
  readonly path: readonly (string | number)[]
  /** What the part has to be, in the schema's words. */
  readonly message: string
}

/**
 * What came of a {@link validate}: what the schema makes of the value, or what is wrong with it.
 */
export type Validation =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly value?: undefined; readonly issues: readonly Issue[] }

/** What of a call, or of a channel, a value belongs to. */
export interface ValueSubject {
  readonly function?: string
  readonly channel?: string
  readonly event?: string | undefined
  /** The member whose presence it is. */
  readonly uid?: string | undefined
}

/** How many issues an error about a value has at most. */
export const MAX_ISSUES = 20

/** How many parts the path of an issue has at most. */
export const MAX_DEPTH = 32

/** The length of an issue's message at most, in UTF-16 code units. */
export const MAX_MESSAGE = 200

/** The length of a part of a path at most, in UTF-16 code units. */
const MAX_KEY = 100

/** The length of all paths and messages of an error, about, in UTF-16 code units. */
const MAX_TEXT = 4000

/** The schema, if it has to be asked: a `type<T>()`, or none, takes what comes. */
export function checked(schema: Schema | undefined): Schema | undefined {
  return schema && !isUnchecked(schema) ? schema : undefined
}

/**
 * Asks a schema about a value. The answer is a promise only where the schema's is one.
 *
 * @throws Error, or rejects with it, if the schema throws or rejects: its `cause` is what the
 *   schema threw. It is no RpcError, so that the caller gets `internal`
 */
export function validate(schema: Schema, value: unknown): Validation | Promise<Validation> {
  try {
    const result = schema['~standard'].validate(value)
    return 'then' in result
      ? Promise.resolve(result)
          .then((settled) => read(settled, value))
          .catch(failed)
      : read(result, value)
  } catch (cause) {
    return failed(cause)
  }
}

/** The error for a value that a schema refuses. Its data is small, whatever the value is. */
export function invalid(
  code: 'invalid_input' | 'invalid_output',
  subject: ValueSubject,
  issues: readonly Issue[],
): RpcError {
  const [first] = issues
  const whose = subject.uid && `presence of ${subject.uid}`
  const parts = [subject.function ?? subject.channel, whose, first?.path.join('.'), first?.message]
  const text = [`Invalid ${code.slice('invalid_'.length)}`, ...parts.filter(Boolean)].join(': ')
  return new RpcError(code, cut(text, 400), { ...subject, issues })
}

function failed(cause: unknown): never {
  throw new Error('A schema failed to validate', { cause })
}

function read(
  { issues, value: taken }: SchemaResult & { readonly value?: unknown },
  value: unknown,
): Validation {
  let left = MAX_TEXT
  const isShort = ({ message, path }: Issue, at: number) => {
    left -= message.length + String(path).length
    return at === 0 || left > 0
  }
  return issues
    ? {
        // One of ArkType's makes others of its own class.
        issues: [...issues]
          .slice(0, MAX_ISSUES)
          .map((one) => issueOf(one, value))
          .filter(isShort),
      }
    : { value: taken }
}

function issueOf(issue: SchemaIssue, value: unknown): Issue {
  let part = value
  const path = [...(issue.path ?? [])].map((segment) => {
    const key = typeof segment === 'object' ? segment.key : segment
    part = Object(part)[key]
    return typeof key === 'number' ? key : cut(String(key), MAX_KEY)
  })
  return { path: path.slice(0, MAX_DEPTH), message: textOf(issue, part) }
}

/** The fields of their own by which the libraries say what they put into a text. */
interface LibraryIssue extends SchemaIssue {
  /** ArkType: what the text ends with, which may name the value. */
  readonly problem?: string
  /** ArkType: what the part has to be, in words of the schema. */
  readonly expected?: string
  /** ArkType: `union` or `intersection` where there are several. */
  readonly code?: string
  readonly errors?: readonly LibraryIssue[]
  /** Valibot: the value, as the text has it. */
  readonly received?: string
  /** Zod: names of fields that are not the schema's. */
  readonly keys?: readonly string[]
}

/**
 * An issue's text without the value. What a library adds to its own texts is known by the issue's
 * fields. Texts are long where values are: nothing here searches for a pattern in what has not been
 * cut.
 */
function textOf(issue: LibraryIssue, part: unknown): string {
  const { problem, received, keys } = issue
  const whole = String(issue.message)
  let text = cut(whole, MAX_MESSAGE)
  // Of several, the message is the library's own.
  if (problem && (issue.errors || whole.endsWith(problem)))
    text = cut(`must be ${expectedOf(issue)}`, MAX_MESSAGE)
  else if (received) {
    const end = whole.endsWith(received) ? whole.length - received.length : text.indexOf(start(received))
    if (end >= 0) text = text.slice(0, end).replace(/(:|,| but)? received $/i, '')
  } else if (keys?.some((key) => text.includes(start(key)))) text = `Unrecognized keys: ${keys.length}`
  const own = typeof part === 'string' || typeof part === 'number' ? String(part) : ''
  return own.length > 2 && text.includes(start(own)) ? 'Invalid value' : text
}

/** What ArkType expects. Its own text for a union has the values. */
function expectedOf({ errors, expected, code, path = [] }: LibraryIssue): string {
  const parts = errors?.map((one) =>
    (one.path?.length ?? 0) > path.length ? 'valid inside' : expectedOf(one),
  )
  return parts ? [...new Set(parts)].join(code === 'union' ? ' or ' : ' and ') : String(expected)
}

/** By what a value is known in a text that is cut. */
function start(text: string): string {
  return text.slice(0, 32)
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
