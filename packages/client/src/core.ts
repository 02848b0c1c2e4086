import {
  type Controller,
  decodeError,
  type PublicationMessage,
  RpcError,
  type ServerMessage,
  type SessionInfo,
  type SubscriptionNotice,
} from '@token-socket/protocol'
import { attempt } from './attempt.js'
import { attemptParts } from './attempt-parts.js'
import { asRpcError, deliver } from './callback.js'
import { Calls } from './calls.js'
import type { ChannelSocket } from './channel.js'
import { Channels } from './channels.js'
import { Connector, type Move } from './connector.js'
import type { Emitter } from './emitter.js'
import type { TokenSocketEvents } from './events.js'
import { Heartbeat } from './heartbeat.js'
import type { Link } from './link.js'
import type { Settings } from './options.js'
import { detailsOf } from './publications.js'
import { Subscriptions } from './subscriptions.js'
import { onWake } from './wake.js'

/** What a {@link Core} needs of its socket. */
export interface CoreSocket extends Pick<Emitter<TokenSocketEvents>, 'emit'>, ChannelSocket {
  /** The functions that the server may call. */
  readonly actions: Controller
}

/** Milliseconds that a ping's answer may take at the most. */
const PING_TIMEOUT = 10_000

/** Milliseconds that a server's sign of life may be late. */
const HEARTBEAT_LEEWAY = 1000

/** The parts of a socket, and what each is told when something happens. */
export class Core {
  readonly connector: Connector
  readonly calls: Calls
  readonly channels: Channels
  readonly subscriptions: Subscriptions
  /** Resolves when the socket is ready for the first time; rejects if it never will be. */
  readonly firstReady: Promise<void>
  wasReady = false
  /** What the server said last of who this socket is. */
  session: SessionInfo | undefined
  /** Why there will be no link any more. */
  final: RpcError | undefined
  readonly #socket: CoreSocket
  readonly #settings: Settings
  readonly #heartbeat: Heartbeat
  readonly #undoWake: () => void
  #settleReady: (error?: RpcError) => void = () => {}
  /** It is lazy, and nothing has needed a connection so far. */
  #isIdle = false

