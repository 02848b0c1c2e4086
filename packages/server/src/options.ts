import type { Server } from 'node:http'
import type { Http2SecureServer } from 'node:http2'
import type { CallContext } from '@token-socket/protocol'
import type { Express, RequestHandler } from 'express'
import type { ConnectAuthentication } from './authentication/connect-authentication.js'
import type { Authentication } from './authentication/token-route.js'
import type { TokenKey } from './authentication/tokens.js'
import type { PublishFilter } from './channels/hub.js'
import type { ChannelRuleTable } from './channels/rule-table.js'
import type { SocketAuth } from './claims/socket-data.js'
import type { Engine } from './engine/engine.js'
import { MemoryEngine } from './engine/memory-engine.js'
import type { Routes } from './http/express-routes.js'
import type { Origins } from './http/origins.js'
import { checkBinding, checkCompression, checkPath, checkScript, checkTransports } from './option-values.js'
import { LEGACY_LIMITS } from './options/legacy-limits.js'
import { LIMIT_NAMES, type LimitOptions, limitSettings, resolveLimits } from './options/limit-options.js'
import type { Limits } from './options/limits.js'
import { OPTION_ALIASES } from './options/option-aliases.js'
import {
  badOption,
  checkNumber,
  checkWait,
  type Given,
  warnOfUnknown,
  withoutUndefined,
} from './options/option-checks.js'
import { checkParts } from './required-options.js'
import { consoleLogger, type Logger } from './runtime/logger.js'
import { safeLogger } from './runtime/safe-logger.js'
import type { FunctionRules } from './socket/function-timeouts.js'
import { checkOpeningOptions } from './socket/opening-request.js'
import type { ServerSocket } from './socket/server-socket.js'
import type { PerMessageDeflate } from './transports/per-message-deflate.js'
import type { SessionBindingName } from './transports/session-binding.js'
import { DEFAULT_TRANSPORTS, type TransportName } from './transports/transport-names.js'

/** Gives a call's answer: an error, or the result. */
export type AnswerCallback = (error?: unknown, data?: unknown) => void

/**
 * A function that clients can call. It answers with what it returns or resolves; a promise always
 * answers, also with `undefined`. A function that declares the callback and returns `undefined`,
 * not a promise, answers by the callback. (A method's type, so that parameters may be narrowed.)
 */
export type Handler = {
  handler(
    auth: SocketAuth,
    data: unknown,
    callback: AnswerCallback,
    socket: ServerSocket,
    call: CallContext,
  ): unknown
}['handler']

/** A nested tree of {@link Handler}s. */
export interface ServerController {
  [name: string]: Handler | ServerController
}

