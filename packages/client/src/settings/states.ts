/**
 * The states of the socket and of a subscription, and what moves one into another. The tables are the rule and the
 * code runs on them; `docs/STATES.md` shows them to people.
 */

/** For each state, the state that each event leads to. An event that a state does not list has no meaning in it. */
export type Moves<State extends string, Event extends string> = {
  readonly [From in State]: { readonly [On in Event]?: State }
}

/** A state of the socket as a whole. */
export type ConnectionState = 'connecting' | 'waiting' | 'ready' | 'suspended' | 'failed' | 'ended'

/**
 * What happens to the socket:
 * - `open`: the server took the token;
 * - `fail`: a try came to nothing, there will be another;
 * - `refuse`: a try came to nothing, or the link was lost, and there will be no other;
 * - `lose`: the link was lost, there will be another;
 * - `retry`: it is time for another try;
 * - `suspend`, `resume`: the socket's owner wants no connection for now, and wants one again;
 * - `end`: the socket's owner ended it.
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

/** A state of one channel: the server's last word, and what the client has asked for since. */
export type SubscriptionState = 'unsubscribed' | 'subscribing' | 'undoing' | 'subscribed' | 'unsubscribing'

/**
 * What happens to a subscription:
 * - `subscribe`, `unsubscribe`: the request is sent;
 * - `grant`, `revoke`: the server says that this socket is on the channel, or is not, at its request or on its own;
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
 * A channel starts in `unsubscribed`, and is back there when the link is lost. It is forgotten there unless it is
 * desired. Notices come before the
 * answer to the request that they belong to, so that the answer finds the state where the server has left it.
 */
export const SUBSCRIPTION_MOVES: Moves<SubscriptionState, SubscriptionEvent> = {
  // `expire`: what took the socket off the channel was not the answer, which may still come.
  unsubscribed: { subscribe: 'subscribing', grant: 'subscribed', expire: 'subscribing' },
  subscribing: {
    grant: 'subscribed',
    revoke: 'unsubscribed',
    accept: 'subscribed',
    refuse: 'unsubscribed',
    unsubscribe: 'undoing',
  },
  // No `revoke`: it may come before what is to be undone. The answer tells.
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
    // The last word of the server is that it sends the channel: the request may be refused.
    subscribe: 'subscribed',
  },
}
