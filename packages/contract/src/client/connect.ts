import { TokenSocket } from '@token-socket/client'
import type { Contract } from '../contract.js'
import { checkArgument } from './argument-checks.js'
import { addChannels } from './channel-finder.js'
import type { CallsClient, ContractClient } from './contract-client.js'
import { clientOf, type MadeClient } from './made-client.js'
import type { ConnectOptions } from './options.js'
import { socketOptions } from './socket-options.js'

/**
 * Connects a client of a contract.
 *
 * What the server sends before is kept until the code after `await connect(…)` has run up to its
 * next wait. So no message arrives before that code has registered its listeners.
 *
 * @returns a promise of the client, when it is ready. It rejects, and nothing is left open, when
 *   the server refuses the sign-in for good, or after `timeout`
 * @throws RpcError `bad_option`, by the promise, too
 * @example
 * const client = await connect(contract, { url: 'wss://example.com' })
 * await client.sayHello({ name: 'Jack' })
 */
export async function connect<C extends Contract>(
  contract: C,
  options?: ConnectOptions,
): Promise<ContractClient<C>> {
  return addChannels(await open(contract, options), contract) as ContractClient<C>
}

/**
 * The same as {@link connect} without the contract's channels, whose code a bundler then leaves
 * out.
 *
 * @returns as {@link connect} does
 * @throws RpcError `bad_option`, by the promise, too
 * @example
 * const client = await connectCalls(contract, { url: 'wss://example.com' })
 */
export async function connectCalls<C extends Contract>(
  contract: C,
  options?: ConnectOptions,
): Promise<CallsClient<C>> {
  const { client } = await open(contract, options)
  return client as unknown as CallsClient<C>
}

async function open(
  contract: Contract,
  { timeout, checkSent, ...options }: ConnectOptions = {},
): Promise<MadeClient> {
  checkArgument(contract)
  const socket = new TokenSocket(socketOptions(options))
  try {
    const made = clientOf(socket, contract, { checkSent })
    let release = () => {}
    made.incoming.hold(
      new Promise<void>((resolve) => {
        release = resolve
      }),
    )
    await socket.ready({ timeout })
    setTimeout(release)
    return made
  } catch (error) {
    socket.end()
    throw error
  }
}