/** The options of a server. `app` and `server` are required. */
export interface TokenSocketServerOptions {
  /** The Express application, version 4 or 5. Mount its session middleware before. Required. */
  readonly app: Express
  /**
   * The HTTP or HTTPS server of the application, or an HTTP/2 server with `allowHTTP1`. Required.
   */
  readonly server: Server | Http2SecureServer
  /**
   * Signs the tokens (HS256). Use 32 random bytes. Required if nodes share an engine.
   * @default a random one for this process, and a warning
   */
  readonly secret?: string | Buffer | undefined
  /**
   * Keys by their `kid`, instead of `secret`. The first key that can sign signs; all keys verify.
   * @default one key made of `secret`
   */
  readonly keys?: Readonly<Record<string, TokenKey>> | undefined
  /** The `aud` of the tokens. @default 'token-socket' */
  readonly audience?: string | undefined
  /** The `iss` that tokens of the application have to have. @default any, or none */
  readonly issuer?: string | undefined
  /** Milliseconds until a token expires. @default 30000 */
  readonly tokenTtl?: number | undefined
  /**
   * Whether a socket's authorization ends with the `exp` of the token that the application signed,
   * or that `connectAuthentication` gave. A socket without a new one within 30 s is closed.
   * @default true
   */
  readonly enforceExpiry?: boolean | undefined
  /**
   * Milliseconds for which a token of the token endpoint authorizes a socket, from the sign-in on.
   * The client gets a new one in time.
   * @default for as long as the socket lives
   */
  readonly sessionTtl?: number | undefined
  /** Milliseconds in which a connection has to send its token. Then it is closed. @default 5000 */
  readonly authTimeout?: number | undefined
  /** The path under which sockets connect; the client's `socketPrefix`. @default '/sockets' */
  readonly prefix?: string | undefined
  /**
   * The transports: WebSocket (plain and SockJS's), SockJS's transports over HTTP, and its `iframe`
   * page. Requests for any other are answered with 404. `'jsonp-polling'`, `'htmlfile'` and
   * `'iframe'` are for browsers of before 2012. `'raw'` lets programs without the library connect
   * at `<prefix>/raw`; it needs `connectAuthentication`.
   * @default ['websocket', 'xhr-streaming', 'xhr-polling', 'eventsource']
   */
  readonly transports?: readonly TransportName[] | undefined
  /**
   * The address of SockJS's script for the iframe page: an `http` or `https` URL, or a path such as `/sockjs.min.js`.
   * @default sockjs-client 1.6.1 on a CDN, with its hash, which browsers check
   */
  readonly sockjsUrl?: string | undefined
  /**
   * Compresses WebSocket messages for clients that offer it. It costs memory and time for each
   * connection. Do not compress secrets together with text that others choose.
   * @default false
   */
  readonly perMessageDeflate?: PerMessageDeflate | undefined
  /**
   * Serves the client's script at `<prefix>/token-socket.min.js`, and its other builds beside it,
   * from the installed package `@token-socket/client`. Browsers revalidate it each time.
   * @default true
   */
  readonly serveClient?: boolean | undefined
  /** The path of the token endpoint, not below `prefix`; the client's `tokenPath`. @default '/socket/token' */
  readonly tokenRoute?: string | undefined
  /**
   * The path of the health route for load balancers, which answers JSON; `false` for none. It
   * answers before the application sees the request: 200 while the node should have traffic, also
   * if it is degraded, and 503 once it is shutting down.
   * @default '<prefix>/health'
   */
  readonly healthRoute?: string | false | undefined
  /**
   * Decides which requests get a token: a session key, `(req, callback)`, or `async (req)`.
   * @default 'auth'
   */
  readonly authentication?: Authentication | undefined
  /**
   * Decides which WebSockets may connect without a token: `(request, callback)`, or `async
   * (request)`, with the upgrade request. See {@link ConnectAuthentication}.
   * @default none: every connection needs a token
   */
  readonly connectAuthentication?: ConnectAuthentication | undefined
  /** Headers of the identifying request that `connection.meta` keeps. @default [] */
  readonly connectionHeaders?: readonly string[] | undefined
  /** Query parameters of that request that `connection.meta` keeps. @default [] */
  readonly connectionQuery?: readonly string[] | undefined
  /** Express middleware that runs on the token route before `authentication`. @default none */
  readonly customMiddleware?: RequestHandler | readonly RequestHandler[] | undefined
  /** The functions that clients can call, nested; also `server.socketController`. @default {} */
  readonly socketController?: ServerController | undefined
  /**
   * Rules for calls of some functions, by name or pattern. `{ 'reports.*': { timeout: 300_000 } }`
   * lets calls that pass a `timeout` take longer than `limits.callTimeout`.
   * @default {}
   */
  readonly functions?: FunctionRules | undefined
  /**
   * Express handlers that clients can call as RPC, nested. They win over the controller's
   * functions. @default {}
   */
  readonly routes?: Routes | undefined
  /**
   * Rules of channels, by name or pattern: permissions, history, presence. With at least one rule,
   * what no rule or claim allows is refused.
   * @default {}
   */
  readonly channels?: ChannelRuleTable | undefined
  /** Changes or withholds what one socket gets of a publication. @default none */
  readonly filter?: PublishFilter | undefined
  /** Whether `_ping` of a client is answered. @default true */
  readonly ping?: boolean | undefined
  /** Milliseconds of silence after which the server asks a peer for a heartbeat. @default 25000 */
  readonly pingInterval?: number | undefined
  /**
   * Milliseconds in which a peer has to send a heartbeat. Then its connection is terminated.
   * @default 10000
   */
  readonly pingTimeout?: number | undefined
  /**
   * Milliseconds for which a member stays on a channel after its connection was lost; 0 for none.
   * @default 5000
   */
  readonly presenceGrace?: number | undefined
  /**
   * Milliseconds for which a revocation is kept: at least the lifetime of tokens that the
   * application signs.
   * @default 3600000
   */
  readonly revocationTtl?: number | undefined
  /**
   * Milliseconds without the engine after which the server is `degraded`, because it may have
   * missed a revocation. @default 30000
   */
  readonly revocationStaleness?: number | undefined
  /** Whether the server then also closes its sockets. Clients reconnect. @default false */
  readonly closeWhenStale?: boolean | undefined
  /** Other origins whose pages may use the server. @default [] (the same origin only) */
  readonly origins?: Origins | undefined
  /**
   * Refuses requests without an `Origin`, such as those of programs other than browsers. @default
   * false
   */
  readonly requireOrigin?: boolean | undefined
  /**
   * What binds the requests of one session of SockJS's HTTP transports. See {@link
   * SessionBindingName}. @default 'address'
   */
  readonly bindSessions?: SessionBindingName | undefined
  /** The engine that nodes share. @default a new MemoryEngine */
  readonly engine?: Engine | undefined
  /** Limits, see {@link Limits}, or a preset, see {@link LimitPreset}. @default each limit's own */
  readonly limits?: LimitOptions | undefined
  /**
   * Sets `plainErrors`, `channelsAsObject` and some `limits` as applications of the legacy pair
   * expect them. Explicit options win. See docs/MIGRATION.md.
   * @default false
   */
  readonly legacy?: boolean | undefined
  /**
   * Whether the callback of `rpc` gets an action's error as the client sent it, a text or an
   * object, instead of an `RpcError`. A failure of the library is its text. Promises always reject
   * with an `RpcError`.
   * @default false, and true with `legacy`
   */
  readonly plainErrors?: boolean | undefined
  /**
   * Whether `socket.channels` is an object with the channels' names as keys, each `true`, instead
   * of a list. Its type stays that of the list.
   * @default false, and true with `legacy`
   */
  readonly channelsAsObject?: boolean | undefined
  /** Whether every step is logged. @default false */
  readonly debug?: boolean | undefined
  /** The logger, such as pino. @default the console */
  readonly logger?: Logger | undefined
}

