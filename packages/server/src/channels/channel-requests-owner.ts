import type { Broker } from '../engine/engine.js'
import type { MiddlewareStack } from '../middleware/middleware-stack.js'
import type { AddedGrants } from '../socket/added-grants.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { ChannelPolicy } from './channel-policy.js'
import type { HistoryAnswersOwner } from './history-answers.js'
import type { NewChannelsOwner } from './new-channels.js'
import type { SocketEvents } from './socket-events.js'

/** Dependencies of the requests about channels that the server provides. */
export interface ChannelRequestsOwner
  extends Omit<HistoryAnswersOwner, 'access' | 'limits' | 'policy'>,
    Omit<NewChannelsOwner, 'limits'> {
  readonly broker: Broker
  readonly history: HistoryAnswersOwner['history'] & NewChannelsOwner['history']
  readonly policy: ChannelPolicy
  /** Reports the publications of clients. @default nothing is reported */
  readonly events?: Pick<SocketEvents, 'hears' | 'published'>
  /** Runs around each request, before rules and listeners. @default none */
  readonly middleware?: RequestMiddleware
  /** Adds the grants of a channel's own token to a socket. @throws RpcError `invalid_token` */
  redeem(socket: ServerSocket, channel: string, token: string): Promise<AddedGrants | undefined>
  readonly limits: HistoryAnswersOwner['limits'] &
    NewChannelsOwner['limits'] & {
      /**
       * Milliseconds that a change of authorization waits for publications. @default as long as
       * they take
       */
      readonly vetoTimeout?: number | undefined
      /** Bytes of a message's data as JSON. */
      readonly publication: number
      /** Publications of one socket on one channel in a second, and bytes of their data. */
      readonly publicationRate: number
      readonly publicationBytes: number
      /** Broadcasts of one socket in a second. */
      readonly broadcastRate: number
    }
}

/** The part of the middleware that runs around requests about channels. */
export type RequestMiddleware = Pick<MiddlewareStack, 'has' | 'aroundRequest'>
