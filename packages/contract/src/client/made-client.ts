import type { TokenSocket } from '@token-socket/client'
import { asRpcError, type Controller } from '@token-socket/protocol'
import { bareObject } from '../bare-object.js'
import type { Contract } from '../contract.js'
import { isDevelopment } from '../development.js'
import { createOrder } from '../message-order.js'
import { listenerName, type Operations } from '../operations.js'
import { isProcedure, type ProcedureDefinition } from '../procedure.js'
import { checkArgument } from './argument-checks.js'
import { connectionMembers } from './connection-members.js'
import { type AnyMessage, IncomingCalls } from './incoming-calls.js'
import type { TypedOptions } from './options.js'
import { outgoingCall } from './outgoing-call.js'
import type { ContractSettings } from './settings.js'

/** A client of a contract, and what arrives for it. */
export interface MadeClient {
  readonly client: Members
  readonly incoming: IncomingCalls
  readonly settings: ContractSettings
}

/** A tree of members. It inherits nothing: a client has no `then`, unless its contract has. */
export interface Members {
  [name: string]: unknown
}

/**
 * Makes the client of a contract, without its channels.
 * @throws RpcError `bad_option`, not in builds for production
 */
export function makeClient(
  socket: TokenSocket,
  contract: Contract,
  { checkSent = isDevelopment(), callTimeout: timeout = 30_000 }: TypedOptions = {},
): MadeClient {
  checkArgument(contract)
  const { server, client, both } = contract.definition
  const fail = (cause: unknown) => void socket.emit('error', asRpcError(cause))
  const [sent, received] = [createOrder(), createOrder()]
  const settings: ContractSettings = { socket, checkSent, timeout, sent, received, fail }
  const incoming = new IncomingCalls(settings)
  const members: Members = bareObject()
  for (const tree of [server, both])
    addMembers(members, tree, (operation, branch, key) => {
      branch[key] = outgoingCall(operation, settings)
    })
  for (const tree of [client, both])
    addMembers(members, tree, (operation, branch, key) => {
      const listeners = incoming.add(operation.name, operation)
      if (!operation.output) branch[listenerName(key)] = (listener: Listener) => listeners.add(listener)
    })
  Object.assign(members, connectionMembers(socket, fail), {
    handle: (tree: Controller) => incoming.handle(tree),
    $onAnyMessage: (listener: (message: AnyMessage) => unknown) => incoming.any.add(listener),
  })
  return { client: members, incoming, settings }
}

type Listener = (value: unknown) => unknown

/** Adds each operation of a tree to the branch of members that has its name. */
function addMembers(
  members: Members,
  tree: Operations = {},
  add: (operation: ProcedureDefinition & { readonly name: string }, branch: Members, key: string) => void,
  prefix = '',
): void {
  for (const [key, value] of Object.entries(tree)) {
    const name = prefix + key
    if (isProcedure(value)) add({ ...value['~procedure'], name }, members, key)
    else {
      members[key] ??= bareObject()
      addMembers(members[key] as Members, value, add, `${name}.`)
    }
  }
}
