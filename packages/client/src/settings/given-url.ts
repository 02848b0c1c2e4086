import { asRpcError, badOption, RpcError } from '@token-socket/protocol'
import { URL_LATE } from '../runtime/reason-texts.js'
import { limitTime } from '../runtime/time-limit.js'
import type { GivenUrl, GiveUrl } from './options.js'
import { type ParsedUrl, parseUrl } from './parse-url.js'

/**
 * Asks a function of the application for the URL of one attempt. No error contains that URL.
 * @param base the URL that the function gets
 * @throws RpcError the function's own, or `url_failed` if it throws anything else or returns no
 *   URL; `bad_option` if the URL leads to another server
 */
export async function givenUrl(base: string, give: GiveUrl): Promise<string> {
  let given: GivenUrl
  try {
    given = await give({ url: base })
  } catch (cause) {
    throw asRpcError(cause, 'url_failed')
  }
  const url = parseUrl((given as { readonly url?: unknown } | undefined)?.url ?? given)
  if (!url || url.hash) throw new RpcError('url_failed')
  const { origin } = parseUrl(base) as ParsedUrl
  if (url.origin !== origin) throw badOption('url', `of ${origin}, not ${url.origin}`)
  return url.href
}

/** As {@link givenUrl}, within a number of milliseconds. After that it fails with `url_failed`. */
export async function urlInTime(base: string, give: GiveUrl, [timeout, signal]: UrlTime): Promise<string> {
  try {
    return await limitTime([timeout], signal, () => givenUrl(base, give))
  } catch (error) {
    if (asRpcError(error).code !== 'timeout') throw error
    throw new RpcError('url_failed', URL_LATE, undefined, error)
  }
}

/** The time limit, and the signal that cancels it. */
type UrlTime = readonly [timeout: number, signal: AbortSignal]
