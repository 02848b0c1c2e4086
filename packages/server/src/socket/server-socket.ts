import {
  type AnswerMessage,
  type CallOptions,
  type Capability,
  CLOSE_CODES,
  type ErrorMessage,
  encodeServerMessage,
  isPassing,
  markHandled,
  type Position,
  type RpcError,
  type ServerMessage,
  type SessionInfo,
  type SubscriptionNotice,
} from '@token-socket/protocol'
import type { AuthorizationSource } from '../claims/authorization.js'
import { checkName } from '../claims/channel-name.js'
import type { Receipt } from '../engine/engine.js'
import { noted, watched } from '../runtime/own-calls.js'
import { changeOf, sessionNotice } from './authorization-change.js'
import type { BufferedConnection, BufferedListener, Wire } from './buffered-connection.js'
import type { BulkQueue } from './bulk-queue.js'
import { closingOf, type SlowReader } from './closings.js'
import type { ConnectionParts } from './connected-socket.js'
import { encodedRefusal } from './encoded-refusal.js'
import type { HeldSize } from './held-size.js'
import type { Identity } from './identity.js'
import { MessageFlow } from './message-flow.js'
import { END_OPTIONS } from './method-options.js'
import type { ChannelAnswer, PendingRequest } from './pending-requests.js'
import type { PublicationOptions } from './publication-options.js'
import { refusedAnswer } from './refused-answer.js'
import type { RpcCallback } from './rpc-callback.js'
import type { SocketOwner } from './socket-owner.js'
import { SocketSession } from './socket-session.js'
import { SubscribedSocket } from './subscribed-socket.js'

export type { ChannelAnswer, ChannelRequest, PendingRequest } from './pending-requests.js'
export type { PublicationOptions } from './publication-options.js'

/** Dependencies of a {@link ServerSocket}. */
export type ServerSocketOwner = SocketOwner<ServerSocket>

/** The capabilities of a client that named none. */
const NONE: readonly Capability[] = Object.freeze([])

/** One authenticated client, on the server. */
export class ServerSocket extends SubscribedSocket {
  /** UTF-16 code units of the frames that were sent to it. @internal */
  sent = 0
  /** Encodes its messages, if its client does not use the library's protocol. @internal */
  readonly wire: Wire | undefined
  /**
   * The kinds of frames, beyond the first version of the protocol, that its client accepts.
   * @internal
   */
  readonly capabilities: readonly Capability[]
  readonly #countsPositions: boolean
  readonly #owner: ServerSocketOwner
  readonly #connection: BufferedConnection
  readonly #flow: MessageFlow
  /** Created with its first message, or the first call: it does nothing for a client that listens. */
  #session: SocketSession | undefined
  #state: 'joining' | 'open' | 'closed' = 'joining'

  /** @internal */
  constructor(identity: Identity, connection: BufferedConnection, owner: ServerSocketOwner) {
    super(identity)
    this.#countsPositions = identity.counts ?? true
    this.capabilities = identity.can ?? NONE
    this.#owner = owner
    this.#connection = connection
    this.wire = connection.wire
    this.#flow = new MessageFlow(connection, owner, this)
  }

  /** Receives its connection's events. @internal */
  get listener(): BufferedListener {
    return this.#flow
  }

