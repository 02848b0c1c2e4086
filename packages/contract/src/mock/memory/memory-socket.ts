import {
  BUILT_IN,
  CAPABILITIES,
  type CallMessage,
  type CallOptions,
  CLOSE_CODES,
  type ClientMessage,
  type Connection,
  createTimeouts,
  decodeClientMessage,
  decodeError,
  encodeServerMessage,
  encodeThrown,
  FrameError,
  findAction,
  type Member,
  notificationError,
  PROTOCOL_VERSION,
  type ResultMessage,
  RpcError,
  RpcPeer,
  type ServerMessage,
} from '@token-socket/protocol'
import type { ServerController, SocketAuth } from '@token-socket/server'
import type { ChannelRequest, MemoryChannels } from './memory-channels.js'

/** Who a client of a mock server is. */
export interface MockIdentity {
  /** What handlers get as `auth`. @default {} */
  readonly auth?: SocketAuth | undefined
  /** Who it is to others on a channel. @default 'user-1', 'user-2', … */
  readonly uid?: string | undefined
  /**
   * What other members see of it, in addition to its `uid`. @default made from the presence of the
   * contract's channels, if any
   */
  readonly umd?: unknown
}

/** What a {@link MemorySocket} needs of its server. */
export interface MemorySocketOwner {
  readonly controller: ServerController
  readonly channels: MemoryChannels
  /** What others see of a user that says nothing of it. */
  umdOf(uid: string): Promise<unknown> | undefined
  /** What a client asks of its channels. @returns the answer, or its promise @throws RpcError */
  request(socket: MemorySocket, request: ChannelRequest): unknown
  /** What a handler threw that is no RpcError. */
  failed(cause: unknown): void
  /** The client has signed in. */
  opened(socket: MemorySocket): void
  /** The connection is over. */
  closed(socket: MemorySocket): void
}

/** What a client asks that is no call. */
interface Request {
  readonly id: string
  readonly type:
    | 'subscribe'
    | 'unsubscribe'
    | 'publish'
    | 'history'
    | 'broadcast'
    | 'ping'
    | 'refresh'
    | 'send'
}

const LIMITS = { timeout: 30_000, callsOut: 10_000, callsIn: 10_000 }

/**
 * One client of a server in memory, as handlers see it: the part of a server's socket that handlers
 * use most.
 */
export class MemorySocket implements Member {
  readonly sid: string
  readonly uid: string
  umd: unknown
  readonly auth: SocketAuth
  readonly #connection: Connection
  readonly #owner: MemorySocketOwner
  readonly #peer: RpcPeer
  #isOpen = false

