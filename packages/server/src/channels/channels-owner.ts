import type { Development } from '../development/development.js'
import type { History } from '../engine/engine.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { ChannelAccessOwner } from './access.js'
import type { ChannelPolicy } from './channel-policy.js'
import type { ChannelRequestsOwner } from './channel-requests-owner.js'
import type { Hub } from './hub.js'
import type { ChannelPresenceOwner } from './presence.js'
import type { SocketEvents } from './socket-events.js'

const always = (_socket: ServerSocket) => true
/** Matches all sockets. */
export const EVERY_SOCKET = { matches: always, mayMatch: always }

/** Dependencies of the channels. */
export interface ChannelsOwner extends ChannelPresenceOwner, ChannelAccessOwner, ChannelRequestsOwner {
  readonly hub: Hub
  /** Reports subscriptions and publications. @default nothing is reported */
  readonly events?: Pick<SocketEvents, 'begin' | 'left' | 'hears' | 'published'>
  readonly history: History
  readonly policy: ChannelPolicy
  /** Checks that only development servers make. @default none */
  readonly development?: Development | undefined
  /** Logs automatic subscriptions that a change of authorization began. @default none */
  readonly log?: Pick<ThrottledLog, 'write'> | undefined
  /**
   * The connections that are signing in, and what to do when they are authenticated. @default none
   */
  readonly joining?: {
    later(matcher: typeof EVERY_SOCKET, act: (socket: ServerSocket) => void): void
  }
  readonly limits: ChannelPresenceOwner['limits'] &
    ChannelRequestsOwner['limits'] & {
      /** How many channels one socket may be subscribed to. */
      readonly subscriptions: number
      /** How many subscriptions the sockets of one user may have together. */
      readonly subscriptionsPerUser: number
    }
}
