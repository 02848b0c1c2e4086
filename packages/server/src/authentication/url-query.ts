import { ERRORS, encodeData, type RpcError, readForeign } from '@token-socket/protocol'
import { codeOf } from '../runtime/thrown-values.js'

/**
 * Removes the query of the URL from what an application threw, for the log and for listeners. The
 * query may hold credentials. An error becomes a copy without own properties and cause. Its text
 * goes, too, if it has the query, or a name or a value of four characters or more. Then only its
 * name, its code and its call sites stay. The library's own errors stay as they are. Never throws.
 * @param url of the request. Without a query everything stays as it is
 */
export function withoutQuery(cause: unknown, url = ''): unknown {
  const parts = partsOf(url)
  if (parts.length === 0 || cause instanceof OwnError) return cause
  return readForeign(() => copied(cause, parts)) ?? new Error('the function threw what cannot be read')
}

/**
 * Returns an error's code for the log: `application_error` if an application's own code has a part
 * of the query.
 */
export function codeWithoutQuery(error: RpcError, url = ''): string {
  return safeName(codeOf(error), partsOf(url)) ?? 'application_error'
}

/** An error of the library, whose text contains nothing of a request. */
export class OwnError extends Error {
  override readonly name = 'Error'
}

const HIDDEN = 'the function threw an error whose text has a part of the query of the URL'

function copied(cause: unknown, parts: readonly string[]): unknown {
  if (typeof cause === 'string') return hasPart(cause, parts) ? new Error(HIDDEN) : cause
  if (!(cause instanceof Error))
    return new Error(`the function threw ${cause === null ? 'null' : typeof cause}`)
  const { name, message, stack = '' } = cause
  const { code } = cause as { readonly code?: unknown }
  const copy = new Error(hasPart(message, parts) ? HIDDEN : message)
  define(copy, 'name', safeName(name, parts) ?? 'Error')
  if (code !== undefined) define(copy, 'code', safeName(code, parts))
  copy.stack = `${copy.name}: ${copy.message}${callsOf(stack, `${name}: ${message}`, parts)}`
  return copy
}

function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, configurable: true, writable: true })
}

/** Well-known names stay, because a short part may be in one, such as `type` in `TypeError`. */
function safeName(name: unknown, parts: readonly string[]): string | undefined {
  if (typeof name !== 'string') return undefined
  const isKnown = Object.hasOwn(ERRORS, name) || KNOWN.test(name)
  return isKnown || !hasPart(name, parts) ? name : undefined
}

const KNOWN = /^(?:Aggregate|Eval|Range|Reference|Syntax|Type|URI|Assertion|Abort|Timeout|Rpc)?Error$/

/** Returns the lines of a stack below its text, which name positions in the code. */
function callsOf(stack: string, text: string, parts: readonly string[]): string {
  if (!stack.startsWith(text)) return ''
  const lines = stack.slice(text.length).split('\n')
  const long = parts.filter((part) => part.length >= LONG)
  const calls = lines.filter((line) => line.startsWith('    at ') && !hasPart(line, long))
  return calls.map((line) => `\n${line}`).join('')
}

/** UTF-16 code units of a part that is in no function or file name by accident. */
const LONG = 6

function hasPart(text: string, parts: readonly string[]): boolean {
  const lower = text.toLowerCase()
  return parts.some((part) => lower.includes(part))
}

/** Returns the query, its names and its values, raw and decoded, in lower case. */
function partsOf(url: string): readonly string[] {
  const start = url.indexOf('?')
  if (start < 0) return []
  const query = url.slice(start + 1)
  const raw = query.split('&').flatMap((field) => [field, ...halves(field)])
  const decoded = [...new URLSearchParams(query)].flat()
  const parts = [...raw, ...decoded].flatMap((part) => [part, encodeData(part).slice(1, -1)])
  const secrets = [...parts.filter((part) => part.length >= LEAST), ...(query.includes('=') ? [query] : [])]
  return [...new Set(secrets.map((part) => part.toLowerCase()))]
}

/** UTF-16 code units of a part that may be a secret: shorter ones are in many words. */
const LEAST = 4

function halves(field: string): readonly string[] {
  const at = field.indexOf('=')
  return at < 0 ? [field] : [field.slice(0, at), field.slice(at + 1)]
}
