/** Sockets on connections in memory, with no server behind them. */
import type { Action, Controller } from '@token-socket/protocol'
import { createTimeouts, findAction } from '@token-socket/protocol'
import { connectionPair, type TestConnection } from '@token-socket/protocol/testing'
import type { ServerSocket } from '@token-socket/server'
import { consoleLogger } from '#server/runtime/logger.js'
import { RequestLog } from '#server/runtime/request-log.js'
import { type FunctionRules, FunctionTimeouts } from '#server/socket/function-timeouts.js'
import type { Identity } from '#server/socket/identity.js'
import { Flusher } from '#server/socket/outbox.js'
import { pong } from '#server/socket/pong.js'
import { ServerSocket as Client, type ServerSocketOwner } from '#server/socket/server-socket.js'
import type { SocketChannels } from '#server/socket/socket-owner.js'
import { RecordedLog } from './recorded-log.js'

/** What a test sees of a socket. */
export interface TestSocket {
  readonly socket: ServerSocket
  /** The server's end of its connection. */
  readonly connection: TestConnection
  /** The client's end. */
  readonly client: TestConnection
  readonly flusher: Flusher
  /** What the server has sent, once its outbox is flushed. The ids of publications, which are random, are left out. */
  frames(): unknown[]
}

/** Changes to what {@link makeSocket} makes. */
export interface SocketSettings {
  readonly identity?: Partial<Identity>
  readonly limits?: Partial<ServerSocketOwner['limits']>
  readonly messageLimits?: ServerSocketOwner['messageLimits']
  readonly channels?: Partial<SocketChannels<ServerSocket>>
  readonly controller?: Controller
  readonly functions?: FunctionRules
  /** Whether `_ping` is answered. @default false */
  readonly ping?: boolean
  readonly failed?: ServerSocketOwner['failed']
  readonly requests?: ServerSocketOwner['requests']
  readonly closed?: ServerSocketOwner['closed']
  readonly middleware?: ServerSocketOwner['middleware']
  readonly development?: ServerSocketOwner['development']
  readonly expiries?: ServerSocketOwner['expiries']
  /** Leaves it where its `authentication` listeners are asked. */
  readonly isJoining?: boolean
}

const LIMITS = {
  rate: 10_000,
  rateRefusals: 1000,
  wrongMessages: 1000,
  timeout: 30_000,
  callsIn: 1000,
  callBytes: 8 * 1024 * 1024,
  abandonedCalls: 1000,
  callsOut: 1000,
  outbox: 1024 * 1024,
  readTimeout: 5000,
  answers: 16 * 1024 * 1024,
  message: 1024 * 1024,
}

/** The channels of a socket that has none. */
const NO_CHANNELS: SocketChannels<ServerSocket> = {
  request: async () => ({}),
  subscribe: async () => {},
  autoSubscribe: () => {},
  unsubscribe: () => {},
  publish: async () => ({ id: '01' }),
  prove: () => undefined,
  reauthorize: async () => {},
  forget: () => {},
}

/** The owner of sockets. */
export function makeOwner(settings: SocketSettings = {}): ServerSocketOwner {
  const controller = settings.controller ?? {}
  return {
    flusher: new Flusher(),
    timeouts: createTimeouts(),
    functions: new FunctionTimeouts(settings.functions ?? {}, 30_000),
    limits: { ...LIMITS, ...settings.limits },
    messageLimits: settings.messageLimits,
    channels: { ...NO_CHANNELS, ...settings.channels },
    findAction: (name): Action | undefined =>
      findAction(controller, name) ?? (settings.ping && name === '_ping' ? pong : undefined),
    failed: settings.failed ?? (() => {}),
    closed: settings.closed ?? (() => {}),
    ...(settings.middleware && { middleware: settings.middleware }),
    development: settings.development,
    ...(settings.expiries && { expiries: settings.expiries }),
    requests: settings.requests ?? new RequestLog(consoleLogger(false), new RecordedLog(), false),
  }
}

let lastSid = 0

/** A socket that was let in, if not told otherwise; the answer to its token is not among its frames. */
export function makeSocket(settings: SocketSettings = {}): TestSocket {
  const { left: connection, right: client } = connectionPair()
  const owner = makeOwner(settings)
  lastSid += 1
  const identity = { sid: `sid-${lastSid}`, auth: { id: 1 }, ip: '10.0.0.1', ips: [], host: 'example.com' }
  const socket = new Client({ ...identity, ...settings.identity }, connection, owner)
  connection.listen({
    message: (text) => socket.receive(text),
    closed: (...how) => socket.disconnected(...how),
  })
  const { flusher } = owner
  if (!settings.isJoining) {
    socket.open('auth', { version: 1, sid: socket.sid })
    flusher.flush()
    connection.sent.length = 0
  }
  const frames = () => {
    flusher.flush()
    return connection.sent.map((frame) => {
      const { id: _, ...rest } = JSON.parse(frame)
      return rest
    })
  }
  return { socket, connection, client, flusher, frames }
}
