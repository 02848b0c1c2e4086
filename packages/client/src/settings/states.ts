/**
 * The states of the socket and of a subscription, and the transitions between them. The code runs
 * on these tables; `docs/STATES.md` shows them to people.
 */

/**
 * For each state, the next state by event. An event that a state does not list has no effect in it.
 */
export type Moves<State extends string, Event extends string> = {
  readonly [From in State]: { readonly [On in Event]?: State }
}

/** A state of the socket as a whole. */
export type ConnectionState = 'connecting' | 'waiting' | 'ready' | 'suspended' | 'failed' | 'ended'

/**
 * The events of the socket:
 * - `open`: the server accepted the token;
 * - `fail`: an attempt failed, and another one follows;
 * - `refuse`: an attempt failed, or the connection was lost, and no other attempt follows;
 * - `lose`: the connection was lost, and an attempt follows;
 * - `retry`: the next attempt begins;
 * - `suspend`, `resume`: the application wants no connection for now, and wants one again;
 * - `end`: the application ended the socket.
 */
export type ConnectionEvent = 'open' | 'fail' | 'refuse' | 'lose' | 'retry' | 'suspend' | 'resume' | 'end'

/** The socket starts in `connecting`, a lazy one in `suspended`; `failed` and `ended` are final. */
export const CONNECTION_MOVES: Moves<ConnectionState, ConnectionEvent> = {
  connecting: { open: 'ready', fail: 'waiting', refuse: 'failed', suspend: 'suspended', end: 'ended' },
  waiting: { retry: 'connecting', suspend: 'suspended', end: 'ended' },
  ready: { lose: 'waiting', refuse: 'failed', suspend: 'suspended', end: 'ended' },
  suspended: { resume: 'connecting', end: 'ended' },
  failed: { end: 'ended' },
  ended: {},
}

/** The state of one channel: the server's last notice, and the client's request since then. */
export type SubscriptionState = 'unsubscribed' | 'subscribing' | 'undoing' | 'subscribed' | 'unsubscribing'

/**
 * The events of a subscription:
 * - `subscribe`, `unsubscribe`: the request is sent;
 * - `grant`, `revoke`: the server subscribed or unsubscribed this socket, by request or on its own;
 * - `accept`, `refuse`: the server answered the request;
 * - `expire`: the server did not answer a `subscribe` in time.
 */
export type SubscriptionEvent =
  | 'subscribe'
  | 'unsubscribe'
  | 'grant'
  | 'revoke'
  | 'accept'
  | 'refuse'
  | 'expire'

/**
 * A channel starts in `unsubscribed`, and returns to it when the connection is lost. It is
 * forgotten there unless it is desired. A notice arrives before the answer to its request, so that
 * the answer finds the state that the notice has set.
 */
export const SUBSCRIPTION_MOVES: Moves<SubscriptionState, SubscriptionEvent> = {
  // `expire`: the answer did not end the subscription, and may still arrive.
  unsubscribed: { subscribe: 'subscribing', grant: 'subscribed', expire: 'subscribing' },
  subscribing: {
    grant: 'subscribed',
    revoke: 'unsubscribed',
    accept: 'subscribed',
    refuse: 'unsubscribed',
    unsubscribe: 'undoing',
  },
  // No `revoke`: it may arrive before the request takes effect. The answer decides.
  undoing: {
    grant: 'unsubscribing',
    accept: 'unsubscribed',
    refuse: 'unsubscribed',
    subscribe: 'subscribing',
  },
  subscribed: { revoke: 'unsubscribed', unsubscribe: 'unsubscribing' },
  unsubscribing: {
    revoke: 'unsubscribed',
    accept: 'unsubscribed',
    refuse: 'subscribed',
    // By its last notice the server sends the channel: it may refuse the request.
    subscribe: 'subscribed',
  },
}
