import type { TokenSocketOptions } from '@token-socket/client'
import { badOption } from '@token-socket/protocol'
import type { ConnectOptions, ContractAuthentication } from './options.js'

/** The options of the socket below. @throws RpcError `bad_option`, which names the option */
export function socketOptions({ url, authentication, ...options }: ConnectOptions): TokenSocketOptions {
  const common: TokenSocketOptions = { ...options, ...signInOptions(authentication) }
  if (url === undefined) return common
  if (options.host !== undefined) throw badOption('url', 'given without host')
  return { ...common, ...addressOf(url, options.socketPrefix) }
}

function signInOptions(authentication: ContractAuthentication = { session: true }): TokenSocketOptions {
  const { session, token, custom } = Object(authentication) as Partial<
    Extract<ContractAuthentication, { readonly session: unknown }> &
      Extract<ContractAuthentication, { readonly token: unknown }> &
      Extract<ContractAuthentication, { readonly custom: unknown }>
  >
  if (authentication === 'none') return { url: ({ url }) => ({ url }) }
  if (token) return { token }
  if (typeof custom === 'function') return { url: custom }
  if (session) return session === true ? {} : { authentication: session }
  throw badOption('authentication', '"none", { session }, { token } or { custom }')
}

/** The host, and the prefix if the URL has a path. @throws RpcError `bad_option`. It never shows the URL, which may hold secrets */
function addressOf(text: string, socketPrefix: string | undefined): TokenSocketOptions {
  const [, host, path] = /^((?:ws|http)s?:\/\/[^/?#@\s]+)((?:\/[^/?#\s]+)*)\/*$/i.exec(text) ?? []
  if (!host) throw badOption('url', 'a ws or wss URL without query, fragment and credentials')
  if (path && socketPrefix) throw badOption('socketPrefix', 'left out: url has a path')
  return path ? { host, socketPrefix: path } : { host }
}
