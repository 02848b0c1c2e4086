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

/** A state of one channel, as the client knows it. */
export type SubscriptionState = 'unsubscribed' | 'waiting' | 'subscribing' | 'subscribed' | 'unsubscribing'

/**
 * What happens to a subscription:
 * - `wait`: it is wanted, but there is no link to ask on; it goes out with the next;
 * - `subscribe`, `unsubscribe`: the request is sent; while there is no link there is nothing to send;
 * - `accept`, `refuse`: the server answered it;
 * - `expire`: the server did not answer in time;
 * - `grant`, `revoke`: the server subscribed or unsubscribed us by itself;
 * - `lose`: the link was lost.
 */
export type SubscriptionEvent =
  | 'wait'
  | 'subscribe'
  | 'unsubscribe'
  | 'accept'
  | 'refuse'
  | 'expire'
  | 'grant'
  | 'revoke'
  | 'lose'

/**
 * A channel starts in `unsubscribed` and is forgotten when it comes back there. An `unsubscribe` that finds nothing to
 * undo asks the server nevertheless: an earlier request may have been taken without an answer.
 */
export const SUBSCRIPTION_MOVES: Moves<SubscriptionState, SubscriptionEvent> = {
  unsubscribed: {
    wait: 'waiting',
    subscribe: 'subscribing',
    unsubscribe: 'unsubscribing',
    grant: 'subscribed',
  },
  waiting: { subscribe: 'subscribing', unsubscribe: 'unsubscribed', grant: 'subscribed' },
  subscribing: { accept: 'subscribed', refuse: 'unsubscribed', expire: 'unsubscribed', lose: 'unsubscribed' },
  subscribed: { unsubscribe: 'unsubscribing', revoke: 'unsubscribed', lose: 'unsubscribed' },
  unsubscribing: {
    accept: 'unsubscribed',
    refuse: 'subscribed',
    expire: 'unsubscribed',
    lose: 'unsubscribed',
  },
}
