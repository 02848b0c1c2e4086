import { noteFailure } from './own-calls.js'
import type { ThrottledLog } from './throttled-log.js'
import { classOf, shortError } from './thrown-values.js'

/** Receives each failure. It does not throw. */
export type FailureListener = (cause: unknown, details: object) => void

/**
 * The details that say what failed. Their values come from the code or from the application's
 * options, not from clients.
 */
const SUBJECTS = ['step', 'event', 'option', 'rule', 'method', 'middleware'] as const

/**
 * Reports errors that no caller could catch: of handlers, listeners, the filter, the engine. Each
 * becomes an `error` event. The log has each kind once a minute, since clients can repeat their
 * calls at will.
 */
export class Failures {
  readonly #log: ThrottledLog
  readonly #listener: FailureListener
  readonly #of: string

  /** @param of the object whose methods are {@link watched} */
  constructor(log: ThrottledLog, listener: FailureListener, of = 'server') {
    this.#log = log
    this.#listener = listener
    this.#of = of
  }

  /**
   * Reports a failure. Never throws. @param details what failed, and for which socket or channel
   */
  readonly report: FailureListener = (cause, details) => {
    const [level, line] = lineOf(details)
    const entry = [level, { ...details, err: shortError(cause) }, line] as const
    this.#log.write(kindOf(details), entry, classOf(cause))
    this.#listener(cause, details)
  }

  /** A listener of the `error` event threw: only the log remains. */
  readonly reportListener = (err: unknown): void => {
    this.#log.write('error listener', ['error', { err }, 'an error listener threw'])
  }

  /**
   * Returns a promise that the application need not await: its failure is reported, and is never an
   * unhandled rejection.
   */
  watched<T>(promise: Promise<T>, details: { readonly method: string }): Promise<T> {
    promise.catch((cause) => {
      noteFailure(cause, `${this.#of}.${details.method}`)
      this.report(cause, details)
    })
    return promise
  }
}

/** A wrong message of a client is no fault of the server. */
function lineOf(details: object): readonly [level: 'warn' | 'error', line: string] {
  const { step } = details as { readonly step?: unknown }
  return step === 'input'
    ? ['warn', 'a one-way message of a client was refused']
    : ['error', 'something threw']
}

/** Clients choose the names of calls with middleware, and of functions whose look-up throws. */
function kindOf(details: object): string {
  const about = details as Readonly<Record<string, unknown>>
  const isMadeUp = about.middleware !== undefined || about.step !== undefined
  const subjects = SUBJECTS.map((name) => about[name] ?? '')
  return ['failure', ...subjects, isMadeUp ? '' : (about.function ?? '')].join(' ')
}
