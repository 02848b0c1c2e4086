import type { RpcError } from '@token-socket/protocol'
import { eventLoop } from '../runtime/event-loop.js'
import type { FailureListener } from '../runtime/failures.js'
import { type ListenerSource, notifyListeners, takeListeners } from '../runtime/listeners.js'
import type { DisconnectReason } from '../socket/disconnect-reasons.js'
import type { ServerSocket } from '../socket/server-socket.js'
import { askConnected } from './connected-listeners.js'

/**
 * Why a socket left a channel: its client or the server unsubscribed it, its connection ended, its
 * recovery failed, or its user lost the right.
 */
export type UnsubscribeReason = 'client' | 'server' | 'disconnected' | 'failed' | 'revoked'

/** How a socket ended. */
export interface DisconnectDetails {
  /** The close code. */
  readonly code: number
  /** Whether one side closed the connection; `false` if it broke. */
  readonly wasClean: boolean
  /** Milliseconds from the socket's authentication to its end. */
  readonly duration: number
}

/** A client's publication. */
export interface PublishedDetails {
  /** `undefined` for a broadcast, which goes to every channel. */
  readonly channel: string | undefined
  readonly data: unknown
  readonly event: string | undefined
  /** The publication's id. A broadcast has none. */
  readonly id: string | undefined
  /** Its offset, where the channel keeps it. */
  readonly offset: number | undefined
}

/** The reporting events, with the arguments of their listeners. */
export interface SocketEventArguments {
  connected: [socket: ServerSocket]
  disconnected: [socket: ServerSocket, reason: DisconnectReason, details: DisconnectDetails]
  subscribed: [socket: ServerSocket, details: { readonly channel: string }]
  unsubscribed: [
    socket: ServerSocket,
    details: { readonly channel: string; readonly reason: UnsubscribeReason },
  ]
  published: [socket: ServerSocket, details: PublishedDetails]
  message: [socket: ServerSocket, data: unknown]
}

type Name = keyof SocketEventArguments

/** Dependencies of {@link SocketEvents}. */
export interface SocketEventsOwner {
  readonly emitter: ListenerSource<Name> & { listenerCount(event: Name): number }
  /** Receives what a listener throws. */
  readonly failed: FailureListener
}

/** A subscription that no listener has seen yet. */
interface Beginning {
  /** It is up to date, and waits for its socket's authentication. */
  isReady: boolean
}

/**
 * Calls the listeners of reporting events: for each authenticated socket one `connected`, then
 * pairs of `subscribed` and `unsubscribed` for each channel, then one `disconnected`, in this order
 * for every listener. Refused sockets, and subscriptions that failed before they were up to date,
 * are not reported.
 * Listeners run after the library has finished its work, except those of `connected`, which run
 * before the socket's first message. An event without listeners costs nothing.
 */
export class SocketEvents {
  readonly #owner: SocketEventsOwner
  readonly #beginnings = new WeakMap<ServerSocket, Map<string, Beginning>>()
  /** Calls of listeners that are due, in order. */
  #queue: (() => void)[] = []
  #isTelling = false

  constructor(owner: SocketEventsOwner) {
    this.#owner = owner
  }

  /** Whether an event has listeners. */
  hears(event: Name): boolean {
    return this.#owner.emitter.listenerCount(event) > 0
  }

  /**
   * Reports an authenticated socket. Returns after the listeners have run.
   * @param refused called if a listener refuses the socket: before this returns, or when the
   *   listener's promise has settled
   */
  connected(socket: ServerSocket, refused: (error: RpcError) => void = () => {}): void {
    const { emitter, failed } = this.#owner
    const outcome = {
      refused,
      failed: (cause: unknown) => failed(cause, { event: 'connected', sid: socket.sid, uid: socket.uid }),
    }
    if (this.hears('connected'))
      this.#enqueue(() => askConnected(takeListeners(emitter, 'connected'), socket, outcome))
    for (const [channel, { isReady }] of this.#beginnings.get(socket) ?? [])
      if (isReady) this.#announce(socket, channel)
    this.#tell()
  }

  /** Reports that an authenticated socket has ended, and has left its channels. */
  disconnected(...args: SocketEventArguments['disconnected']): void {
    this.#add('disconnected', args)
  }

  /** Records that a socket is on a channel. @returns a function to call once it is up to date */
  begin(socket: ServerSocket, channel: string): () => void {
    const beginning: Beginning = { isReady: false }
    const own = this.#beginnings.get(socket) ?? new Map<string, Beginning>()
    this.#beginnings.set(socket, own.set(channel, beginning))
    return () => {
      if (own.get(channel) !== beginning || socket.isClosed) return
      if (socket.isOpen) this.#announce(socket, channel)
      else beginning.isReady = true
    }
  }

  /** Records that a socket has left a channel. */
  left(socket: ServerSocket, channel: string, reason: UnsubscribeReason): void {
    if (this.#forget(socket, channel)) return
    this.#add('unsubscribed', [socket, { channel, reason }])
  }

  /** Reports that the engine has accepted a client's publication. */
  published(...args: SocketEventArguments['published']): void {
    this.#add('published', args)
  }

  /**
   * Reports a message that belongs to no channel and no call. Its listeners have run, or have begun
   * to, when this returns.
   * @returns whether there are listeners
   */
  message(socket: ServerSocket, data: unknown): boolean {
    if (!this.hears('message')) return false
    const { emitter, failed } = this.#owner
    notifyListeners(takeListeners(emitter, 'message'), [socket, data], (cause) =>
      failed(cause, { event: 'message', sid: socket.sid, uid: socket.uid }),
    )
    return true
  }

  #announce(socket: ServerSocket, channel: string): void {
    this.#forget(socket, channel)
    this.#add('subscribed', [socket, { channel }])
  }

  /** Ends a beginning. Nothing is kept for a socket that has none. @returns whether there was one */
  #forget(socket: ServerSocket, channel: string): boolean {
    const own = this.#beginnings.get(socket)
    if (!own?.delete(channel)) return false
    if (own.size === 0) this.#beginnings.delete(socket)
    return true
  }

  #add<Event extends Name>(event: Event, args: SocketEventArguments[Event]): void {
    if (!this.hears(event)) return
    const { emitter, failed } = this.#owner
    const [{ sid, uid }] = args
    this.#enqueue(() =>
      notifyListeners(takeListeners(emitter, event), args, (cause) => failed(cause, { event, sid, uid })),
    )
  }

  #enqueue(tell: () => void): void {
    this.#queue.push(tell)
    if (this.#queue.length === 1) eventLoop.queueMicrotask(this.#tell)
  }

  /**
   * A listener may cause further events. They wait until all listeners have been called for this
   * one.
   */
  readonly #tell = (): void => {
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      for (let next = 0; next < this.#queue.length; next += 1) this.#queue[next]?.()
    } finally {
      this.#queue = []
      this.#isTelling = false
    }
  }
}
