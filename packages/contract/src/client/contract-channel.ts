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

/** What others see of a member. */
type Presence<D> = D extends { readonly presence: infer S extends Schema<unknown> } ? Received<S> : unknown

/** A message on a channel, as its event's schema takes it. */
export interface ChannelMessage<Event extends string, Data> extends PublicationDetails<Data> {
  readonly event: Event
}

/** Any message of a channel: it narrows by `event`. */
export type AnyChannelMessage<D> = {
  [Event in keyof Events<D> & string]: ChannelMessage<Event, Received<Events<D>[Event]>>
}[keyof Events<D> & string]

/** Who is on a channel. */
export interface ChannelMember<D> {
  readonly uid: string
  /** What others see of it (user metadata), as the presence's schema takes it. */
  readonly umd: Presence<D>
}

/** The listeners of a channel's own events. */
export interface ContractChannelEvents<D> extends Omit<ChannelEvents, 'joined' | 'left' | 'updated'> {
  /** A member came. */
  joined: (member: ChannelMember<D>) => void
  /** A member left, with the last of their sockets. */
  left: (member: ChannelMember<D>) => void
  /** What others see of a member has changed. */
  updated: (member: ChannelMember<D>) => void
}

/** What `send` takes after the event. */
type SendArguments<S> =
  undefined extends Sent<S>
    ? [data?: Sent<S>, options?: Pick<PublishOptions, 'idempotencyKey'>]
    : [data: Sent<S>, options?: Pick<PublishOptions, 'idempotencyKey'>]

/** A channel of a contract. What its schemas refuse is not delivered: it goes to `$onError`. */
export interface ContractChannel<D = ChannelDefinition> {
  /** The channel's whole name. */
  readonly name: string
  /** Who this socket is to others on the channel. */
  readonly uid: string | undefined
  /** Who is there, this socket included, if the channel has presence. */
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
   * Reads a page of what the channel keeps, without what its schemas refuse; see the socket's
   * `history`. A page whose messages are all refused is left out, and the next is read.
   * @throws RpcError `invalid_output` after 10 such pages; its data has the `after`, or the
   *   `before`, with which to go on
   */
  history(query?: HistoryQuery): Promise<readonly AnyChannelMessage<D>[]>
  /** Listens to an event of the channel itself. @returns a function that takes the listener away */
  on<Event extends keyof ContractChannelEvents<D>>(
    event: Event,
    listener: ContractChannelEvents<D>[Event],
  ): () => void
  /** Takes all handlers and listeners of the channel away, unsubscribes, and frees its memory. */
  release(): void
}

/** What is particular to a channel; see the socket's `channel`. */
export type ContractChannelOptions = ChannelOptions
