/**
 * Whether the process is a production server: `NODE_ENV` is `production`, as for Express. Everywhere else the server checks
 * more, says more in its log, and gives clients hints. Asked once for each server, when it is made.
 */
export function isProduction(): boolean {
  return process.env.NODE_ENV === 'production'
}
