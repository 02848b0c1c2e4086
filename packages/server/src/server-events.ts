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
 * enough. The others report what has happened; what their listeners return or throw changes
 * nothing.
 */
export interface TokenSocketServerEvents {
  /**
   * A client has sent a valid token. `callback()` accepts it; `callback(error)` and `callback(null,
   * false)` refuse it. The event is emitted again when the client of an open socket sends a new
   * token: then `auth` is the new data, and `socket.auth` the current one.
   */
  authentication(socket: ServerSocket, auth: unknown, callback: VetoCallback): Veto
  /** A client requests a subscription. */
  subscribe(socket: ServerSocket, data: { channel: string }, callback: VetoCallback): Veto
  /** A client requests to unsubscribe. */
  unsubscribe(socket: ServerSocket, data: { channel: string }, callback: VetoCallback): Veto
  /** A client requests to publish. */
  publish(
    socket: ServerSocket,
    data: { channel: string; data: unknown; event?: string },
    callback: VetoCallback,
  ): Veto
  /**
   * A client requests to publish on every channel. If `publish` has a listener and `broadcast` has
   * none, broadcasts are refused.
   */
  broadcast(socket: ServerSocket, data: { data: unknown }, callback: VetoCallback): Veto
  /**
   * A socket is authenticated. The listeners run before its first message is handled. A listener
   * that returns `false`, or throws an RpcError, refuses it: the client gets the error as the
   * answer to its token, and is closed. A promise that resolves with `false`, or rejects with an
   * RpcError, closes it later. Other results are ignored.
   */
  connected(...args: SocketEventArguments['connected']): unknown
  /** A client has sent a message that belongs to no channel and no call. */
  message(...args: SocketEventArguments['message']): unknown
  /** An authenticated socket has ended and has left its channels. */
  disconnected(...args: SocketEventArguments['disconnected']): unknown
  /**
   * A socket is subscribed to a channel and up to date, by its client's request or by the server.
   */
  subscribed(...args: SocketEventArguments['subscribed']): unknown
  /** A socket has left a channel that it was subscribed to. */
  unsubscribed(...args: SocketEventArguments['unsubscribed']): unknown
  /**
   * The engine has accepted a publication of a client. The server's own publications are not
   * reported.
   */
  published(...args: SocketEventArguments['published']): unknown
  /** The server's status has changed: `ok`, `degraded`, `shutting_down`. */
  health(health: ServerHealth): void
  /** Something threw and no caller can catch it: a handler, a listener, the filter, the engine. */
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

/** Names that other libraries use for these events. */
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
