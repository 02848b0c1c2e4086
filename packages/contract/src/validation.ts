import { RpcError } from '@token-socket/protocol'
import { isUnchecked, type Schema, type SchemaIssue, type SchemaResult } from './schema.js'

/** An issue with a value, and its path. It never contains the value itself. */
export interface Issue {
  /**
   * The path to the wrong part: names of fields and indexes of lists. Empty for the whole value.
   */
  readonly path: readonly (string | number)[]
  /** The requirement on the part, in the schema's words. */
  readonly message: string
}

/** The result of {@link validate}: the schema's output, or the issues. */
export type Validation =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly value?: undefined; readonly issues: readonly Issue[] }

/** The call or channel that a value belongs to. */
export interface ValueSubject {
  readonly function?: string
  readonly channel?: string
  readonly event?: string | undefined
  /** The member whose presence data it is. */
  readonly uid?: string | undefined
}

/** Issues in an error about a value, at most. */
export const MAX_ISSUES = 20

/** Parts in the path of an issue, at most. */
export const MAX_DEPTH = 32

/** UTF-16 code units of an issue's message, at most. */
export const MAX_MESSAGE = 200

/** UTF-16 code units of a part of a path, at most. */
const MAX_KEY = 100

/** UTF-16 code units of all paths and messages of an error, approximately, at most. */
const MAX_TEXT = 4000

/** Returns the schema if it checks anything: a `type<T>()`, or no schema, accepts every value. */
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

/**
 * Returns the error for a value that a schema refuses. Its data is small, whatever the value is.
 */
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
        // ArkType's list would create further lists of its own class.
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

/** The libraries' own fields, with the parts of their texts. */
interface LibraryIssue extends SchemaIssue {
  /** ArkType: the end of the text, which may contain the value. */
  readonly problem?: string
  /** ArkType: the requirement on the part, in words of the schema. */
  readonly expected?: string
  /** ArkType: `union` or `intersection` if there are several. */
  readonly code?: string
  readonly errors?: readonly LibraryIssue[]
  /** Valibot: the value, as it is in the text. */
  readonly received?: string
  /** Zod: names of fields that the schema does not have. */
  readonly keys?: readonly string[]
}

/**
 * Returns an issue's text without the value. The issue's fields show which parts the library has
 * added. Long values make long texts, so no pattern is searched in a text before it is cut.
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
