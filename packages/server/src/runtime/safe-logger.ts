import type { Logger } from '../logger.js'
import { callIsolated } from './isolated.js'

/** A logger that never throws: what the application's own logger throws, or rejects with, is dropped. */
export function safeLogger(logger: Partial<Logger>): Logger {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error'): Logger['debug'] =>
    (details, message) =>
      callIsolated(() => logger[level]?.(details, message), drop)
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    isLevelEnabled: (level) => isEnabled(logger, level),
  }
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
