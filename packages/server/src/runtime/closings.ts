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
 * Writes one line at `debug` for each socket that ends, with its code and the reason's name. Ends that neither side wanted
 * are counted by code at `info`, since a member can make as many as it likes. So are connections that were never let in.
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
    const details = { ...closing, reason: nameOf(closing) }
    if (!WANTED.has(closing.code)) this.#unwanted(details)
    if (this.#logger.isLevelEnabled?.('debug') === false) return
    this.#logger.debug(details, 'a socket has ended')
  }

  /** A socket's client does not read: its connection is about to be closed. */
  readonly slow = ({ sid, uid, transport }: SlowSocket, reader: SlowReader): void => {
    const details = { sid, uid, transport, code: 'slow_consumer', ...reader }
    this.#log.write('slow_consumer', ['warn', details, 'a socket is closed: its client does not read'])
  }

  /** Members can end as many as they like this way, with codes that they choose. */
  #unwanted(details: Closing): void {
    const kind = NAMES.has(details.code) || details.code < 3000 ? details.code : 'other'
    this.#log.write(`socket ${kind}`, ['info', details, 'sockets end that neither side wanted to end'])
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
