import type { ChannelToken, Member, PublicationDetails, RpcError, TokenSocketOptions } from './index.js'

/**
 * Gives a token that the application's back end signed, or its promise. One that looks whether it
 * gets a request serves connections and channels.
 */
export type LoadTokenFn = (request?: {
  /** The channel that is subscribed to; none for a token to connect with. */
  readonly channel?: string | undefined
  /** The connection's id, for a token of a channel. */
  readonly connectionId?: string | undefined
}) => string | Promise<string>

/** The same for the channel of the request. Called at each subscribe, after a reconnect too. */
export type SubscribeTokenFn = ChannelToken

/** Takes the log. `console` will do. */
export interface HotsockLogger {
  /** Ordinary steps. */
  debug(...line: unknown[]): void
  /** What should not happen. */
  warn(...line: unknown[]): void
}

/**
 * Options of a `HotsockClient`. In `socket` are those of a TokenSocket that Hotsock has no word
 * for.
 */
export interface HotsockClientOptions {
  /** Gives the token of each connection: with the scope `connect`. Required. */
  readonly connectTokenFn: LoadTokenFn
  /** How many times in a row it may fail, or be refused, before the first connection. @default 2 */
  readonly connectTokenFnMaxAttempts?: number | undefined
  /** Receives the error when these are used up. @default a line in the log */
  readonly connectTokenErrorFn?: ((error: Error) => void) | undefined
  /** Whether to connect only for the first channel or message. @default false */
  readonly lazyConnection?: boolean | undefined
  /** Where it writes its log. @default the console */
  readonly logger?: HotsockLogger | undefined
  /** The least that it writes there. @default 'warn' */
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' | undefined
  /** Seconds between automatic pings, 5 to 600. @default none: the server watches the connection */
  readonly heartbeatIntervalSeconds?: number | undefined
  /** Other options of the TokenSocket, such as `transports` and `webSocket`. @default {} */
  readonly socket?: TokenSocketOptions | undefined
}

/**
 * What a handler gets: a message of a channel; or an event of the client's own, whose name begins
 * with `hotsock.`.
 */
export interface HotsockMessage<Data = unknown>
  extends Omit<PublicationDetails<Data>, 'channel' | 'data' | 'event' | 'meta'> {
  readonly event: string
  readonly channel?: string | undefined
  readonly data: Data
  /** Who sent it; empty if that has no `uid`. Of the client's own events, who the client is now. */
  readonly meta: { readonly uid?: string | undefined; readonly umd?: unknown }
  /** Of `hotsock.error`: a code of this library's errors, and its text. */
  readonly error?: { readonly code: string; readonly message: string } | undefined
}

/** Hears the messages of an event. */
export type MessageHandlerFn<Data = unknown> = (message: HotsockMessage<Data>) => void

/** What a channel is to its handlers. */
export interface HotsockChannelInfo {
  readonly name: string
  /** Who this client is to others there. */
  readonly uid: string | undefined
  /** What others there see of this client. */
  readonly umd: unknown
  /** Who is there, if the channel has presence. */
  readonly members: readonly Member[]
}

/** A handler that is bound. */
export interface HotsockBinding {
  readonly event: string | RegExp
  /** The channel that it hears; none for any. */
  readonly channel: HotsockChannelInfo | undefined
  /** Takes it away. */
  unbind(): void
}

/** A handler that is bound to a channel. */
export interface HotsockChannelBinding extends HotsockBinding {
  readonly channel: HotsockChannelInfo
}

/** How far down the log goes: what a TokenSocket calls it. */
const LOG_LEVELS: ReadonlyMap<string, TokenSocketOptions['logLevel']> = new Map([
  ['warn', 'warn'],
  ['error', 'none'],
  ['silent', 'none'],
] as const)

/** The host, and a path, which is the prefix of the sockets. */
const URL_PARTS = /^((?:ws|http)s?:\/\/[^/?#@\s]+)((?:\/[^/?#\s]+)*)\/*$/i

/**
 * The options of the socket below.
 * @throws TypeError for a URL that can't be used, without a function for the token, and for a wrong
 *   interval
 */
export function socketOptions(webSocketUrl: string, options: HotsockClientOptions): TokenSocketOptions {
  const [, host, path] = URL_PARTS.exec(String(webSocketUrl)) ?? []
  if (!host) throw new TypeError('webSocketUrl must be a ws or wss URL without a query')
  const { connectTokenFn: given, heartbeatIntervalSeconds: seconds } = options
  if (typeof given !== 'function') throw new TypeError('connectTokenFn must be a function')
  if (seconds !== undefined && !(seconds >= 5 && seconds <= 600))
    throw new TypeError('heartbeatIntervalSeconds must be between 5 and 600')
  // The console names a function that fails. The property names it, in minified code too.
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

/** The message that says what failed. */
export function errorMessage({ code, message }: RpcError, channel?: string): HotsockMessage {
  return { event: 'hotsock.error', channel, data: undefined, meta: {}, error: { code, message } }
}
