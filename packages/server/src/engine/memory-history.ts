import { randomBytes } from 'node:crypto'
import { startTimeout } from '@token-socket/protocol'
import { AgingMap } from './aging-map.js'
import { ChannelHistory } from './channel-history.js'
import type {
  Draft,
  EvictionListener,
  History,
  HistoryPage,
  HistoryQuery,
  Position,
  Publication,
  Retention,
} from './engine.js'
import { newEpoch, POSITION_TTL } from './epoch.js'
import { type IdlePosition, IdlePositions } from './idle-positions.js'

/** Limits of {@link MemoryHistory}. */
export interface HistoryLimits {
  /**
   * Channels whose position is known: those with history, and those that had some within the last
   * day.
   */
  readonly channels: number
  /** About the most bytes of one channel. */
  readonly channelBytes: number
  /** About the most bytes of all channels. */
  readonly historyBytes: number
}

/** A channel with history. */
interface LiveChannel {
  readonly history: ChannelHistory
  readonly generation: number
  readonly begun: number
  /** The sweep during which it was last published on. */
  sweep: number
}

/** Bytes of a channel with history, apart from its publications. */
const CHANNEL = 800

/** Number of channel generations. */
const GENERATIONS = 4096

/** Milliseconds between two sweeps. */
const SWEEP = 1000

/**
 * Each channel with history is visited once in this many sweeps, so that no sweep blocks the
 * process.
 */
const SWEEPS = 30

/** The same for every channel without history. */
const IDLE_SWEEPS = 3600

/**
 * Keeps publications in this process's memory. Beyond its limit of bytes, the channel that was
 * published on least recently loses its history, and keeps its position, by which clients learn of
 * the gap. Beyond its limit of channels, the channel that has been idle for longest is forgotten,
 * and begins in a new epoch.
 */
export class MemoryHistory implements History {
  readonly #limits: HistoryLimits
  /** The channel that was published on least recently, to the second, is the first. */
  readonly #live = new AgingMap<LiveChannel>()
  readonly #idle = new IdlePositions()
  /** The server's own channels, which do not count for the limits. */
  readonly #reserved = new Map<string, ChannelHistory>()
  #bytes = 0
  #store = randomBytes(8).toString('base64url')
  /**
   * A part of new epochs, which changes when a channel is forgotten. So no epoch is used twice, and
   * a client that saw the forgotten channel when it was empty does not mistake the next epoch for
   * the following one. Many channels share one, by their names: the fewer share it, the fewer get a
   * gap without a loss.
   */
  readonly #generations = new Uint32Array(GENERATIONS)
  #stopTimer: (() => void) | undefined
  /** The number of sweeps. */
  #sweeps = 0
  readonly #onevict: EvictionListener

  constructor(limits: HistoryLimits, onevict: EvictionListener = () => {}) {
    this.#limits = limits
    this.#onevict = onevict
  }

