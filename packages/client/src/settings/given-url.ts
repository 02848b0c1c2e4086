import { asRpcError, badOption, RpcError } from '@token-socket/protocol'
import { URL_LATE } from '../runtime/reason-texts.js'
import { limitTime } from '../runtime/time-limit.js'
import type { GivenUrl, GiveUrl } from './options.js'
import { type ParsedUrl, parseUrl } from './parse-url.js'

/**
 * The URL that a function of the application gives for one try. No error holds it.
 * @param base the URL that the function gets
 * @throws RpcError what the function throws, `url_failed` unless it is one, and if there is no URL;
 *   `bad_option` if the URL leads to another server
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

/** As {@link givenUrl}, in a number of milliseconds: fails with `url_failed` when they are over. */
export async function urlInTime(base: string, give: GiveUrl, [timeout, signal]: UrlTime): Promise<string> {
  try {
    return await limitTime([timeout], signal, () => givenUrl(base, give))
  } catch (error) {
    if (asRpcError(error).code !== 'timeout') throw error
    throw new RpcError('url_failed', URL_LATE, undefined, error)
  }
}

/** How long it may take, and what gives it up. */
type UrlTime = readonly [timeout: number, signal: AbortSignal]
