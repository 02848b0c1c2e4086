import type { Position } from '@token-socket/protocol'
import type { Authorization } from '../claims/authorization.js'
import type { Receipt } from '../engine/engine.js'
import type { SlowReader, SocketClosing } from './closings.js'
import type { Expiries } from './expiries.js'
import type { FlowLimits } from './message-flow.js'
import type { Flusher } from './outbox.js'
import type { ChannelAnswer, PendingRequest } from './pending-requests.js'
import type { PublicationOptions } from './publication-options.js'
import type { SessionOwner } from './socket-session.js'

/** The channels, as a socket uses them. */
export interface SocketChannels<Socket> {
  /** Carries out a client's request. Resolves with the result, or with the reason why not. */
  request(socket: Socket, request: PendingRequest): Promise<ChannelAnswer>
  subscribe(socket: Socket, channel: string): Promise<void>
  /**
   * Subscribes a socket to the channels that its grants name.
   * @param refused receives each channel that is refused
   */
  autoSubscribe(socket: Socket, refused: (channel: string, error: unknown) => void): void
  unsubscribe(socket: Socket, channel: string): void
  publish(channel: string, data: unknown, options?: PublicationOptions): Promise<Receipt>
  /**
   * Returns the proof that a client has to send to recover from a position; `undefined` if it needs
   * none.
   */
  prove(socket: Socket, channel: string, position: Position): string | undefined
  /**
   * Checks the subscriptions of a socket again, after its authorization was replaced.
   * @returns a promise that resolves when nothing is left that only an older authorization allowed
   */
  reauthorize(socket: Socket, before: Authorization): Promise<void>
  /**
   * Removes a socket whose connection is closed.
   * @param code how it was closed
   * @param done called when it has left all of its channels
   */
  forget(socket: Socket, code: number, done?: () => void): void
}

/** Dependencies of a socket. @typeParam Socket the socket itself */
export interface SocketOwner<Socket> extends SessionOwner {
  readonly flusher: Flusher
  /** `answers`: UTF-16 code units of answers that may wait for one socket. */
  readonly limits: SessionOwner['limits'] & FlowLimits & { readonly answers: number }
  readonly channels: SocketChannels<Socket>
  /**
   * Whether `socket.channels` is an object.
   * @default false
   */
  readonly channelsAsObject?: boolean | undefined
  /**
   * Closes sockets whose authorization has ended.
   * @default none is closed
   */
  readonly expiries?: Pick<Expiries, 'follow' | 'forget'>
  /** The connection of a socket is closed, authenticated or not. Called once, before everything else. */
  gone?(socket: Socket): void
  /** The connection of an authenticated socket has ended. */
  closed(closing: SocketClosing): void
  /** An authenticated socket has ended, and has left its channels. */
  ended?(socket: Socket, closing: SocketClosing): void
  /**
   * Its client has sent a message.
   * @returns whether there are listeners
   * @default there are none
   */
  message?(socket: Socket, data: unknown): boolean
  /** The socket's client does not read; the connection is about to be closed. */
  onslow?(socket: Socket, reader: SlowReader): void
}
