import type { History, HistoryPage, HistoryQuery, Position, Publication } from '@token-socket/server/engine'
import type { LogReader } from './log-reader.js'
import type { Keys } from './scripts/keys.js'

/** Reads what channels keep, in parts that do not keep Redis busy for long. */
export class RedisHistory implements History {
  readonly #logs: LogReader
  readonly #keys: Keys

  constructor(logs: LogReader, keys: Keys) {
    this.#logs = logs
    this.#keys = keys
  }

  async read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    const keys = this.#keys.channel(channel)
    const publications: Publication[] = []
    let position: Position | undefined
    let { bytes } = query
    for (let next: string | undefined; ; ) {
      const limit = query.limit - publications.length
      const part = await this.#logs.read(channel, keys, { ...query, limit, bytes }, next)
      // What was read before belongs to an epoch that is over.
      if (position && part.position.epoch !== position.epoch) return this.read(channel, query)
      publications.push(...part.publications)
      // Nothing is missing up to here: when the latest come first, nothing since is in it.
      position = query.reverse ? (position ?? part.position) : part.position
      next = part.next
      if (bytes !== undefined) bytes = Math.max(0, bytes - part.bytes)
      const isEnd = next === '' || part.isFull || bytes === 0 || publications.length >= query.limit
      if (isEnd) return { position, publications, more: next !== '' }
    }
  }

  position(channel: string): Promise<Position> {
    return this.#logs.position(this.#keys.channel(channel).publications)
  }
}
