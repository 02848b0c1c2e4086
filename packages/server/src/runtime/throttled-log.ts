import type { Logger } from './logger.js'
import { OwnerCounts } from './owner-counts.js'
import { shorten } from './shorten.js'

/** Milliseconds in which a kind of event is written once. */
const INTERVAL = 60_000

/** Kinds of one level that are counted apart; all further ones of the level share one count. */
const KINDS = 200

/** Subjects of one kind that are counted apart; all further ones share one count. */
const SUBJECTS = 20

/** The level, details and text of a line. */
export type LogEntry = readonly [level: 'debug' | 'info' | 'warn' | 'error', details: object, message: string]

/** What is counted apart, and under what it counts: its kind, or its level. */
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
 * Writes the first event of a kind at once, and the later ones of a minute as one line: the details of the last one, and
 * `repeated`, how many there were. Events that clients cause at will cannot fill the log this way.
 *
 * A kind is a text that the code chooses; clients choose no part of it. Levels are counted apart, so that no number of warnings
 * hides an error. A subject tells lines of one kind apart, such as the functions of the application: a few of them.
 */
export class ThrottledLog {
  readonly #logger: Logger
  readonly #kinds = new Map<string, Repetition>()
  /** How many are counted apart, by level and by kind. */
  readonly #counts = new OwnerCounts()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /**
   * Writes an event, or counts it.
   * @param kind says which events are repetitions of each other
   * @param subject tells those of one kind apart. Application or client may choose it. @default none
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

  /** Writes the counts of what was not written. Call it when the server ends. */
  close(): void {
    for (const kind of [...this.#kinds.keys()]) this.#finish(kind)
  }

  /** Where there are too many subjects, or kinds, the rest of them share one. */
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

  /** A minute has passed: a kind that goes on is counted for another one. */
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
