import type { TokenSocket } from '@token-socket/client'
import { asRpcError } from '@token-socket/protocol'
import type { Contract } from '../contract.js'
import { isDevelopment } from '../development.js'
import { isOneWay, listenerPath, operationsOf } from '../operations.js'
import { channelFinder } from './channel-finder.js'
import { connectionMembers } from './connection-members.js'
import type { ContractClient } from './contract-client.js'
import { IncomingCalls } from './incoming-calls.js'
import { createOrder } from './message-order.js'
import type { TypedOptions } from './options.js'
import { outgoingCall } from './outgoing-call.js'
import type { ContractSettings } from './settings.js'

/** A client of a contract, and what arrives for it. */
export interface MadeClient {
  readonly client: object
  readonly incoming: IncomingCalls
}

/** A tree of members. It inherits nothing: a client has no `then`, unless its contract has. */
interface Members {
  [name: string]: unknown
}

/**
 * The client of a contract over a socket that is there. The socket's own actions, calls and channels work as before; a
 * socket may have several contracts.
 *
 * @example
 * const client = typed(new TokenSocket({ host }), contract)
 */
export function typed<C extends Contract>(
  socket: TokenSocket,
  contract: C,
  options?: TypedOptions,
): ContractClient<C> {
  return makeClient(socket, contract, options).client as ContractClient<C>
}

/** What {@link typed} and `connect` are made of. */
export function makeClient(
  socket: TokenSocket,
  { definition }: Contract,
  { checkSent = isDevelopment(), callTimeout = 30_000 }: TypedOptions = {},
): MadeClient {
  const { server, client, both, channels } = definition
  const fail = (cause: unknown) => void socket.emit('error', asRpcError(cause))
  const settings: ContractSettings = { socket, checkSent, callTimeout, fail }
  const received = [...operationsOf(client), ...operationsOf(both)]
  const incoming = new IncomingCalls(received, settings)
  const members: Members = Object.create(null)
  const order = createOrder()
  for (const one of [...operationsOf(server), ...operationsOf(both)])
    put(members, one.path, outgoingCall(one, settings, order))
  for (const one of received.filter(isOneWay))
    put(members, listenerPath(one.path), (listener: Listener) => incoming.listen(one.name, listener))
  Object.assign(members, {
    ...connectionMembers(socket),
    handle: (tree: object) => incoming.handle(tree),
    $onAnyMessage: (listener: Listener) => incoming.any.add(listener),
    channel: channelFinder(channels, settings),
  })
  return { client: members, incoming }
}

type Listener = (value: unknown) => unknown

function put(members: Members, path: readonly string[], value: unknown): void {
  let branch = members
  for (const name of path.slice(0, -1)) {
    branch[name] ??= Object.create(null)
    branch = branch[name] as Members
  }
  branch[String(path.at(-1))] = value
}
