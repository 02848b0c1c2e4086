import {
  type AnswerMessage,
  type CallOptions,
  type Capability,
  CLOSE_CODES,
  type ErrorMessage,
  encodeError,
  encodeServerMessage,
  isPassing,
  markHandled,
  type Position,
  plainRefusal,
  type RpcError,
  type ServerMessage,
  type SessionInfo,
  type SubscriptionNotice,
} from '@token-socket/protocol'
import type { Authorization, AuthorizationSource } from '../claims/authorization.js'
import { checkName } from '../claims/channel-name.js'
import type { Receipt } from '../engine/engine.js'
import { noted, watched } from '../runtime/own-calls.js'
import { changeOf, sessionNotice } from './authorization-change.js'
import type { BufferedConnection, Wire } from './buffered-connection.js'
import type { BulkQueue } from './bulk-queue.js'
import { closingOf, type SlowReader, type SocketClosing } from './closings.js'
import type { ConnectionParts } from './connected-socket.js'
import { encodedRefusal } from './encoded-refusal.js'
import type { Expiries } from './expiries.js'
import type { HeldSize } from './held-size.js'
import type { Identity } from './identity.js'
import { type FlowLimits, MessageFlow } from './message-flow.js'
import { END_OPTIONS } from './method-options.js'
import type { Flusher, Outbox } from './outbox.js'
import type { ChannelAnswer, PendingRequest } from './pending-requests.js'
import type { PublicationOptions } from './publication-options.js'
import type { RpcCallback } from './rpc-callback.js'
import { type SessionOwner, SocketSession } from './socket-session.js'
import { SubscribedSocket } from './subscribed-socket.js'

export type { ChannelAnswer, ChannelRequest, PendingRequest } from './pending-requests.js'
export type { PublicationOptions } from './publication-options.js'

/** What a socket does with channels. */
export interface SocketChannels {
  /** Does what a client asks, or says why not. */
  request(socket: ServerSocket, request: PendingRequest): Promise<ChannelAnswer>
  subscribe(socket: ServerSocket, channel: string): Promise<void>
  /** Subscribes a socket to what its grants name. @param refused is notified of what it may not */
  autoSubscribe(socket: ServerSocket, refused: (channel: string, error: unknown) => void): void
  unsubscribe(socket: ServerSocket, channel: string): void
  publish(channel: string, data: unknown, options?: PublicationOptions): Promise<Receipt>
  /** What the client has to return to be given what comes after a position; `undefined` if it needs nothing. */
  prove(socket: ServerSocket, channel: string, position: Position): string | undefined
  /**
   * Judges again what a socket has, after its authorization was replaced.
   * @returns resolves when nothing is left that only an older authorization allowed
   */
  reauthorize(socket: ServerSocket, before: Authorization): Promise<void>
  /** The socket's connection is gone. @param code how it was closed @param done it has left all of its channels */
  forget(socket: ServerSocket, code: number, done?: () => void): void
}

/** Dependencies of a {@link ServerSocket}. */
export interface RemoteClientOwner extends SessionOwner {
  readonly flusher: Flusher
  /** With UTF-16 code units of answers that may wait for one socket. */
  readonly limits: SessionOwner['limits'] & FlowLimits & { readonly answers: number }
  readonly channels: SocketChannels
  /** Whether sockets show their channels as an object. @default false */
  readonly channelsAsObject?: boolean | undefined
  /** Closes sockets whose authorization is over. @default none is closed */
  readonly expiries?: Pick<Expiries, 'follow' | 'forget'>
  /** The connection of a socket that was let in has ended. */
  closed(closing: SocketClosing): void
  /** A socket that was let in has ended, and has left its channels. */
  ended?(socket: ServerSocket, closing: SocketClosing): void
  /** Its client has sent a message. @returns whether there are listeners. @default there are none */
  message?(socket: ServerSocket, data: unknown): boolean
  /** A socket's client does not read: the connection is about to be closed. */
  onslow?(socket: ServerSocket, reader: SlowReader): void
}

