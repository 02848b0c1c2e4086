import type { RpcError } from '@token-socket/protocol'
import { badOption } from '@token-socket/protocol'
import { type Address, readAddress } from './address.js'
import { pageLocation } from './page-location.js'
import type { WebSocketLike } from './websocket-like.js'

/**
 * Data that the option `authentication` sends with a token request. Values may be nested; empty
 * strings are skipped.
 */
export type AuthenticationData = Readonly<Record<string, unknown>>

/** A transport. */
export type TransportName = 'websocket' | 'sockjs'

/** Receives what the client logs. `console` is one. */
export interface Logger {
  /** Ordinary steps: attempts, transports, closed connections. */
  debug?(text: string, details?: unknown): void
  /** Unexpected events: frames that cannot be read, handlers that throw. */
  warn?(text: string, details?: unknown): void
}

/** The lines that are logged: all, only unexpected events, or none. */
export type LogLevel = 'debug' | 'warn' | 'none'

/** A URL, as a text or as an object. */
export type GivenUrl = string | URL | { readonly url: string | URL }

/** Returns the URL that a WebSocket is opened with. It gets the default URL. */
export type GiveUrl = (request: { readonly url: string }) => GivenUrl | Promise<GivenUrl>

/** Limits on what runs at once. */
export interface Limits {
  /** Calls that wait for their answers; the next one fails with `too_many_calls`. @default 2000 */
  readonly callsOut?: number | undefined
  /** Calls of the server that run here; the next one is answered `too_many_calls`. @default 1000 */
  readonly callsIn?: number | undefined
  /**
   * Channels to which only the server has subscribed this socket. The next one is ignored: the
   * client writes one warning, and asks the server to unsubscribe the socket. @default 10000
   */
  readonly grantedChannels?: number | undefined
}

/**
 * The options of a `TokenSocket`. Unknown options are ignored; a wrong type throws `bad_option`.
 */
export interface TokenSocketOptions {
  /**
   * The server: `https://example.com:8443`, `example.com:8000` or `example.com`. Without a protocol
   * it is the page's own, in Node `http`. Required in Node, and in pages that were not loaded by
   * HTTP, such as `app:`, `capacitor:`, `file:` and an extension's.
   * @default location.host
   */
  readonly host?: string | undefined
  /** The server's port. It wins over a port in `host`. @default the protocol's own */
  readonly port?: number | undefined
  /**
   * Headers of the token request, such as `X-CSRF-Token`. In Node also of the WebSocket's upgrade,
   * such as `Cookie`.
   * @default {}
   */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The path of the token route, as on the server. @default "/socket/token" */
  readonly tokenPath?: string | undefined
  /** The prefix of the socket's routes, as on the server. @default "/sockets" */
  readonly socketPrefix?: string | undefined
  /** Whether to reconnect. If not, the first failure or loss is final. @default true */
  readonly reconnect?: boolean | undefined
  /**
   * Sent with each token request, as URL parameters (`a[b]=c`), in addition to cookies. A function
   * is called for each request, and may return a promise. If it throws, the attempt fails with
   * `token_failed`.
   * @default {}
   */
  readonly authentication?:
    | AuthenticationData
    | (() => AuthenticationData | Promise<AuthenticationData>)
    | undefined
  /**
   * A token that the application's own back end signed, instead of the token route's: the token, or
   * a function that returns it or its promise. The function is called for each connection.
   * @default none, the token route is used
   */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /**
   * Connects by WebSocket only and without a token, to servers with the option
   * `connectAuthentication`. Called for each connection with its URL, such as
   * `wss://example.com/sockets/websocket`. It returns the URL to open, with a query that proves who
   * the user is. Protocol, host and port must stay. It excludes `authentication`, `token`, `jsonp`
   * and `transports` without `"websocket"`.
   * @default none, a token is needed
   */
  readonly url?: GiveUrl | undefined
  /**
   * How many times in a row `token` or `url` may fail or be refused before the first `ready`. Then
   * the socket has failed for good.
   * @default 2
   */
  readonly tokenAttempts?: number | undefined
  /** Whether to connect only when a call needs it. @default false */
  readonly lazy?: boolean | undefined
  /**
   * Options for SockJS. If its `transports` lack `"websocket"`, the client opens no WebSocket at
   * all. Without `transports`, and after a plain WebSocket, SockJS tries `"xhr-streaming"` and
   * `"xhr-polling"`, or `"eventsource"` in a page without an origin. @default {}
   */
  readonly sockjs?: Readonly<Record<string, unknown>> | undefined
  /**
   * The transports to try, in this order. The one that worked comes first from then on, for the
   * life of this socket. One that opens but brings no answer comes last. Node has SockJS's
   * `"websocket"`, `"xhr-streaming"`, `"xhr-polling"` and `"eventsource"`.
   * @default ["websocket", "sockjs"], in Node ["websocket"]
   */
  readonly transports?: readonly TransportName[] | undefined
  /**
   * Opens the WebSocket instead of the platform's own: with a proxy's agent in Node, or in memory
   * in tests. It gets the URL and the `headers`. If it throws, the attempt fails with
   * `transport_failed`.
   * @default the platform's `WebSocket`, in Node that of `ws`
   */
  readonly webSocket?: ((url: string, headers: Readonly<Record<string, string>>) => WebSocketLike) | undefined
  /** Milliseconds between automatic pings; 0 or `undefined` for none. @default 0 */
  readonly ping?: number | undefined
  /** The same as `socket.ready(fn)`. @default none */
  readonly ready?: ((error?: RpcError) => void) | undefined
  /** The same as `socket.onreconnect(fn)`. @default none */
  readonly onreconnect?: ((error?: RpcError) => void) | undefined
  /**
   * Whether to request the token by JSONP when the server is on another origin and CORS does not
   * allow the request. Browsers only. The server has to list this page's origin. @default false
   */
  readonly jsonp?: boolean | undefined
  /**
   * Milliseconds until a call fails with `timeout`; 0 for never. It also limits the server's calls.
   * @default 30000
   */
  readonly callTimeout?: number | undefined
  /**
   * Milliseconds for each step of an attempt: the token, the opening of a transport, the server's
   * answer. Until a transport has worked, one that another follows gets at most 3000, and twice
   * that after each failure.
   * @default 10000
   */
  readonly connectTimeout?: number | undefined
  /**
   * How many calls may wait for a connection; the next one fails with `queue_full`. @default 1000
   */
  readonly queueSize?: number | undefined
  /**
   * Whether a request that the server refuses as `rate_limited` waits for its `retryAfter` and is
   * sent once more, within its time-out. Later requests wait behind it. Requests are calls,
   * publications, broadcasts and histories. @default false
   */
  readonly retryRateLimited?: boolean | undefined
  /**
   * Sets `plainErrors`, `callTimeout`, `queueSize` and `limits` to what pages of the legacy client
   * rely on. Given options win over it. See docs/MIGRATION.md. @default false
   */
  readonly legacy?: boolean | undefined
  /**
   * Whether callbacks get an error in the server's form, a text or an object, instead of an
   * `RpcError`. A failure of the library is its text. Promises still reject with an `RpcError`.
   * @default false, and true with `legacy`
   */
  readonly plainErrors?: boolean | undefined
  /** Limits. @default each limit's own */
  readonly limits?: Limits | undefined
  /**
   * Receives the log. Without it, warnings for developers go to the console: why the socket does
   * not become ready, and those of development builds.
   * @default the console if there is a `logLevel`, else none
   */
  readonly logger?: Logger | undefined
  /** The lines that are logged; `none` silences the console as well. @default "debug" */
  readonly logLevel?: LogLevel | undefined
}

