import { badOption } from '@token-socket/protocol'
import type { ConnectOptions, SignInFields } from './options.js'

/** @throws RpcError `bad_option`, which names the option */
export function checkConnectOptions(given: ConnectOptions): void {
  const { url, host, socketPrefix, authentication = { session: true } } = given
  const { session, token, custom } = Object(authentication) as SignInFields
  if (authentication !== 'none' && !session && !token && typeof custom !== 'function')
    throw badOption('authentication', '"none", { session }, { token } or { custom }')
  if (url === undefined) return
  if (host !== undefined) throw badOption('url', 'given without host')
  if (socketPrefix && /\/\/[^/]+\/+[^/]/.test(url))
    throw badOption('socketPrefix', 'left out: url has a path')
}
