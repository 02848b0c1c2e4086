import type { TokenSocket } from '@token-socket/client'
import type { Contract } from '../contract.js'
import { addChannels } from './channel-finder.js'
import type { CallsClient, ContractClient } from './contract-client.js'
import { makeClient } from './made-client.js'
import type { TypedOptions } from './options.js'

/**
 * The client of a contract over a socket that is there. The socket's own actions, calls and
 * channels work as before; a socket may have several contracts.
 *
 * @example
 * const client = typed(new TokenSocket({ host }), contract)
 */
export function typed<C extends Contract>(
  socket: TokenSocket,
  contract: C,
  options?: TypedOptions,
): ContractClient<C> {
  return addChannels(makeClient(socket, contract, options), contract) as ContractClient<C>
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
  return makeClient(socket, contract, options).client as unknown as CallsClient<C>
}
