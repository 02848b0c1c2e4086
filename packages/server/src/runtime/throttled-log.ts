import type { Logger } from './logger.js'
import { OwnerCounts } from './owner-counts.js'
import { shorten } from './shorten.js'

/** Milliseconds within which a kind of event is written once. */
const INTERVAL = 60_000

/**
 * How many kinds of one level are counted separately; all further kinds of the level share one
 * count.
 */
const KINDS = 200

/** How many subjects of one kind are counted separately; all further ones share one count. */
const SUBJECTS = 20

/** The level, details and text of a line. */
export type LogEntry = readonly [level: 'debug' | 'info' | 'warn' | 'error', details: object, message: string]

/** What is counted separately, and the kind or level that its number counts for. */
interface Key {
  readonly text: string
  readonly owner: string
}

interface Repetition {
  readonly key: Key
  count: number
  last: LogEntry
  readonly timer: NodeJS.Timeout
}

/**
 * Writes the first event of a kind at once. The events of the next minute become one line: the
 * details of the last one, and `repeated`, their number. So events that clients cause at will
 * cannot flood the log.
 *
 * A kind is a text that the code chooses; no part of it comes from clients. Levels are counted
 * separately, so that warnings cannot hide an error. A subject distinguishes lines of one kind,
 * such as by the application's functions: a few of them.
 */
export class ThrottledLog {
  readonly #logger: Logger
  readonly #kinds = new Map<string, Repetition>()
  /** How many are counted separately, by level and by kind. */
  readonly #counts = new OwnerCounts()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /**
   * Writes an event, or counts it.
   * @param kind distinguishes events that repeat each other
   * @param subject distinguishes those of one kind. Application or client may choose it. @default
   *   none
   */
  write(kind: string, entry: LogEntry, subject = ''): void {
    const key = this.#keyOf(`${entry[0]} ${kind}`, entry[0], subject)
    const repetition = this.#kinds.get(key.text)
    if (repetition) {
      repetition.count += 1
      repetition.last = entry
      return
    }
    this.#start(key, entry)
    this.#print(entry)
  }

  /** Writes the counts of unwritten events. Call it when the server ends. */
  close(): void {
    for (const kind of [...this.#kinds.keys()]) this.#finish(kind)
  }

  /** If there are too many subjects or kinds, the others share one. */
  #keyOf(kind: string, level: string, subject: string): Key {
    const text = subject && `${kind} ${shorten(subject)}`
    if (text && (this.#kinds.has(text) || this.#counts.of(kind) < SUBJECTS)) return { text, owner: kind }
    const isKept = this.#kinds.has(kind) || this.#counts.of(level) < KINDS
    return isKept ? { text: kind, owner: level } : { text: level, owner: '' }
  }

  #start(key: Key, last: LogEntry): void {
    const timer = setTimeout(() => this.#next(key.text), INTERVAL)
    timer.unref()
    this.#kinds.set(key.text, { key, count: 0, last, timer })
    this.#counts.add(key.owner)
  }

  /** A minute has passed: a kind with new events is counted for another one. */
  #next(kind: string): void {
    const finished = this.#finish(kind)
    if (finished && finished.count > 0) this.#start(finished.key, finished.last)
  }

  #finish(kind: string): Repetition | undefined {
    const repetition = this.#kinds.get(kind)
    if (!repetition) return undefined
    clearTimeout(repetition.timer)
    this.#kinds.delete(kind)
    this.#counts.remove(repetition.key.owner)
    const { count: repeated, last } = repetition
    const [level, details, message] = last
    if (repeated > 0) this.#print([level, { ...details, repeated }, message])
    return repetition
  }

  #print([level, details, message]: LogEntry): void {
    this.#logger[level](details, message)
  }
}
