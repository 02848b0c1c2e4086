import { RpcError } from '@token-socket/protocol'
import type { Settings } from '../settings/options.js'
import { remedyOf } from './remedies.js'

/** What of the settings a failure depends on. */
export type FailureSettings = Pick<Settings, 'address' | 'tokenPath' | 'socketPrefix' | 'token' | 'url'>

/**
 * Why a socket is not ready, for its developer: the step that fails, its URL, the cause, and what to do.
 * @param error of the last try
 */
export function failureText(error: RpcError, settings: FailureSettings): string {
  const [step, url] = stepOf(error, settings)
  const { message } = error
  const where = url && !message.includes(url) ? ` (${url})` : ''
  return `TokenSocket is not ready: ${step} fails. ${message}${where}. ${remedyOf(error, settings)}`
}

/** The step in which a try failed, and its URL. */
function stepOf({ code, cause }: RpcError, settings: FailureSettings): [step: string, url?: string] {
  const { address, tokenPath, socketPrefix, token, url } = settings
  if (/^(url_failed|bad_option)$/.test(code)) return ['the option `url`']
  if (/^(token|origin)_/.test(RpcError.is(cause) ? cause.code : code))
    return token ? [nameOf(token)] : ['the token request', address.http + tokenPath]
  const step =
    code === 'transport_failed' ? 'the connection' : `the sign-in ${url ? 'without a' : 'with the'} token`
  return [step, address.websocket + socketPrefix]
}

/** What the application gave to get tokens. Hotsock's client gives a function its name there. */
function nameOf(token: unknown): string {
  const isOfHotsock = typeof token === 'function' && token.name === 'connectTokenFn'
  return isOfHotsock ? '`connectTokenFn`' : 'the option `token`'
}
