import { CLOSE_CODES } from '@token-socket/protocol'
import type { Logger } from '../logger.js'
import { shorten } from './shorten.js'
import type { ThrottledLog } from './throttled-log.js'

/** How a connection ended. */
export interface Closing {
  /** The close code. */
  readonly code: number
  /** The close reason. The client may have chosen it. */
  readonly reason: string
  readonly transport: string
  /** Of a socket that was let in. */
  readonly sid?: string
  readonly uid?: string | undefined
  /** Milliseconds from its authentication to its end. */
  readonly ms?: number
}

/** A socket, as far as its closing is told. */
type SlowSocket = Pick<Closing, 'uid' | 'transport'> & { readonly sid: string }

/** How far the client of a socket is behind. */
export interface SlowReader {
  /** UTF-16 code units that wait in the outbox, and bytes that wait in the connection. */
  readonly waiting: number
  /** Milliseconds since the client fell behind. */
  readonly behindFor: number
}

/** Our close codes by number. */
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(CLOSE_CODES).map(([name, { code }]) => [code, name]),
)

/** Codes of the ends that are no trouble: one of the two sides wanted it. 1005 is a close without a code. */
const WANTED: ReadonlySet<number> = new Set([
  1000,
  1001,
  1005,
  ...(['going_away', 'shutting_down', 'closed_by_server', 'disconnected'] as const).map(
    (name) => CLOSE_CODES[name].code,
  ),
])

/**
 * Writes one line for each connection that ends, with its code and the reason's name. The end of a socket is a `debug` line
 * if either side wanted it, and an `info` line otherwise. Connections that were never let in are counted, since strangers
 * can make as many as they like.
 */
export class ClosingLog {
  readonly #logger: Logger
  readonly #log: Pick<ThrottledLog, 'write'>

  constructor(logger: Logger, log: Pick<ThrottledLog, 'write'>) {
    this.#logger = logger
    this.#log = log
  }

  /** A socket's connection has ended. */
  socket(closing: Closing): void {
    const level = WANTED.has(closing.code) ? 'debug' : 'info'
    if (this.#logger.isLevelEnabled?.(level) === false) return
    this.#logger[level]({ ...closing, reason: nameOf(closing) }, 'a socket has ended')
  }

  /** A socket's client does not read: its connection is about to be closed. */
  readonly slow = ({ sid, uid, transport }: SlowSocket, reader: SlowReader): void => {
    const details = { sid, uid, transport, code: 'slow_consumer', ...reader }
    this.#logger.warn(details, 'a socket is closed: its client does not read')
  }

  /** The server closes a connection that it has not let in. */
  stranger(closing: Closing): void {
    const reason = nameOf(closing)
    this.#log.write(`connection ${closing.code}`, [
      'info',
      { ...closing, reason },
      'a connection was refused',
    ])
  }
}

function nameOf({ code, reason }: Closing): string {
  return NAMES.get(code) ?? shorten(reason)
}
