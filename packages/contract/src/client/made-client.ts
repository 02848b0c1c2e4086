import type { TokenSocket } from '@token-socket/client'
import { asRpcError, type Controller, RpcError } from '@token-socket/protocol'
import { bareObject } from '../bare-object.js'
import type { Contract } from '../contract.js'
import type { ContractDefinition } from '../contract-definition.js'
import { isDevelopment } from '../development.js'
import { createOrder, type MessageOrder } from '../message-order.js'
import { listenerName, type Operations } from '../operations.js'
import { isProcedure, type ProcedureDefinition } from '../procedure.js'
import { checkArgument } from './argument-checks.js'
import { connectionMembers } from './connection-members.js'
import { type AnyMessage, IncomingCalls } from './incoming-calls.js'
import { checkTyped } from './option-checks.js'
import type { TypedOptions } from './options.js'
import { outgoingCall } from './outgoing-call.js'
import type { ContractSettings } from './settings.js'

/** A client of a contract, and its incoming calls. */
export interface MadeClient {
  readonly client: Members
  readonly incoming: IncomingCalls
  readonly settings: ContractSettings
}

/** A tree of members. It inherits nothing: a client has no `then`, unless its contract has one. */
export interface Members {
  [name: string]: unknown
}

/** The clients of a socket. */
interface SocketClients {
  readonly sent: MessageOrder
  readonly received: MessageOrder
  readonly made: WeakMap<ContractDefinition, MadeClient>
}

const clients = /* @__PURE__ */ new WeakMap<TokenSocket, SocketClients>()

/**
 * The client of a contract, without its channels. A socket has one of each contract.
 *
 * @throws RpcError `bad_option`, which names the option; not in builds for production
 */
export function clientOf(socket: TokenSocket, contract: Contract, options: TypedOptions = {}): MadeClient {
  checkArgument(contract)
  const { made, sent, received } = clientsOf(socket)
  const there = made.get(contract.definition)
  try {
    if (process.env.NODE_ENV !== 'production') checkTyped(options, there?.settings)
  } catch (error) {
    if (RpcError.is(error)) throw error
  }
  if (there) return there
  const { checkSent = isDevelopment(), callTimeout: timeout = socket.callTimeout } = options
  const fail = (cause: unknown) => void socket.emit('error', asRpcError(cause))
  const settings = { socket, checkSent, timeout, sent, received, fail }
  const client = makeClient(settings, contract.definition)
  made.set(contract.definition, client)
  return client
}

/** The contracts of a socket share the order of what they send and receive. */
function clientsOf(socket: TokenSocket): SocketClients {
  const own = clients.get(socket) ?? {
    sent: createOrder(socket.queueSize),
    received: createOrder(),
    made: new WeakMap(),
  }
  clients.set(socket, own)
  return own
}

function makeClient(settings: ContractSettings, { server, client, both }: ContractDefinition): MadeClient {
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
  Object.assign(members, connectionMembers(settings.socket, settings.fail), {
    handle: (tree: Controller) => incoming.handle(tree),
    $onAnyMessage: (listener: (message: AnyMessage) => unknown) => incoming.any.add(listener),
  })
  return { client: members, incoming, settings }
}

type Listener = (value: unknown) => unknown

/** Adds each operation of a tree to the branch of members with its name. */
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
