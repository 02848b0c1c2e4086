import type { Retention } from '../engine/engine.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { ChannelAccessOwner } from './access.js'
import type { RuleRate } from './publishing-rules.js'

/** How long one of the server's own publications is kept. */
export interface StoredPublication {
  readonly event?: string | undefined
  /** Milliseconds, instead of the rule's; 0 for none. */
  readonly store?: number | undefined
}

/** The decisions of grants and of the server's rules. */
export interface ChannelPolicy extends Readonly<ChannelAccessOwner['policy']> {
  /** Whether a socket takes part in a channel's presence. */
  hasPresence(socket: ServerSocket, channel: string): boolean | Promise<boolean>
  /** Whether the channel has presence for any socket. */
  mayHavePresence(channel: string): boolean
  /**
   * Returns what goes with a client's publication: its publisher, whether the publisher receives
   * it, and how long it is kept.
   */
  forPublication(
    socket: ServerSocket,
    channel: string,
    event: string | undefined,
  ): { readonly meta: string | undefined; readonly echo: boolean; readonly retention: Retention | undefined }
  /** How long the server's own publications on a channel are kept. */
  retention(channel: string, publication?: StoredPublication): Retention | undefined
  /** Whether rules say that the channel keeps any event. */
  mayKeep(channel: string): boolean
  /**
   * Returns the rates of a socket's publications of an event on a channel. Each of them has to have
   * room.
   */
  rates(channel: string, event: string | undefined): readonly RuleRate[]
  /** Whether the channel may keep publications that this socket could miss. */
  keeps(socket: ServerSocket, channel: string): boolean
}
