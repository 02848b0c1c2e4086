import type { Logger } from '@token-socket/server'

/** One line of a {@link RecordedLog}. */
export interface LogLine {
  readonly level: keyof Logger
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

  /** The lines of one level. */
  of(level: keyof Logger): LogLine[] {
    return this.lines.filter((line) => line.level === level)
  }

  #recorder(level: keyof Logger) {
    return (details: object, message: string) => {
      this.lines.push({ level, message, details: details as LogLine['details'] })
    }
  }
}
