/** Limits of a server: its option `limits`. Everything that a client could make grow has one. */
export interface Limits {
  /** Bytes of one incoming message. A frame or a request body may hold several. @default 1048576 */
  readonly message: number
  /** Open connections and polling sessions. One more is answered with 503. @default 100000 */
  readonly connections: number
  /**
   * Open connections and polling sessions of one address. One more is answered with 429. Users
   * behind one NAT, or behind a proxy that `trust proxy` does not name, share an address. The first
   * 64 bits of an IPv6 address count.
   * @default 20000
   */
  readonly connectionsPerAddress: number
  /**
   * Bytes of all request bodies that are read at once. A body that needs more is answered with 503.
   * @default 67108864
   */
  readonly bodyBytes: number
  /** The same for one address. @default 16777216 */
  readonly bodyBytesPerAddress: number
  /**
   * Milliseconds in which a request body has to arrive. Then it is answered with 408. @default
   * 30000
   */
  readonly bodyTimeout: number
  /** UTF-16 code units of the first message, which has the token. @default 8192 */
  readonly authMessage: number
  /**
   * Bytes, as JSON, of what a token stands for: what `authentication` returned, or the session's
   * data. A token request with more is answered with 500, and the log says so.
   * @default 65536
   */
  readonly authData: number
  /**
   * Unused tokens of one user, known by `uid` or by the session. One more makes the oldest void.
   * @default 1000
   */
  readonly ticketsPerUser: number
  /** The same for one address. @default 20000 */
  readonly ticketsPerAddress: number
  /**
   * Token requests of one user, known by `uid` or by the session, in a second, on this node. One
   * more is answered with 429, `rate_limited`. @default 1000
   */
  readonly tokenRequestsPerUser: number
  /** The same for one address, before `authentication` runs. @default 5000 */
  readonly tokenRequestsPerAddress: number
  /** Bytes of the data of one client's publication, as JSON. @default 32768 */
  readonly publication: number
  /**
   * UTF-16 code units that may wait for one socket. Over it, the socket's requests wait. The socket
   * is closed as `slow_consumer` once it has read nothing for `readTimeout`; after 250 ms if as
   * many units of publications and calls wait from earlier turns of the event loop; at once if 16
   * times as many do.
   * @default 1048576
   */
  readonly outbox: number
  /**
   * Milliseconds for which a socket may read nothing while more than `outbox` waits for it.
   * @default 5000
   */
  readonly readTimeout: number
  /**
   * UTF-16 code units of answers that may wait for one socket. One more answer is `too_large`.
   * @default 16777216
   */
  readonly answers: number
  /**
   * Bytes of data in one page of history for a client. A single publication may have more. @default
   * 262144
   */
  readonly historyPage: number
  /**
   * Calls of one client that run at once. One more is answered with `too_many_calls`. @default 1000
   */
  readonly callsIn: number
  /**
   * UTF-16 code units of the messages of one client's running calls. A call that does not fit while
   * others run is answered with `too_many_calls`. @default 8388608
   */
  readonly callBytes: number
  /**
   * Calls of one client that were cancelled or have timed out while their functions still run. With
   * as many, or with more than `callBytes` of their messages, a new call is answered with
   * `too_many_calls`. A function that answers by callback, and does not, counts for `callTimeout`.
   * @default 1000
   */
  readonly abandonedCalls: number
  /**
   * Messages of one client in a second, including wrong ones, without answers to the server's
   * calls. One more is answered with `too_many_messages`; 10,000 more close the socket. @default
   * 10000
   */
  readonly rate: number
  /**
   * Messages of one socket in a second, on average. One more is answered with `rate_limited` and
   * the time after which it may be sent again. Wrong messages count; answers to the server's calls,
   * and cancellations, do not. `rate` applies as well.
   * @default Infinity
   */
  readonly messagesPerSecond: number
  /** How many of them may arrive at once after a pause. @default `messagesPerSecond` */
  readonly messagesBurst: number
  /**
   * The same for all sockets of one user, on all nodes. A user is known by `uid`, by the session,
   * or else by the address. While the engine cannot be reached, each node allows an equal share.
   * @default Infinity
   */
  readonly userMessagesPerSecond: number
  /** How many of them may arrive at once after a pause. @default `userMessagesPerSecond` */
  readonly userMessagesBurst: number
  /**
   * Messages of one socket that may be refused as `rate_limited` in a minute. One more closes it as
   * `rate_limited`. @default 1000
   */
  readonly rateRefusals: number
  /**
   * Wrong messages of one client in a minute: not JSON, or not of the protocol. One more closes the
   * socket as `bad_messages`. @default 1000
   */
  readonly wrongMessages: number
  /**
   * Fragments of a WebSocket message. More close the connection with 1008. At least one per 4 KiB
   * of `message` is always allowed. @default 2048
   */
  readonly fragments: number
  /**
   * Broadcasts of one client in a second, with what the second before left unused. One more is
   * answered with `too_many_messages`. Each broadcast is sent on every channel of every socket.
   * @default 10
   */
  readonly broadcastRate: number
  /**
   * Publications of one client on one channel in a second. One more is answered with
   * `too_many_messages`. @default 1000
   */
  readonly publicationRate: number
  /**
   * Bytes of their data. One more publication is answered with `too_many_messages`. The first of a
   * second may have more. @default 8388608
   */
  readonly publicationBytes: number
  /**
   * Channels with presence that the sockets of one user are on, on this node; each socket counts.
   * One more is refused with `too_many_members`. @default 10000
   */
  readonly presencesPerUser: number
  /**
   * How often in a second one client may enter the presence of one channel. Once more is refused
   * with `too_many_messages`. @default 20
   */
  readonly presenceRate: number
  /** Calls to one client that wait for an answer. @default 1000 */
  readonly callsOut: number
  /** Milliseconds until a call, to or from a client, fails with `timeout`. @default 30000 */
  readonly callTimeout: number
  /** Channels that one socket is subscribed to. @default 1000 */
  readonly subscriptions: number
  /**
   * Subscriptions of all sockets of one user, known by `uid` or by the session, on this node. One
   * more is refused with `too_many_subscriptions`. @default 100000
   */
  readonly subscriptionsPerUser: number
  /**
   * Sockets of one user, known by `uid` or by the session, on this node. One more is answered with
   * `too_many_sockets`.
   * @default 1000
   */
  readonly socketsPerUser: number
  /**
   * Channels with history that one user's publications may begin in an hour. One more is answered
   * with `too_many_channels`. A user without `uid` and session counts by the address. @default
   * 10000
   */
  readonly channelsPerUser: number
  /** Members of one channel. One more is refused with `too_many_members`. @default 1000 */
  readonly members: number
  /**
   * Orders about authorizations that all nodes keep at once, of 160 bytes on average. One more is
   * refused with `too_many_revocations`. @default 100000
   */
  readonly revocations: number
  /**
   * Milliseconds in which an event listener has to allow or refuse. Then the request is refused.
   * @default 5000
   */
  readonly vetoTimeout: number
  /**
   * Calls of `connectAuthentication` that run at once. Further connections wait, within
   * `authTimeout`. A call counts until its function has answered, at most for `authTimeout` and 30
   * s.
   * @default 64
   */
  readonly connectAuthentications: number
  /**
   * Milliseconds in which `authentication` has to answer. Then the token request is answered with
   * 500. @default 10000
   */
  readonly authenticationTimeout: number
}

