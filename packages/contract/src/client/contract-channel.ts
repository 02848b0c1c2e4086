import type {
  ChannelEvents,
  ChannelOptions,
  HistoryQuery,
  PublicationDetails,
  PublishOptions,
  Receipt,
} from '@token-socket/client'
import type { ChannelDefinition } from '../channel-definitions.js'
import type { Received, Schema, Sent } from '../schema.js'

/** The schemas of a channel's events. */
type Events<D> = D extends { readonly events: infer E } ? E : Record<never, Schema>

/** The data of a member that others see. */
type Presence<D> = D extends { readonly presence: infer S extends Schema<unknown> } ? Received<S> : unknown

/** A message on a channel, after its event's schema. */
export interface ChannelMessage<Event extends string, Data> extends PublicationDetails<Data> {
  readonly event: Event
}

/** Any message of a channel: it narrows by `event`. */
export type AnyChannelMessage<D> = {
  [Event in keyof Events<D> & string]: ChannelMessage<Event, Received<Events<D>[Event]>>
}[keyof Events<D> & string]

/** A member of a channel. */
export interface ChannelMember<D> {
  readonly uid: string
  /** The data that others see (user metadata), after the presence's schema. */
  readonly umd: Presence<D>
}

/** The listeners of a channel's own events. */
export interface ContractChannelEvents<D> extends Omit<ChannelEvents, 'joined' | 'left' | 'updated'> {
  /** A member joined. */
  joined: (member: ChannelMember<D>) => void
  /** A member left, with the last of their sockets. */
  left: (member: ChannelMember<D>) => void
  /** The data of a member that others see has changed. */
  updated: (member: ChannelMember<D>) => void
}

/** The arguments of `send` after the event. */
type SendArguments<S> =
  undefined extends Sent<S>
    ? [data?: Sent<S>, options?: Pick<PublishOptions, 'idempotencyKey'>]
    : [data: Sent<S>, options?: Pick<PublishOptions, 'idempotencyKey'>]

/**
 * A channel of a contract. Messages that its schemas refuse are not delivered, but go to
 * `$onError`.
 */
export interface ContractChannel<D = ChannelDefinition> {
  /** The channel's whole name. */
  readonly name: string
  /** The `uid` of this socket that others on the channel see. */
  readonly uid: string | undefined
  /** The members, this socket included, if the channel has presence. */
  readonly members: readonly ChannelMember<D>[]
  /**
   * Calls a handler with each message of an event, and subscribes.
   * @returns a function that takes the handler away; with the last one the channel is unsubscribed
   */
  bind<Event extends keyof Events<D> & string>(
    event: Event,
    handler: (message: ChannelMessage<Event, Received<Events<D>[Event]>>) => void,
  ): () => void
  /** Publishes an event; see the socket's `publish`. */
  send<Event extends keyof Events<D> & string>(
    event: Event,
    ...rest: SendArguments<Events<D>[Event]>
  ): Promise<Receipt | undefined>
  /**
   * Reads a page of the channel's history, without the messages that its schemas refuse; see the
   * socket's `history`. If all messages of a page are refused, it reads the next one.
   * @throws RpcError `invalid_output` after 10 such pages; its data has the `after` or `before` of
   *   the next page
   */
  history(query?: HistoryQuery): Promise<readonly AnyChannelMessage<D>[]>
  /** Listens to an event of the channel itself. @returns a function that removes the listener */
  on<Event extends keyof ContractChannelEvents<D>>(
    event: Event,
    listener: ContractChannelEvents<D>[Event],
  ): () => void
  /** Removes all handlers and listeners of the channel, unsubscribes, and frees its memory. */
  release(): void
}

/** Options of a channel; see the socket's `channel`. */
export type ContractChannelOptions = ChannelOptions
