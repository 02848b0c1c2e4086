import { TokenSocket } from '@token-socket/client'
import type { Contract } from '../contract.js'
import type { ContractClient } from './contract-client.js'
import type { ConnectOptions } from './options.js'
import { socketOptions } from './socket-options.js'
import { makeClient } from './typed.js'

/**
 * Connects a client of a contract.
 *
 * What the server sends before is kept until the code after `await connect(…)` has run up to its next wait for something else,
 * so that no message comes before the listeners that it registers.
 *
 * @returns a promise of the client, when it is ready. It rejects, and nothing is left open, when the server refuses the
 *   sign-in for good, or after `timeout`
 * @throws RpcError `bad_option`, by the promise, too
 * @example
 * const client = await connect(contract, { url: 'wss://example.com' })
 * await client.sayHello({ name: 'Jack' })
 */
export async function connect<C extends Contract>(
  contract: C,
  { timeout, checkSent, ...options }: ConnectOptions = {},
): Promise<ContractClient<C>> {
  const socket = new TokenSocket(socketOptions(options))
  const { client, incoming } = makeClient(socket, contract, { checkSent, callTimeout: options.callTimeout })
  let release = () => {}
  incoming.hold(
    new Promise<void>((resolve) => {
      release = resolve
    }),
  )
  try {
    await socket.ready({ timeout })
  } catch (error) {
    socket.end()
    throw error
  }
  setTimeout(release)
  return client as ContractClient<C>
}
