/**
 * What nodes share. An engine is one object for one node; its parts promise what the comments here say, and
 * `test/contract/engine.ts` holds every engine to it.
 */

/** An order from one node to all, itself included. */
export type NodeCommand = { readonly type: 'unsubscribeAll'; readonly channel: string }

/** How long a publication is kept. */
export interface Retention {
  /** How many publications the channel keeps at most; the oldest go first. */
  readonly size: number
  /** Milliseconds that this publication is kept. */
  readonly ttl: number
  /**
   * The channel is the server's own, such as its log of revocations. It has no part in the engine's
   * limits of bytes and channels: other channels never make it lose anything before its time.
   * @default false
   */
  readonly isReserved?: boolean | undefined
}

/** Something to be published. */
export interface Draft {
  readonly channel: string
  /** The data, as JSON. */
  readonly json: string
  /** The event's name. */
  readonly event?: string | undefined
  /** Who published it, `{ uid, umd }` as JSON. */
  readonly meta?: string | undefined
  /** The id of the socket that shall not get it, as it has it already. */
  readonly except?: string | undefined
}

/** How a {@link Draft} is to be published. */
export interface PublishOptions {
  /** Left out, it is not kept: it has no offset and no one can get it later. */
  readonly retention?: Retention | undefined
  /**
   * A second publication on the channel with the same key, within five minutes, is not made; it is answered with the
   * first one's receipt.
   */
  readonly idempotencyKey?: string | undefined
  /**
   * Whose key it is. The engine knows `IDEMPOTENCY.keysPerOwner` keys of each owner, over all channels; one more makes it forget
   * the oldest of that owner. Keys of different owners are different. @default the server's own: not bounded in this way
   */
  readonly keyOwner?: string | undefined
}

/** A place in a channel's history. Offsets say nothing outside their epoch. */
export interface Position {
  /** Changes when the channel's history is lost. */
  readonly epoch: string
  /** The number of publications that were kept before and up to this place. */
  readonly offset: number
}

/** What the publisher gets. */
export interface Receipt extends Partial<Position> {
  /** A ULID: later ids on the channel are greater, and its first ten characters are the time. */
  readonly id: string
}

/** A publication that the engine has accepted. With an offset and epoch if it is kept. */
export interface Publication extends Draft, Receipt {}

/** What a node hears from its {@link Broker}. */
export interface BrokerListener {
  /** A publication on a channel that this node is subscribed to. */
  publication(publication: Publication): void
  /** A publication for every channel. @param json the data, as JSON */
  broadcast(json: string): void
  /** An order for every node. */
  command(command: NodeCommand): void
  /** A change of who is on a channel that this node is subscribed to: each once, in the order of `seq`. */
  presence(event: PresenceEvent): void
}

/**
 * Carries publications between nodes, and from a node to itself.
 *
 * Each subscribed node hears the publications of one channel once and in one order, the same on every node; those that
 * are kept have offsets without a gap. Nothing is promised between channels. A publication made after `subscribe` has
 * resolved is heard; one made after `unsubscribe` has resolved is not.
 */
export interface Broker {
  /** Sets who hears. Once, before anything else. */
  listen(listener: BrokerListener): void
  /** This node wants the channel. Harmless if it has it. @throws if the engine cannot be reached */
  subscribe(channel: string): Promise<void>
  /** This node does not want the channel any more. Harmless if it has it not. */
  unsubscribe(channel: string): Promise<void>
  /**
   * Publishes; resolves when the engine has accepted it, and keeps it where it is to be kept. If this node is subscribed, it
   * hears the publication before that. A node that has just lost its connection to the engine may hear it later, or never.
   */
  publish(draft: Draft, options?: PublishOptions): Promise<Receipt>
  /** Publishes to every channel of every node; resolves as {@link publish}. */
  broadcast(json: string): Promise<void>
  /** Gives every node an order; resolves when the engine has accepted it. */
  command(command: NodeCommand): Promise<void>
}

/** Which of a channel's publications are wanted. All bounds are exclusive. */
export interface HistoryQuery {
  /** Later than the publication with this id, or than this offset. */
  readonly after?: string | number | undefined
  /** Earlier than the publication with this id. */
  readonly before?: string | undefined
  /** How many at most. */
  readonly limit: number
  /**
   * Bytes of their data and what else they carry, at most; the first one is given however large it is. An engine reads
   * at most that, and a little, into memory. @default no bound
   */
  readonly bytes?: number | undefined
  /** The latest first. @default false */
  readonly reverse?: boolean | undefined
}

