import type { Retention } from '../engine.js'
import type { RemoteClient } from '../remote-client.js'
import type { ChannelAccessOwner } from './access.js'

/** What the grants and the server's rules say. */
export interface ChannelPolicy extends Readonly<ChannelAccessOwner['policy']> {
  /** Whether a socket takes part in a channel's presence. */
  hasPresence(socket: RemoteClient, channel: string): boolean | Promise<boolean>
  /** Whether the channel has presence for any socket. */
  mayHavePresence(channel: string): boolean
  /** What goes with a client's publication: who made it, whether it gets it itself, how long it is kept. */
  forPublication(
    socket: RemoteClient,
    channel: string,
    event: string | undefined,
  ): { readonly meta: string | undefined; readonly echo: boolean; readonly retention: Retention | undefined }
  /** How long the server's own publications on a channel are kept. @param store milliseconds, instead of the rule's */
  retention(channel: string, store?: number): Retention | undefined
  /** Whether the channel may keep something that this socket could miss. */
  keeps(socket: RemoteClient, channel: string): boolean
}
