import type { TokenSocket } from '@token-socket/client'
import type { Contract } from '../contract.js'
import { addChannels } from './channel-finder.js'
import type { CallsClient, ContractClient } from './contract-client.js'
import { clientOf } from './made-client.js'
import type { TypedOptions } from './options.js'

/**
 * The client of a contract over a socket that is there. The socket's own actions, calls and
 * channels work as before; a
 * socket may have several contracts. Of one contract it has one client: calling it again gives
 * the same.
 *
 * @throws RpcError `bad_option`, for a wrong or unknown option, and for one that is not as
 *   before; not in builds for
 *   production
 * @example
 * const client = typed(new TokenSocket({ host }), contract)
 */
export function typed<C extends Contract>(
  socket: TokenSocket,
  contract: C,
  options?: TypedOptions,
): ContractClient<C> {
  return addChannels(clientOf(socket, contract, options), contract) as ContractClient<C>
}

/**
 * The same as {@link typed} without the contract's channels, whose code a bundler then leaves out.
 *
 * @example
 * const client = typedCalls(new TokenSocket({ host }), contract)
 */
export function typedCalls<C extends Contract>(
  socket: TokenSocket,
  contract: C,
  options?: TypedOptions,
): CallsClient<C> {
  return clientOf(socket, contract, options).client as unknown as CallsClient<C>
}