/** The options, checked, with their defaults. */
export interface Settings {
  readonly address: Address
  readonly headers: Readonly<Record<string, string>>
  readonly tokenPath: string
  readonly socketPrefix: string
  readonly reconnect: boolean
  readonly authentication: AuthenticationData | (() => AuthenticationData | Promise<AuthenticationData>)
  readonly token: string | (() => unknown) | undefined
  readonly url: GiveUrl | undefined
  readonly tokenAttempts: number
  readonly lazy: boolean
  readonly sockjs: Readonly<Record<string, unknown>>
  readonly transports: readonly TransportName[]
  readonly webSocket: TokenSocketOptions['webSocket']
  readonly ping: number
  readonly ready: ((error?: RpcError) => void) | undefined
  readonly onreconnect: ((error?: RpcError) => void) | undefined
  readonly jsonp: boolean
  readonly callTimeout: number
  readonly connectTimeout: number
  readonly queueSize: number
  readonly retryRateLimited: boolean
  readonly plainErrors: boolean
  readonly limits: { readonly callsOut: number; readonly callsIn: number; readonly grantedChannels: number }
  readonly logger: Logger
  /**
   * Receives warnings for developers: the logger if it has `warn`, or the console; none with
   * `logLevel: 'none'`.
   */
  readonly notices: Logger
}

/** The types of an option, a further check, its default, and all of it in words. */
type Rule = readonly [
  kinds: string,
  isRight?: ((value: never) => boolean) | undefined,
  byDefault?: unknown,
  what?: string,
]

const STRING = 'a string'
const NUMBER = 'a number'
const OBJECT = 'an object'
const FUNCTION: Rule = ['a function']
const PATH = 'a path that starts with /'
const COUNT = 'a number, 0 or above'
const ABOVE_0 = 'a number above 0'

