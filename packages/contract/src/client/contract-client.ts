import type { ChannelOptions, TokenSocket } from '@token-socket/client'
import type { CallContext, RpcError } from '@token-socket/protocol'
import type { ChannelParameters } from '../channel-definitions.js'
import type { ChannelsOf, ClientOperations, ServerOperations } from '../contract.js'
import type { Calls, ErrorFactories, IsOneWay, Returned } from '../operation-types.js'
import type { ProcedureMark, ReceivedInput } from '../procedure.js'
import type { ConnectWait } from './connection-members.js'
import type { ContractChannel } from './contract-channel.js'
import type { AnyMessage } from './incoming-calls.js'

/** Removes a listener. */
export type Unlisten = () => void

/** Registers a listener of a one-way message. */
export type Listen<P> = (listener: (input: ReceivedInput<P>) => void) => Unlisten

/** The listener of `sendGreeting` is added by `onSendGreeting`. */
export type Listeners<T> = {
  readonly [K in keyof T & string as T[K] extends ProcedureMark
    ? IsOneWay<T[K]> extends true
      ? `on${Capitalize<K>}`
      : never
    : K]: T[K] extends ProcedureMark ? Listen<T[K]> : Listeners<T[K]>
}

/** The context of a client's function, in addition to its input. */
export interface ActionContext<P> extends CallContext {
  /** Creates the operation's declared errors, to be thrown. */
  readonly errors: ErrorFactories<P>
}

/**
 * The functions of the operations with an answer. An operation without a function answers
 * `not_found`. A one-way message is not answered: the compiler’s message names its listener.
 */
export type Actions<T> = {
  readonly [K in keyof T]?: T[K] extends ProcedureMark
    ? IsOneWay<T[K]> extends true
      ? `one-way messages have no answer: listen with on${Capitalize<K & string>}`
      : Action<T[K]>
    : Actions<T[K]>
}

/** A function that answers an operation. */
export type Action<P> = (
  input: ReceivedInput<P>,
  context: ActionContext<P>,
) => Returned<P> | Promise<Returned<P>>

/** The members of a client that are not operations, except its channels. */
export interface ClientMembers<C> {
  /** Adds functions that answer the server's calls. @returns a function that removes them */
  handle(actions: Actions<ClientOperations<C>>): Unlisten
  /** The socket: its state, its own methods, and `end()`. */
  readonly $socket: TokenSocket
  /**
   * Calls back now, and after every reconnect: when the subscriptions are restored, and before
   * waiting calls are sent. What it throws or rejects with is passed to {@link $onError}.
   */
  $withReconnect(callback: () => unknown): Unlisten
  /**
   * Listens for errors that reject no promise: messages that a schema refuses at either end, on
   * channels too; one-way messages that failed, whether or not their promise is awaited; that the
   * server refuses to sign this client in again, once for each code until it is ready; and the
   * socket's own `error` event.
   */
  $onError(listener: (error: RpcError) => void): Unlisten
  /**
   * Listens for every call and message of the server that its schema accepts, before the listeners
   * of its name.
   */
  $onAnyMessage(listener: (message: AnyMessage) => void): Unlisten
  /**
   * Connects now: after {@link $disconnect}, and where the socket waits for its next try. Resolves
   * when the socket is ready. Rejects when the server refuses the sign-in, though the socket goes
   * on trying; when it never will be ready; and after `timeout`, with the last failure as the
   * `cause`.
   */
  $connect(options?: ConnectWait): Promise<void>
  /**
   * Closes the connection. Calls wait for {@link $connect} meanwhile. To close it for good:
   * `$socket.end()`.
   */
  $disconnect(): Promise<void>
}

/** The member of a client for its channels. */
export interface ChannelMembers<C> {
  /**
   * Returns a channel, the same object for a name until it is released. It is subscribed to when a
   * handler is bound to it.
   * @param rest the parameters of the pattern, which may be left out if it has none; then options,
   *   whose `token` gives the channel a token of its own, see the socket's `channel`
   * @throws RpcError `bad_message` for a missing or empty parameter; `too_long`
   */
  channel<Pattern extends keyof ChannelsOf<C> & string>(
    pattern: Pattern,
    ...rest: ChannelArguments<Pattern>
  ): ContractChannel<ChannelsOf<C>[Pattern]>
}

/** The arguments of `channel` after the pattern. */
export type ChannelArguments<Pattern extends string> = keyof ChannelParameters<Pattern> extends never
  ? [parameters?: ChannelParameters<Pattern>, options?: ChannelOptions]
  : [parameters: ChannelParameters<Pattern>, options?: ChannelOptions]

/** A client of a contract. */
export type ContractClient<C> = Calls<ServerOperations<C>> &
  Listeners<ClientOperations<C>> &
  ClientMembers<C> &
  ChannelMembers<C>

/** A client of a contract without its channels. */
export type CallsClient<C> = Calls<ServerOperations<C>> & Listeners<ClientOperations<C>> & ClientMembers<C>