  constructor(
    identity: MockIdentity & { readonly number: number },
    connection: Connection,
    owner: MemorySocketOwner,
  ) {
    const { number, auth = {}, uid = `user-${number}`, umd } = identity
    this.sid = `memory-${number}`
    this.uid = uid
    this.umd = umd
    this.auth = auth
    this.#connection = connection
    this.#owner = owner
    const listener = {
      threw: (cause: unknown) => owner.failed(cause),
      cancel: (id: string, reason: 'aborted' | 'timeout') => this.send({ type: 'withdraw', id, reason }),
    }
    this.#peer = new RpcPeer(LIMITS, listener, createTimeouts())
    connection.listen({ message: (text) => this.#receive(text), closed: () => this.#closed() })
  }

  /** The channels that the client is subscribed to. */
  get channels(): string[] {
    return this.#owner.channels.of(this)
  }

  /** Calls a function of the client. */
  rpc(name: string, data?: unknown, options: CallOptions = {}): Promise<unknown> {
    const { timeout } = options
    const send = (id: string) => {
      this.#checkOpen()
      this.send({ type: 'invoke', id, name, data, timeout })
    }
    return this.#peer.request(send, options, name)
  }

  /** Runs a function of the client that is not answered. */
  async notify(name: string, data?: unknown): Promise<void> {
    this.#checkOpen()
    this.send({ type: 'invoke', name, data })
  }

  /** Subscribes the client to a channel. */
  subscribe(channel: string): Promise<void> {
    this.#owner.channels.subscribe(this, channel)
    return Promise.resolve()
  }

  /** Unsubscribes the client from a channel. */
  unsubscribe(channel: string): void {
    this.#owner.channels.unsubscribe(this, channel)
  }

  /** Publishes as this client. */
  publish(channel: string, data: unknown, options?: { readonly event?: string }): Promise<unknown> {
    return Promise.resolve(this.#owner.channels.publish({ channel, data, event: options?.event, from: this }))
  }

  /** Closes the connection. The client comes back, unless `reconnect` is `false`. */
  end({ reconnect = true }: { readonly reconnect?: boolean } = {}): void {
    const { code, reason } = reconnect ? CLOSE_CODES.closed_by_server : CLOSE_CODES.disconnected
    this.#connection.close(code, reason)
  }

  /** Sends one message. */
  send(message: ServerMessage): void {
    this.#connection.send([encodeServerMessage(message)])
  }

  #receive(text: unknown): void {
    try {
      this.#take(decodeClientMessage(text))
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.send({ type: 'error', error: encodeThrown(new RpcError('bad_message')) })
    }
  }

  #take(message: ClientMessage): void {
    switch (message.type) {
      case 'auth':
        return this.#signIn(message.id)
      case 'call':
        return this.#call(message)
      case 'cancel':
        return this.#peer.cancel(message.id, message.reason)
      case 'result':
        return this.#settle(message)
      case 'ping':
        return this.#answer(message, async () => null)
      case 'refresh':
      case 'send':
        return this.#answer(message, async () => {
          throw new RpcError('unsupported')
        })
      default:
        return this.#answer(message, async () => this.#owner.request(this, message))
    }
  }

  #signIn(id: string): void {
    const umd = this.umd === undefined ? this.#owner.umdOf(this.uid) : undefined
    if (!umd) return this.#open(id)
    umd.then((made) => {
      this.umd = made
      this.#open(id)
    })
  }

  #open(id: string): void {
    const { sid, uid, umd } = this
    const session = { version: PROTOCOL_VERSION, sid, uid, umd, can: CAPABILITIES }
    this.send({ type: 'answer', id, rpc: 'auth', outcome: { data: null }, session })
    this.#isOpen = true
    this.#owner.opened(this)
  }

  /** An answer of the client, or that a notification failed there. */
  #settle({ id, outcome }: ResultMessage): void {
    if (id !== undefined) this.#peer.settle(id, outcome)
    else if ('error' in outcome) this.#owner.failed(decodeError(outcome))
  }

  /** Of a call without an id, a notification, only the failure is sent. */
  #call({ id, name, data, timeout }: CallMessage): void {
    this.#peer.receive({
      action: findAction(this.#owner.controller, name),
      ...(id !== undefined && { id }),
      name,
      before: [this.auth, data],
      after: [this],
      timeout: timeout || undefined,
      answer: (outcome) => {
        if (id !== undefined) this.send({ type: 'answer', id, rpc: name, outcome })
        else if ('error' in outcome) this.send({ type: 'error', error: notificationError(outcome, name) })
      },
    })
  }

  #answer({ id, type }: Request, work: () => Promise<unknown>): void {
    const rpc = BUILT_IN[type]
    work().then(
      (data) => this.send({ type: 'answer', id, rpc, outcome: { data } }),
      (error) => this.send({ type: 'answer', id, rpc, outcome: encodeThrown(error) }),
    )
  }

  /** @throws RpcError `connection_lost`, as a server's socket does */
  #checkOpen(): void {
    if (!this.#isOpen) throw new RpcError('connection_lost')
  }

  #closed(): void {
    this.#peer.disconnect(new RpcError('connection_lost'))
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#owner.channels.leave(this)
    this.#owner.closed(this)
  }
}
