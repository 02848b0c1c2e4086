import type { Logger } from '../runtime/logger.js'
import { shorten } from '../runtime/shorten.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { type ConnectionEnd, type DisconnectReason, disconnectReason } from './disconnect-reasons.js'

/** How a connection ended. */
export interface Closing {
  /** The close code. */
  readonly code: number
  /** Why, in one word: the {@link DisconnectReason} of an authenticated socket. */
  readonly reason: string
  /** The client's close reason, if it is a text of its own. */
  readonly text?: string
  readonly transport: string
  /** Set for an authenticated socket. */
  readonly sid?: string
  readonly uid?: string | undefined
  /** Milliseconds from its authentication to its end. */
  readonly ms?: number
}

/** How an authenticated socket ended. */
export interface SocketClosing extends Closing {
  readonly reason: DisconnectReason
  readonly ms: number
}

/** How an authenticated socket has just ended. */
export function closingOf(
  socket: SlowSocket & { readonly created: number },
  end: ConnectionEnd,
): SocketClosing {
  const { sid, uid, transport, created } = socket
  const { code, text, byPeer } = end
  const own = byPeer && text !== '' ? { text } : {}
  return { sid, uid, transport, code, reason: disconnectReason(end), ms: Date.now() - created, ...own }
}

/** A socket, with what the log says of its end. */
type SlowSocket = Pick<Closing, 'uid' | 'transport'> & { readonly sid: string }

/** How far the client of a socket is behind. */
export interface SlowReader {
  /** UTF-16 code units that wait in the outbox, and bytes that wait in the connection. */
  readonly waiting: number
  /** Milliseconds since the client fell behind. */
  readonly behindFor: number
}

/** Expected ends: one of the two sides wanted it. */
const WANTED: ReadonlySet<string> = new Set<DisconnectReason>([
  'client_closed',
  'closed_by_server',
  'disconnected',
  'shutting_down',
])

/**
 * Codes with which a transport refuses a message. Source: RFC 6455, section 7.4.1; SockJS has 3000.
 */
const REFUSED: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009, 3000])

/**
 * Writes one line at `debug` for each socket that ends, with its code and the reason. Unexpected
 * ends are counted by reason at `info`, since a client can cause as many as it likes. So are
 * connections that were never authenticated.
 */
export class ClosingLog {
  readonly #logger: Logger
  readonly #log: Pick<ThrottledLog, 'write'>

  constructor(logger: Logger, log: Pick<ThrottledLog, 'write'>) {
    this.#logger = logger
    this.#log = log
  }

  /** A socket's connection has ended. */
  socket(closing: SocketClosing): void {
    if (!WANTED.has(closing.reason)) this.#unwanted(closing)
    if (this.#logger.isLevelEnabled?.('debug') === false) return
    this.#logger.debug(shortened(closing), 'a socket has ended')
  }

  /** A socket's client does not read: its connection is about to be closed. */
  readonly slow = ({ sid, uid, transport }: SlowSocket, reader: SlowReader): void => {
    const details = { sid, uid, transport, code: 'slow_consumer', ...reader }
    this.#log.write('slow_consumer', ['warn', details, 'a socket is closed: its client does not read'])
  }

  /** Clients can cause any number of these ends. */
  #unwanted(closing: SocketClosing): void {
    const text = 'sockets end that neither side wanted to end'
    this.#log.write(`socket ${closing.reason}`, ['info', shortened(closing), text])
  }

  /**
   * An unauthenticated connection has ended: the transport refused a message, or its client
   * disconnected.
   */
  left(closing: Closing, byPeer: boolean): void {
    const details = { ...closing, reason: shorten(closing.reason) }
    if (!byPeer && REFUSED.has(closing.code)) return this.stranger(details)
    this.#log.write('connection left', ['debug', details, 'a connection ended before it was let in'])
  }

  /**
   * The server closes an unauthenticated connection. @param closing its `reason` is the name of the
   * code
   */
  stranger(closing: Closing): void {
    this.#log.write(`connection ${closing.code}`, ['info', closing, 'a connection was refused'])
  }
}

function shortened({ text, ...closing }: Closing): Closing {
  return text === undefined ? closing : { ...closing, text: shorten(text) }
}
