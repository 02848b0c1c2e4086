import { RpcError } from '@token-socket/protocol'
import type { ThrottledLog } from './throttled-log.js'

/** Receives each failure. It does not throw. */
export type FailureListener = (cause: unknown, details: object) => void

/** Details that say what failed. Their values come from the code or the application's options, not from clients. */
const SUBJECTS = ['step', 'event', 'option', 'function', 'method'] as const

/**
 * Reports what throws where no caller could catch it: handlers, listeners, the filter, the engine. Each failure reaches the
 * `error` event; the log has each kind once a minute, since clients can repeat their calls at will.
 */
export class Failures {
  readonly #log: ThrottledLog
  readonly #listener: FailureListener

  constructor(log: ThrottledLog, listener: FailureListener) {
    this.#log = log
    this.#listener = listener
  }

  /** Reports a failure. Never throws. @param details what failed, and for which socket or channel */
  readonly report: FailureListener = (cause, details) => {
    this.#log.write(kindOf(cause, details), ['error', { ...details, err: cause }, 'something threw'])
    this.#listener(cause, details)
  }

  /** A listener of the `error` event threw: only the log is left. */
  readonly reportListener = (err: unknown): void => {
    this.#log.write('error listener', ['error', { err }, 'an error listener threw'])
  }

  /** A promise that the application may leave alone: its failure is reported, and never an unhandled rejection. */
  watched<T>(promise: Promise<T>, details: object): Promise<T> {
    promise.catch((cause) => this.report(cause, details))
    return promise
  }
}

function kindOf(cause: unknown, details: object): string {
  const about = details as Readonly<Record<string, unknown>>
  const subjects = SUBJECTS.map((name) => about[name] ?? '')
  return ['failure', ...subjects, codeOf(cause)].join(' ')
}

/** What tells kinds of errors apart: the code, or the class. Never throws: some errors cannot be read. */
export function codeOf(cause: unknown): string {
  try {
    if (RpcError.is(cause)) return String(cause.code)
    return cause instanceof Error ? String(cause.name) : typeof cause
  } catch {
    return 'unreadable'
  }
}
