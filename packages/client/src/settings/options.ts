import type { RpcError } from '@token-socket/protocol'
import { badOption } from '@token-socket/protocol'
import { type Address, readAddress } from './address.js'
import { pageLocation } from './page-location.js'
import type { WebSocketLike } from './websocket-like.js'

/** What the `authentication` option sends with a token request. Values may be nested; empty strings are skipped. */
export type AuthenticationData = Readonly<Record<string, unknown>>

/** A way to carry a connection. */
export type TransportName = 'websocket' | 'sockjs'

/** Takes what a program wants to know about itself. `console` will do. */
export interface Logger {
  /** Ordinary steps: tries, transports, closes. */
  debug?(text: string, details?: unknown): void
  /** What should not happen: frames that can't be read, handlers that throw. */
  warn?(text: string, details?: unknown): void
}

/** What is written to the log: all, what should not happen, or nothing. */
export type LogLevel = 'debug' | 'warn' | 'none'

/** A URL, alone or as an object's. */
export type GivenUrl = string | URL | { readonly url: string | URL }

/** Gives the URL that a WebSocket is opened with, for the one that it gets. */
export type GiveUrl = (request: { readonly url: string }) => GivenUrl | Promise<GivenUrl>

/** How much may be under way at once. */
export interface Limits {
  /** Calls that were sent and wait for their answer; the next fails with `too_many_calls`. @default 2000 */
  readonly callsOut?: number | undefined
  /** The server's calls that run here at once; the next is answered `too_many_calls`. @default 1000 */
  readonly callsIn?: number | undefined
  /**
   * Channels that only the server subscribes this socket to, without a call or a binding here. The next is ignored: the
   * client writes one warning, and asks the server to unsubscribe it. @default 10000
   */
  readonly grantedChannels?: number | undefined
}

