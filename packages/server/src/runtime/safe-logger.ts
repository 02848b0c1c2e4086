import { callIsolated } from './isolated.js'
import type { Logger } from './logger.js'

/**
 * Wraps the application's logger so that it never throws: its errors, thrown or rejected, are
 * dropped. Each text becomes one line: control characters are escaped, since a client or a data key
 * may have chosen them.
 */
export function safeLogger(logger: Partial<Logger>): Logger {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error'): Logger['debug'] =>
    (details, message) =>
      callIsolated(() => logger[level]?.(details, message.replace(CONTROL, escaped)), drop)
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    isLevelEnabled: (level) => isEnabled(logger, level),
  }
}

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/gu

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** There is nowhere else to report an error of the log. */
function drop(): void {}

/** A logger without `isLevelEnabled` gets all levels. */
function isEnabled(logger: Partial<Logger>, level: string): boolean {
  try {
    return logger.isLevelEnabled?.(level) !== false
  } catch {
    return true
  }
}
