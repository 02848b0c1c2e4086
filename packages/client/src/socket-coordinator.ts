import {
  asRpcError,
  type DirectMessage,
  decodeError,
  isNever,
  type PublicationMessage,
  RpcError,
  type ServerMessage,
  type SessionNotice,
  type SubscriptionMessage,
  type SubscriptionNotice,
} from '@token-socket/protocol'
import { failureText } from './advice/failure-text.js'
import { Calls, type CallsOwner } from './calls/calls.js'
import type { ClientAction } from './calls/client-controller.js'
import type { ChannelSocket, LeaveReason } from './channels/channel.js'
import { Channels } from './channels/channels.js'
import type { TokenSocketEvents } from './channels/events.js'
import { detailsOf } from './channels/publications.js'
import { Subscriptions, type SubscriptionsOwner } from './channels/subscriptions.js'
import { type AttemptDependencies, attempt } from './connection/attempt.js'
import { attemptDependencies } from './connection/attempt-dependencies.js'
import { Connector, type ConnectorOwner, type Move } from './connection/connector.js'
import { Heartbeat, type HeartbeatOwner } from './connection/heartbeat.js'
import type { MessageConnection, MessageListener } from './connection/message-connection.js'
import { Renewal, type RenewalOwner } from './connection/renewal.js'
import { onWake } from './connection/wake.js'
import { settle } from './runtime/callback.js'
import type { Emitter } from './runtime/emitter.js'
import { UNANSWERED } from './runtime/reason-texts.js'
import { limitTime } from './runtime/time-limit.js'
import type { Settings } from './settings/options.js'
import type { Session, SocketStatus } from './settings/socket-status.js'

/** Dependencies of a {@link SocketCoordinator}: its socket. */
export interface CoordinatedSocket extends Pick<Emitter<TokenSocketEvents>, 'emit'>, ChannelSocket {
  /** Returns the function that a call of the server runs. */
  findAction(name: string): ClientAction | undefined
}

/** The most milliseconds that the answer to a ping may take. */
const PING_TIMEOUT = 10_000

/** Milliseconds that a server's heartbeat may be late. */
const HEARTBEAT_LEEWAY = 1000

/** Milliseconds for the callbacks of `onrestored`, if calls have no time-out. */
const RESTORE_TIMEOUT = 30_000

/** Failed attempts before the first `ready` after which the failure is written to the console. */
const SILENT_TRIES = 3

