/** Limits of a server, its option `limits`. Everything that a client could make grow has one. */
export interface Limits {
  /** Bytes of one incoming message. A frame or a request body may bring several. @default 1048576 */
  readonly message: number
  /** Connections and polling sessions that may be open; one more is answered 503. @default 100000 */
  readonly connections: number
  /**
   * Connections and polling sessions of one address that may be open; one more is answered 429. Users behind one NAT, or
   * behind a proxy that `trust proxy` does not name, have one address. Of IPv6 addresses the first 64 bits count.
   * @default 20000
   */
  readonly connectionsPerAddress: number
  /** Bytes of all request bodies that may be read at once; the body that needs more is answered 503. @default 67108864 */
  readonly bodyBytes: number
  /** The same for one address. @default 16777216 */
  readonly bodyBytesPerAddress: number
  /** Milliseconds that a request body may take to arrive; then it is answered 408. @default 30000 */
  readonly bodyTimeout: number
  /** UTF-16 code units of the first message, the token. @default 8192 */
  readonly authMessage: number
  /**
   * Bytes of what a token stands for, as JSON: what `authentication` returned, or the session's data. A token request with
   * more is answered 500, and the log says so.
   * @default 65536
   */
  readonly authData: number
  /** Tokens of one user, known by `uid` or by the session, that may wait to be used; beyond it the oldest is void. @default 1000 */
  readonly ticketsPerUser: number
  /** The same for one address. @default 20000 */
  readonly ticketsPerAddress: number
  /**
   * Token requests of one user, known by `uid` or by the session, in a second, on this node; one more
   * is answered 429, `rate_limited`. @default 1000
   */
  readonly tokenRequestsPerUser: number
  /** The same for one address, before `authentication` is asked. @default 5000 */
  readonly tokenRequestsPerAddress: number
  /** Bytes of the data of one client's publication, as JSON. @default 32768 */
  readonly publication: number
  /**
   * UTF-16 code units that may wait for one socket. Over it the socket's requests wait, and it is closed as `slow_consumer`
   * once it has taken nothing for `readTimeout`; after 250 ms if that much of publications and calls waits from earlier turns of the
   * event loop, at once if 16 times that much does. @default 1048576
   */
  readonly outbox: number
  /** Milliseconds for which a socket may take nothing while more than `outbox` waits for it. @default 5000 */
  readonly readTimeout: number
  /** UTF-16 code units of answers that may wait for one socket; a further answer is `too_large`. @default 16777216 */
  readonly answers: number
  /** Bytes of data in one page of history for a client; a single publication may have more. @default 262144 */
  readonly historyPage: number
  /** Calls of one client that may run at once; one more is answered `too_many_calls`. @default 1000 */
  readonly callsIn: number
  /**
   * UTF-16 code units of the messages of one client's calls that run at once; a call that comes while others run, and does not
   * fit, is answered `too_many_calls`. @default 8388608
   */
  readonly callBytes: number
  /**
   * Calls of one client that were cancelled, or have timed out, while their functions still run; with as many, or with more of
   * their messages than `callBytes`, a new call is answered `too_many_calls`. A function that answers by callback, and does
   * not, counts for `callTimeout`. @default 1000
   */
  readonly abandonedCalls: number
  /**
   * Messages of one client in a second, wrong ones included, answers to the server's calls not. One more is answered
   * `too_many_messages`; 10,000 more close the socket. @default 10000
   */
  readonly rate: number
  /**
   * Messages of one socket in a second, on average: one more is answered `rate_limited`, with the
   * time after which it may come again. Wrong messages count; answers to the server's calls, and
   * cancellations, do not. `rate` holds as well. @default Infinity
   */
  readonly messagesPerSecond: number
  /** How many of them may come at once after a rest. @default `messagesPerSecond` */
  readonly messagesBurst: number
  /**
   * The same for all sockets of one user, on all nodes. A user is known by `uid`, by the session,
   * else by the address. While the engine cannot be reached, each node gives an equal share.
   * @default Infinity
   */
  readonly userMessagesPerSecond: number
  /** How many of them may come at once after a rest. @default `userMessagesPerSecond` */
  readonly userMessagesBurst: number
  /**
   * Messages of one socket that may be refused as `rate_limited` in a minute; one more closes it
   * as `rate_limited`. @default 1000
   */
  readonly rateRefusals: number
  /**
   * Wrong messages of one client in a minute: no JSON, or not of the wire. One more closes the socket as
   * `bad_messages`. @default 1000
   */
  readonly wrongMessages: number
  /**
   * Fragments that a WebSocket message may come in; more close the connection with 1008. At least one per 4 KiB of
   * `message` is always allowed. @default 2048
   */
  readonly fragments: number
  /**
   * Broadcasts of one client in a second, and what the second before left unused; one more is answered `too_many_messages`.
   * Each is sent on every channel of every socket. @default 10
   */
  readonly broadcastRate: number
  /** Publications of one client on one channel in a second; one more is answered `too_many_messages`. @default 1000 */
  readonly publicationRate: number
  /** Bytes of their data; one more is answered `too_many_messages`. The first of a second may have more. @default 8388608 */
  readonly publicationBytes: number
  /**
   * Channels with presence that the sockets of one user may be on, on this node, each socket counted; one more is refused
   * with `too_many_members`. @default 10000
   */
  readonly presencesPerUser: number
  /** Times in a second that one client may enter one channel with presence; one more is `too_many_messages`. @default 20 */
  readonly presenceRate: number
  /** Calls to one client that may wait for an answer at once. @default 1000 */
  readonly callsOut: number
  /** Milliseconds until a call fails with `timeout`, those to a client and those from it. @default 30000 */
  readonly callTimeout: number
  /** Channels that one socket may be subscribed to. @default 1000 */
  readonly subscriptions: number
  /**
   * Subscriptions that the sockets of one user, known by `uid` or by the session, may have together on this node; one more is
   * refused with `too_many_subscriptions`. @default 100000
   */
  readonly subscriptionsPerUser: number
  /**
   * Sockets that one user, known by `uid` or by the session, may have on this node; one more is answered `too_many_sockets`.
   * @default 1000
   */
  readonly socketsPerUser: number
  /**
   * Channels with history that the publications of one user may begin in an hour; one more is answered `too_many_channels`. A
   * user without `uid` and session counts by the address. @default 10000
   */
  readonly channelsPerUser: number
  /** Members that may be on one channel; one more is refused with `too_many_members`. @default 1000 */
  readonly members: number
  /**
   * Orders to all nodes about authorisations that are kept at once, of 160 bytes on average; one more is refused with
   * `too_many_revocations`. @default 100000
   */
  readonly revocations: number
  /** Milliseconds that an event listener may take to allow or refuse; then it is refused. @default 5000 */
  readonly vetoTimeout: number
  /**
   * Calls of `connectAuthentication` that may run at once; further connections wait their turn,
   * within `authTimeout`. A call counts until its function has answered, at most for `authTimeout`
   * and 30 s.
   * @default 64
   */
  readonly connectAuthentications: number
  /** Milliseconds that `authentication` may take; then the token request is answered 500. @default 10000 */
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