  /** Its size. */
  get size(): { readonly live: number; readonly idle: number; readonly bytes: number } {
    return { live: this.#live.size, idle: this.#idle.size, bytes: this.#bytes }
  }

  /** Keeps a publication. @returns the publication with its position */
  add(draft: Draft, id: string, retention: Retention): Publication {
    if (retention.isReserved) return this.#addReserved(draft, id, retention)
    const { history } = this.#open(draft.channel)
    const before = history.bytes
    const publication = history.add(draft, id, retention)
    this.#shrink(history)
    this.#bytes += history.bytes - before
    if (this.#bytes > this.#limits.historyBytes) this.#onevict('historyBytes')
    while (this.#bytes > this.#limits.historyBytes) this.#emptyOldest()
    return publication
  }

  async read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    const reserved = this.#reserved.get(channel)
    if (reserved) return { position: reserved.position, ...reserved.read(query) }
    const live = this.#live.get(channel)
    if (live) return { position: live.history.position, ...live.history.read(query) }
    const idle = this.#idle.get(channel)
    const epoch = this.#epochOf(idle ?? this.#beginning(channel))
    return { position: { epoch, offset: idle?.offset ?? 0 }, publications: [], more: false }
  }

  async position(channel: string): Promise<Position> {
    return (await this.read(channel, { limit: 0 })).position
  }

  clear(): void {
    this.#live.clear()
    this.#idle.clear()
    this.#reserved.clear()
    this.#bytes = 0
    this.#store = randomBytes(8).toString('base64url')
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }

  #addReserved(draft: Draft, id: string, retention: Retention): Publication {
    const { channel } = draft
    const begin = () => new ChannelHistory(channel, this.#epochOf(this.#beginning(channel)))
    const history = this.#reserved.get(channel) ?? begin()
    this.#reserved.set(channel, history)
    history.trim(Date.now())
    return history.add(draft, id, retention)
  }

  /** Returns the channel, as the one that was last published on. */
  #open(channel: string): LiveChannel {
    const live = this.#live.get(channel) ?? this.#begin(channel)
    // Once a second is enough: moving it costs more than everything else here.
    if (live.sweep !== this.#sweeps) this.#live.set(channel, live)
    live.sweep = this.#sweeps
    this.#stopTimer ??= startTimeout(SWEEP, () => this.#sweep())
    return live
  }

  #begin(channel: string): LiveChannel {
    const idle = this.#idle.get(channel)
    this.#idle.delete(channel)
    if (!idle) this.#makeRoom()
    this.#bytes += CHANNEL
    const { generation, begun } = idle ?? this.#beginning(channel)
    const history = new ChannelHistory(channel, this.#epochOf({ generation, begun }), idle)
    return { history, generation, begun, sweep: -1 }
  }

  #beginning(channel: string) {
    return { generation: this.#generations[generationOf(channel)] ?? 0, begun: Date.now() }
  }

  #epochOf({ generation, begun }: Pick<IdlePosition, 'generation' | 'begun'>): string {
    const store = generation === 0 ? this.#store : `${this.#store}-${generation.toString(36)}`
    return newEpoch(store, begun)
  }

  /** Makes room for one more channel. */
  #makeRoom(): void {
    while (this.#live.size + this.#idle.size >= this.#limits.channels) {
      if (this.#idle.size === 0) this.#emptyOldest()
      const oldest = this.#idle.deleteOldest()
      if (oldest === undefined) return
      const at = generationOf(oldest)
      this.#generations[at] = (this.#generations[at] ?? 0) + 1
      this.#onevict('channels')
    }
  }

  #shrink(history: ChannelHistory): void {
    const { channelBytes } = this.#limits
    if (history.bytes <= channelBytes) return
    history.shrink(channelBytes)
    this.#onevict('channelBytes')
  }

  /** Drops the history of the channel that was published on least recently. */
  #emptyOldest(): void {
    const oldest = this.#live.takeOldest()
    if (!oldest) return
    const [channel, live] = oldest
    this.#bytes -= live.history.bytes
    live.history.shrink(0)
    this.#rest(channel, live)
  }

  /** Drops a channel's history: only its position is left. */
  #rest(channel: string, { history, generation, begun }: LiveChannel): void {
    this.#live.delete(channel)
    this.#bytes -= CHANNEL
    const { offset } = history.position
    this.#idle.add(channel, { generation, begun, offset, expires: history.expires })
  }

  #sweep(): void {
    this.#sweeps += 1
    const now = Date.now()
    this.#live.lookAt(SWEEPS, (channel, live) => this.#trim(channel, live, now))
    const isOver = ({ expires }: IdlePosition) => expires + POSITION_TTL <= now
    this.#idle.sweep(IDLE_SWEEPS, isOver)
    const isLeft = this.#live.size + this.#idle.size > 0
    this.#stopTimer = isLeft ? startTimeout(SWEEP, () => this.#sweep()) : undefined
  }

  #trim(channel: string, live: LiveChannel, now: number): void {
    const before = live.history.bytes
    live.history.trim(now)
    this.#bytes += live.history.bytes - before
    if (live.history.isEmpty) this.#rest(channel, live)
  }
}

/** Returns the generation of a channel. */
function generationOf(channel: string): number {
  let hash = 0
  for (let at = 0; at < channel.length; at += 1) hash = (hash * 31 + channel.charCodeAt(at)) | 0
  return (hash >>> 0) % GENERATIONS
}