/**
 * A page as an application asks for it. What is left out, or `undefined`, is as the server has it.
 */
export type PageQuery = { readonly [Name in keyof HistoryQuery]?: HistoryQuery[Name] | undefined }

/** What a channel keeps, as far as it was asked for. */
export interface HistoryPage {
  /** The place of the latest that was kept, at the moment of reading; offset 0, in a `newEpoch`, if none was. */
  readonly position: Position
  readonly publications: readonly Publication[]
  /** Whether the limit or the bytes ended the page: there may be more. Never with an empty page, unless the limit is 0. */
  readonly more: boolean
}

/** What was published on the channels that keep it. */
export interface History {
  /** Reads, oldest first unless asked otherwise. Publications whose time is over are never given. */
  read(channel: string, query: HistoryQuery): Promise<HistoryPage>
  /** Where the channel is; see {@link HistoryPage.position}. */
  position(channel: string): Promise<Position>
}

/** A member of a channel, as engines keep them. */
export interface PresenceMember {
  readonly uid: string
  /** What others see of them, as JSON. */
  readonly umd?: string | undefined
}

/** A member came, went with their last socket, or changed their `umd`. */
export interface PresenceEvent extends PresenceMember {
  readonly channel: string
  readonly change: 'joined' | 'left' | 'updated'
  /** Counts the channel's changes, without a gap, within an epoch. */
  readonly seq: number
  /** Changes when the count is lost. */
  readonly epoch: string
}

/** Who is on a channel, after change number `seq`. */
export interface PresenceSnapshot {
  readonly members: readonly PresenceMember[]
  readonly seq: number
  readonly epoch: string
}

/** One socket's place on a channel. */
export interface PresenceEntry extends PresenceMember {
  readonly channel: string
  readonly sid: string
}

/**
 * Who is on which channel, over all nodes. Sockets with the same `uid` are one member. A node that dies leaves no one
 * behind: what its sockets had ends within 15 seconds.
 */
export interface Presence {
  /**
   * A socket is there. The last `umd` of a member counts. Harmless if it is there already. The member has come back: no
   * grace of it goes on.
   * @param limit members
   * @returns who is there, it included
   * @throws RpcError `too_many_members`
   */
  enter(entry: PresenceEntry, limit: number): Promise<PresenceSnapshot>
  /**
   * A socket is gone. Harmless if it was not there. With the last one its member is, once every grace is over.
   * @param grace milliseconds for which its member stays, so that it may come back unnoticed
   */
  leave(entry: PresenceEntry, grace: number): Promise<void>
  /** Who is there. */
  members(channel: string): Promise<PresenceSnapshot>
}

/** Whom tickets are counted for: a user, a session, an address. */
export interface TicketOwner {
  /** What it is and which, such as `u:ann`. */
  readonly name: string
  /** How many tickets it may have. With one more, its oldest is gone. */
  readonly limit: number
}

/** What a token stands for until it is used. */
export interface Ticket {
  readonly id: string
  readonly json: string
  /** Milliseconds until it is gone. */
  readonly ttl: number
  /** Whom it is counted for. @default none */
  readonly owners?: readonly TicketOwner[]
  /** Milliseconds since it was asked for. @default 0 */
  readonly age?: number
}

/** Keeps what a token stands for until the token is used. */
export interface Tickets {
  /**
   * Keeps a ticket. An owner that has too many loses its oldest, so that it takes no room from others.
   * @throws RpcError `too_many_tickets` where the engine's limit is reached
   */
  put(ticket: Ticket): Promise<void>
  /**
   * Takes a ticket: the first who asks gets it, on whichever node, all others `undefined`. So do all, if one of its owners was
   * revoked since it was asked for.
   */
  take(id: string): Promise<string | undefined>
  /**
   * Notes the id of a token that may be used once.
   * @param ttl milliseconds for which the token could be used
   * @returns whether no one was faster, on whichever node
   * @throws RpcError `too_many_tickets` where the engine's limit is reached
   */
  claim(id: string, ttl: number): Promise<boolean>
  /**
   * Takes back all tickets of an owner that were asked for before now, those that are still to be put too.
   * @param ttl milliseconds for which this is known
   */
  revoke(owner: string, ttl: number): Promise<void>
  /** When an owner was last revoked, in milliseconds since 1970; `undefined` if that is not known, or not any more. */
  revoked(owner: string): Promise<number | undefined>
}

