import { badOption } from '@token-socket/protocol'
import type { ConnectOptions, TypedOptions } from './options.js'
import type { ContractSettings } from './settings.js'

/** @throws RpcError `bad_option`, which names the option */
export function checkConnectOptions(given: ConnectOptions): void {
  const { url, host, socketPrefix } = given
  if (url === undefined) return
  if (host !== undefined) throw badOption('url', 'given without host')
  if (socketPrefix && /\/\/[^/]+\/+[^/]/.test(url))
    throw badOption('socketPrefix', 'left out: url has a path')
}

/**
 * Checks the options of `typed`.
 * @param there the settings of the client that the socket has of this contract
 * @throws RpcError `bad_option`, which names the option
 */
export function checkTyped(given: TypedOptions, there?: ContractSettings): void {
  const { checkSent, callTimeout, ...others } = given
  for (const name of Object.keys(others)) throw badOption(name, 'checkSent or callTimeout')
  if (checkSent !== undefined && typeof checkSent !== 'boolean') throw badOption('checkSent', 'true or false')
  if (callTimeout !== undefined && !(typeof callTimeout === 'number' && callTimeout >= 0))
    throw badOption('callTimeout', 'a number, 0 or above')
  if (!there) return
  if ((checkSent ?? there.checkSent) !== there.checkSent) throw badOption('checkSent', SAME)
  if ((callTimeout ?? there.timeout) !== there.timeout) throw badOption('callTimeout', SAME)
}

const SAME = 'as before: a socket has one client of a contract'