const RULES: Readonly<Record<keyof TokenSocketOptions, Rule>> = {
  host: [STRING],
  port: [NUMBER, (port: number) => port % 1 === 0 && port > 0 && port < 65_536, undefined, 'a port number'],
  headers: [OBJECT, (headers) => Object.values(headers).every(isString), {}, 'an object of strings'],
  tokenPath: [STRING, isPath, '/socket/token', PATH],
  socketPrefix: [STRING, isPath, '/sockets', PATH],
  reconnect: flag(true),
  authentication: ['an object or a function', undefined, {}],
  token: ['a string or a function', Boolean],
  url: FUNCTION,
  tokenAttempts: [NUMBER, isPositive, 2, ABOVE_0],
  lazy: flag(false),
  sockjs: [OBJECT, undefined, {}],
  transports: ['a list', isTransports, undefined, 'a list of "websocket" and "sockjs"'],
  webSocket: FUNCTION,
  ping: [NUMBER, isCount, 0, COUNT],
  ready: FUNCTION,
  onreconnect: FUNCTION,
  jsonp: flag(false),
  callTimeout: [NUMBER, isCount, undefined, COUNT],
  connectTimeout: [NUMBER, isPositive, 10_000, ABOVE_0],
  queueSize: [NUMBER, isCount, undefined, COUNT],
  retryRateLimited: flag(false),
  legacy: flag(false),
  plainErrors: flag(),
  limits: [OBJECT, isLimits, {}, 'an object of numbers above 0'],
  logger: [OBJECT, isLogger, undefined, 'an object of functions'],
  logLevel: [
    STRING,
    (level: string) => /^(debug|warn|none)$/.test(level),
    undefined,
    '"debug", "warn" or "none"',
  ],
}

/** Returns the name of every option. */
export function optionNames(): readonly string[] {
  return Object.keys(RULES)
}

function flag(byDefault?: boolean): Rule {
  return ['a boolean', undefined, byDefault]
}

/**
 * Checks the options and fills in the defaults. `null` stands for none, as in the legacy client.
 * @throws RpcError `bad_option`, which names the option
 */
export function readOptions(given?: TokenSocketOptions | null): Settings {
  const options = checked('options', given ?? {}, [OBJECT]) as TokenSocketOptions
  const read = Object.entries(RULES).map(([name, rule]) => {
    const value = options[name as keyof TokenSocketOptions]
    return [name, checked(name, value, rule)]
  })
  const { token, jsonp, transports, authentication } = options
  if (options.url && (token || jsonp || authentication || transports?.includes('websocket') === false))
    throw badOption('url', 'without authentication, token and jsonp, by websocket')
  const { host, port, limits, logger, logLevel, ...rest } = Object.fromEntries(read) as Settings &
    TokenSocketOptions
  // Higher than pages of the legacy client are likely to reach.
  const { legacy } = options
  const orMany = (usual: number) => (legacy ? 100_000 : usual)
  return {
    ...rest,
    plainErrors: rest.plainErrors ?? !!legacy,
    callTimeout: rest.callTimeout ?? (legacy ? 3_600_000 : 30_000),
    queueSize: rest.queueSize ?? orMany(1000),
    address: readAddress(host, port),
    transports: options.url ? ['websocket'] : (rest.transports ?? defaultTransports(rest.sockjs.transports)),
    limits: {
      callsOut: limits.callsOut ?? orMany(2000),
      callsIn: limits.callsIn ?? orMany(1000),
      grantedChannels: limits.grantedChannels ?? 10_000,
    },
    logger: loggerOf(logLevel, logger),
    notices: logLevel === 'none' ? {} : logger?.warn ? logger : console,
  }
}

/** Returns the value, or the default if it is `undefined`. @throws RpcError `bad_option` */
function checked(name: string, value: unknown, [kinds, isRight, byDefault, what = kinds]: Rule): unknown {
  // The legacy client accepted `false` for no pings.
  if (value === undefined || (name === 'ping' && value === false)) return byDefault
  if (kinds.includes(kindOf(value)) && isRight?.(value as never) !== false) return value
  throw badOption(name, what)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'list' : typeof value
}

function isString(value: unknown): boolean {
  return typeof value === 'string'
}

function isPath(value: string): boolean {
  return value.startsWith('/')
}

function isCount(value: number): boolean {
  return value >= 0
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0
}

function isLimits({ callsOut = 1, callsIn = 1, grantedChannels = 1 }: Limits): boolean {
  return [callsOut, callsIn, grantedChannels].every(isPositive)
}

function isLogger({ debug, warn }: Logger): boolean {
  return [debug, warn].every((one) => one === undefined || typeof one === 'function')
}

function isTransports(names: readonly unknown[]): boolean {
  return names.length > 0 && names.every((name) => name === 'websocket' || name === 'sockjs')
}

function loggerOf(logLevel: LogLevel | undefined, logger: Logger | undefined = logLevel && console): Logger {
  if (!logger || logLevel === 'none') return {}
  return logLevel === 'warn' ? { warn: (...line) => logger.warn?.(...line) } : logger
}

/** @param list SockJS's own `transports`, a name or several */
function defaultTransports(list: unknown): readonly TransportName[] {
  if (!pageLocation()) return ['websocket']
  return list === undefined || [list].flat().includes('websocket') ? ['websocket', 'sockjs'] : ['sockjs']
}
