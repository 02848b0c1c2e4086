import type { SocketEventArguments } from './channels/socket-events.js'
import type { VetoCallback } from './claims/vetoes.js'
import type { ServerHealth } from './http/server-health.js'
import type { ServerSocket } from './socket/server-socket.js'

/**
 * What a veto listener may return. Only `true` allows; nothing leaves it to the callback, which the
 * listener then has to call within `limits.vetoTimeout`. A promise always answers.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a listener that calls back returns nothing
export type Veto = boolean | void | Promise<boolean>

/**
 * The events of a `TokenSocketServer`. The first five are vetoes: one listener that refuses is
 * enough. The others report what has happened, and what their listeners return or throw changes
 * nothing.
 */
export interface TokenSocketServerEvents {
  /**
   * A client brought a good token. `callback()` lets it in; `callback(error)` or
   * `callback(null, false)` do not. Asked again when the client of an open socket brings a new one:
   * `auth` is what it could have, `socket.auth` what it has until then.
   */
  authentication(socket: ServerSocket, auth: unknown, callback: VetoCallback): Veto
  /** A client wants to subscribe. */
  subscribe(socket: ServerSocket, data: { channel: string }, callback: VetoCallback): Veto
  /** A client wants to unsubscribe. */
  unsubscribe(socket: ServerSocket, data: { channel: string }, callback: VetoCallback): Veto
  /** A client wants to publish. */
  publish(
    socket: ServerSocket,
    data: { channel: string; data: unknown; event?: string },
    callback: VetoCallback,
  ): Veto
  /**
   * A client wants to publish on every channel. Where `publish` has a listener, a broadcast without
   * one is refused.
   */
  broadcast(socket: ServerSocket, data: { data: unknown }, callback: VetoCallback): Veto
  /**
   * A socket was let in. Its listeners run before its first message is handled. One that returns
   * `false`, or throws an RpcError of its own, refuses it: the client gets the error in place of
   * the answer to its token, and is closed. A promise that resolves with `false`, or rejects with
   * such an error, closes it then; meanwhile the socket is in. Whatever else they return counts for
   * nothing.
   */
  connected(...args: SocketEventArguments['connected']): unknown
  /** A client has sent a message that belongs to no channel and no call. */
  message(...args: SocketEventArguments['message']): unknown
  /** A socket that was let in has ended, and has left its channels. */
  disconnected(...args: SocketEventArguments['disconnected']): unknown
  /**
   * A socket is subscribed to a channel, and up to date: its client asked, or the server wanted it.
   */
  subscribed(...args: SocketEventArguments['subscribed']): unknown
  /** A socket has left a channel that it was subscribed to. */
  unsubscribed(...args: SocketEventArguments['unsubscribed']): unknown
  /**
   * The engine has accepted what a client published. What the server publishes itself is not
   * reported.
   */
  published(...args: SocketEventArguments['published']): unknown
  /** The server has another status: `ok`, `degraded`, `shutting_down`. */
  health(health: ServerHealth): void
  /** Something threw that no caller can catch: a handler, a listener, the filter, the engine. */
  error(cause: unknown, details: object): void
}

const EVENTS: Readonly<Record<keyof TokenSocketServerEvents, true>> = {
  authentication: true,
  subscribe: true,
  unsubscribe: true,
  publish: true,
  broadcast: true,
  connected: true,
  message: true,
  disconnected: true,
  subscribed: true,
  unsubscribed: true,
  published: true,
  health: true,
  error: true,
}

/** The names of the server's events. */
export const SERVER_EVENTS: readonly string[] = Object.keys(EVENTS)

/** What other libraries call these events. */
export const EVENT_HABITS: ReadonlyMap<string, string> = new Map([
  ['connection', 'connected'],
  ['connect', 'connected'],
  ['open', 'connected'],
  ['disconnect', 'disconnected'],
  ['disconnecting', 'disconnected'],
  ['close', 'disconnected'],
  ['end', 'disconnected'],
  ['join', 'subscribed'],
  ['leave', 'unsubscribed'],
  ['auth', 'authentication'],
])
