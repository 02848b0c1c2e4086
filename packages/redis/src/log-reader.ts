import type { HistoryQuery, Position, Publication } from '@token-socket/server/engine'
import type { Commands, Reply } from './connection/commands.js'
import type { ChannelKeys, LogKeys } from './scripts/keys.js'
import { FOLLOW, READ } from './scripts/log-scripts.js'
import { decodePublication, type EntryKind, type KeptEntry } from './scripts/messages.js'
import type { StoreId } from './store-id.js'

/** The position of an entry, with its id: after a restart, offsets may be used a second time. */
export interface LogPosition extends Position {
  readonly id: string
}

/** The entries after a position. */
export interface Followed {
  readonly entries: readonly KeptEntry[]
  /**
   * The position of the last entry, or of the log's latest one at the end. `undefined` if nothing
   * was ever kept.
   */
  readonly place: LogPosition | undefined
  /** Whether there are no further entries. */
  readonly isEnd: boolean
}

/** A page of a channel's history, and where the next one starts. */
export interface HistoryPart {
  readonly position: Position
  readonly publications: readonly Publication[]
  /** An offset, if there may be more entries. */
  readonly next: string
  /** Whether the query's limit of bytes ended it. */
  readonly isFull: boolean
  /** Bytes of the payloads. */
  readonly bytes: number
}

const NOTHING = { publications: [], next: '', isFull: false, bytes: 0 } as const

/** Entries of one read. */
const PAGE = 100

/** Reads the logs. */
export class LogReader {
  readonly #commands: Commands
  readonly #store: StoreId

  constructor(commands: Commands, store: StoreId) {
    this.#commands = commands
    this.#store = store
  }

  /** Returns the position of the latest entry. @throws RpcError `engine_unavailable` */
  async logPosition({ meta }: LogKeys): Promise<LogPosition | undefined> {
    const reply = (await this.#commands.send('HMGET', meta, 'epoch', 'offset', 'id')) as Reply
    return readLogPosition(reply)
  }

  /** Returns the position of a channel; see `HistoryPage`. @throws RpcError `engine_unavailable` */
  async position(keys: LogKeys): Promise<Position> {
    const place = await this.logPosition(keys)
    return place ? { epoch: place.epoch, offset: place.offset } : this.#empty(keys)
  }

  /** Reads the entries after a position. @throws RpcError `engine_unavailable` */
  async follow(
    kind: EntryKind,
    { meta, entries }: LogKeys,
    from: LogPosition | undefined,
  ): Promise<Followed> {
    const { epoch = '', offset = 0, id = '' } = from ?? {}
    const args = [epoch, offset, id, this.#store.newEpoch(meta), PAGE]
    const [reached, rest] = split(await this.#commands.evaluate(FOLLOW, [meta, entries], args), 3)
    const place = readLogPosition(reached)
    if (!place) return { entries: [], place, isEnd: true }
    const found = entriesOf(rest).map((entry) => ({ kind, epoch: place.epoch, ...entry }))
    const last = found.at(-1)
    const isEnd = found.length < PAGE || !last
    const at = isEnd ? place : { epoch: place.epoch, offset: last.offset, id: last.id }
    return { entries: found, place: at, isEnd }
  }

  /** Reads a part of a query, and less if it takes long. @throws RpcError `engine_unavailable` */
  async read(channel: string, keys: ChannelKeys, query: HistoryQuery, next = ''): Promise<HistoryPart> {
    const { after, before = '', limit, bytes = '', reverse = false } = query
    const byOffset = !reverse && next !== '' ? next : typeof after === 'number' ? after : ''
    const byId = typeof after === 'string' ? after : ''
    const args = [byOffset, byId, before, reverse ? next : '', limit, reverse ? '1' : '0', bytes]
    const { meta, entries } = keys.publications
    const [[epoch, offset, rest, full], found] = split(
      await this.#commands.evaluate(READ, [meta, entries], args),
      4,
    )
    if (!epoch) return { ...NOTHING, position: this.#empty(keys.publications) }
    const kept = entriesOf(found)
    return {
      position: { epoch, offset: Number(offset) },
      publications: kept.map((entry) => decodePublication(channel, { kind: 'publication', epoch, ...entry })),
      next: rest ?? '',
      isFull: full === '1',
      bytes: kept.reduce((size, { payload }) => size + Buffer.byteLength(payload), 0),
    }
  }

  #empty({ meta }: LogKeys): Position {
    return { epoch: this.#store.newEpoch(meta), offset: 0 }
  }
}

function split(reply: Reply, at: number): [Reply, Reply] {
  return [reply.slice(0, at), reply.slice(at)]
}

function readLogPosition([epoch, offset, id]: Reply): LogPosition | undefined {
  return epoch && offset && id ? { epoch, offset: Number(offset), id } : undefined
}

function entriesOf(reply: Reply): { offset: number; id: string; payload: string }[] {
  return Array.from({ length: reply.length / 3 }, (_, index) => {
    const [offset, id, payload] = reply.slice(index * 3, index * 3 + 3)
    return { offset: Number(offset), id: id ?? '', payload: payload ?? '' }
  })
}
