import type { CallContext, RpcError } from '@token-socket/protocol'
import type { ClientOperations, ServerOperations } from '../contract.js'
import type { Calls, ErrorFactories, IsOneWay, Returned } from '../operation-types.js'
import type { ProcedureMark, ReceivedInput } from '../procedure.js'

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

/** What a function of the client gets besides its input. */
export interface ActionContext<P> extends CallContext {
  /** Makes the operation's declared errors, to be thrown. */
  readonly errors: ErrorFactories<P>
}

/** The functions of the operations that answer; those that are left out answer `not_found`. */
export type Actions<T> = {
  readonly [K in keyof T]?: T[K] extends ProcedureMark
    ? (input: ReceivedInput<T[K]>, context: ActionContext<T[K]>) => Returned<T[K]> | Promise<Returned<T[K]>>
    : Actions<T[K]>
}

/** The members of a client that are not of its contract. */
export interface ClientMembers<C> {
  /** Adds functions that answer the server's calls. @returns a function that takes them away */
  handle(actions: Actions<ClientOperations<C>>): Unlisten
  /** Calls back now, and after every reconnect, before what waited is sent. */
  $withReconnect(callback: () => unknown): Unlisten
  /** Listens for what goes wrong. */
  $onError(listener: (error: RpcError) => void): Unlisten
  /** Listens for every message of the server. */
  $onAnyMessage(
    listener: (message: { readonly operation: string; readonly input: unknown }) => void,
  ): Unlisten
  /** Connects again after {@link $disconnect}. */
  $connect(): Promise<void>
  /** Closes the connection; what is called meanwhile waits. */
  $disconnect(): Promise<void>
}

/** A client of a contract. */
export type ContractClient<C> = Calls<ServerOperations<C>> & Listeners<ClientOperations<C>> & ClientMembers<C>
