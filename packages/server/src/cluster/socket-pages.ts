import { encodeData, limitError, RpcError } from '@token-socket/protocol'
import type { ServerSocket } from '../socket/server-socket.js'
import { shownSession } from './selectors.js'
import { nodeOf } from './sids.js'

/** One socket of a {@link SocketPage}, with its user and its node. It never contains `auth`. */
export interface SocketInfo {
  readonly sid: string
  readonly uid?: string
  /** The session that signed it in, if any: a hash of `req.sessionID`, which selectors take too. */
  readonly session?: string
  /** The transport that carries the connection. */
  readonly transport: string
  /** The address that the token request came from. */
  readonly ip?: string
  /** When it was authenticated, in milliseconds since 1970. */
  readonly created: number
  /** The channels that it is subscribed to, the first 100 of them. */
  readonly channels: readonly string[]
  /** How many channels it is subscribed to. */
  readonly channelCount: number
}

/** Sockets of all nodes, in the order of their ids. */
export interface SocketPage {
  readonly sockets: readonly SocketInfo[]
  /** The option `after` of the next page. Left out on the last page. */
  readonly next?: string
  /** The ids of the nodes that did not answer. Their sockets are missing. */
  readonly missing: readonly string[]
}

/** Selects a page of sockets. */
export interface SocketPageOptions {
  /** Sockets on the page, at most 1000. @default 100 */
  readonly limit?: number | undefined
  /** The `next` of the previous page. @default the first page */
  readonly after?: string | undefined
}

/** One node's part of a page. */
export interface NodePage {
  readonly sockets: readonly SocketInfo[]
  /** Whether the node has more sockets after the last of these. */
  readonly more: boolean
}

/** The start of a page, and its length. */
export interface PageRange {
  /** After the socket with this id. */
  readonly after: string
  readonly limit: number
}

const LIMIT = 100

const MOST = 1000

/** Channels of a socket that a page lists, at most. */
const CHANNELS = 100

/**
 * UTF-16 code units of one node's part as JSON, and of a page. The first socket is always included.
 */
const LENGTH = 512 * 1024

/** The prefix of a cursor: the version of its format. */
const CURSOR = 's1.'

/** The start of the first page: every id is greater. */
const START = ''

/** Checks the options of a page. @throws RpcError `bad_message`, `too_long` */
export function readRange({ limit = LIMIT, after }: SocketPageOptions = {}): PageRange {
  if (!Number.isInteger(limit) || limit < 1) throw wrong('limit', 'a whole number of at least 1')
  if (limit > MOST) throw limitError('too_long', { field: 'limit', limit: MOST })
  return { limit, after: after === undefined ? START : decodeCursor(after) }
}

/** Collects one node's part of a page: the sockets with the lowest ids of the range. */
export class PageCollector {
  readonly #range: PageRange
  #sockets: ServerSocket[] = []
  #last: string | undefined

  constructor(range: PageRange) {
    this.#range = range
  }

  /** Adds a selected socket. */
  add(socket: ServerSocket): void {
    const { sid } = socket
    if (sid <= this.#range.after || (this.#last !== undefined && sid > this.#last)) return
    this.#sockets.push(socket)
    if (this.#sockets.length >= 2 * this.#range.limit + 2) this.#cut()
  }

  /** Returns the collected part. */
  page(): NodePage {
    this.#cut()
    const found = this.#sockets.map(infoOf)
    const sockets = fitting(found.slice(0, this.#range.limit))
    return { sockets, more: sockets.length < found.length }
  }

  /** Keeps one socket more than the page has, to know whether there are more. */
  #cut(): void {
    const count = this.#range.limit + 1
    this.#sockets = this.#sockets.sort(bySid).slice(0, count)
    this.#last = this.#sockets.length === count ? this.#sockets.at(-1)?.sid : undefined
  }
}

/** Merges the parts of all nodes into one page. */
export function mergePages(
  parts: readonly NodePage[],
  { limit }: Pick<PageRange, 'limit'>,
): Omit<SocketPage, 'missing'> {
  // A node with more sockets may have one right after its last: the page ends there.
  const ends = parts.flatMap(({ sockets, more }) => (more ? [sockets.at(-1)?.sid ?? START] : []))
  const end = ends.reduce((least, sid) => (sid < least ? sid : least), ends[0] ?? '')
  const all = parts.flatMap((part) => part.sockets).sort(bySid)
  const due = ends.length === 0 ? all : all.filter(({ sid }) => sid <= end)
  const sockets = fitting(due.slice(0, limit))
  const last = sockets.at(-1)
  const isLast = sockets.length === due.length && ends.length === 0
  return last && !isLast ? { sockets, next: encodeCursor(last.sid) } : { sockets }
}

function infoOf(socket: ServerSocket): SocketInfo {
  const { sid, uid, session, transport, ip, created, channelNames: channels } = socket
  return {
    sid,
    ...(uid !== undefined && { uid }),
    ...(session !== undefined && { session: shownSession(session) }),
    transport,
    ...(ip !== undefined && { ip }),
    created,
    channels: channels.slice(0, CHANNELS),
    channelCount: channels.length,
  }
}

function fitting(sockets: readonly SocketInfo[]): readonly SocketInfo[] {
  let length = 0
  const end = sockets.findIndex((socket, index) => {
    length += encodeData(socket).length + 1
    return index > 0 && length > LENGTH
  })
  return end < 0 ? sockets : sockets.slice(0, end)
}

function bySid(one: { readonly sid: string }, other: { readonly sid: string }): number {
  if (one.sid === other.sid) return 0
  return one.sid < other.sid ? -1 : 1
}

function encodeCursor(sid: string): string {
  return CURSOR + Buffer.from(sid).toString('base64url')
}

/** Decodes a cursor of {@link encodeCursor}. @throws RpcError `bad_message` */
function decodeCursor(cursor: unknown): string {
  const isText = typeof cursor === 'string' && cursor.length <= 256 && cursor.startsWith(CURSOR)
  const sid = isText ? Buffer.from(cursor.slice(CURSOR.length), 'base64url').toString() : START
  if (nodeOf(sid) === undefined || encodeCursor(sid) !== cursor) throw wrong('after', 'the next of a page')
  return sid
}

function wrong(field: string, what: string): RpcError {
  return new RpcError('bad_message', `Invalid message: ${field} has to be ${what}`, { field })
}
