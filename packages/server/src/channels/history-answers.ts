import {
  type EncodedData,
  encodeHistory,
  type HistoryMessage,
  type Position,
  RpcError,
} from '@token-socket/protocol'
import type { Development } from '../development/development.js'
import type { History, HistoryPage, Publication } from '../engine/engine.js'
import { firstIdAt } from '../engine/event-ids.js'
import { TurnThrottle } from '../runtime/turn-throttle.js'
import type { ServerSocket } from '../socket/server-socket.js'
import { keepsNothing } from './own-publications.js'

/** Dependencies of {@link HistoryAnswers}. */
export interface HistoryAnswersOwner {
  readonly history: History
  readonly access: {
    /**
     * Milliseconds since 1970 from which on a socket may read the history; `undefined` for none of
     * it.
     */
    historyStart(socket: ServerSocket, channel: string): number | undefined
  }
  readonly hub: {
    /** The data that one socket may see of a publication, as JSON; `undefined` for nothing. */
    jsonFor(socket: ServerSocket, publication: Publication): string | undefined
  }
  readonly limits: {
    /** Bytes of data in one page. A single publication may have more. */
    readonly historyPage: number
  }
  readonly policy: {
    /** Whether rules say that the channel keeps any event. */
    mayKeep(channel: string): boolean
  }
  /** Checks that only development servers make. @default none */
  readonly development?: Pick<Development, 'warnOfNoHistory'> | undefined
}

/** Publications in one page. */
const PAGE = 100

/**
 * Pages per turn of the event loop, for all sockets. Without a filter, each takes a millisecond or
 * less.
 */
const PER_TURN = 8

/**
 * Answers requests for history with a page each. It reads a page when the socket has read what was
 * sent before. The page consists of the JSON that the engine keeps, which is neither parsed nor
 * encoded again unless there is a filter.
 */
export class HistoryAnswers {
  readonly #owner: HistoryAnswersOwner
  readonly #throttle = new TurnThrottle(PER_TURN)

  constructor(owner: HistoryAnswersOwner) {
    this.#owner = owner
  }

  /**
   * Reads the requested page, or the first page after it of which the filter leaves something.
   * @returns the answer's data; nothing if the socket was closed meanwhile
   * @throws RpcError `forbidden`; what the engine throws
   */
  async read(socket: ServerSocket, request: HistoryMessage): Promise<EncodedData | undefined> {
    for (let query = request; !socket.isClosed; ) {
      const { page, publications } = await socket.bulk.run(() => this.#read(socket, query))
      if (socket.isClosed) break
      const last = page.publications.at(-1)
      if (publications.length > 0 || !page.more || !last) return encodeHistory({ ...page, publications })
      query = { ...query, ...(request.reverse ? { before: last.id } : { after: last.id }) }
    }
    return undefined
  }

  async #read(socket: ServerSocket, request: HistoryMessage) {
    await this.#throttle.wait()
    const page = socket.isClosed ? NOTHING : await this.#readPage(socket, request)
    return { page, publications: page.publications.flatMap((one) => this.#seenBy(socket, one)) }
  }

  async #readPage(socket: ServerSocket, request: HistoryMessage): Promise<HistoryPage> {
    const { channel, after = '', before, limit = PAGE, reverse } = request
    const since = this.#owner.access.historyStart(socket, channel)
    if (since === undefined) throw new RpcError('forbidden')
    const start = firstIdAt(since)
    const query = { before, reverse, limit, bytes: this.#owner.limits.historyPage }
    const { development, policy, history } = this.#owner
    const page = await history.read(channel, { ...query, after: after > start ? after : start })
    if (development && keepsNothing(page, policy.mayKeep(channel))) development.warnOfNoHistory(channel)
    return page
  }

  #seenBy(socket: ServerSocket, publication: Publication): Publication[] {
    const json = this.#owner.hub.jsonFor(socket, publication)
    return json === undefined ? [] : [{ ...publication, json }]
  }
}

const NOTHING: HistoryPage = {
  position: { epoch: '', offset: 0 } satisfies Position,
  publications: [],
  more: false,
}