/** Options without a default, which may be left out. */
type Optional = 'secret' | 'keys' | 'issuer' | 'filter' | 'sessionTtl' | 'sockjsUrl' | 'connectAuthentication'

/** All options, resolved. */
export type ResolvedOptions = Required<
  Given<Omit<TokenSocketServerOptions, Optional | 'limits' | 'server'>>
> &
  Pick<TokenSocketServerOptions, Optional> & {
    readonly limits: Limits
    /** Typed as an HTTP/1.1 server, which an HTTP/2 server is for clients of HTTP/1.1. */
    readonly server: Server
  }

const WITHOUT_DEFAULT = [
  'logger',
  'app',
  'server',
  'limits',
  'secret',
  'keys',
  'issuer',
  'filter',
  'sessionTtl',
  'sockjsUrl',
  'connectAuthentication',
]

/** The options that have a default of their own. */
function defaultsOf(options: TokenSocketServerOptions) {
  return {
    audience: 'token-socket',
    tokenTtl: 30_000,
    enforceExpiry: true,
    authTimeout: 5000,
    prefix: '/sockets',
    transports: DEFAULT_TRANSPORTS,
    perMessageDeflate: false,
    serveClient: true,
    tokenRoute: '/socket/token',
    authentication: 'auth',
    connectionHeaders: [],
    connectionQuery: [],
    customMiddleware: [],
    socketController: {},
    routes: {},
    functions: {},
    channels: {},
    ping: true,
    pingInterval: 25_000,
    pingTimeout: 10_000,
    presenceGrace: 5000,
    revocationTtl: 3_600_000,
    revocationStaleness: 30_000,
    closeWhenStale: false,
    origins: [],
    requireOrigin: false,
    bindSessions: 'address' as const,
    legacy: false,
    plainErrors: options.legacy ?? false,
    channelsAsObject: options.legacy ?? false,
    debug: false,
    engine: options.engine ?? new MemoryEngine(),
    healthRoute: `${options.prefix ?? '/sockets'}/health`,
  }
}

