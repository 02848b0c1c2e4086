/**
 * The interface of engines: what the nodes of one application share. A node has one engine object.
 * The comments here are the contract. The package `@token-socket/engine-tests` tests every engine
 * against them, and `docs/ENGINES.md` says how to write one.
 */

import type { Nodes } from './nodes.js'
import type { Rates } from './rates.js'

export type { MissingAnswer, NodeAnswer, NodeAnswers, NodeAskOptions, Nodes } from './nodes.js'
export type { RateGrant, RateRequest, Rates } from './rates.js'

/** A command from one node to all nodes, including itself. */
export type NodeCommand = { readonly type: 'unsubscribeAll'; readonly channel: string }

/** How long an engine keeps a publication. */
export interface Retention {
  /** The largest number of publications that the channel keeps. The oldest are removed first. */
  readonly size: number
  /** Milliseconds for which the engine keeps this publication. */
  readonly ttl: number
  /**
   * Whether the channel belongs to the server itself, such as its log of revocations. It does not
   * count against the engine's limits of bytes and channels, and other channels never shorten it.
   * @default false
   */
  readonly isReserved?: boolean | undefined
}

/** A publication before the engine has accepted it. */
export interface Draft {
  readonly channel: string
  /** The data, as JSON. */
  readonly json: string
  /** The event's name. */
  readonly event?: string | undefined
  /** The publisher, `{ uid, umd }` as JSON. */
  readonly meta?: string | undefined
  /** The id of a socket that does not receive it, because it published it. */
  readonly except?: string | undefined
}

/** How the engine publishes a {@link Draft}. */
export interface PublishOptions {
  /**
   * Without it, the engine does not keep the publication: it has no offset, and cannot be read
   * later.
   */
  readonly retention?: Retention | undefined
  /**
   * Prevents duplicates. A second publication on the channel with the same key, within five
   * minutes, is not made. The engine returns the receipt of the first one.
   */
  readonly idempotencyKey?: string | undefined
  /**
   * The owner of the key. The engine remembers `IDEMPOTENCY.keysPerOwner` keys of each owner, over
   * all channels. With one more, it forgets the owner's oldest key. Keys of different owners are
   * different.
   * @default the server itself, whose keys have no such limit
   */
  readonly keyOwner?: string | undefined
}

/** A position in a channel's history. Offsets of different epochs cannot be compared. */
export interface Position {
  /**
   * Names one uninterrupted count of the channel's offsets, in the format of `newEpoch`. At most 64
   * characters. {@link History} has the rules.
   */
  readonly epoch: string
  /** How many publications the channel has kept so far in this epoch, up to this position. */
  readonly offset: number
}

/** What the engine returns to the publisher. */
export interface Receipt extends Partial<Position> {
  /** A ULID. Later ids on the channel are greater. The first ten characters encode the time. */
  readonly id: string
}

/**
 * A publication that the engine has accepted. It has an offset and an epoch if the engine keeps it.
 */
export interface Publication extends Draft, Receipt {}

/** What a node receives from its {@link Broker}. */
export interface BrokerListener {
  /** A publication on a channel that this node is subscribed to. */
  publication(publication: Publication): void
  /** A publication for every channel. @param json the data, as JSON */
  broadcast(json: string): void
  /** A command for every node. */
  command(command: NodeCommand): void
  /**
   * A change of the members of a channel that this node is subscribed to. Each change arrives once,
   * in the order of `seq`.
   */
  presence(event: PresenceEvent): void
}

/**
 * Carries publications between nodes, and from a node to itself.
 * Each subscribed node receives the publications of one channel once, in an order that is the same
 * on every node. Kept publications have offsets without gaps. The order between different channels
 * is not defined. A node receives what is published after `subscribe` has resolved, and nothing
 * that is published after `unsubscribe` has resolved.
 */
