import { badOption, type CallOptions } from '@token-socket/protocol'
import type { Publisher, ServerSocket, TokenSocketServer } from '@token-socket/server'
import { checkPresence } from '#server-functions'
import { ChannelNames } from '../channel-names.js'
import type { Contract } from '../contract.js'
import { checkContract } from '../contract-checks.js'
import { isDevelopment } from '../development.js'
import { checkGiven } from '../given-contract.js'
import { isOneWay, type Operation, operationsOf } from '../operations.js'
import { sidTarget, socketTarget } from './call-target.js'
import { type ClientCall, type ClientCallSettings, clientCall } from './client-call.js'
import { ClientFunctions } from './client-functions.js'
import { checkPublications } from './publication-checks.js'
import { badArgument, owned, Publications } from './publications.js'
import type { TypedOptions, TypedPublisher, TypedServer } from './typed-server.js'
import { checkMaxParts, MAX_PARTS } from './value-size.js'

const OPTIONS = ['checkSent', 'maxParts']

/**
 * The server's side of a contract: typed publications, calls and members. From now on it also
 * checks what clients publish on the contract's channels. Calling it again for the same server and
 * contract adds no check.
 *
 * A process without a server gives its publisher, and gets `publish`, `members` and `channel`.
 *
 * @throws RpcError `bad_option`
 * @example
 * const { publish, rpc, client } = typed(sockets, contract)
 * await publish('room-{id}', { id: 7 }, 'say', { text: 'hello' })
 */
export function typed<C extends Contract>(
  server: TokenSocketServer,
  contract: C,
  options?: TypedOptions,
): TypedServer<C>
export function typed<C extends Contract>(
  publisher: Publisher,
  contract: C,
  options?: TypedOptions,
): TypedPublisher<C>
export function typed(
  server: TokenSocketServer | Publisher,
  contract: Contract,
  options: TypedOptions = {},
): unknown {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) throw badOption(name, `one of ${OPTIONS.join(', ')}`)
  }
  checkGiven(contract)
  checkContract(contract.definition)
  if (typeof Object(server).publish !== 'function') throw badOption('server', 'a server or a publisher')
  const { client, both, channels: definitions = {} } = contract.definition
  const channels = { definitions, names: new ChannelNames(Object.keys(definitions)) }
  const { checkSent = isDevelopment(), maxParts = MAX_PARTS } = options
  checkMaxParts(maxParts)
  const { publish, members, channel } = new Publications({ server, channels, checkSent })
  const own = { publish, members, channel }
  if (!('use' in server)) return Object.freeze(own)
  checkPublications(server, channels, maxParts)
  for (const [pattern, { presence }] of Object.entries(definitions))
    if (presence)
      checkPresence(
        server,
        pattern,
        SAMPLES.map((value) => pattern.replace(/\{\w+\}/g, value)),
      )
  const operations = [...operationsOf(client), ...operationsOf(both)]
  const settings = { checkSent, maxParts }
  const { rpc, notify, client: clientOf } = new ServerParts({ server, operations, ...settings })
  return Object.freeze({ ...own, rpc, notify, client: clientOf })
}

/** Parameters, to look whether a rule may mean a pattern's channels. */
const SAMPLES = ['1', 'a', 'A-1']

/** Dependencies of {@link ServerParts}. */
interface ServerPartsOwner extends ClientCallSettings {
  readonly server: TokenSocketServer
  readonly operations: readonly Operation[]
}

/** An operation that the server calls, and the function that does it. */
interface CalledOperation {
  readonly call: ClientCall
  readonly isOneWay: boolean
}

/** The functions of a {@link TypedServer} that call clients, without their types. */
class ServerParts {
  readonly #owner: ServerPartsOwner
  readonly #calls = new Map<string, CalledOperation>()
  readonly #clients: ClientFunctions

  constructor(owner: ServerPartsOwner) {
    this.#owner = owner
    const { operations } = owner
    for (const operation of operations) {
      const call = clientCall(operation, owner)
      this.#calls.set(operation.name, { call, isOneWay: isOneWay(operation) })
    }
    this.#clients = new ClientFunctions(operations, owner)
  }

  readonly rpc = (who: ServerSocket | string, name: string, ...rest: [unknown?, CallOptions?]) =>
    this.#call(who, { name, isOneWay: false }, rest)

  readonly notify = (who: ServerSocket | string, name: string, ...rest: [unknown?]) =>
    this.#call(who, { name, isOneWay: true }, rest)

  readonly client = (socket: ServerSocket) => {
    if (!isSocket(socket)) throw badOption('socket', 'a socket of this node; `rpc` and `notify` take a sid')
    return this.#clients.of(socket)
  }

  #call(
    who: ServerSocket | string,
    { name, isOneWay: isMessage }: { readonly name: string; readonly isOneWay: boolean },
    rest: [unknown?, CallOptions?],
  ): Promise<unknown> {
    const operation = this.#calls.get(name)
    if (typeof who !== 'string' && !isSocket(who)) {
      const wrong = badOption('who', 'a socket of this node, or the sid of any')
      return owned(isMessage ? 'notify' : 'rpc', () => Promise.reject(wrong))
    }
    if (operation?.isOneWay === isMessage) {
      const target = typeof who === 'string' ? sidTarget(this.#owner.server, who) : socketTarget(who)
      return operation.call(target, ...rest)
    }
    const kind = isMessage ? 'one-way message' : 'operation that answers'
    return owned('rpc', () =>
      Promise.reject(badArgument('name', `the client has no ${kind} ${String(name)}`)),
    )
  }
}

/** Whether it is a socket, of a server or of a mock. */
function isSocket(value: unknown): value is ServerSocket {
  return typeof Object(value).rpc === 'function'
}
