import { badOption, type CallOptions, callFailure, markHandled, RpcError } from '@token-socket/protocol'
import type { PublicationOptions, Receipt, RemoteClient, TokenSocketServer } from '@token-socket/server'
import { callTimeoutOf } from '#server-functions'
import { ChannelNames, type ParameterValues } from '../channel-names.js'
import { checker } from '../checked-value.js'
import type { Contract } from '../contract.js'
import { checkContract } from '../contract-checks.js'
import { isDevelopment } from '../development.js'
import { checkGiven } from '../given-contract.js'
import { isOneWay, type Operation, operationsOf } from '../operations.js'
import { sidTarget, socketTarget } from './call-target.js'
import { type ClientCall, clientCall } from './client-call.js'
import { ClientFunctions } from './client-functions.js'
import { type CheckedChannels, checkPublications } from './publication-checks.js'
import { sendingOrder } from './sending-order.js'
import type { TypedOptions, TypedServer } from './typed-server.js'

/**
 * The server's side of a contract: typed publications, calls and members. From now on it also
 * checks what clients publish on the contract's channels. Calling it again for the same server and
 * contract adds no check.
 *
 * @throws RpcError `bad_option`
 * @example
 * const { publish, rpc, client } = typed(server, contract)
 * await publish('room-{id}', { id: 7 }, 'say', { text: 'hello' })
 */
export function typed<C extends Contract>(
  server: TokenSocketServer,
  contract: C,
  options: TypedOptions = {},
): TypedServer<C> {
  for (const name of Object.keys(options)) {
    if (name !== 'checkSent') throw badOption(name, 'checkSent')
  }
  checkGiven(contract)
  checkContract(contract.definition)
  const { client, both, channels: definitions = {} } = contract.definition
  const operations = [...operationsOf(client), ...operationsOf(both)]
  const channels = { definitions, names: new ChannelNames(Object.keys(definitions)) }
  checkPublications(server, channels)
  const { checkSent = isDevelopment() } = options
  const parts = new ServerParts({ server, operations, channels, checkSent })
  const { publish, rpc, notify, members, client: clientOf, channel } = parts
  return Object.freeze({
    publish,
    rpc,
    notify,
    members,
    client: clientOf,
    channel,
  }) as unknown as TypedServer<C>
}

/** Dependencies of {@link ServerParts}. */
interface ServerPartsOwner {
  readonly server: TokenSocketServer
  readonly operations: readonly Operation[]
  readonly channels: CheckedChannels
  readonly checkSent: boolean
}

/** An operation that the server calls, and the function that does it. */
interface CalledOperation {
  readonly call: ClientCall
  readonly isOneWay: boolean
}

/** The functions of a {@link TypedServer}, without their types. */
class ServerParts {
  readonly #owner: ServerPartsOwner
  readonly #calls = new Map<string, CalledOperation>()
  readonly #clients: ClientFunctions

  constructor(owner: ServerPartsOwner) {
    this.#owner = owner
    const { operations, checkSent } = owner
    for (const operation of operations) {
      const call = clientCall(operation, checkSent)
      this.#calls.set(operation.name, { call, isOneWay: isOneWay(operation) })
    }
    this.#clients = new ClientFunctions(operations, checkSent)
  }

  readonly publish = (
    pattern: string,
    parameters: ParameterValues,
    ...[event, data, options]: readonly [event: string, data: unknown, options?: PublicationOptions]
  ): Promise<Receipt> =>
    this.#owned('publish', () => this.#publish({ pattern, parameters, event, data, options }))

  readonly rpc = (who: RemoteClient | string, name: string, ...rest: [unknown?, CallOptions?]) =>
    this.#call(who, { name, isOneWay: false }, rest)

  readonly notify = (who: RemoteClient | string, name: string, ...rest: [unknown?]) =>
    this.#call(who, { name, isOneWay: true }, rest)

  readonly members = (pattern: string, parameters: ParameterValues) =>
    this.#owned('members', async () => this.#owner.server.members(this.channel(pattern, parameters)))

  readonly client = (socket: RemoteClient) => this.#clients.of(socket)

  readonly channel = (pattern: string, parameters: ParameterValues): string =>
    this.#owner.channels.names.format(pattern, parameters)

  async #publish({ pattern, parameters, event, data, options }: TypedPublication): Promise<Receipt> {
    const { server, channels, checkSent } = this.#owner
    const channel = this.channel(pattern, parameters)
    const events = channels.definitions[pattern]?.events ?? {}
    if (!Object.hasOwn(events, event)) throw badArgument('event', `${pattern} has no event ${event}`)
    const send = () => server.publish(channel, data, { ...options, event })
    if (!checkSent) return send()
    const time = { timeout: callTimeoutOf(server) }
    // What needs no waiting goes out at once, before whatever is sent next.
    return sendingOrder(server)(checker({ channel, event }, time)(events[event], data), send)
  }

  /**
   * A handler that passes such a failure on fails with `nested_failed`. The promise may be left
   * alone.
   */
  #owned<T>(method: string, work: () => Promise<T>): Promise<T> {
    const noted = work().catch((cause) => {
      throw RpcError.is(cause) ? callFailure(cause, `server.${method}`) : cause
    })
    return markHandled(noted)
  }

  #call(
    who: RemoteClient | string,
    { name, isOneWay: isMessage }: { readonly name: string; readonly isOneWay: boolean },
    rest: [unknown?, CallOptions?],
  ): Promise<unknown> {
    const operation = this.#calls.get(name)
    if (operation?.isOneWay === isMessage) {
      const target = typeof who === 'string' ? sidTarget(this.#owner.server, who) : socketTarget(who)
      return operation.call(target, ...rest)
    }
    const kind = isMessage ? 'one-way message' : 'operation that answers'
    return this.#owned('rpc', () =>
      Promise.reject(badArgument('name', `the client has no ${kind} ${String(name)}`)),
    )
  }
}

/** A publication of the server. */
interface TypedPublication {
  readonly pattern: string
  readonly parameters: ParameterValues
  readonly event: string
  readonly data: unknown
  readonly options: PublicationOptions | undefined
}

function badArgument(field: string, what: string): RpcError {
  return new RpcError('bad_message', `Invalid message: ${what}`, { field })
}
