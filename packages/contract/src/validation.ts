import { RpcError } from '@token-socket/protocol'
import { isUnchecked, type Schema, type SchemaIssue, type SchemaResult } from './schema.js'

/** What is wrong with a value, and where. It never holds the value itself. */
export interface Issue {
  /** The way to the part that is wrong: names of fields and indexes of lists. Empty for the whole value. */
  readonly path: readonly (string | number)[]
  /** What the part has to be, in the schema's words. */
  readonly message: string
}

/** What came of a {@link validate}: what the schema makes of the value, or what is wrong with it. */
export type Validation =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly value?: undefined; readonly issues: readonly Issue[] }

/** What of a call, or of a channel, a value belongs to. */
export type ValueSubject =
  | { readonly function: string }
  | { readonly channel: string; readonly event?: string | undefined }

/** What an error about a value is limited to, whatever arrived: entries of lists, and UTF-16 code units of texts. */
export const ISSUE_LIMITS = { issues: 20, depth: 32, key: 100, message: 200, text: 4000 } as const

/** The schema, if it has to be asked: a `type<T>()`, or none, takes what comes. */
export function checked(schema: Schema | undefined): Schema | undefined {
  return schema && !isUnchecked(schema) ? schema : undefined
}

/**
 * Asks a schema about a value. The answer is a promise only where the schema's is one.
 *
 * @throws Error, or rejects with it, if the schema throws or rejects: its `cause` is what the schema threw. It is no RpcError,
 *   so that the caller gets `internal`
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
  const name = 'function' in subject ? subject.function : subject.channel
  const [first] = issues
  const details = first ? [first.path.join('.'), first.message].filter(Boolean) : []
  const text = [`Invalid ${code.slice('invalid_'.length)}`, name, ...details].join(': ')
  return new RpcError(code, cut(text, 400), { ...subject, issues })
}

function failed(cause: unknown): never {
  throw new Error('A schema failed to validate', { cause })
}

function read(result: SchemaResult, value: unknown): Validation {
  const { issues } = result
  if (!issues) return { value: result.value }
  const found: Issue[] = []
  let left: number = ISSUE_LIMITS.text
  for (const issue of issues) {
    const one = issueOf(issue, value)
    left -= one.message.length + String(one.path).length
    if (found.length > 0 && left < 0) break
    if (found.push(one) === ISSUE_LIMITS.issues) break
  }
  return { issues: found }
}

/** A path is iterated, never mapped: that of ArkType makes another of its own class. */
function issueOf(issue: SchemaIssue, value: unknown): Issue {
  const path: (string | number)[] = []
  let part = value
  for (const segment of issue.path ?? []) {
    if (path.length === ISSUE_LIMITS.depth) break
    const key = typeof segment === 'object' ? segment.key : segment
    part = part === Object(part) ? Reflect.get(part as object, key) : undefined
    path.push(typeof key === 'number' ? key : cut(String(key), ISSUE_LIMITS.key))
  }
  return { path, message: cut(textOf(issue, part), ISSUE_LIMITS.message) }
}

/** An issue's text without the value, which Valibot and ArkType add to theirs, and functions of applications may. */
function textOf(issue: SchemaIssue & { readonly expected?: unknown }, part: unknown): string {
  const isIntersection = 'code' in issue && issue.code === 'intersection'
  const text = String(isIntersection ? `must be ${issue.expected}` : issue.message)
  const plain = text
    .replace('actual' in issue ? /\s*\(was [\s\S]*$/ : '', '')
    .replace('received' in issue ? /(:|,| but)? received [\s\S]*$/i : '', '')
  return typeof part === 'string' && part.length > 2 && plain.includes(part) ? 'Invalid value' : plain
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
