import type { Logger } from '../logger.js'

/** Milliseconds in which a kind of event is written once. */
const INTERVAL = 60_000

/** Kinds that are counted apart; all further ones share one count. */
const KINDS = 200

/** The kind of everything beyond {@link KINDS}. */
const OTHERS = 'others'

/** The level, details and text of a line. */
export type LogEntry = readonly [level: 'debug' | 'info' | 'warn' | 'error', details: object, message: string]

interface Repetition {
  count: number
  last: LogEntry
  readonly timer: NodeJS.Timeout
}

/**
 * Writes the first event of a kind at once, and the later ones of a minute as one line: the details of the last one, and
 * `repeated`, how many there were. Events that clients cause at will cannot fill the log this way.
 *
 * A kind is a text that the code chooses; clients choose no part of it.
 */
export class ThrottledLog {
  readonly #logger: Logger
  readonly #kinds = new Map<string, Repetition>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Writes an event, or counts it. @param kind says which events are repetitions of each other */
  write(kind: string, entry: LogEntry): void {
    const own = this.#kinds.has(kind) || this.#kinds.size < KINDS ? kind : OTHERS
    const repetition = this.#kinds.get(own)
    if (repetition) {
      repetition.count += 1
      repetition.last = entry
      return
    }
    this.#start(own, entry)
    this.#print(entry)
  }

  /** Writes the counts of what was not written. Call it when the server ends. */
  close(): void {
    for (const kind of [...this.#kinds.keys()]) this.#finish(kind)
  }

  #start(kind: string, last: LogEntry): void {
    const timer = setTimeout(() => this.#next(kind), INTERVAL)
    timer.unref()
    this.#kinds.set(kind, { count: 0, last, timer })
  }

  /** A minute has passed: a kind that goes on is counted for another one. */
  #next(kind: string): void {
    const finished = this.#finish(kind)
    if (finished && finished.count > 0) this.#start(kind, finished.last)
  }

  #finish(kind: string): Repetition | undefined {
    const repetition = this.#kinds.get(kind)
    if (!repetition) return undefined
    clearTimeout(repetition.timer)
    this.#kinds.delete(kind)
    const { count: repeated, last } = repetition
    const [level, details, message] = last
    if (repeated > 0) this.#print([level, { ...details, repeated }, message])
    return repetition
  }

  #print([level, details, message]: LogEntry): void {
    this.#logger[level](details, message)
  }
}
