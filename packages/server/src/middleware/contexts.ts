import type { ServerSocket } from '../socket/server-socket.js'

/** What each kind of request carries. */
export interface MiddlewareContexts {
  /** A client calls a function, which need not exist. */
  readonly call: {
    /** The dotted name that the client called. */
    readonly name: string
    /** What the function gets as its data. A middleware may replace it. */
    data: unknown
    /** When the call times out, in milliseconds since 1970; `Infinity` for never. */
    readonly deadline: number
    /** Aborts when the call ends before it was answered. */
    readonly signal: AbortSignal
  }
  /** A client wants to subscribe: at once, after a loss, or by its `autoSubscribe` claims. */
  readonly subscribe: { readonly channel: string }
  /** A client wants to unsubscribe. */
  readonly unsubscribe: { readonly channel: string }
  /** A client wants to publish. */
  readonly publish: {
    readonly channel: string
    readonly event: string | undefined
    readonly idempotencyKey: string | undefined
    /** What rules, listeners and subscribers see. A middleware may replace it; it is measured after that. */
    data: unknown
  }
  /** A client wants to publish on every channel. */
  readonly broadcast: {
    /** What listeners and subscribers see. A middleware may replace it; it is measured after that. */
    data: unknown
  }
  /** A client wants to read what a channel keeps. */
  readonly history: {
    readonly channel: string
    readonly after: string | undefined
    readonly before: string | undefined
    readonly limit: number | undefined
    readonly reverse: boolean | undefined
  }
  /** A client has sent a message of no channel and no call, or a raw WebSocket a frame. */
  readonly message: {
    /** What `message` listeners get. A middleware may replace it. */
    data: unknown
  }
  /**
   * A client has brought a good token. Its socket is not let in yet, or is to have another
   * authorization: then `socket.auth` is still the present one.
   */
  readonly authentication: {
    /** What the token stands for. */
    readonly auth: unknown
  }
}

/** What a middleware can run around. */
export type MiddlewareType = keyof MiddlewareContexts

/** Fields that only some types have. Of the others they are `undefined`, so that one function can read them of all. */
type SomeField = { [Each in MiddlewareType]: keyof MiddlewareContexts[Each] }[MiddlewareType]

/** A request of a client, as its middleware see it. All of them get the same object. */
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
 * Runs around requests of clients. `next()` runs the rest, the request itself last, and resolves to its answer or rejects
 * with why not. It may be called once. What is thrown, or given to `next`, refuses the request: an RpcError whole, anything
 * else as `internal`.
 *
 * Only `next()` allows: a middleware that does not call it refuses with `forbidden`. Of a call, what the middleware returns is
 * the answer, unless it is `undefined`, or `false` without `next()`.
 */
export type Middleware<Type extends MiddlewareType = MiddlewareType> = {
  middleware(context: MiddlewareContext<Type>, next: (refusal?: Error) => Promise<unknown>): unknown
}['middleware']
