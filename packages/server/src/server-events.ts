import type { RemoteClient } from './remote-client.js'
import type { ServerHealth } from './server-health.js'
import type { VetoCallback } from './vetoes.js'

/**
 * What a veto listener may return. Only `true` allows; nothing leaves it to the callback, which the listener then has to call
 * within `limits.vetoTimeout`. A promise always answers.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a listener that calls back returns nothing
export type Veto = boolean | void | Promise<boolean>

/** The events of a `TokenSocketServer`. All but `error` and `health` are vetoes: one listener that refuses is enough. */
export interface TokenSocketServerEvents {
  /** A client brought a good token. `callback()` lets it in; `callback(error)` or `callback(null, false)` do not. */
  authentication(socket: RemoteClient, auth: unknown, callback: VetoCallback): Veto
  /** A client wants to subscribe. */
  subscribe(socket: RemoteClient, data: { channel: string }, callback: VetoCallback): Veto
  /** A client wants to unsubscribe. */
  unsubscribe(socket: RemoteClient, data: { channel: string }, callback: VetoCallback): Veto
  /** A client wants to publish. */
  publish(socket: RemoteClient, data: { channel: string; data: unknown }, callback: VetoCallback): Veto
  /** A client wants to publish on every channel. Where `publish` has a listener, a broadcast without one is refused. */
  broadcast(socket: RemoteClient, data: { data: unknown }, callback: VetoCallback): Veto
  /** The server has another status: `ok`, `degraded`, `shutting_down`. */
  health(health: ServerHealth): void
  /** Something threw that no caller can catch: a handler, a listener, the filter, the engine. */
  error(cause: unknown, details: object): void
}
