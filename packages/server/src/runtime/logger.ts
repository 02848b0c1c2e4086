/** The server's log. A pino logger fits as it is. */
export interface Logger {
  debug(details: object, message: string): void
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
  /** Whether lines of a level are written. Without this method, the server writes every level. */
  isLevelEnabled?(level: string): boolean
}

/** A logger on the console: warnings and errors, and with `debug` all other levels. */
export function consoleLogger(debug: boolean): Logger {
  const print = (level: 'debug' | 'info' | 'warn' | 'error') => (details: object, message: string) => {
    // The console would replace `%s` and the like by the details.
    console[level](`TokenSocket: ${message.replaceAll('%', '%%')}`, details)
  }
  const silent = () => {}
  return {
    debug: debug ? print('debug') : silent,
    info: debug ? print('info') : silent,
    warn: print('warn'),
    error: print('error'),
    isLevelEnabled: (level) => debug || level === 'warn' || level === 'error',
  }
}
