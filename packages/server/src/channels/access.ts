import type { Position, SubscriptionMessage } from '@token-socket/protocol'
import type { Granted } from '../claims/grants.js'
import type { Refusal } from '../claims/vetoes.js'
import type { Publication } from '../engine/engine.js'
import { timeOf } from '../engine/event-ids.js'
import type { ChannelRequest, ServerSocket } from '../socket/server-socket.js'
import type { PositionProofs } from './position-proofs.js'

/** A position that a client sends, with the proof that the server gave it to this user. */
export interface ClaimedPosition extends Position {
  readonly proof?: string | undefined
}

/** The terms of a client's subscription. */
export interface SubscriptionTerms {
  /** The position to recover from. */
  readonly from?: ClaimedPosition | undefined
  /**
   * Whether the client has stopped waiting. Then it is not subscribed, unless it was notified
   * already.
   */
  isOver?(): boolean
  /**
   * Whether the decision still holds. If not, the socket is not subscribed.
   * @default no decision is needed, because the server itself subscribes the socket
   */
  isCurrent?(): boolean
}

/** Dependencies of {@link ChannelAccess}. */
export interface ChannelAccessOwner {
  readonly proofs: Pick<PositionProofs, 'issue' | 'verify'>
  readonly policy: {
    /**
     * Asks claims and rules. Synchronous if no function is asked.
     * @returns the refusal, if any
     */
    allows(socket: ServerSocket, request: ChannelRequest): Refusal | undefined | Promise<Refusal | undefined>
    /**
     * Milliseconds since 1970 from which on a socket may read the history, 0 for all; `undefined`
     * for none of it.
     */
    historyStart(socket: Granted, channel: string): number | undefined
  }
  /** The listeners of the events. */
  readonly vetoes: {
    /**
     * Asks the listeners of an event.
     * @returns the refusal, if any
     */
    decide(
      event: VetoedRequest,
      socket: ServerSocket,
      data: object,
    ): Refusal | undefined | Promise<Refusal | undefined>
  }
}

/** Requests that have an event of their own. */
export type VetoedRequest = Exclude<ChannelRequest['type'], 'history'>

/**
 * The one place that decides what a socket may read and write on a channel. Every path asks it:
 * first and repeated subscriptions, recovery, history, publish (also with a used idempotency key)
 * and broadcast. The hub's filter decides what a socket sees of one publication.
 */
export class ChannelAccess {
  readonly #owner: ChannelAccessOwner

  constructor(owner: ChannelAccessOwner) {
    this.#owner = owner
  }

  /**
   * Asks claims, rules and listeners, in this order, until one refuses. Synchronous if no function
   * and no listener is asked. The decision holds for the `authorization.version` at which it began;
   * the caller compares.
   * @returns the refusal, if any
   */
  decide(socket: ServerSocket, request: ChannelRequest): Refusal | undefined | Promise<Refusal | undefined> {
    const refused = this.#owner.policy.allows(socket, request)
    if (!(refused instanceof Promise)) return refused ?? this.#ask(socket, request)
    return refused.then((refusal) => refusal ?? this.#ask(socket, request))
  }

  /**
   * Milliseconds since 1970 from which on a socket may read the history, 0 for all; `undefined` for
   * none of it.
   */
  historyStart(socket: Granted, channel: string): number | undefined {
    return this.#owner.policy.historyStart(socket, channel)
  }

  /** Whether a position needs a new proof after a change of authorization. */
  needsNewProof(socket: ServerSocket, before: Granted, channel: string): boolean {
    return this.historyStart(before, channel) === 0 && this.historyStart(socket, channel) !== 0
  }

  /**
   * Whether a socket may read everything after a position that its client sends.
   * @param first the first publication after it; all others are younger
   */
  mayRecover(socket: ServerSocket, from: ClaimedPosition, first: Publication | undefined): boolean {
    if (first === undefined) return true
    const { channel } = first
    const start = this.historyStart(socket, channel)
    if (start !== undefined && timeOf(first.id) >= start) return true
    if (from.proof === undefined) return false
    return this.#owner.proofs.verify({ channel, user: socket.subject }, from.proof, from)
  }

  /**
   * Returns a proof of a position for {@link mayRecover}; `undefined` for a socket that needs none,
   * or a legacy client.
   */
  prove(socket: ServerSocket, channel: string, position: Position): string | undefined {
    if (socket.isLegacy || this.historyStart(socket, channel) === 0) return undefined
    return this.#owner.proofs.issue({ channel, user: socket.subject }, position)
  }

  /** Asks the listeners. */
  #ask(socket: ServerSocket, request: ChannelRequest): Refusal | undefined | Promise<Refusal | undefined> {
    // The listeners have decided when the socket subscribed.
    if (request.type === 'history' && socket.isOn(request.channel)) return undefined
    const event = request.type === 'history' ? 'subscribe' : request.type
    const vetoed = this.#owner.vetoes.decide(event, socket, describe(request))
    return vetoed instanceof Promise ? vetoed.then(byListener) : byListener(vetoed)
  }
}

function byListener(refusal: Refusal | undefined): Refusal | undefined {
  return refusal && { by: 'listener', ...refusal }
}

/**
 * What listeners receive about a request: `{ channel }`, `{ channel, data }` or `{ data }`, with
 * `event` if there is one.
 */
function describe(request: ChannelRequest): object {
  switch (request.type) {
    case 'broadcast':
      return { data: request.data }
    case 'publish': {
      const { channel, data, event } = request
      return event === undefined ? { channel, data } : { channel, data, event }
    }
    case 'subscribe':
    case 'unsubscribe':
    case 'history':
      return { channel: request.channel }
  }
}

/** Returns the position that a client's request claims. */
export function claimedPosition({ from, proof }: SubscriptionMessage): ClaimedPosition | undefined {
  return from && { ...from, proof }
}
