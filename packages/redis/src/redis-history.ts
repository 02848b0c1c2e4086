import type { History, HistoryPage, HistoryQuery, Position, Publication } from '@token-socket/server/engine'
import type { LogReader } from './log-reader.js'
import type { Keys } from './scripts/keys.js'

/** Reads the history of channels, in parts that do not block Redis for long. */
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
      // The parts read before belong to an epoch that has ended.
      if (position && part.position.epoch !== position.epoch) return this.read(channel, query)
      publications.push(...part.publications)
      // Nothing is missing up to this position. With the latest first, newer publications are not
      // included.
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