/** The options of a `TokenSocket`. What is not listed here is ignored; a wrong type throws `bad_option`. */
export interface TokenSocketOptions {
  /**
   * The server: `https://example.com:8443`, `example.com:8000` or `example.com`. Without a protocol the page's own is
   * used, in Node `http`. Required in Node, and in pages that did not come by HTTP, such as `app:`, `capacitor:`, `file:`
   * and an extension's.
   * @default location.host
   */
  readonly host?: string | undefined
  /** The server's port; goes before one in `host`. @default the protocol's own */
  readonly port?: number | undefined
  /**
   * Headers of the token request, such as `X-CSRF-Token`, and in Node of the WebSocket's upgrade,
   * too, such as `Cookie`.
   * @default {}
   */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The path of the token route, as on the server. @default "/socket/token" */
  readonly tokenPath?: string | undefined
  /** The prefix of the socket's routes, as on the server. @default "/sockets" */
  readonly socketPrefix?: string | undefined
  /** Whether to come back by itself. If not, the first failure or loss is final. @default true */
  readonly reconnect?: boolean | undefined
  /**
   * Goes with each token request, as URL parameters (`a[b]=c`), beside the browser's cookies. A function is called for
   * each request and may return a promise; if it throws, that try failed with `token_failed`.
   * @default {}
   */
  readonly authentication?:
    | AuthenticationData
    | (() => AuthenticationData | Promise<AuthenticationData>)
    | undefined
  /**
   * A token that the application's own back end signed, in place of one of the token route: the token, or a function that
   * gives it or its promise, called for each connection.
   * @default none, the token route is asked
   */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /**
   * Connects by WebSocket only, and without a token: for servers with the option
   * `connectAuthentication`. Called for each connection with its URL, such as
   * `wss://example.com/sockets/websocket`; gives it back, with a query that proves who the user is,
   * or as it is. The protocol, the host and the port must stay. Not together with `authentication`,
   * `token`, `jsonp` or `transports` without `"websocket"`.
   * @default none, a token is needed
   */
  readonly url?: GiveUrl | undefined
  /**
   * How many times in a row `token` or `url` may fail, or be refused, before the first `ready`;
   * then the socket has failed for good.
   * @default 2
   */
  readonly tokenAttempts?: number | undefined
  /** Whether to connect only when something is called that needs it. @default false */
  readonly lazy?: boolean | undefined
  /**
   * Options for SockJS. With `transports` that lack `"websocket"` no WebSocket is tried at all; without `transports`, and
   * after a plain WebSocket, SockJS tries `"xhr-streaming"` and `"xhr-polling"`, or `"eventsource"` in a page without an
   * origin. @default {}
   */
  readonly sockjs?: Readonly<Record<string, unknown>> | undefined
  /**
   * The transports to try, in this order; the one that worked is tried first from then on, as long as this socket lives,
   * and one that opens but brings no answer is tried last. Node has SockJS's
   * `"websocket"`, `"xhr-streaming"`, `"xhr-polling"` and `"eventsource"`.
   * @default ["websocket", "sockjs"], in Node ["websocket"]
   */
  readonly transports?: readonly TransportName[] | undefined
  /**
   * Opens the WebSocket in place of the platform's own: with a proxy's agent in Node, or in memory
   * in tests. Gets the URL and the `headers`; what it throws fails the try as `transport_failed`.
   * @default the platform's `WebSocket`, in Node that of `ws`
   */
  readonly webSocket?: ((url: string, headers: Readonly<Record<string, string>>) => WebSocketLike) | undefined
  /** Milliseconds between automatic pings; 0 or left out for none. @default 0 */
  readonly ping?: number | undefined
  /** The same as `socket.ready(fn)`. @default none */
  readonly ready?: ((error?: RpcError) => void) | undefined
  /** The same as `socket.onreconnect(fn)`. @default none */
  readonly onreconnect?: ((error?: RpcError) => void) | undefined
  /**
   * Whether to ask for the token by JSONP when the server is on another origin and does not allow the request by CORS.
   * Browsers only. The server has to know this page's origin. @default false
   */
  readonly jsonp?: boolean | undefined
  /** Milliseconds until a call fails with `timeout`; 0 for never. Also how long the server's calls may run. @default 30000 */
  readonly callTimeout?: number | undefined
  /**
   * Milliseconds that each step of a try may take: the token, the opening of a transport, the server's word. Until one
   * transport has worked, one that another follows gets 3000 at most, and twice that after each failure.
   * @default 10000
   */
  readonly connectTimeout?: number | undefined
  /** How many calls may wait for a connection; the next fails with `queue_full`. @default 1000 */
  readonly queueSize?: number | undefined
  /**
   * Whether a call, publication, broadcast or request for history that the server refuses as
   * `rate_limited` waits for its `retryAfter` and is sent once more, within its time-out. Requests
   * that are made meanwhile wait behind it. @default false
   */
  readonly retryRateLimited?: boolean | undefined
  /**
   * Sets `plainErrors`, `callTimeout`, `queueSize` and `limits` to what pages of the legacy client
   * count on; options that are given win over it. See docs/MIGRATION.md. @default false
   */
  readonly legacy?: boolean | undefined
  /**
   * Whether callbacks get an error as the server said it, a text or an object, and not as an
   * `RpcError`. A failure of the library is its text. Promises reject with an `RpcError` all the
   * same. @default false, and true with `legacy`
   */
  readonly plainErrors?: boolean | undefined
  /** Other bounds. @default each bound's own */
  readonly limits?: Limits | undefined
  /**
   * Where the socket writes its log. What a developer has to know goes to the console where there is none: why the socket
   * does not become ready, and the warnings of development builds.
   * @default the console if there is a `logLevel`, else none
   */
  readonly logger?: Logger | undefined
  /** What it writes there; `none` silences the console, too. @default "debug" */
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
  /** Takes what a developer has to know: the logger if it takes warnings, else the console; none with `logLevel: 'none'`. */
  readonly notices: Logger
}

/** The kinds that an option may have, what else has to be right about it, its default, and all that in words. */
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

/** The name of every option. */
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
  // What pages of the legacy client are not likely to reach.
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

/** @returns the value, or the default where there is none. @throws RpcError `bad_option` */
function checked(name: string, value: unknown, [kinds, isRight, byDefault, what = kinds]: Rule): unknown {
  // The legacy client took `false` for no pings.
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