/** Connects the parts of a socket: it tells each part what happens in the others. */
export class SocketCoordinator
  implements CallsOwner, SubscriptionsOwner, HeartbeatOwner, ConnectorOwner, RenewalOwner
{
  readonly connector: Connector
  readonly calls: Calls
  readonly channels: Channels
  readonly subscriptions: Subscriptions
  readonly renewal: Renewal
  /** Resolves when the socket is ready for the first time; rejects if it never will be. */
  readonly firstReady: Promise<void>
  wasReady = false
  /** The server's latest report of the socket's user. */
  session: { readonly uid?: string | undefined; readonly umd?: unknown } | undefined
  /** Why the socket has ended or failed for good. */
  final: RpcError | undefined
  readonly #socket: CoordinatedSocket
  readonly #settings: Settings
  readonly #heartbeat: Heartbeat
  readonly #parts: AttemptDependencies
  readonly #undoWake: () => void
  /** The callbacks that run on each connection before waiting calls are sent. */
  readonly #restorers = new Set<() => Promise<void>>()
  #settleReady: (error?: RpcError) => void = () => {}
  /** Whether it has written why it is not ready. */
  #hasWarned = false
  /** Whether it is lazy, and nothing has needed a connection so far. */
  #isIdle = false

  constructor(settings: Settings, socket: CoordinatedSocket) {
    this.#settings = settings
    this.#socket = socket
    this.firstReady = settle(
      new Promise<void>((resolve, reject) => {
        this.#settleReady = (error) => (error ? reject(error) : resolve())
      }),
    )
    this.calls = new Calls(settings, this)
    this.subscriptions = new Subscriptions(settings, this)
    this.channels = new Channels(this.subscriptions, socket, () => this.requestConnection())
    this.#heartbeat = new Heartbeat(settings.ping, this)
    this.#parts = attemptDependencies(settings, (direction, text) => void socket.emit(direction, text))
    this.connector = new Connector(settings, this)
    this.renewal = new Renewal(settings, this)
    this.#undoWake = onWake({
      woke: () => {
        this.connector.retry()
        this.#heartbeat.check()
        this.renewal.check()
      },
      wentOffline: () => this.connector.pause(),
      left: () => this.connector.leave(),
    })
  }

  /** Starts to connect, or to wait until a connection is needed. */
  start(): void {
    this.#isIdle = this.#settings.lazy
    this.connector.start()
  }

  /** A call needs a connection. */
  requestConnection(): void {
    if (this.#isIdle) this.resume()
  }

  suspend(): void {
    this.#isIdle = false
    this.connector.suspend()
  }

  resume(): void {
    this.#isIdle = false
    this.connector.resume()
  }

  findAction(name: string): ClientAction | undefined {
    return this.#socket.findAction(name)
  }

  failed(error: unknown): void {
    this.#socket.emit('error', asRpcError(error))
  }

  threw(cause: unknown, name: string | undefined): void {
    this.#settings.logger.warn?.('An action threw', cause)
    const { code, message, data = { function: name } } = asRpcError(cause)
    this.failed(new RpcError(code, message, data, cause))
  }

  send(message: SubscriptionMessage): void {
    this.connector.link?.send(message)
  }

  async restored(): Promise<void> {
    const { link } = this.connector
    if (this.#restorers.size > 0) {
      // After the listeners of this connection: a callback may end the socket.
      await undefined
      if (link !== this.connector.link) return
      this.calls.resume(link, true)
      await Promise.all([...this.#restorers].map((run) => run()))
      if (link !== this.calls.link) return
    }
    this.calls.resume(link)
  }

  /** See {@link TokenSocket.onrestored}. */
  whenRestored(callback: () => unknown): () => void {
    const { callTimeout } = this.#settings
    const wait = isNever(callTimeout) ? RESTORE_TIMEOUT : callTimeout
    const run = async () => {
      const { link } = this.calls
      try {
        // An earlier callback may have removed it.
        if (link && this.#restorers.has(run))
          await limitTime([wait], new AbortController().signal, async () => callback())
      } catch (error) {
        // It runs again on the next connection, so that a failure by a lost connection is ignored.
        if (link === this.calls.link) this.failed(error)
      }
    }
    this.#restorers.add(run)
    void run()
    return () => void this.#restorers.delete(run)
  }

  entered(notice: SubscriptionNotice, isEarly: boolean): void {
    const { channel, recovered, reason } = notice
    this.channels.entered(notice, this.connector.link, isEarly)
    if (recovered) this.#socket.emit('recovered', channel)
    else if (reason) this.#socket.emit('gap', channel, reason)
  }

  left(channel: string, by?: LeaveReason): void {
    this.channels.left(channel, by)
    if (by === 'revoked') this.#socket.emit(by, channel)
  }

  refused(channel: string, error: RpcError): boolean {
    return !!this.channels.find(channel)?.emit('refused', error)
  }

  ignored(channel: string): void {
    this.#settings.logger.warn?.(`Over limits.grantedChannels: ${channel}`)
  }

  isBound(channel: string): boolean {
    return !!this.channels.find(channel)?.isBound
  }

  token(channel: string): Promise<string> | undefined {
    return this.channels.find(channel)?.requestToken()
  }

  ping(): Promise<unknown> {
    const { link } = this.connector
    const timeout = Math.min(this.#settings.callTimeout || PING_TIMEOUT, PING_TIMEOUT)
    if (!link) return Promise.reject(new RpcError('connection_lost'))
    return this.calls.requestOn(link, (id) => ({ type: 'ping', id }), { timeout })
  }

  requestToken(signal: AbortSignal): Promise<string | undefined> {
    return this.#parts.tokens.request(signal)
  }

  userChanged(): void {
    this.subscriptions.forgetGranted()
  }

  sendToken(link: MessageConnection, token: string): Promise<unknown> {
    return this.calls.requestOn(link, (id) => ({ type: 'refresh', id, token }))
  }

  /** See {@link TokenSocket.session}. */
  get said(): Session | undefined {
    const { ends } = this.renewal
    const expiresAt = ends && Math.round(Date.now() + ends - performance.now())
    return this.session && { uid: this.session.uid, umd: this.session.umd, expiresAt }
  }

  get idleTime(): number {
    return this.connector.link?.idleTime ?? 0
  }

  answered(roundTrip: number): void {
    this.#socket.emit('ping', roundTrip)
  }

  died(): void {
    this.connector.drop(new RpcError('connection_lost', UNANSWERED, { reason: 'ping_unanswered' }))
  }

  tryOnce(listener: MessageListener, signal: AbortSignal): Promise<MessageConnection> {
    return attempt(this.#parts, listener, signal)
  }

  receive(message: ServerMessage, link: MessageConnection): void {
    switch (message.type) {
      case 'answer':
        if (!this.subscriptions.answered(message.id, message.outcome)) this.calls.answered(message, link)
        break
      case 'invoke':
        this.calls.invoked(message, link)
        break
      case 'withdraw':
        this.calls.withdrawn(message)
        break
      case 'subscribed':
      case 'unsubscribed':
        this.subscriptions.noticed(message)
        break
      case 'session':
        this.#changed(message)
        break
      case 'renew':
        this.renewal.order()
        break
      case 'position':
        this.subscriptions.passed(message.channel, message)
        break
      case 'presence':
        this.channels.find(message.channel)?.changed(message)
        break
      case 'publication':
        this.#published(message)
        break
      case 'direct':
        this.#receiveDirect(message, link)
        break
      case 'error':
        this.failed(decodeError(message.error))
        break
      default: // A new message does not compile until it is handled here.
        message satisfies never
    }
  }

  #receiveDirect({ id, data }: DirectMessage, link: MessageConnection): void {
    this.#socket.emit('direct', data)
    if (id) link.send({ type: 'result', id, outcome: { data: null } })
  }

  /** The parts learn of the new state first, then the listeners. */
  moved({ event, from, error, delay }: Move): void {
    const isFirst = !this.wasReady
    const news = error ? ([error] as const) : ([] as const)
    if (event === 'open') this.#opened()
    else if (event === 'end') this.#close(new RpcError('ended'))
    else if (event === 'refuse' && error) this.#close(error)
    else if (error) this.#lost(error)
    const { status } = this.connector
    const { state } = status
    if (isFirst) this.#warn(status)
    this.#settings.logger.debug?.(`${from} → ${state}`, error)
    this.#socket.emit('state', state, { ...status, error, delay })
    if (event === 'open') this.#socket.emit('connect')
    else if (from === 'ready') this.#socket.emit('disconnect', error ?? new RpcError('ended'))
    if (event !== 'open' && event !== 'refuse' && (event !== 'fail' || isFirst)) return
    if (isFirst) {
      this.#settleReady(error)
      this.#socket.emit('ready', ...news)
    } else if (from === 'connecting') this.#socket.emit('reconnect', ...news)
    else if (error) this.failed(error)
  }

  /**
   * Writes once why the socket is not ready: when it has failed for good, or after some attempts.
   */
  #warn({ state, error, retryAt, attempt }: SocketStatus): void {
    if (this.#hasWarned || !error || !(state === 'failed' || (retryAt && attempt >= SILENT_TRIES))) return
    this.#hasWarned = true
    this.#settings.notices.warn?.(failureText(error, this.#settings), error)
  }

  /** Updates the position on the channel first: a listener may subscribe again. */
  #published(message: PublicationMessage): void {
    const { channel, data, epoch, offset } = message
    if (!this.subscriptions.has(channel)) return
    if (epoch !== undefined && offset !== undefined) {
      if (!this.subscriptions.passed(channel, { epoch, offset })) return
    }
    const details = detailsOf(message)
    this.#socket.emit('message', channel, data, details)
    // A listener may have unsubscribed.
    if (this.subscriptions.has(channel)) this.channels.deliver(details)
  }

  /** The server sends the whole report, whatever has changed. */
  #changed({ uid, umd, expiresIn }: SessionNotice): void {
    if (!this.session) return
    this.session = { uid, umd }
    this.renewal.changed(expiresIn)
    if (this.said) this.#socket.emit('refreshed', this.said)
  }

  #opened(): void {
    const { link } = this.connector
    if (!link) return
    this.wasReady = true
    this.session = link.session
    const heartbeat = link.session?.heartbeat
    this.#heartbeat.start(heartbeat && heartbeat + HEARTBEAT_LEEWAY)
    this.renewal.opened(link.session?.expiresIn)
    this.subscriptions.connected(link.isLegacy)
  }

  #lost(error: RpcError): void {
    this.#heartbeat.stop()
    this.renewal.lost()
    this.calls.suspend(error)
    this.subscriptions.disconnected()
  }

  #close(error: RpcError): void {
    this.final = error
    this.#undoWake()
    this.#heartbeat.stop()
    // The outcome of a call that was never sent is known.
    const isLost = error.code === 'connection_lost'
    const unsent = isLost ? new RpcError('ended', undefined, error.data, error) : error
    this.calls.close(error, unsent)
    this.subscriptions.close(unsent)
    this.renewal.close(unsent)
    this.channels.close()
    this.#settleReady(error)
  }
}