export interface Broker {
  /** Sets the listener. Called once, before any other method. */
  listen(listener: BrokerListener): void
  /**
   * Subscribes this node to the channel. Does nothing if it is subscribed.
   * @throws if the engine cannot be reached
   */
  subscribe(channel: string): Promise<void>
  /** Unsubscribes this node from the channel. Does nothing if it is not subscribed. */
  unsubscribe(channel: string): Promise<void>
  /**
   * Publishes. Resolves when the engine has accepted the publication, and has stored it if it is to
   * be kept. A subscribed node receives its own publication before that. A node that has just lost
   * its connection to the engine may receive it later, or never.
   */
  publish(draft: Draft, options?: PublishOptions): Promise<Receipt>
  /** Publishes on every channel of every node. Resolves as {@link publish} does. */
  broadcast(json: string): Promise<void>
  /** Sends a command to every node. Resolves when the engine has accepted it. */
  command(command: NodeCommand): Promise<void>
}

/** Selects publications of a channel. All bounds are exclusive. */
export interface HistoryQuery {
  /** Only publications after this id or offset. */
  readonly after?: string | number | undefined
  /** Only publications before this id. */
  readonly before?: string | undefined
  /** The largest number of publications. */
  readonly limit: number
  /**
   * The largest number of bytes, of data and what goes with it. The first publication is returned
   * however large it is. An engine reads little more than that into memory.
   * @default no bound
   */
  readonly bytes?: number | undefined
  /**
   * Whether the latest publications come first.
   * @default false
   */
  readonly reverse?: boolean | undefined
}

/** A query of an application. What is left out, or is `undefined`, gets the server's default. */
export type PageQuery = { readonly [Name in keyof HistoryQuery]?: HistoryQuery[Name] | undefined }

/** A page of a channel's history. */
export interface HistoryPage {
  /**
   * The position of the channel's latest kept publication at the moment of reading. If there is
   * none, its offset is 0 and its epoch a `newEpoch`.
   */
  readonly position: Position
  readonly publications: readonly Publication[]
  /**
   * Whether the limit or the bytes ended the page, so that there may be more. An empty page never
   * has more, unless the limit is 0.
   */
  readonly more: boolean
}

/**
 * The history of channels that keep their publications. The server compares epochs by their two
 * parts, with `isNext` and `isEarlier`, so engines follow these rules:
 *
 * - An epoch is `newEpoch(store, time)`: the name of the store, and when the count began.
 * - Kept publications of one count have the same epoch, and offsets 1, 2, 3 and so on.
 * - A channel without a count has offset 0, and an epoch of the present time. The engine need not
 *   store it.
 * - When the store loses counts or publications, `store` changes.
 * - The engine keeps a count for `POSITION_TTL` after the channel's last publication expired. If it
 *   forgets it earlier, `store` is another one for the channel's next count.
 *
 * So a client that saw a channel empty knows by the next epoch whether it has missed anything.
 */
export interface History {
  /**
   * Reads a page, the oldest first unless the query says otherwise. It never returns expired
   * publications.
   */
  read(channel: string, query: HistoryQuery): Promise<HistoryPage>
  /** Reads the channel's position; see {@link HistoryPage.position}. */
  position(channel: string): Promise<Position>
}

/** A member of a channel, as engines store it. */
export interface PresenceMember {
  readonly uid: string
  /** The member's user metadata (`umd`), as JSON. */
  readonly umd?: string | undefined
}

/** A member joined, left with its last socket, or changed its `umd`. */
export interface PresenceEvent extends PresenceMember {
  readonly channel: string
  readonly change: 'joined' | 'left' | 'updated'
  /** Counts the changes of the channel, without gaps, within an epoch. */
  readonly seq: number
  /** Any text. It changes when the engine has lost the count. */
  readonly epoch: string
}

/** The members of a channel after change number `seq`. */
export interface PresenceSnapshot {
  readonly members: readonly PresenceMember[]
  readonly seq: number
  readonly epoch: string
}

/** The presence entry of one socket on a channel. */
export interface PresenceEntry extends PresenceMember {
  readonly channel: string
  readonly sid: string
}

/**
 * The members of channels, over all nodes. Sockets with the same `uid` are one member. When a node
 * dies, the entries of its sockets end within 15 seconds.
 */
