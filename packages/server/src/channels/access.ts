import type { Position, SubscriptionMessage } from '@token-socket/protocol'
import type { Granted } from '../claims/grants.js'
import type { Refusal } from '../claims/vetoes.js'
import type { Publication } from '../engine/engine.js'
import { timeOf } from '../engine/event-ids.js'
import type { ChannelRequest, ServerSocket } from '../socket/server-socket.js'
import type { PositionProofs } from './position-proofs.js'

/** A position that a client names, and what proves that the server gave it to this user. */
export interface ClaimedPosition extends Position {
  readonly proof?: string | undefined
}

/** How a client asks to be subscribed. */
export interface SubscriptionTerms {
  /** Where it says that it was, to get what it missed. */
  readonly from?: ClaimedPosition | undefined
  /** Whether it does not wait any longer. Then it is not subscribed, unless it was told so already. */
  isOver?(): boolean
  /**
   * Whether the decision about it still holds. If not, the socket is not subscribed.
   * @default the server itself subscribes it: no decision is needed
   */
  isCurrent?(): boolean
}

/** Dependencies of {@link ChannelAccess}. */
export interface ChannelAccessOwner {
  readonly proofs: Pick<PositionProofs, 'issue' | 'verify'>
  readonly policy: {
    /** What claims and rules say, at once where no function is asked. @returns why not */
    allows(socket: ServerSocket, request: ChannelRequest): Refusal | undefined | Promise<Refusal | undefined>
    /** Milliseconds since 1970 from which on a socket may read what is kept, 0 for all; `undefined` for nothing of it. */
    historyStart(socket: Granted, channel: string): number | undefined
  }
  /** Asks the listeners of an event. @returns why not */
  decide(
    event: VetoedRequest,
    socket: ServerSocket,
    data: object,
  ): Refusal | undefined | Promise<Refusal | undefined>
}

/** Requests that have an event of their own. */
export type VetoedRequest = Exclude<ChannelRequest['type'], 'history'>

/**
 * The one place that decides what a socket may read and write on a channel. Every path asks it: a subscription, one again,
 * recovery, history, publish, also with a key that was used before, and broadcast. What one socket may see of one
 * publication is the hub's to say, by the filter.
 */
export class ChannelAccess {
  readonly #owner: ChannelAccessOwner

  constructor(owner: ChannelAccessOwner) {
    this.#owner = owner
  }

  /**
   * Asks claims, rules and listeners, in this order, until one refuses. The answer is there at once
   * where neither a function nor a listener is asked. It holds for the `authorization.version` at
   * which it began: who waits for it compares.
   * @returns why not
   */
  decide(socket: ServerSocket, request: ChannelRequest): Refusal | undefined | Promise<Refusal | undefined> {
    const refused = this.#owner.policy.allows(socket, request)
    if (!(refused instanceof Promise)) return refused ?? this.#ask(socket, request)
    return refused.then((refusal) => refusal ?? this.#ask(socket, request))
  }

  /** Milliseconds since 1970 from which on a socket may read what is kept, 0 for all; `undefined` for nothing of it. */
  historyStart(socket: Granted, channel: string): number | undefined {
    return this.#owner.policy.historyStart(socket, channel)
  }

  /** Whether a position has to be proven since a change of authorization. */
  needsNewProof(socket: ServerSocket, before: Granted, channel: string): boolean {
    return this.historyStart(before, channel) === 0 && this.historyStart(socket, channel) !== 0
  }

  /**
   * Whether a socket may have all that was published after a position which its client names.
   * @param first the first publication after it; all later ones are younger
   */
  mayRecover(socket: ServerSocket, from: ClaimedPosition, first: Publication | undefined): boolean {
    if (first === undefined) return true
    const { channel } = first
    const start = this.historyStart(socket, channel)
    if (start !== undefined && timeOf(first.id) >= start) return true
    if (from.proof === undefined) return false
    return this.#owner.proofs.verify({ channel, user: socket.subject }, from.proof, from)
  }

  /** A proof of a position for {@link mayRecover}; `undefined` for a socket that needs none, or an old client. */
  prove(socket: ServerSocket, channel: string, position: Position): string | undefined {
    if (socket.isLegacy || this.historyStart(socket, channel) === 0) return undefined
    return this.#owner.proofs.issue({ channel, user: socket.subject }, position)
  }

  /** Asks the listeners. */
  #ask(socket: ServerSocket, request: ChannelRequest): Refusal | undefined | Promise<Refusal | undefined> {
    // The listeners have decided about a socket that is on the channel.
    if (request.type === 'history' && socket.isOn(request.channel)) return undefined
    const event = request.type === 'history' ? 'subscribe' : request.type
    const vetoed = this.#owner.decide(event, socket, describe(request))
    return vetoed instanceof Promise ? vetoed.then(byListener) : byListener(vetoed)
  }
}

function byListener(refusal: Refusal | undefined): Refusal | undefined {
  return refusal && { by: 'listener', ...refusal }
}

/** What listeners are told of a request: `{ channel }`, `{ channel, data }` or `{ data }`; `event` if there is one. */
function describe(request: ChannelRequest): object {
  switch (request.type) {
    case 'broadcast':
      return { data: request.data }
    case 'publish': {
      const { channel, data, event } = request
      return event === undefined ? { channel, data } : { channel, data, event }
    }
    default:
      return { channel: request.channel }
  }
}

/** Where the client of a request says that it was. */
export function claimedPosition({ from, proof }: SubscriptionMessage): ClaimedPosition | undefined {
  return from && { ...from, proof }
}
