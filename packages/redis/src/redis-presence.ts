import { randomBytes } from 'node:crypto'
import { limitError, MAX_TIMEOUT, startTimeout, TimeoutScheduler } from '@token-socket/protocol'
import type {
  EventIds,
  Presence,
  PresenceEntry,
  PresenceMember,
  PresenceSnapshot,
} from '@token-socket/server/engine'
import { type Commands, type Reply, wholeTime } from './connection/commands.js'
import { type ChannelKeys, encodeName, type Keys } from './scripts/keys.js'
import { decodeMember } from './scripts/messages.js'
import { ENTER, LEAVE, MEMBERS, RENEW } from './scripts/presence-scripts.js'
import type { Script } from './scripts/script.js'
import type { StoreId } from './store-id.js'

/** Dependencies of a {@link RedisPresence}. */
export interface RedisPresenceOwner {
  readonly commands: Commands
  readonly keys: Keys
  readonly ids: EventIds
  readonly store: StoreId
  /** Milliseconds for which a presence entry is valid after each renewal. */
  readonly lease: number
  /**
   * Returns the channels with presence that this node is subscribed to. It also removes expired
   * entries there.
   */
  watched(): readonly ChannelKeys[]
}

/** An update that has to be sent to Redis again, because Redis could not be reached. */
interface PendingUpdate {
  readonly entry: PresenceEntry
  readonly grace: number
}

/** Scripts that are sent at once. */
const BATCH = 200

/**
 * Milliseconds after which a failed sweep is tried again; and what is added to a wait, because
 * timers may be early.
 */
const SWEEP = { again: 1000, slack: 10 }

/**
 * The members of channels, over all nodes. A node's entries are valid as long as its lease on the
 * channel. The node renews its leases, and sends all entries again that Redis may have lost. Other
 * nodes on the channel remove the entries of a dead node. No node removes expired entries just
 * after Redis was away, because their nodes could not renew them.
 */
export class RedisPresence implements Presence {
  readonly #owner: RedisPresenceOwner
  /** The id of this run of this process. */
  readonly #node = randomBytes(9).toString('base64url')
  /** This node's entries, by channel. */
  readonly #channels = new Map<string, Map<string, PresenceEntry>>()
  /** Entries that Redis has not confirmed yet: it may refuse them. */
  readonly #asked = new Set<PresenceEntry>()
  readonly #pendingUpdates = new Map<string, PendingUpdate>()
  /** The channels on which Redis may lack some of them. */
  readonly #lost = new Set<string>()
  /**
   * Until when this node removes no entries, by Redis channel: while it could not renew its own,
   * other nodes could not either.
   */
  readonly #pauses = new Map<string, number>()
  readonly #sweeps = new TimeoutScheduler<{ readonly channel: string }>((key) => this.#graceOver(key))
  #stopTimer: () => void
  #isClosed = false

  constructor(owner: RedisPresenceOwner) {
    this.#owner = owner
    this.#stopTimer = startTimeout(owner.lease / 3, () => this.#tick())
  }

  async enter(entry: PresenceEntry, limit: number): Promise<PresenceSnapshot> {
    const before = this.#current(entry)
    const hasLease = this.#channels.has(entry.channel)
    this.#pendingUpdates.delete(nameOf(entry))
    this.#put(entry)
    this.#asked.add(entry)
    const reply = await this.#enter(entry, limit, '1').catch((error) => {
      this.#asked.delete(entry)
      // Redis may have received it.
      if (this.#rollback(entry, before) && !before)
        this.#pendingUpdates.set(nameOf(entry), { entry, grace: 0 })
      throw error
    })
    const isIn = reply.length > 1
    this.#asked.delete(entry)
    if (!isIn) this.#rollback(entry, before)
    if (hasLease) this.#look(this.#owner.keys.channel(entry.channel), reply, entry.channel)
    if (this.#lost.has(entry.channel)) void this.#restore(entry.channel)
    if (isIn) return readSnapshot(reply)
    throw limitError('too_many_members', { field: 'members', limit })
  }

  async leave(entry: PresenceEntry, grace: number): Promise<void> {
    this.#delete(entry)
    await this.#leave({ entry, grace })
  }

  async members(channel: string): Promise<PresenceSnapshot> {
    return readSnapshot(await this.#evaluate(MEMBERS, this.#owner.keys.channel(channel)))
  }

  /** Redis has been away: sends everything that it may have lost. */
  async restore(): Promise<void> {
    await this.#settleOwed()
    await inBatches([...this.#channels.keys()], (channel) => this.#restore(channel))
  }

  close(): void {
    this.#isClosed = true
    this.#stopTimer()
    this.#sweeps.clear()
  }

  /** Adds an entry. The latest one is the last. */
  #put(entry: PresenceEntry): void {
    const entries = this.#channels.get(entry.channel) ?? new Map<string, PresenceEntry>()
    entries.delete(placeOf(entry))
    this.#channels.set(entry.channel, entries.set(placeOf(entry), entry))
  }

  #delete(entry: PresenceEntry): void {
    const entries = this.#channels.get(entry.channel)
    entries?.delete(placeOf(entry))
    if (entries?.size !== 0) return
    this.#channels.delete(entry.channel)
    this.#lost.delete(entry.channel)
  }

  /** Returns this node's entry of the same socket and member. */
  #current(entry: PresenceEntry): PresenceEntry | undefined {
    return this.#channels.get(entry.channel)?.get(placeOf(entry))
  }

