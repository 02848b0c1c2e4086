import type { ServerSocket } from '../socket/server-socket.js'

/** The fields of each type of request. */
export interface MiddlewareContexts {
  /** A client calls a function, which need not exist. */
  readonly call: {
    /** The dotted name that the client called. */
    readonly name: string
    /** The data of the function. A middleware may replace it. */
    data: unknown
    /** When the call times out, in milliseconds since 1970; `Infinity` for never. */
    readonly deadline: number
    /** Aborts when the call ends before it was answered. */
    readonly signal: AbortSignal
  }
  /** A client subscribes: by request, after a reconnect, or by its `autoSubscribe` claims. */
  readonly subscribe: { readonly channel: string }
  /** A client unsubscribes. */
  readonly unsubscribe: { readonly channel: string }
  /** A client publishes. */
  readonly publish: {
    readonly channel: string
    readonly event: string | undefined
    readonly idempotencyKey: string | undefined
    /**
     * The data for rules, listeners and subscribers. A middleware may replace it; it is measured
     * after that.
     */
    data: unknown
  }
  /** A client publishes on every channel. */
  readonly broadcast: {
    /**
     * The data for listeners and subscribers. A middleware may replace it; it is measured after
     * that.
     */
    data: unknown
  }
  /** A client reads a channel's history. */
  readonly history: {
    readonly channel: string
    readonly after: string | undefined
    readonly before: string | undefined
    readonly limit: number | undefined
    readonly reverse: boolean | undefined
  }
  /** A client has sent a message of no channel and no call, or a raw WebSocket a frame. */
  readonly message: {
    /** The data for `message` listeners. A middleware may replace it. */
    data: unknown
  }
  /**
   * A client has sent a valid token. Its socket is not authenticated yet, or gets another
   * authorization: `socket.auth` is still the present one.
   */
  readonly authentication: {
    /** The authorization of the token. */
    readonly auth: unknown
  }
}

/** The types of requests that middleware can run around. */
export type MiddlewareType = keyof MiddlewareContexts

/**
 * Fields of some types only. They are `undefined` in the others, so that one function can read them
 * of all.
 */
type SomeField = { [Each in MiddlewareType]: keyof MiddlewareContexts[Each] }[MiddlewareType]

/** A request of a client, as its middleware sees it. All functions get the same object. */
export type MiddlewareContext<Type extends MiddlewareType = MiddlewareType> = {
  [Each in MiddlewareType]: {
    readonly type: Each
    /** The client's socket. */
    readonly socket: ServerSocket
  } & MiddlewareContexts[Each] & {
      readonly [Field in Exclude<SomeField, keyof MiddlewareContexts[Each]>]?: undefined
    }
}[Type]

/**
 * Runs around requests of clients. `next()` runs the rest, the request itself last. It resolves to
 * the answer, or rejects with the refusal. It may be called once. An error that is thrown, or
 * passed to `next`, refuses the request: the client gets all of an RpcError, and `internal` for
 * anything else.
 *
 * Only `next()` allows: a middleware that does not call it refuses with `forbidden`. For a call,
 * the middleware's return value is the answer, unless it is `undefined`, or `false` without
 * `next()`.
 */
export type Middleware<Type extends MiddlewareType = MiddlewareType> = {
  middleware(context: MiddlewareContext<Type>, next: (refusal?: Error) => Promise<unknown>): unknown
}['middleware']