/** One authenticated client, as the server sees it. */
export class ServerSocket extends SubscribedSocket {
  /** The addresses that proxies named on the token request. */
  readonly ips: readonly string[]
  /** The host name that the token was requested from. */
  readonly host: string | undefined
  /** UTF-16 code units of the frames that it was sent. @internal */
  sent = 0
  /** How its messages are written, if its client does not know the library's wire. @internal */
  readonly wire: Wire | undefined
  /** The kinds of frames beyond the first version of the wire that its client takes. @internal */
  readonly capabilities: readonly Capability[]
  readonly #countsPositions: boolean
  readonly #owner: RemoteClientOwner
  readonly #connection: BufferedConnection
  readonly #outbox: Outbox
  readonly #flow: MessageFlow
  readonly #session: SocketSession
  #isBulk = false
  #state: 'joining' | 'open' | 'closed' = 'joining'

  constructor(identity: Identity, connection: BufferedConnection, owner: RemoteClientOwner) {
    super(identity)
    this.ips = identity.ips
    this.host = identity.host
    this.#countsPositions = identity.counts ?? true
    this.capabilities = identity.can ?? []
    this.#owner = owner
    this.#connection = connection
    this.wire = connection.wire
    this.#session = new SocketSession(this, owner)
    const receive = (text: unknown) => this.#session.receive(text)
    const onslow = (reader: SlowReader) => owner.onslow?.(this, reader)
    this.#flow = new MessageFlow(connection, { ...owner, receive, onslow })
    this.#outbox = this.#flow.outbox
  }