/** The limits of a server that sets none. */
export const DEFAULT_LIMITS: Limits = {
  message: 1024 * 1024,
  connections: 100_000,
  connectionsPerAddress: 20_000,
  bodyBytes: 64 * 1024 * 1024,
  bodyBytesPerAddress: 16 * 1024 * 1024,
  bodyTimeout: 30_000,
  authMessage: 8192,
  authData: 64 * 1024,
  ticketsPerUser: 1000,
  ticketsPerAddress: 20_000,
  tokenRequestsPerUser: 1000,
  tokenRequestsPerAddress: 5000,
  publication: 32 * 1024,
  outbox: 1024 * 1024,
  readTimeout: 5000,
  answers: 16 * 1024 * 1024,
  historyPage: 256 * 1024,
  callsIn: 1000,
  callBytes: 8 * 1024 * 1024,
  abandonedCalls: 1000,
  rate: 10_000,
  publicationRate: 1000,
  publicationBytes: 8 * 1024 * 1024,
  broadcastRate: 10,
  presencesPerUser: 10_000,
  presenceRate: 20,
  messagesPerSecond: Number.POSITIVE_INFINITY,
  messagesBurst: Number.POSITIVE_INFINITY,
  userMessagesPerSecond: Number.POSITIVE_INFINITY,
  userMessagesBurst: Number.POSITIVE_INFINITY,
  rateRefusals: 1000,
  wrongMessages: 1000,
  fragments: 2048,
  callsOut: 1000,
  callTimeout: 30_000,
  subscriptions: 1000,
  subscriptionsPerUser: 100_000,
  socketsPerUser: 1000,
  channelsPerUser: 10_000,
  members: 1000,
  revocations: 100_000,
  vetoTimeout: 5000,
  connectAuthentications: 64,
  authenticationTimeout: 10_000,
}
