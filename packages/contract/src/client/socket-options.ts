import type { TokenSocketOptions } from '@token-socket/client'
import { badOption, RpcError } from '@token-socket/protocol'
import { checkConnectOptions } from './option-checks.js'
import type { ConnectOptions, ContractAuthentication, SignInFields } from './options.js'

/** The options of the socket below. @throws RpcError `bad_option`, which names the option */
export function socketOptions(given: ConnectOptions): TokenSocketOptions {
  try {
    if (process.env.NODE_ENV !== 'production') checkConnectOptions(given)
  } catch (error) {
    if (RpcError.is(error)) throw error
  }
  const { url, authentication, ...options } = given
  return { ...options, ...signInOptions(authentication), ...(url !== undefined && addressOf(url)) }
}

/** @throws RpcError `bad_option`: only `'none'` itself signs in without credentials */
function signInOptions(authentication: ContractAuthentication = { session: true }): TokenSocketOptions {
  if (authentication === 'none') return { url: (given) => given }
  const { session, token, custom } = Object(authentication) as SignInFields
  if (token) return { token }
  if (session) return session === true ? {} : { authentication: session }
  if (typeof custom === 'function') return { url: custom }
  throw badOption('authentication', '"none", { session }, { token } or { custom }')
}

/**
 * The host, and the prefix if the URL has a path.
 * @throws RpcError `bad_option`. It never shows the URL, which may hold secrets
 */
function addressOf(text: string): TokenSocketOptions {
  const [, host, path] = /^((?:ws|http)s?:\/\/[^/?#@\s]+)((?:\/[^/?#\s]+)*)\/*$/i.exec(text) ?? []
  if (!host) throw badOption('url', 'a ws or wss URL without query, fragment and credentials')
  return path ? { host, socketPrefix: path } : { host }
}
