import type { Retention } from '../engine/engine.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { ChannelAccessOwner } from './access.js'
import type { RuleRate } from './publishing-rules.js'

/** What a publication of the server's own says about how long it is kept. */
export interface StoredPublication {
  readonly event?: string | undefined
  /** Milliseconds, instead of the rule's; 0 for not at all. */
  readonly store?: number | undefined
}

/** What the grants and the server's rules say. */
export interface ChannelPolicy extends Readonly<ChannelAccessOwner['policy']> {
  /** Whether a socket takes part in a channel's presence. */
  hasPresence(socket: ServerSocket, channel: string): boolean | Promise<boolean>
  /** Whether the channel has presence for any socket. */
  mayHavePresence(channel: string): boolean
  /** What goes with a client's publication: who made it, whether it gets it itself, how long it is kept. */
  forPublication(
    socket: ServerSocket,
    channel: string,
    event: string | undefined,
  ): { readonly meta: string | undefined; readonly echo: boolean; readonly retention: Retention | undefined }
  /** How long the server's own publications on a channel are kept. */
  retention(channel: string, publication?: StoredPublication): Retention | undefined
  /** Whether rules say that the channel keeps any event. */
  mayKeep(channel: string): boolean
  /** How often one socket may publish an event on a channel: all of these have to have room. */
  rates(channel: string, event: string | undefined): readonly RuleRate[]
  /** Whether the channel may keep something that this socket could miss. */
  keeps(socket: ServerSocket, channel: string): boolean
}