/** How a question went. */
export interface NodeAnswers {
  /** What each node that answered said, by its id. */
  readonly answers: ReadonlyMap<string, string>
  /** The ids of the nodes that were asked and did not answer, and why. */
  readonly missing: ReadonlyMap<string, MissingAnswer>
}

/** Why there is no answer: the node has not got the question; it did not answer; its answer was too large to be sent. */
export type MissingAnswer = 'unreached' | 'silent' | 'too_large'

/** How nodes are asked. */
export interface NodeAskOptions {
  /** The id of the one that is asked; it need not be known. @default all others */
  readonly node?: string | undefined
  /** Milliseconds that an answer may take; `Infinity` for as long as the node lives. */
  readonly timeout: number
}

/** Answers a question of another node. What it throws is no answer. */
export type NodeAnswer = (question: string) => Promise<string>

/** The nodes that live, and what they ask each other. A question reaches a node at most once. */
export interface Nodes {
  /** This node's id: 1 to 64 letters, digits, `-` and `_`; another after each start. */
  readonly id: string
  /** Sets who answers what other nodes ask. Once, before anything else. */
  serve(answer: NodeAnswer): void
  /**
   * Takes this process out of the nodes, also if it was among them: it has no sockets and answers nothing. It may still list and
   * ask. Left out by an engine that serves one process.
   * @throws RpcError `bad_option` if it serves already
   */
  withdraw?(): void
  /** The ids of the nodes that live, this one's included unless it has withdrawn. One that has died is among them for 15 seconds at most. */
  list(): Promise<readonly string[]>
  /**
   * How many nodes live, this one included, as far as the engine knows without asking: it looks
   * every few seconds. Left out, {@link list} is asked instead.
   */
  known?(): number
  /**
   * Asks other nodes. A node that has died, dies meanwhile, or takes too long makes nothing fail: it is `missing`.
   * @throws RpcError `engine_unavailable`, `too_large`, `too_many_calls`
   */
  ask(question: string, options: NodeAskOptions): Promise<NodeAnswers>
}

/** How much is taken from the bucket of a key, and how fast it fills. */
export interface RateRequest {
  /** What it regains in a second, above 0. */
  readonly perSecond: number
  /** What it holds when it is full, above 0. One that is not known is full. */
  readonly burst: number
  /** What is wanted, above 0; may be a fraction. */
  readonly amount: number
}

/** What came of a {@link RateRequest}. */
export interface RateGrant {
  /** What was taken: all of the amount, or what there was. */
  readonly granted: number
  /** What is left for others. */
  readonly left: number
  /**
   * Milliseconds after which the rest would be there, if no other took it; 0 if there is no rest.
   */
  readonly retryAfter: number
}

/** Token buckets that all nodes share. One that is full may be forgotten. */
export interface Rates {
  /** Takes what there is, up to an amount, at one moment for all nodes. */
  take(key: string, request: RateRequest): Promise<RateGrant>
}

/** How an engine is. */
export interface EngineHealth {
  /** Whether it can do what it is asked, as far as it knows. */
  readonly ok: boolean
  /** Milliseconds since 1970, by this machine's clock: since when that is so. */
  readonly since: number
  /** Why it is not ok, for people: without addresses or secrets. */
  readonly reason?: string | undefined
}

/** Tells how an engine is. */
export interface Health {
  /** How it is, as far as is known: no one is asked. */
  readonly now: EngineHealth
  /** Calls whenever `ok` has changed. @returns a function that undoes it */
  onchange(listener: (health: EngineHealth) => void): () => void
}

/** Receives the name of the limit that made an engine forget something before its time. It does not throw. */
export type EvictionListener = (limit: string) => void

/** What nodes share, as one object. */
export interface Engine {
  /** For logs. */
  readonly name: string
  /** Whether other processes can share it. A server on a shared engine must be given its `secret`. */
  readonly shared: boolean
  readonly broker: Broker
  readonly history: History
  readonly presence: Presence
  readonly tickets: Tickets
  readonly nodes: Nodes
  /** Limits over all nodes. Left out, each node gives an equal share of them. */
  readonly rates?: Rates | undefined
  /** How it is; left out by an engine that is always well. */
  readonly health?: Health | undefined
  /**
   * Sets who receives the name of a limit, such as `historyBytes`, each time that limit makes the engine forget something before
   * its time. Once. Left out by an engine that has no such limits.
   */
  watchEvictions?(listener: EvictionListener): void
  /** Lets go of everything. Calls after that may fail. */
  close(): Promise<void>
}
