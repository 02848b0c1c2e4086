import type { IncomingMessage } from 'node:http'
import { badOption } from '../options/option-checks.js'

/** The kept parts of the request that identified a client, by the options. */
export interface OpeningRequest {
  /** Parameters of its query, by name. @default none */
  readonly query?: Readonly<Record<string, string>> | undefined
  /** Its headers, by their names in lower case. @default none */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/**
 * Which parts of such a request are kept; see the server's options of the same names. @default none
 */
export interface OpeningOptions {
  readonly connectionHeaders?: readonly string[]
  readonly connectionQuery?: readonly string[]
}

/** @throws RpcError `bad_option` */
export function checkOpeningOptions(options: OpeningOptions): void {
  for (const option of ['connectionHeaders', 'connectionQuery'] as const) {
    const names: unknown = options[option]
    if (!Array.isArray(names) || names.some((name) => typeof name !== 'string' || name === ''))
      throw badOption(option, 'has to be a list of names')
  }
}

/** Headers with credentials. */
const CREDENTIALS: readonly string[] = ['authorization', 'cookie', 'proxy-authorization']

const WARNING = 'connectionHeaders keeps a header that holds credentials: each listener and action sees it'

/** Warns of headers that `connectionHeaders` should not name. */
export function warnOfCredentials(
  logger: { warn(details: object, text: string): void },
  { connectionHeaders = [] }: OpeningOptions,
): void {
  for (const name of connectionHeaders)
    if (CREDENTIALS.includes(name.toLowerCase()))
      logger.warn({ option: 'connectionHeaders', header: name.toLowerCase() }, WARNING)
}

/**
 * The most UTF-16 code units of a kept value. A longer one is left out: a part of it would mislead.
 */
const LONGEST = 2048

/** Returns `undefined` if there is nothing to keep. */
export function readOpening(
  { headers, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>,
  { connectionHeaders = [], connectionQuery = [] }: OpeningOptions,
): OpeningRequest | undefined {
  const keptHeaders = pick(connectionHeaders, (name) => textOf(headers[name.toLowerCase()]), true)
  const query = connectionQuery.length > 0 ? queryOf(url) : undefined
  const keptQuery = query && pick(connectionQuery, (name) => query.get(name) ?? undefined)
  if (!keptHeaders && !keptQuery) return undefined
  return { ...(keptQuery && { query: keptQuery }), ...(keptHeaders && { headers: keptHeaders }) }
}

function queryOf(url: string): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : url.slice(start))
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

/** Picks the given names of an object. */
function pick(
  names: readonly string[],
  read: (name: string) => string | undefined,
  isLower = false,
): Readonly<Record<string, string>> | undefined {
  const entries = names.flatMap((name) => {
    const value = read(name)
    if (value === undefined || value.length > LONGEST) return []
    return [[isLower ? name.toLowerCase() : name, value] as const]
  })
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}