export interface Presence {
  /**
   * Adds a socket's entry. Does nothing if it exists. The member's last `umd` counts. A grace
   * period of the member ends.
   * @param limit the largest number of members
   * @returns the members, including this one
   * @throws RpcError `too_many_members`
   */
  enter(entry: PresenceEntry, limit: number): Promise<PresenceSnapshot>
  /**
   * Removes a socket's entry. Does nothing if there is none. The member leaves with its last entry,
   * once every grace period is over.
   * @param grace milliseconds for which the member stays, so that a reconnect is not visible
   */
  leave(entry: PresenceEntry, grace: number): Promise<void>
  /** Reads the members. */
  members(channel: string): Promise<PresenceSnapshot>
}

/** An owner that tickets are counted for: a user, a session or an address. */
export interface TicketOwner {
  /** The kind and the id, such as `u:ann`. */
  readonly name: string
  /** How many tickets the owner may have. With one more, the engine removes its oldest. */
  readonly limit: number
}

/** What a token stands for until it is used. */
export interface Ticket {
  readonly id: string
  readonly json: string
  /** Milliseconds until it expires. */
  readonly ttl: number
  /**
   * The owners that it is counted for.
   * @default none
   */
  readonly owners?: readonly TicketOwner[]
  /**
   * Milliseconds since the client requested it.
   * @default 0
   */
  readonly age?: number
}

/** Stores what tokens stand for until they are used. */
export interface Tickets {
  /**
   * Stores a ticket. An owner with too many loses its oldest, so that it takes no room from others.
   * @throws RpcError `too_many_tickets` if the engine's limit is reached
   */
  put(ticket: Ticket): Promise<void>
  /**
   * Takes a ticket once, over all nodes. Returns `undefined` if it was taken, is unknown or
   * expired, or if one of its owners was revoked after the ticket was requested.
   */
  take(id: string): Promise<string | undefined>
  /**
   * Records the id of a token that may be used once.
   * @param ttl milliseconds for which the token could be used
   * @returns whether this call was the first one, over all nodes
   * @throws RpcError `too_many_tickets` if the engine's limit is reached
   */
  claim(id: string, ttl: number): Promise<boolean>
  /**
   * Revokes all tickets of an owner that were requested before now, including those that are not
   * stored yet.
   * @param ttl milliseconds for which the engine remembers this
   */
  revoke(owner: string, ttl: number): Promise<void>
  /**
   * Returns when an owner was last revoked, in milliseconds since 1970; `undefined` if that is not
   * known any longer.
   */
  revoked(owner: string): Promise<number | undefined>
}

/** The health of an engine. */
export interface EngineHealth {
  /** Whether the engine works, as far as it knows. */
  readonly ok: boolean
  /** Since when, in milliseconds since 1970 by this machine's clock. */
  readonly since: number
  /** Why it does not work, for people, without addresses or secrets. */
  readonly reason?: string | undefined
}

/** Reports the health of an engine. */
export interface Health {
  /** The health as last known; reading it makes no request. */
  readonly now: EngineHealth
  /**
   * Calls the listener whenever `ok` has changed.
   * @returns a function that removes the listener
   */
  onchange(listener: (health: EngineHealth) => void): () => void
}

/**
 * Receives the name of the limit that made the engine remove something before it expired. It does
 * not throw.
 */
export type EvictionListener = (limit: string) => void

/** What nodes share, as one object. */
export interface Engine {
  /** The name in logs. */
  readonly name: string
  /** Whether several processes can share the engine. Then the server needs an explicit `secret`. */
  readonly shared: boolean
  readonly broker: Broker
  readonly history: History
  readonly presence: Presence
  readonly tickets: Tickets
  readonly nodes: Nodes
  /** Rate limits over all nodes. Without it, each node allows an equal share. */
  readonly rates?: Rates | undefined
  /** The health. An engine that cannot fail leaves it out. */
  readonly health?: Health | undefined
  /**
   * Sets the listener for limits, such as `historyBytes`, that make the engine remove something
   * before it expired. Called once. An engine without such limits leaves it out.
   */
  watchEvictions?(listener: EvictionListener): void
  /** Releases everything. Later calls may fail. */
  close(): Promise<void>
}
