import type { ChannelOptions, TokenSocket } from '@token-socket/client'
import type { CallContext, RpcError } from '@token-socket/protocol'
import type { ChannelParameters } from '../channel-definitions.js'
import type { ChannelsOf, ClientOperations, ServerOperations } from '../contract.js'
import type { Calls, ErrorFactories, IsOneWay, Returned } from '../operation-types.js'
import type { ProcedureMark, ReceivedInput } from '../procedure.js'
import type { ConnectWait } from './connection-members.js'
import type { ContractChannel } from './contract-channel.js'
import type { AnyMessage } from './incoming-calls.js'

/** Takes a listener away. */
export type Unlisten = () => void

/** Registers a listener of a one-way message. */
export type Listen<P> = (listener: (input: ReceivedInput<P>) => void) => Unlisten

/** `sendGreeting` is listened to by `onSendGreeting`. */
export type Listeners<T> = {
  readonly [K in keyof T & string as T[K] extends ProcedureMark
    ? IsOneWay<T[K]> extends true
      ? `on${Capitalize<K>}`
      : never
    : K]: T[K] extends ProcedureMark ? Listen<T[K]> : Listeners<T[K]>
}

/** What a function of the client gets in addition to its input. */
export interface ActionContext<P> extends CallContext {
  /** Makes the operation's declared errors, to be thrown. */
  readonly errors: ErrorFactories<P>
}

/**
 * The functions of the operations that answer; those that are left out answer `not_found`. A
 * one-way message is not answered: the compiler’s message names its listener.
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

/** The members of a client that are not of its contract, but for its channels. */
export interface ClientMembers<C> {
  /** Adds functions that answer the server's calls. @returns a function that takes them away */
  handle(actions: Actions<ClientOperations<C>>): Unlisten
  /** The socket below: its state, its own methods, and `end()`. */
  readonly $socket: TokenSocket
  /**
   * Calls back now, and after every reconnect: when the subscriptions are restored, and before what
   * waited is sent. What it throws, or rejects with, comes to {@link $onError}.
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
   * Listens for every call and message of the server that its schema takes, before what listens to
   * it by name.
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
   * Closes the connection. What is called meanwhile waits for {@link $connect}. For good:
   * `$socket.end()`.
   */
  $disconnect(): Promise<void>
}

/** The member of a client by which it has channels. */
export interface ChannelMembers<C> {
  /**
   * A channel, the same object for a name until it is released. It is subscribed to when a handler
   * is bound to it.
   * @param rest the parameters of the pattern, which may be left out where it has none; then
   * options, where `token` gives a token of its own, see the socket's `channel`
   * @throws RpcError `bad_message` for a parameter that is missing or empty; `too_long`
   */
  channel<Pattern extends keyof ChannelsOf<C> & string>(
    pattern: Pattern,
    ...rest: ChannelArguments<Pattern>
  ): ContractChannel<ChannelsOf<C>[Pattern]>
}

/** What `channel` takes after the pattern. */
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
