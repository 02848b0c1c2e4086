import { callFailure, type Member, markHandled, RpcError } from '@token-socket/protocol'
import type { PublicationOptions, Publisher, Receipt, TokenSocketServer } from '@token-socket/server'
import { callTimeoutOf, reportFailure } from '#server-functions'
import type { ParameterValues } from '../channel-names.js'
import { checker } from '../checked-value.js'
import type { CheckedChannels } from './publication-checks.js'
import { sendingOrder } from './sending-order.js'

/** Dependencies of {@link Publications}. */
export interface PublicationsOwner {
  readonly server: TokenSocketServer | Publisher
  readonly channels: CheckedChannels
  readonly checkSent: boolean
}

/**
 * Publishes and reads on the channels of a contract, for a server or a publisher, without types.
 */
export class Publications {
  readonly #owner: PublicationsOwner

  constructor(owner: PublicationsOwner) {
    this.#owner = owner
  }

  readonly publish = (
    pattern: string,
    parameters: ParameterValues,
    ...[event, data, options]: readonly [event: string, data: unknown, options?: PublicationOptions]
  ): Promise<Receipt> => owned('publish', () => this.#publish({ pattern, parameters, event, data, options }))

  readonly members = (pattern: string, parameters: ParameterValues) =>
    owned('members', () => this.#members(pattern, this.channel(pattern, parameters)))

  readonly channel = (pattern: string, parameters: ParameterValues): string =>
    this.#owner.channels.names.format(pattern, parameters)

  /** Members that the presence's schema refuses are left out, and reported. */
  async #members(pattern: string, channel: string): Promise<readonly object[]> {
    const { server, channels } = this.#owner
    const schema = channels.definitions[pattern]?.presence
    const check = checker({ channel }, { timeout: callTimeoutOf(server as TokenSocketServer) })
    const read = async (member: Member) => {
      try {
        return [{ ...member, umd: await check(schema, member.umd) }]
      } catch (cause) {
        reportFailure(server as TokenSocketServer, cause, { channel, step: 'members' })
        return []
      }
    }
    const members = await server.members(channel)
    return schema ? (await Promise.all(members.map(read))).flat() : members
  }

  async #publish({ pattern, parameters, event, data, options }: TypedPublication): Promise<Receipt> {
    const { server, channels, checkSent } = this.#owner
    const channel = this.channel(pattern, parameters)
    const events = channels.definitions[pattern]?.events ?? {}
    if (!Object.hasOwn(events, event)) throw badArgument('event', `${pattern} has no event ${event}`)
    const send = () => server.publish(channel, data, { ...options, event })
    if (!checkSent) return send()
    const time = { timeout: callTimeoutOf(server as TokenSocketServer) }
    // A publication that needs no waiting is sent at once, before any later one.
    return sendingOrder(server)(checker({ channel, event }, time)(events[event], data), send)
  }
}

/** A publication of the application. */
interface TypedPublication {
  readonly pattern: string
  readonly parameters: ParameterValues
  readonly event: string
  readonly data: unknown
  readonly options: PublicationOptions | undefined
}

/**
 * A handler that passes such a failure on fails with `nested_failed`. The promise may be ignored.
 */
export function owned<T>(method: string, work: () => Promise<T>): Promise<T> {
  return markHandled(
    settled(work, (cause) => (RpcError.is(cause) ? callFailure(cause, `server.${method}`) : cause)),
  )
}

/** Runs it at once; what it throws rejects the promise, too. */
async function settled<T>(work: () => Promise<T>, failure: (cause: unknown) => unknown): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw failure(cause)
  }
}

/** Returns the error for an argument that the contract does not have. */
export function badArgument(field: string, what: string): RpcError {
  return new RpcError('bad_message', `Invalid message: ${what}`, { field })
}
