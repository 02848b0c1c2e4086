import { callIsolated } from './isolated.js'
import type { Logger } from './logger.js'

/**
 * A logger that never throws: what the application's own logger throws, or rejects with, is dropped. Each text is one line:
 * line breaks and other control characters in it are escaped, as it may name what a client or a data key says.
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

/** There is no other place to write to. */
function drop(): void {}

/** A logger that does not say which levels it writes gets them all. */
function isEnabled(logger: Partial<Logger>, level: string): boolean {
  try {
    return logger.isLevelEnabled?.(level) !== false
  } catch {
    return true
  }
}
