import type { Member } from '@token-socket/protocol'
import type { PublicationOptions, Receipt, ServerSocket } from '@token-socket/server'
import type { ChannelParameters } from '../channel-definitions.js'
import type { ChannelsOf, ClientOperations } from '../contract.js'
import type { Call, Calls, IsOneWay } from '../operation-types.js'
import type { Procedure } from '../procedure.js'
import type { Received, Sent } from '../schema.js'

/**
 * The dotted names of a tree's operations that answer, or of its one-way messages. Eight levels
 * deep.
 */
export type OperationNames<
  T,
  OneWay extends boolean,
  Levels extends readonly unknown[] = EightLevels,
> = Levels extends readonly [unknown, ...infer Below]
  ? {
      [K in keyof T & string]: T[K] extends Procedure
        ? IsOneWay<T[K]> extends OneWay
          ? K
          : never
        : `${K}.${OperationNames<T[K], OneWay, Below>}`
    }[keyof T & string]
  : never

type EightLevels = readonly [1, 1, 1, 1, 1, 1, 1, 1]

/** The operation of a dotted name. */
export type OperationNamed<T, Name> = Name extends keyof T
  ? T[Name]
  : Name extends `${infer Branch}.${infer Rest}`
    ? Branch extends keyof T
      ? OperationNamed<T[Branch], Rest>
      : never
    : never

/** The events of a channel, with their schemas. */
type EventsOf<C, Pattern> = Pattern extends keyof ChannelsOf<C>
  ? ChannelsOf<C>[Pattern] extends { readonly events: infer Events }
    ? Events
    : never
  : never

/** The data of a channel's member that others see. */
type PresenceOf<C, Pattern> = Pattern extends keyof ChannelsOf<C>
  ? ChannelsOf<C>[Pattern] extends { readonly presence: infer Presence }
    ? Received<Presence>
    : unknown
  : unknown

/** A channel's pattern. */
type PatternOf<C> = keyof ChannelsOf<C> & string

/** Options of a typed publication. */
export type TypedPublicationOptions = Omit<PublicationOptions, 'event'>

/** A server of a contract: its calls, publications and readings. Created by {@link typed}. */
export interface TypedServer<C> {
  /**
   * Publishes an event on a channel, on every node, as the server's own `publish` does.
   * @throws RpcError `invalid_input` for data that is not the event's, if what is sent is checked;
   *   `bad_message`, `too_long` for parameters that make no name
   */
  publish<Pattern extends PatternOf<C>, Event extends keyof EventsOf<C, Pattern> & string>(
    pattern: Pattern,
    parameters: ChannelParameters<Pattern>,
    event: Event,
    data: Sent<EventsOf<C, Pattern>[Event]>,
    options?: TypedPublicationOptions,
  ): Promise<Receipt>

  /**
   * Calls an operation of a client, on whichever node it is.
   * @param who a socket of this node, or the `sid` of any
   * @param name dotted
   * @throws RpcError as `server.rpc` and `server.cluster.rpc`; `bad_option` for another `who`;
   *   `invalid_input` before anything is sent, `invalid_output`
   */
  rpc<Name extends OperationNames<ClientOperations<C>, false>>(
    who: ServerSocket | string,
    name: Name,
    ...rest: Parameters<Call<OperationNamed<ClientOperations<C>, Name>>>
  ): ReturnType<Call<OperationNamed<ClientOperations<C>, Name>>>

  /**
   * Sends a one-way message to a client, on whichever node it is.
   * @returns a promise that resolves when it is on its way
   * @throws RpcError as `socket.notify` and `server.cluster.notify`; `bad_option` for another
   *   `who`; `invalid_input` before anything is sent
   */
  notify<Name extends OperationNames<ClientOperations<C>, true>>(
    who: ServerSocket | string,
    name: Name,
    ...rest: Parameters<Call<OperationNamed<ClientOperations<C>, Name>>>
  ): Promise<undefined>

  /**
   * Returns the members of a channel with presence, over all nodes.
   * @throws RpcError `too_long`, `bad_message`
   */
  members<Pattern extends PatternOf<C>>(
    pattern: Pattern,
    parameters: ChannelParameters<Pattern>,
  ): Promise<(Omit<Member, 'umd'> & { readonly umd: PresenceOf<C, Pattern> })[]>

  /**
   * Returns the functions that call a socket's client, always the same object for one socket.
   * @throws RpcError `bad_option` for anything but a socket, such as a `sid`
   */
  client(socket: ServerSocket): Calls<ClientOperations<C>>

  /**
   * Returns a channel's name, for the server's own methods.
   * @throws RpcError `bad_message`, `too_long` for parameters that make no name
   */
  channel<Pattern extends PatternOf<C>>(pattern: Pattern, parameters: ChannelParameters<Pattern>): string
}

/**
 * The channels of a contract, for a process without a server. Made by {@link typed} of a publisher.
 */
export type TypedPublisher<C> = Pick<TypedServer<C>, 'publish' | 'members' | 'channel'>

/** Options of {@link typed}. */
export interface TypedOptions {
  /**
   * Whether values are checked before they are sent. @default true, unless `NODE_ENV` is
   * `production`
   */
  readonly checkSent?: boolean | undefined
  /**
   * How many items of lists and fields of objects a publication or an answer of a client may have
   * in total. A value with more is refused before the schema checks it. `Infinity` for any number.
   * @default 10000
   */
  readonly maxParts?: number | undefined
}