  constructor(settings: Settings, socket: CoreSocket) {
    this.#settings = settings
    this.#socket = socket
    this.firstReady = deliver(
      new Promise<void>((resolve, reject) => {
        this.#settleReady = (error) => (error ? reject(error) : resolve())
      }),
    )
    this.calls = this.#makeCalls()
    this.subscriptions = this.#makeSubscriptions()
    this.channels = new Channels(this.subscriptions, socket, () => this.need())
    this.#heartbeat = this.#makeHeartbeat()
    this.connector = this.#makeConnector()
    this.#undoWake = onWake({
      woke: () => this.#woke(),
      wentOffline: () => this.connector.pause(),
      left: () => this.connector.leave(),
    })
  }

  /** Begins to connect, or to wait for a reason to. */
  start(): void {
    this.#isIdle = this.#settings.lazy
    this.connector.start()
  }

  /** Something needs a connection. */
  need(): void {
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

  #makeCalls(): Calls {
    const { callTimeout, queueSize, limits } = this.#settings
    return new Calls(
      { callTimeout, queueSize, ...limits },
      {
        actions: () => this.#socket.actions,
        failed: (error) => this.#socket.emit('error', error),
        threw: (cause) => this.#threw(cause),
      },
    )
  }

  #makeSubscriptions(): Subscriptions {
    const { callTimeout: timeout, queueSize: waiting, limits } = this.#settings
    return new Subscriptions(
      { timeout, waiting, calls: limits.callsOut },
      {
        send: (message) => this.connector.link?.send(message),
        failed: (error) => this.#socket.emit('error', error),
        restored: () => this.connector.link && this.calls.resume(this.connector.link),
        entered: (notice, isEarly) => this.#entered(notice, isEarly),
        left: (channel) => this.channels.dropped(channel),
        refused: (channel, error) => this.channels.refused(channel, error),
        token: (channel) => this.channels.token(channel),
      },
    )
  }

  #makeHeartbeat(): Heartbeat {
    return new Heartbeat(this.#settings.ping, {
      ping: () => this.#ping(),
      quietFor: () => this.connector.link?.quietFor ?? 0,
      answered: (roundTrip) => this.#socket.emit('ping', roundTrip),
      failed: (error) => this.#socket.emit('error', asRpcError(error)),
      died: () => this.connector.drop(new RpcError('connection_lost', 'The server did not answer a ping')),
    })
  }

  #makeConnector(): Connector {
    const { reconnect, lazy, token, tokenAttempts } = this.#settings
    const parts = attemptParts(this.#settings, (direction, text) => void this.#socket.emit(direction, text))
    return new Connector(
      { reconnect, lazy, ...(token && { tokenAttempts }) },
      {
        attempt: (listener, signal) => attempt(parts, listener, signal),
        receive: (message, link) => this.#receive(message, link),
        moved: (move) => this.#moved(move),
      },
    )
  }

  #receive(message: ServerMessage, link: Link): void {
    switch (message.type) {
      case 'answer':
        if (!this.subscriptions.answered(message.id, message.outcome)) this.calls.answered(message, link)
        break
      case 'invoke':
        this.calls.invoked(message, link)
        break
      case 'subscribed':
      case 'unsubscribed':
        this.subscriptions.noticed(message)
        break
      case 'position':
        this.subscriptions.passed(message.channel, message)
        break
      case 'presence':
        this.channels.changed(message)
        break
      case 'publication':
        this.#published(message)
        break
      case 'error':
        this.#socket.emit('error', decodeError(message.error))
    }
  }

  /** Moves the place on the channel first: a listener may subscribe again. */
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

  #entered(notice: SubscriptionNotice, isEarly: boolean): void {
    const { channel, recovered, reason } = notice
    this.channels.entered(notice, isEarly ? undefined : this.connector.link)
    if (recovered) this.#socket.emit('recovered', channel)
    else if (reason) this.#socket.emit('gap', channel, reason)
  }

  /** First the parts learn of the new state, then the listeners. */
  #moved(move: Move): void {
    const { event, from, error, delay } = move
    const isFirst = !this.wasReady
    if (event === 'open') this.#opened()
    else if (event === 'end') this.#close(new RpcError('ended'))
    else if (event === 'refuse' && error) this.#close(error)
    else if (error) this.#lost(error)
    this.#settings.logger.debug?.(`${from} → ${this.connector.state}`, error)
    this.#socket.emit('state', this.connector.state, {
      ...(error && { error }),
      ...(delay !== undefined && { delay }),
    })
    if (event === 'open') this.#socket.emit('connect')
    else if (from === 'ready') this.#socket.emit('disconnect', error ?? new RpcError('ended'))
    if (event === 'open' || event === 'fail' || event === 'refuse') this.#report(move, isFirst)
  }

  #report({ event, from, error }: Move, isFirst: boolean): void {
    const args = error ? ([error] as const) : ([] as const)
    if (!isFirst) {
      if (from === 'connecting') this.#socket.emit('reconnect', ...args)
      else if (error) this.#socket.emit('error', error)
    } else if (event !== 'fail') {
      this.#settleReady(error)
      this.#socket.emit('ready', ...args)
    }
  }

  #opened(): void {
    const { link } = this.connector
    if (!link) return
    this.wasReady = true
    this.session = link.session
    const { heartbeat = 0 } = link.session ?? {}
    this.#heartbeat.start(heartbeat && heartbeat + HEARTBEAT_LEEWAY)
    this.subscriptions.connected(link.isOld)
  }

  #lost(error: RpcError): void {
    this.#heartbeat.stop()
    this.calls.suspend(error)
    this.subscriptions.disconnected()
  }

  #close(error: RpcError): void {
    this.final = error
    this.#undoWake()
    this.#heartbeat.stop()
    this.calls.close(error)
    this.subscriptions.close(error)
    this.channels.close()
    this.#settleReady(error)
  }

  #woke(): void {
    this.connector.retry()
    this.#heartbeat.check()
  }

  #ping(): Promise<unknown> {
    const { link } = this.connector
    const timeout = Math.min(this.#settings.callTimeout || PING_TIMEOUT, PING_TIMEOUT)
    if (!link) return Promise.reject(new RpcError('connection_lost'))
    return this.calls.requestOn(link, (id) => ({ type: 'ping', id }), { timeout })
  }

  #threw(cause: unknown): void {
    this.#settings.logger.warn?.('An action threw', cause)
    this.#socket.emit('error', asRpcError(cause))
  }
}
