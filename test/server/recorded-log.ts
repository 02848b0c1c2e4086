import type { Logger } from '@token-socket/server'
import type { LogEntry } from '#server/runtime/throttled-log.js'

/** A level of a logger. */
export type Level = Exclude<keyof Logger, 'isLevelEnabled'>

/** One line of a {@link RecordedLog}. */
export interface LogLine {
  readonly level: Level
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** A logger that keeps what it is told. */
export class RecordedLog implements Logger {
  readonly lines: LogLine[] = []
  readonly debug = this.#recorder('debug')
  readonly info = this.#recorder('info')
  readonly warn = this.#recorder('warn')
  readonly error = this.#recorder('error')

  /** As a throttled log does, but of repetitions each. */
  write(_kind: string, [level, details, message]: LogEntry): void {
    this[level](details, message)
  }

  /** The lines of one level. */
  of(level: Level): LogLine[] {
    return this.lines.filter((line) => line.level === level)
  }

  #recorder(level: Level) {
    return (details: object, message: string) => {
      this.lines.push({ level, message, details: details as LogLine['details'] })
    }
  }
}