/**
 * Fills in the defaults and checks the options. @throws RpcError `bad_option`, naming the option
 */
export function resolveOptions(options: TokenSocketServerOptions): ResolvedOptions {
  checkParts(options)
  const limits = resolveLimits(limitSettings(options.limits), options.legacy ? LEGACY_LIMITS : {})
  const defaults = defaultsOf(options)
  const logger = safeLogger(options.logger ?? consoleLogger(options.debug ?? false))
  const server = options.server as Server
  const resolved = { ...defaults, ...withoutUndefined(options), server, limits, logger }
  checkResolved(resolved)
  warnOfOptions(options, { logger, known: [...Object.keys(defaults), ...WITHOUT_DEFAULT] })
  return resolved
}

function warnOfOptions(
  options: TokenSocketServerOptions,
  { logger, known }: { readonly logger: Logger; readonly known: readonly string[] },
): void {
  warnOfUnknown(logger, { options, known, aliases: OPTION_ALIASES })
  const limits = { options: limitSettings(options.limits), known: LIMIT_NAMES, of: 'limits.' }
  warnOfUnknown(logger, limits)
}

const NUMBERS = [
  'tokenTtl',
  'authTimeout',
  'pingInterval',
  'pingTimeout',
  'revocationTtl',
  'revocationStaleness',
] as const

const FLAGS = ['enforceExpiry', 'closeWhenStale', 'legacy', 'plainErrors', 'channelsAsObject'] as const

function checkResolved(resolved: ResolvedOptions): void {
  for (const name of NUMBERS) {
    checkNumber(name, resolved[name])
  }
  if (resolved.sessionTtl !== undefined) checkNumber('sessionTtl', resolved.sessionTtl)
  for (const name of FLAGS)
    if (typeof resolved[name] !== 'boolean') throw badOption(name, 'has to be true or false')
  if (resolved.presenceGrace !== 0) checkNumber('presenceGrace', resolved.presenceGrace)
  for (const name of [
    'pingInterval',
    'pingTimeout',
    'presenceGrace',
    'revocationTtl',
    'revocationStaleness',
  ] as const)
    checkWait(name, resolved[name])
  for (const name of ['prefix', 'tokenRoute'] as const) checkPath(name, resolved[name])
  // The server answers everything below the prefix; the application never sees it.
  if (`${resolved.tokenRoute}/`.startsWith(`${resolved.prefix}/`))
    throw badOption('tokenRoute', 'must not be below the prefix')
  if (resolved.healthRoute !== false) checkHealthRoute(resolved.healthRoute, resolved)
  checkTransports(resolved.transports)
  checkBinding(resolved.bindSessions)
  checkOpeningOptions(resolved)
  checkScript(resolved.sockjsUrl)
  checkCompression(resolved.perMessageDeflate)
  checkUpgrades(resolved)
}

/** Only WebSockets have an upgrade request, and raw ones have no other proof. */
function checkUpgrades({ connectAuthentication, transports }: ResolvedOptions): void {
  const isRaw = transports.includes('raw')
  if (connectAuthentication && !isRaw && !transports.includes('websocket'))
    throw badOption('connectAuthentication', 'needs "websocket" or "raw" in the option transports')
  if (isRaw && !connectAuthentication)
    throw badOption('transports', 'has "raw", which needs the option connectAuthentication')
}

/** Sockets and scripts need the paths below the prefix. */
function checkHealthRoute(path: unknown, { prefix, tokenRoute }: ResolvedOptions): void {
  checkPath('healthRoute', path)
  const text = String(path)
  const below = text.startsWith(`${prefix}/`) ? text.slice(prefix.length + 1) : undefined
  const isNeeded = below !== undefined && /\/|^(info|websocket|raw)$|^(iframe|token-socket)/.test(below)
  if (text === prefix || text === tokenRoute || isNeeded)
    throw badOption('healthRoute', 'must not be a path that clients need')
}