  #has(entry: PresenceEntry): boolean {
    return this.#current(entry) !== undefined
  }

  /** Restores the earlier entry. @returns whether nothing else has happened since */
  #rollback(entry: PresenceEntry, before: PresenceEntry | undefined): boolean {
    const isLast = this.#current(entry) === entry
    if (isLast && before) this.#put(before)
    else if (isLast) this.#delete(entry)
    return isLast
  }

  #enter(entry: PresenceEntry, limit: number, snapshot: '0' | '1'): Promise<Reply> {
    const args = [...namesOf(entry), entry.umd ?? '', limit, snapshot]
    return this.#evaluate(ENTER, this.#owner.keys.channel(entry.channel), args)
  }

  async #leave(owed: PendingUpdate): Promise<void> {
    const { entry, grace } = owed
    const wait = grace > 0 ? Math.min(wholeTime(grace), MAX_TIMEOUT) : 0
    const keys = this.#owner.keys.channel(entry.channel)
    this.#pendingUpdates.delete(nameOf(entry))
    await this.#evaluate(LEAVE, keys, [...namesOf(entry), wait]).catch((error) => {
      if (!this.#has(entry)) this.#pendingUpdates.set(nameOf(entry), owed)
      throw error
    })
    if (wait > 0 && !this.#isClosed) this.#sweeps.set({ channel: entry.channel }, wait + SWEEP.slack)
  }

  async #settleOwed(): Promise<void> {
    await inBatches([...this.#pendingUpdates], async ([name, owed]) => {
      // The entry may have been added again while others had their turn.
      if (this.#pendingUpdates.get(name) === owed) await this.#leave(owed)
    })
  }

  /** The latest last: a member's `umd` is that of its latest socket. */
  async #restore(channel: string): Promise<void> {
    const entries = [...(this.#channels.get(channel)?.values() ?? [])]
    this.#lost.delete(channel)
    await inBatches(entries, async (entry) => {
      if (this.#current(entry) !== entry || this.#asked.has(entry)) return
      await this.#enter(entry, Number.MAX_SAFE_INTEGER, '0').catch(() => {
        if (this.#has(entry)) this.#lost.add(channel)
      })
    })
  }

  /**
   * Checks the rest of this node's lease.
   * @param own the channel, if the node has entries on it: they may be lost with the lease
   */
  #look(keys: ChannelKeys, [left]: Reply, own?: string): void {
    const isGone = left === ''
    if (isGone && own !== undefined) this.#lost.add(own)
    const isShort = Number(left) < this.#owner.lease / 3
    if (isGone ? own !== undefined : isShort) this.#pause(keys)
  }

  #pause({ topic }: ChannelKeys): void {
    this.#pauses.set(topic, performance.now() + this.#owner.lease)
  }

  /**
   * Any node can remove the member, and another one does if this one cannot. This node does it at
   * once.
   */
  #graceOver(key: { readonly channel: string }): void {
    this.#evaluate(RENEW, this.#owner.keys.channel(key.channel)).catch(() => {
      if (!this.#isClosed) this.#sweeps.set(key, SWEEP.again)
    })
  }

  #tick(): void {
    void this.#renew().then(() => {
      if (!this.#isClosed) this.#stopTimer = startTimeout(this.#owner.lease / 3, () => this.#tick())
    })
  }

  async #renew(): Promise<void> {
    await this.#settleOwed()
    const now = performance.now()
    for (const [topic, end] of this.#pauses) if (end < now) this.#pauses.delete(topic)
    const own = [...this.#channels.keys()]
    await inBatches(own, async (channel) => {
      const keys = this.#owner.keys.channel(channel)
      this.#look(keys, await this.#evaluate(RENEW, keys), channel)
      if (this.#lost.has(channel)) await this.#restore(channel)
    })
    const topics = new Set(own.map((channel) => this.#owner.keys.channel(channel).topic))
    const others = this.#owner.watched().filter(({ topic }) => !topics.has(topic))
    await inBatches(others, async (keys) => this.#look(keys, await this.#evaluate(RENEW, keys)))
  }

  #evaluate(script: Script, keys: ChannelKeys, args: readonly (string | number)[] = []): Promise<Reply> {
    const { commands, ids, lease, store } = this.#owner
    const isPaused = (this.#pauses.get(keys.topic) ?? 0) > performance.now()
    const sweeps = commands.age(keys.topic) >= lease && !isPaused ? '1' : '0'
    const common = [keys.topic, ids.next(), store.newEpoch(keys.topic), this.#node, lease, sweeps]
    return commands.evaluate(script, keys.presence, [...common, ...args]).catch((error) => {
      this.#pause(keys)
      throw error
    })
  }
}

function namesOf({ sid, uid }: PresenceEntry): [sid: string, uid: string] {
  return [encodeName(sid), encodeName(uid)]
}

/** Returns a name that is unique for each entry on a channel. */
function placeOf(entry: PresenceEntry): string {
  return namesOf(entry).join(' ')
}

/** Returns a name that is unique for each entry. */
function nameOf(entry: PresenceEntry): string {
  return `${encodeName(entry.channel)} ${placeOf(entry)}`
}

function readSnapshot([_left, epoch, seq, ...rest]: Reply): PresenceSnapshot {
  const members: PresenceMember[] = []
  for (let at = 0; at < rest.length; at += 2) members.push(decodeMember(rest[at] ?? '', rest[at + 1] ?? ''))
  return { members, seq: Number(seq), epoch: epoch ?? '' }
}

/**
 * Runs a step for each item, a given number at once. A failure is left for the next time: it is
 * logged.
 */
async function inBatches<Item>(items: readonly Item[], run: (item: Item) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += BATCH) {
    await Promise.allSettled(items.slice(at, at + BATCH).map(run))
  }
}
