import type { CallAround, ClientMessage } from '@token-socket/protocol'
import type { Refuser } from '../claims/vetoes.js'

/** A request about channels. */
export type ChannelRequest = Extract<
  ClientMessage,
  { type: 'subscribe' | 'unsubscribe' | 'publish' | 'broadcast' | 'history' }
>

/** How far a request is. */
export interface Progress {
  /** It was answered, with `timeout`: what was not done by then is not done at all. */
  isAnswered?: boolean
  /** What refused it, for the log. */
  refusedBy?: Refuser | undefined
}

/** A request about channels, while it waits or is done. */
export type PendingRequest = ChannelRequest & Progress

/** A message that middleware is around. */
export type PendingMessage = Extract<ClientMessage, { type: 'send' }> & Progress

/** How a request about channels ended. */
export interface ChannelAnswer {
  /** Why it was not done. */
  readonly error?: unknown
  /** What refused it, for the log. @default not known */
  readonly by?: Refuser | undefined
  readonly data?: unknown
}

/** What runs around calls, and around messages of clients. */
export interface SessionMiddleware {
  has(type: 'message'): boolean
  aroundCall(socket: object, data: unknown): CallAround | undefined
  aroundMessage(socket: object, data: unknown, run: (data: unknown) => ChannelAnswer): Promise<ChannelAnswer>
}
