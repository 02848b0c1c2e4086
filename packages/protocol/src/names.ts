/**
 * Names and sizes that both sides agree on: the built-in calls of the wire, and the length of names
 * from the network. A name over its limit is refused before it is looked up.
 */

/**
 * The version of the wire that this package implements. Peers that send none are the legacy pair
 * (2.x).
 */
export const PROTOCOL_VERSION = 1

/**
 * The `rpc` names that the wire itself uses. A controller's function of the same name is never
 * called, except `_ping`, which is a call like any other.
 */
export const BUILT_IN = {
  auth: 'auth',
  subscribe: '_subscribe',
  unsubscribe: '_unsubscribe',
  publish: '_publish',
  history: '_history',
  broadcast: '_broadcast',
  ping: '_ping',
  cancel: '_cancel',
  refresh: '_refresh',
  send: '_send',
  result: '_rpc',
} as const

/**
 * The kinds of frames beyond the first version of the wire that this package takes: each side names its own in `can`, with `auth`
 * and with the answer to it. Neither sends such a frame to a peer that did not name it.
 *
 * - `cancel`: gives up a call that the peer runs.
 * - `notify`: runs a function of the peer without an answer, and reports that one failed which the
 *   peer ran so.
 * - `refresh`: takes a new token on the open socket, and what the server says of its authorisation.
 * - `direct`: takes messages that belong to no channel and no call.
 */
export const CAPABILITIES = ['cancel', 'notify', 'refresh', 'direct'] as const

/** One of the {@link CAPABILITIES}. */
export type Capability = (typeof CAPABILITIES)[number]

/** Limits on names, in UTF-16 code units (what `String#length` counts). */
export const NAME_LIMITS = {
  /** A dotted name of a controller's or an action's function. */
  name: 256,
  /** A channel's name. */
  channel: 256,
  /** An event's name. */
  event: 128,
  /** The key by which a publication is made only once. */
  key: 128,
  /** Who a user is. */
  uid: 256,
  /** The name of a time since which a channel's history is whole. */
  epoch: 64,
  /** What proves that the server gave a client a position on a channel. */
  proof: 256,
  /** The id that ties an answer to its request (`uuid`, `fid`); the legacy pair's are 10 or 36 long. */
  id: 64,
  /** A token. Ours are below 300, the application's own hold what a user may do; the cap comes before any parsing. */
  token: 7900,
} as const

/** A field of the wire that has a length limit. */
export type LimitedName = keyof typeof NAME_LIMITS