  get #requests(): SocketSession {
    this.#session ??= new SocketSession(this, this.#owner)
    return this.#session
  }

  /** @internal */
  protected get connectionParts(): ConnectionParts {
    return { ...this.#owner, socket: this, peer: this.#requests.peer, outbox: this.#flow.outbox }
  }

  /** @internal */
  protected get channelsAsObject(): boolean {
    return this.#owner.channelsAsObject ?? false
  }

  /** Whether its client is a legacy one, which knows neither positions nor members. @internal */
  get isLegacy(): boolean {
    return !this.#countsPositions
  }

  /**
   * Subscribes it to the channels that its grants name, as if the client had requested it.
   * @param refused receives each channel that is refused
   * @internal
   */
  autoSubscribe(refused: (channel: string, error: unknown) => void): void {
    this.#owner.channels.autoSubscribe(this, refused)
  }

  /** Runs a task after its client's earlier requests about the same channel. @internal */
  inOrder<T>(channel: string, task: () => Promise<T>): Promise<T> {
    return this.#requests.inOrder(channel, task)
  }

  /** The transport that carries the connection: `websocket`, `xhr-streaming`, … */
  get transport(): string {
    return this.#connection.transport
  }

  /** How many messages have come from it. @internal */
  get received(): number {
    return this.#session?.received ?? 0
  }

  /** Whether it is authenticated and its connection is open. @internal */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Runs work that produces many bytes for its client. @internal */
  get bulk(): BulkQueue {
    return this.#flow.bulk
  }

  /** Counts what is buffered for it until its subscriptions are up to date. @internal */
  get held(): HeldSize {
    return this.#flow.held
  }

  /** Whether its connection is closed. */
  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /**
   * Calls an action of the client.
   * @param name dotted name of the action
   * @param rest gets the error, or `null` and the result
   * @example
   * socket.rpc('confirm', 'Delete it?', (error, answer) => console.log(error ?? answer))
   */
  rpc(name: string, data: unknown, rest: RpcCallback): void
  /**
   * Calls an action of the client.
   * @param name dotted name of the action
   * @param rest `timeout` in milliseconds, and a `signal`
   * @returns a promise that settles exactly once: with the result, or with an RpcError such as
   *   `not_found`, `timeout`, `aborted`, `connection_lost`, or the action's own
   * @example
   * const answer = await socket.rpc<boolean>('confirm', 'Delete it?', { timeout: 60_000 })
   */
  rpc<Data = unknown>(name: string, data?: unknown, rest?: CallOptions): Promise<Data>
  rpc(name: string, data?: unknown, rest?: RpcCallback | CallOptions): Promise<unknown> | undefined {
    return this.#requests.actions.call(name, data, rest)
  }

  /**
   * Calls an action of the client without an answer. Its failure becomes the server's `error`
   * event. A client that does not support notifications gets a call, and its answer is dropped.
   * @param name dotted name of the action
   * @returns a promise that resolves when the notification is sent, in order with everything else
   * @throws RpcError `connection_lost`, `unserializable`, `bad_message`, `too_long`; and
   *   `too_many_calls` for a client that gets a call
   * @example
   * await socket.notify('toast.show', { text: 'Paid' })
   */
  notify(name: string, data?: unknown): Promise<void> {
    return this.#requests.actions.notify(name, data)
  }

  /**
   * Subscribes the client to a channel, without asking the `subscribe` listeners.
   * @throws RpcError `bad_message`
   * @example
   * await socket.subscribe('news')
   */
  subscribe(channel: string): Promise<void> {
    return this.#watched('subscribe', this.#owner.channels.subscribe(this, channel))
  }

  /**
   * Unsubscribes the client from a channel, without asking the `unsubscribe` listeners.
   * @example
   * socket.unsubscribe('news')
   */
  unsubscribe(channel: string): void {
    noted('socket.unsubscribe', () => checkName('channel', channel))
    this.#owner.channels.unsubscribe(this, channel)
  }

  /**
   * Publishes on a channel, as the server's own `publish` does.
   * @example
   * await socket.publish('news', { title: 'Hello' }, { event: 'published' })
   */
  publish(channel: string, data: unknown, options?: PublicationOptions): Promise<Receipt> {
    return this.#watched('publish', this.#owner.channels.publish(channel, data, options))
  }

  /**
   * Closes the connection.
   * @param options.reconnect `false` tells the client not to reconnect. @default true
   * @throws RpcError `bad_option`
   * @example
   * socket.end({ reconnect: false })
   */
  end(options: { readonly reconnect?: boolean | undefined } = {}): void {
    noted('socket.end', () => END_OPTIONS.check(options))
    this.closeFor(options.reconnect === false ? 'disconnected' : 'closed_by_server')
  }

  /** Closes the connection for one of the library's reasons. @internal */
  closeFor(why: keyof typeof CLOSE_CODES): void {
    this.#flow.outbox.end()
    const { code, reason } = CLOSE_CODES[why]
    this.#connection.close(code, reason)
  }

  /** Whether its client can send a new token on the open connection. @internal */
  get canRefresh(): boolean {
    return this.capabilities.includes('refresh') && !this.authorization.isFixed
  }

  /**
   * Ends its authorization, and asks its client for a new token. Without one, the socket is closed
   * as `expired` after the grace period. A client that cannot send one is closed now. @internal
   */
  demandRefresh(): void {
    if (!this.canRefresh) return this.closeFor('expired')
    this.authorization = this.authorization.until(performance.now())
    this.#owner.expiries?.follow(this)
    this.sendMessage({ type: 'renew' })
  }

  /**
   * Replaces its authorization, and reports it to a client that can `refresh`. Then it checks
   * subscriptions and presence again, and ends what is no longer allowed.
   * @returns a promise that resolves when no delivery by an older authorization can follow
   * @throws RpcError `identity_changed`, as a rejection; nothing has changed then
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

  /** Sends the answer to the token. From now on the client may send requests. @internal */
  open(id: string, session: SessionInfo): void {
    this.#state = 'open'
    this.#connection.opened?.()
    this.sendMessage({ type: 'answer', id, rpc: 'auth', outcome: { data: 'success' }, session })
    if (this.authorization.expiresAt !== undefined) this.#owner.expiries?.follow(this)
  }

  /**
   * Refuses the client after its token was accepted.
   * @param id of the message with the token, if it has no answer yet
   * @internal
   */
  refuse(error: RpcError, id?: string): void {
    if (id !== undefined) {
      // Also what listeners have sent: their calls fail.
      this.#flow.outbox.clear()
      this.sendMessage({ type: 'answer', id, rpc: 'auth', outcome: encodedRefusal(error) })
    }
    this.closeFor(isPassing(error.code) ? 'auth_failed' : 'auth_refused')
  }

  /**
   * Receives a message that belongs to no channel and no call.
   * @returns whether there are listeners
   * @internal
   */
  receiveDirect(data: unknown): boolean {
    return this.#owner.message?.(this, data) ?? false
  }

  /**
   * Sends a message. Instead of an answer or error it sends `too_large` if too many answers wait.
   * @throws RpcError `unserializable`
   * @internal
   */
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
    this.#flow.add(frame)
  }

  /** Treats what is sent while `run` runs as {@link BulkQueue bulk}. @internal */
  inBulk(run: () => void): void {
    this.#flow.inBulk(run)
  }

  /** Reports to the client that it receives a channel, and its position. @internal */
  joined(channel: string, how: Omit<SubscriptionNotice, 'type' | 'channel'> = {}): void {
    const proof = how.position && this.#owner.channels.prove(this, channel, how.position)
    const proven = proof === undefined ? how : { ...how, proof }
    this.sendMessage({ type: 'subscribed', channel, ...this.saidOn(channel), ...proven })
  }

  /**
   * Reports a position whose publication the client does not get, so that the client sees no gap.
   * @internal
   */
  passed(channel: string, position: Position): void {
    if (this.#countsPositions) this.sendMessage({ type: 'position', channel, ...position })
  }

  /** Passes what is queued to the connection now. @internal */
  flush(): void {
    this.#flow.outbox.flush()
  }

  /** Records that it has left a channel, and reports to the client why. @internal */
  left(channel: string, isRevoked = false): void {
    this.removeChannel(channel)
    this.sendMessage({ type: 'unsubscribed', channel, ...(isRevoked && { isRevoked }) })
  }

  /** Receives a message. @internal */
  receive(text: unknown): void {
    this.#flow.message(text)
  }

  /** Handles a message whose turn has come. @internal */
  handle(text: unknown): void {
    this.#requests.receive(text)
  }

  /** Its client does not read: the connection is about to be closed. @internal */
  slow(reader: SlowReader): void {
    this.#owner.onslow?.(this, reader)
  }

  /**
   * Carries out a client's request about a channel. Resolves with the result, or with the reason
   * why not. @internal
   */
  requestChannel(request: PendingRequest): Promise<ChannelAnswer> {
    return this.#owner.channels.request(this, request)
  }

  /**
   * The connection is closed.
   * @param code how it was closed
   * @param byPeer whether the client closed it
   * @internal
   */
  disconnected(code: number, text = '', byPeer = false): void {
    if (this.isClosed) return
    this.#owner.gone?.(this)
    const closing = this.isOpen ? closingOf(this, { code, text, byPeer }) : undefined
    if (closing) this.#owner.closed(closing)
    this.#state = 'closed'
    this.#owner.expiries?.forget(this)
    this.#session?.disconnect()
    this.#flow.end()
    this.#owner.channels.forget(this, code, closing && (() => this.#owner.ended?.(this, closing)))
    this.clearChannels()
  }

  #sendAnswer(message: AnswerMessage | ErrorMessage): void {
    if (this.isClosed) return
    const { wire } = this
    if (wire) {
      const why = wire.closes(message)
      return why && this.closeFor(why)
    }
    const limit = this.#owner.limits.answers
    const frame = encodeServerMessage(this.#flow.outbox.size > limit ? this.#refuse(message, limit) : message)
    this.sent += frame.length
    this.#flow.outbox.addBulk(frame)
  }

  #refuse(message: AnswerMessage | ErrorMessage, limit: number): AnswerMessage | ErrorMessage {
    const { answer, outcome, request } = refusedAnswer(message, limit)
    this.#owner.requests.answered({ sid: this.sid, uid: this.uid, ...request }, outcome)
    return answer
  }

  /** Returns the parts of a socket's server that libraries use. @internal */
  static ownerOf(socket: ServerSocket): Pick<ServerSocketOwner, 'failed' | 'limits'> {
    return socket.#owner
  }

  #watched<T>(method: string, promise: Promise<T>): Promise<T> {
    return watched(promise, `socket.${method}`, (cause) => this.#owner.failed(cause, { sid: this.sid }))
  }
}
