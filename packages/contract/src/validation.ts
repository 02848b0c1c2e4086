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
        issues: listOf(issues, MAX_ISSUES)
          .map((one) => issueOf(one, value))
          .filter(isShort),
      }
    : { value: taken }
}

/** The first items, as a list of its own: one of ArkType's makes others of its own class. */
function listOf<T>(items: Iterable<T> = [], length: number): T[] {
  return [...items].slice(0, length)
}

function issueOf(issue: SchemaIssue, value: unknown): Issue {
  let part = value
  const path = listOf(issue.path, MAX_DEPTH).map((segment) => {
    const key = typeof segment === 'object' ? segment.key : segment
    part = Object(part)[key]
    return typeof key === 'number' ? key : cut(String(key), MAX_KEY)
  })
  return { path, message: cut(textOf(issue, part), MAX_MESSAGE) }
}

/**
 * An issue's text without the value, which Valibot and ArkType add to theirs, and functions of
 * applications may.
 */
function textOf(
  issue: SchemaIssue & { readonly code?: unknown; readonly expected?: unknown },
  part: unknown,
): string {
  const text = issue.code === 'intersection' ? `must be ${issue.expected}` : String(issue.message)
  const hasValue = 'actual' in issue || 'received' in issue
  const plain = hasValue ? text.replace(/\s*\(was .*|(:|,| but)? received .*/is, '') : text
  return typeof part === 'string' && part.length > 2 && plain.includes(part) ? 'Invalid value' : plain
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
