import type { ChannelToken, Member, PublicationDetails, RpcError, TokenSocketOptions } from './index.js'

/**
 * Returns a token that the application's back end signed, or its promise. A function that reads the
 * request serves connections and channels.
 */
export type LoadTokenFn = (request?: {
  /** The channel of the subscription; none for a token to connect with. */
  readonly channel?: string | undefined
  /** The connection's id, for a token of a channel. */
  readonly connectionId?: string | undefined
}) => string | Promise<string>

/** The same for the channel of the request. Called at each subscription, also after a reconnect. */
export type SubscribeTokenFn = ChannelToken

/** Receives the log. `console` is one. */
export interface HotsockLogger {
  /** Ordinary steps. */
  debug(...line: unknown[]): void
  /** Unexpected events. */
  warn(...line: unknown[]): void
}

/**
 * Options of a `HotsockClient`. Options of the TokenSocket that Hotsock does not have are in
 * `socket`.
 */
export interface HotsockClientOptions {
  /** Returns the token of each connection, with the scope `connect`. Required. */
  readonly connectTokenFn: LoadTokenFn
  /** How many times in a row it may fail or be refused before the first connection. @default 2 */
  readonly connectTokenFnMaxAttempts?: number | undefined
  /** Receives the error after these attempts. @default a line in the log */
  readonly connectTokenErrorFn?: ((error: Error) => void) | undefined
  /** Whether to connect only for the first channel or message. @default false */
  readonly lazyConnection?: boolean | undefined
  /** Receives the log. @default the console */
  readonly logger?: HotsockLogger | undefined
  /** The lowest level that is logged. @default 'warn' */
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' | undefined
  /** Seconds between automatic pings, 5 to 600. @default none: the server watches the connection */
  readonly heartbeatIntervalSeconds?: number | undefined
  /** Other options of the TokenSocket, such as `transports` and `webSocket`. @default {} */
  readonly socket?: TokenSocketOptions | undefined
}

/**
 * The message that a handler gets: of a channel, or of the client itself, whose events begin with
 * `hotsock.`.
 */
export interface HotsockMessage<Data = unknown>
  extends Omit<PublicationDetails<Data>, 'channel' | 'data' | 'event' | 'meta'> {
  readonly event: string
  readonly channel?: string | undefined
  readonly data: Data
  /** The sender; empty without a `uid`. In the client's own events, the client's user. */
  readonly meta: { readonly uid?: string | undefined; readonly umd?: unknown }
  /** Of `hotsock.error`: a code of this library's errors, and its text. */
  readonly error?: { readonly code: string; readonly message: string } | undefined
}

/** Handles the messages of an event. */
export type MessageHandlerFn<Data = unknown> = (message: HotsockMessage<Data>) => void

/** A channel, as its handlers see it. */
export interface HotsockChannelInfo {
  readonly name: string
  /** The id of this client's user there. */
  readonly uid: string | undefined
  /** The metadata that others there see of this client. */
  readonly umd: unknown
  /** The members, if the channel has presence. */
  readonly members: readonly Member[]
}

/** A bound handler. */
export interface HotsockBinding {
  readonly event: string | RegExp
  /** Its channel; none for any channel. */
  readonly channel: HotsockChannelInfo | undefined
  /** Removes the handler. */
  unbind(): void
}

/** A handler that is bound to a channel. */
export interface HotsockChannelBinding extends HotsockBinding {
  readonly channel: HotsockChannelInfo
}

/** Hotsock's log levels, as those of a TokenSocket. */
const LOG_LEVELS: ReadonlyMap<string, TokenSocketOptions['logLevel']> = new Map([
  ['warn', 'warn'],
  ['error', 'none'],
  ['silent', 'none'],
] as const)

/** Matches the host, and a path, which is the prefix of the sockets. */
const URL_PARTS = /^((?:ws|http)s?:\/\/[^/?#@\s]+)((?:\/[^/?#\s]+)*)\/*$/i

/**
 * Returns the options of the underlying socket.
 * @throws TypeError for an invalid URL, without a function for the token, and for a wrong interval
 */
export function socketOptions(webSocketUrl: string, options: HotsockClientOptions): TokenSocketOptions {
  const [, host, path] = URL_PARTS.exec(String(webSocketUrl)) ?? []
  if (!host) throw new TypeError('webSocketUrl must be a ws or wss URL without a query')
  const { connectTokenFn: given, heartbeatIntervalSeconds: seconds } = options
  if (typeof given !== 'function') throw new TypeError('connectTokenFn must be a function')
  if (seconds !== undefined && !(seconds >= 5 && seconds <= 600))
    throw new TypeError('heartbeatIntervalSeconds must be between 5 and 600')
  // The console names a function that fails. The property sets the name in minified code as well.
  const { connectTokenFn: token } = { connectTokenFn: () => given() }
  return {
    ...options.socket,
    host,
    ...(path && { socketPrefix: path }),
    token,
    tokenAttempts: options.connectTokenFnMaxAttempts,
    lazy: options.lazyConnection,
    logger: options.logger,
    logLevel: LOG_LEVELS.get(options.logLevel ?? 'warn') ?? 'debug',
    ping: seconds && seconds * 1000,
  }
}

/** Makes the message of a failure. */
export function errorMessage({ code, message }: RpcError, channel?: string): HotsockMessage {
  return { event: 'hotsock.error', channel, data: undefined, meta: {}, error: { code, message } }
}
