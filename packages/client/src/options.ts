import type { RpcError } from '@token-socket/protocol'
import { type Address, readAddress } from './address.js'
import { badOption } from './bad-option.js'

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

/** How much may be under way at once. */
export interface Limits {
  /** Calls that wait for their answer, the queued ones too; the next fails with `too_many_calls`. @default 2000 */
  readonly callsOut?: number | undefined
  /** The server's calls that run here at once; the next is answered `too_many_calls`. @default 100 */
  readonly callsIn?: number | undefined
}

/** The options of a `TokenSocket`. What is not listed here is ignored; a wrong type throws `bad_option`. */
export interface TokenSocketOptions {
  /**
   * The server: `https://example.com:8443`, `example.com:8000` or `example.com`. Without a protocol the page's own is
   * used, in Node `http`. Required in Node.
   * @default location.host
   */
  readonly host?: string | undefined
  /** The server's port; goes before one in `host`. @default the protocol's own */
  readonly port?: number | undefined
  /** Headers of the token request and the WebSocket's upgrade, such as `Cookie`. Node only. @default {} */
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
   * How many times in a row `token` may fail or be refused before the first `ready`; then the socket has failed for good.
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
   * and one that opens but brings no answer is tried last. In Node `sockjs` needs a SockJS client for Node as
   * `globalThis.SockJS`.
   * @default ["websocket", "sockjs"], in Node ["websocket"]
   */
  readonly transports?: readonly TransportName[] | undefined
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
   * transport has worked, one that another follows gets 3000 at the most, and twice that after each failure.
   * @default 10000
   */
  readonly connectTimeout?: number | undefined
  /** How many calls may wait for a connection; the next fails with `queue_full`. @default 1000 */
  readonly queueSize?: number | undefined
  /** Other bounds. @default each bound's own */
  readonly limits?: Limits | undefined
  /** Where the socket writes its log. @default the console if there is a `logLevel`, else none */
  readonly logger?: Logger | undefined
  /** What it writes there. @default "debug" */
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
  readonly tokenAttempts: number
  readonly lazy: boolean
  readonly sockjs: Readonly<Record<string, unknown>>
  readonly transports: readonly TransportName[]
  readonly ping: number
  readonly ready: ((error?: RpcError) => void) | undefined
  readonly onreconnect: ((error?: RpcError) => void) | undefined
  readonly jsonp: boolean
  readonly callTimeout: number
  readonly connectTimeout: number
  readonly queueSize: number
  readonly limits: { readonly callsOut: number; readonly callsIn: number }
  readonly logger: Logger
}

/**
 * Checks the options and fills in the defaults. `null` stands for none, as in the old client.
 * @throws RpcError `bad_option`, which names the option
 */
export function readOptions(given?: TokenSocketOptions | null): Settings {
  const options: TokenSocketOptions = given ?? {}
  if (!OBJECT[1](options)) throw badOption('options', OBJECT[0])
  for (const [name, [what, isRight]] of Object.entries(CHECKS)) {
    const value = options[name as keyof TokenSocketOptions]
    if (value !== undefined && !isRight(value)) throw badOption(name, what)
  }
  const sockjs = options.sockjs ?? {}
  return {
    address: readAddress(options.host, options.port),
    headers: options.headers ?? {},
    tokenPath: options.tokenPath ?? '/socket/token',
    socketPrefix: options.socketPrefix ?? '/sockets',
    reconnect: options.reconnect ?? true,
    authentication: options.authentication ?? {},
    token: options.token,
    tokenAttempts: options.tokenAttempts ?? 2,
    lazy: options.lazy ?? false,
    sockjs,
    transports: options.transports ?? defaultTransports(sockjs.transports),
    ping: options.ping || 0,
    ready: options.ready,
    onreconnect: options.onreconnect,
    jsonp: options.jsonp ?? false,
    callTimeout: options.callTimeout ?? 30_000,
    connectTimeout: options.connectTimeout ?? 10_000,
    queueSize: options.queueSize ?? 1000,
    limits: { callsOut: options.limits?.callsOut ?? 2000, callsIn: options.limits?.callsIn ?? 100 },
    logger: loggerOf(options),
  }
}

type Check = readonly [what: string, isRight: (value: unknown) => boolean]

const OBJECT: Check = ['an object', isObject]
const BOOLEAN: Check = ['true or false', (value) => typeof value === 'boolean']
const FUNCTION: Check = ['a function', isFunction]
const PATH: Check = ['a path that starts with /', (value) => isString(value) && value.startsWith('/')]
const ABOVE_0: Check = ['a number above 0', isPositive]
const COUNT: Check = ['a number, 0 or above', (value) => value === 0 || isPositive(value)]

/** What each option has to be, in words and as a test. */
const CHECKS: Readonly<Record<keyof TokenSocketOptions, Check>> = {
  host: ['a string', isString],
  port: ['a port number', (value) => Number.isInteger(value) && isPositive(value) && value < 65_536],
  headers: ['an object of strings', (value) => isObject(value) && Object.values(value).every(isString)],
  tokenPath: PATH,
  socketPrefix: PATH,
  reconnect: BOOLEAN,
  authentication: ['an object or a function', (value) => isObject(value) || isFunction(value)],
  token: ['a string or a function', (value) => (isString(value) && value !== '') || isFunction(value)],
  tokenAttempts: ABOVE_0,
  lazy: BOOLEAN,
  sockjs: OBJECT,
  transports: ['a list of "websocket" and "sockjs"', isTransports],
  // The old client took `false` for none.
  ping: [COUNT[0], (value) => value === false || COUNT[1](value)],
  ready: FUNCTION,
  onreconnect: FUNCTION,
  jsonp: BOOLEAN,
  callTimeout: COUNT,
  connectTimeout: ABOVE_0,
  queueSize: COUNT,
  limits: ['an object of numbers above 0', isLimits],
  logger: ['an object of functions', isLogger],
  logLevel: [
    '"debug", "warn" or "none"',
    (value) => value === 'debug' || value === 'warn' || value === 'none',
  ],
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0
}

function isLimits(value: unknown): boolean {
  return (
    isObject(value) && [value.callsOut, value.callsIn].every((one) => one === undefined || isPositive(one))
  )
}

function isLogger(value: unknown): boolean {
  return isObject(value) && [value.debug, value.warn].every((one) => one === undefined || isFunction(one))
}

function loggerOf({ logLevel, logger = logLevel && console }: TokenSocketOptions): Logger {
  if (!logger || logLevel === 'none') return {}
  return logLevel === 'warn' ? { warn: (...line) => logger.warn?.(...line) } : logger
}

function isTransports(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false
  return value.every((name) => name === 'websocket' || name === 'sockjs')
}

/** @param list SockJS's own `transports`, a name or several */
function defaultTransports(list: unknown): readonly TransportName[] {
  if ((globalThis as { location?: unknown }).location === undefined) return ['websocket']
  const allowed = list === undefined || [list].flat().includes('websocket')
  return allowed ? ['websocket', 'sockjs'] : ['sockjs']
}
