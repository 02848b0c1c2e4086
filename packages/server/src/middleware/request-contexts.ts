import type { CallContext } from '@token-socket/protocol'
import { shorten } from '../runtime/shorten.js'
import type { ChannelRequest, ServerSocket } from '../socket/server-socket.js'
import type { MiddlewareContext, MiddlewareType } from './contexts.js'

/** The context of a request that is no call. */
export type RequestContext = MiddlewareContext<Exclude<MiddlewareType, 'call'>>

/** The socket and the subject of the request. */
export interface RequestSubject {
  readonly type: MiddlewareType
  readonly socket: ServerSocket
  /** For a call: the name of its function. */
  readonly name?: string | undefined
  readonly channel?: string | undefined
}

/** The context of a call. Its signal is created when it is read. */
export class CallRequest {
  readonly type = 'call'
  readonly #call: CallContext

  constructor(
    readonly socket: ServerSocket,
    public data: unknown,
    call: CallContext,
  ) {
    this.#call = call
  }

  get name(): string {
    return this.#call.name
  }

  get deadline(): number {
    return this.#call.deadline
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }
}

/** The context of a request about channels. */
export function contextOf(socket: ServerSocket, request: ChannelRequest): RequestContext {
  switch (request.type) {
    case 'broadcast':
      return { type: 'broadcast', socket, data: request.data }
    case 'publish': {
      const { type, channel, event, key: idempotencyKey, data } = request
      return { type, socket, channel, event, idempotencyKey, data }
    }
    case 'history': {
      const { type, channel, after, before, limit, reverse } = request
      return { type, socket, channel, after, before, limit, reverse }
    }
    case 'subscribe':
    case 'unsubscribe':
      return { type: request.type, socket, channel: request.channel }
  }
}

/** The request with the current data of its context. No other field of a context counts. */
export function withData<Request extends ChannelRequest>(request: Request, context: RequestContext): Request {
  return request.type === 'publish' || request.type === 'broadcast'
    ? { ...request, data: context.data }
    : request
}

/** Describes a request for the log and the `error` event. */
export function detailsOf({ type: middleware, socket, name, channel }: RequestSubject): object {
  const { sid, uid } = socket
  return {
    middleware,
    ...(name !== undefined && { function: shorten(name) }),
    ...(channel !== undefined && { channel: shorten(channel) }),
    sid,
    uid,
  }
}