  /** @internal */
  protected get connectionParts(): ConnectionParts {
    return { ...this.#owner, socket: this, peer: this.#session.peer, outbox: this.#outbox }
  }

  /** @internal */
  protected get channelsAsObject(): boolean {
    return this.#owner.channelsAsObject ?? false
  }

  /** Whether its client is the old one, which knows neither places nor members. @internal */
  get isLegacy(): boolean {
    return !this.#countsPositions
  }

  /** Subscribes it to what its grants name, as if it had asked. @param refused is notified of what it may not @internal */
  autoSubscribe(refused: (channel: string, error: unknown) => void): void {
    this.#owner.channels.autoSubscribe(this, refused)
  }

  /** Runs a task after its client's earlier requests about the same channel. @internal */
  inOrder<T>(channel: string, task: () => Promise<T>): Promise<T> {
    return this.#session.inOrder(channel, task)
  }

  /** What carries the connection: `websocket`, `xhr-streaming`, … */
  get transport(): string {
    return this.#connection.transport
  }

  /** Messages that have come from it. @internal */
  get received(): number {
    return this.#session.received
  }

  /** Whether it is let in and its connection lives. @internal */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Runs what makes bulk for its client. @internal */
  get bulk(): BulkQueue {
    return this.#flow.bulk
  }

  /** What is held for it until its subscriptions are up to date. @internal */
  get held(): HeldSize {
    return this.#flow.held
  }

  /** Whether its connection is gone. */
  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /**
   * Calls an action on the client.
   * @param name dotted name of the action
   * @param rest a callback `(error, data)`; or options: `timeout` in milliseconds, `signal`
   * @returns a promise that settles exactly once: the result, or an RpcError such as `not_found`, `timeout`,
   *   `aborted`, `connection_lost`, or what the action answered. With a callback, that gets it instead
   */
  rpc(name: string, data: unknown, rest: RpcCallback): void
  rpc<Data = unknown>(name: string, data?: unknown, rest?: CallOptions): Promise<Data>
  rpc(name: string, data?: unknown, rest?: RpcCallback | CallOptions): Promise<unknown> | undefined {
    return this.#session.actions.call(name, data, rest)
  }

  /**
   * Calls an action on the client without an answer: its failure comes as the server's `error` event. A client that does not take
   * notifications is called, and its answer is dropped.
   * @param name dotted name of the action
   * @returns a promise that resolves when the notification is on its way, in order with everything else that is sent
   * @throws RpcError `connection_lost`, `unserializable`, `bad_message`, `too_long`; and `too_many_calls` for a client that is called
   */
  notify(name: string, data?: unknown): Promise<void> {
    return this.#session.actions.notify(name, data)
  }

  /** Subscribes the client to a channel, without asking the `subscribe` listeners. @throws RpcError `bad_message` */
  subscribe(channel: string): Promise<void> {
    return this.#watched('subscribe', this.#owner.channels.subscribe(this, channel))
  }

  /** Unsubscribes the client from a channel, without asking the `unsubscribe` listeners. */
  unsubscribe(channel: string): void {
    noted('socket.unsubscribe', () => checkName('channel', channel))
    this.#owner.channels.unsubscribe(this, channel)
  }

  /** Publishes on a channel, as the server's own `publish` does. */
  publish(channel: string, data: unknown, options?: PublicationOptions): Promise<Receipt> {
    return this.#watched('publish', this.#owner.channels.publish(channel, data, options))
  }

  /**
   * Closes the connection.
   * @param options.reconnect `false` tells the client to stay away; otherwise it comes back. @default true @throws RpcError `bad_option`
   */
  end(options: { readonly reconnect?: boolean | undefined } = {}): void {
    noted('socket.end', () => END_OPTIONS.check(options))
    this.closeFor(options.reconnect === false ? 'disconnected' : 'closed_by_server')
  }

  /** Closes the connection for one of the library's reasons. @internal */
  closeFor(why: keyof typeof CLOSE_CODES): void {
    this.#outbox.end()
    const { code, reason } = CLOSE_CODES[why]
    this.#connection.close(code, reason)
  }

  /** Whether its client can bring a new token on the open connection. @internal */
  get canRefresh(): boolean {
    return this.capabilities.includes('refresh') && !this.authorization.isFixed
  }

  /**
   * Ends its authorization and asks its client for a new token: without one it is closed as
   * `expired` after the grace. A client that cannot bring one is closed now. @internal
   */
  demandRefresh(): void {
    if (!this.canRefresh) return this.closeFor('expired')
    this.authorization = this.authorization.until(performance.now())
    this.#owner.expiries?.follow(this)
    this.sendMessage({ type: 'renew' })
  }

  /**
   * Replaces what it is allowed, at once, and tells a client that can `refresh`. Then all that lasts
   * is judged again: what is no longer allowed ends.
   * @returns resolves when no delivery by an older authorization can follow
   * @throws RpcError `identity_changed`: as a rejection, and nothing has changed
   * @internal
   */
  changeAuthorization(source: AuthorizationSource): Promise<void> {
    return markHandled(this.#change(source))
  }

  async #change(source: AuthorizationSource): Promise<void> {
    const before = this.authorization
    this.authorization = changeOf(before, source)
    if (this.isOpen) this.#owner.expiries?.follow(this)
    if (this.isOpen && this.capabilities.includes('refresh')) this.sendMessage(sessionNotice(this))
    await this.#owner.channels.reauthorize(this, before)
  }

  /** Lets the client in: the answer to its token. From now on it may ask for things. @internal */
  open(id: string, session: SessionInfo): void {
    this.#state = 'open'
    this.#connection.opened?.()
    this.sendMessage({ type: 'answer', id, rpc: 'auth', outcome: { data: 'success' }, session })
    if (this.authorization.expiresAt !== undefined) this.#owner.expiries?.follow(this)
  }

  /** The application refuses the client after all. @param id of its token's message, if that has no answer yet @internal */
  refuse(error: RpcError, id?: string): void {
    if (id !== undefined) {
      // Also what listeners sent: their calls fail.
      this.#outbox.clear()
      this.sendMessage({ type: 'answer', id, rpc: 'auth', outcome: encodedRefusal(error) })
    }
    this.closeFor(isPassing(error.code) ? 'auth_failed' : 'auth_refused')
  }

  /** A message of the client, which is no request about a channel and no call. @returns whether listeners have it @internal */
  receiveDirect(data: unknown): boolean {
    return this.#owner.message?.(this, data) ?? false
  }

  /** Sends a message. An answer, or an error, is `too_large` instead when too many wait. @throws RpcError `unserializable` @internal */
  sendMessage(message: ServerMessage): void {
    if (message.type === 'answer' || message.type === 'error') return this.#sendAnswer(message)
    const { wire } = this
    const frame = wire ? wire.encode(message) : encodeServerMessage(message)
    if (frame === undefined) return
    if (message.type === 'subscribed') this.inBulk(() => this.deliver(frame))
    else this.deliver(frame)
  }

  /** Sends a frame. @internal */
  deliver(frame: string): void {
    if (this.isClosed) return
    this.sent += frame.length
    if (this.#isBulk) this.#outbox.addBulk(frame)
    else this.#outbox.add(frame)
  }

  /** What is sent while this runs is {@link BulkQueue bulk}. @internal */
  inBulk(run: () => void): void {
    const before = this.#isBulk
    this.#isBulk = true
    try {
      run()
    } finally {
      this.#isBulk = before
    }
  }

  /** Tells the client that it receives a channel, and its place there. @internal */
  joined(channel: string, how: Omit<SubscriptionNotice, 'type' | 'channel'> = {}): void {
    const proof = how.position && this.#owner.channels.prove(this, channel, how.position)
    const proven = proof === undefined ? how : { ...how, proof }
    this.sendMessage({ type: 'subscribed', channel, ...this.saidOn(channel), ...proven })
  }

  /** A publication that is kept was not for this client: tells it so, as it would miss it. @internal */
  passed(channel: string, position: Position): void {
    if (this.#countsPositions) this.sendMessage({ type: 'position', channel, ...position })
  }

  /** Hands what waits to the connection now. @internal */
  flush(): void {
    this.#outbox.flush()
  }

  /** It does not receive a channel any more: notes it, and tells the client why. @internal */
  left(channel: string, isRevoked = false): void {
    this.removeChannel(channel)
    this.sendMessage({ type: 'unsubscribed', channel, ...(isRevoked && { isRevoked }) })
  }

  /** A message came. @internal */
  receive(text: unknown): void {
    this.#flow.inbox.take(text)
  }

  /** Does what the client asks about a channel, or says why not. @internal */
  requestChannel(request: PendingRequest): Promise<ChannelAnswer> {
    return this.#owner.channels.request(this, request)
  }

  /** The connection is gone. @param code how it was closed @param byPeer whether the client chose it @internal */
  disconnected(code: number, text = '', byPeer = false): void {
    if (this.isClosed) return
    const closing = this.isOpen ? closingOf(this, { code, text, byPeer }) : undefined
    if (closing) this.#owner.closed(closing)
    this.#state = 'closed'
    this.#owner.expiries?.forget(this)
    this.#session.disconnect()
    this.#flow.end()
    this.#owner.channels.forget(this, code, closing && (() => this.#owner.ended?.(this, closing)))
    this.clearChannels()
  }

  #sendAnswer(message: AnswerMessage | ErrorMessage): void {
    if (this.isClosed) return
    const { wire } = this
    if (wire) return this.#closeInstead(wire.closes(message))
    const limit = this.#owner.limits.answers
    const answer = this.#outbox.size > limit ? this.#refuseAnswer(message, limit) : message
    const frame = encodeServerMessage(answer)
    this.sent += frame.length
    this.#outbox.addBulk(frame)
  }

  #closeInstead(why: keyof typeof CLOSE_CODES | undefined): void {
    if (why) this.closeFor(why)
  }

  #refuseAnswer(message: AnswerMessage | ErrorMessage, limit: number): AnswerMessage | ErrorMessage {
    const { sid, uid } = this
    const outcome = encodeError(plainRefusal('too_large', { field: 'answers', limit }))
    const { rpc } = message as Partial<AnswerMessage>
    const request = { sid, uid, type: 'answer', ...(rpc !== undefined && { function: rpc }) }
    this.#owner.requests.answered(request, outcome)
    return message.type === 'answer' ? { ...message, outcome } : { ...message, error: outcome }
  }

  /** What the server of a socket gives libraries. @internal */
  static ownerOf(socket: ServerSocket): Pick<RemoteClientOwner, 'failed' | 'limits'> {
    return socket.#owner
  }

  #watched<T>(method: string, promise: Promise<T>): Promise<T> {
    return watched(promise, `socket.${method}`, (cause) => this.#owner.failed(cause, { sid: this.sid }))
  }
}
