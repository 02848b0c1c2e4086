/**
 * Whether the process is a production server: `NODE_ENV` is `production`, as for Express. Otherwise
 * the server checks more, logs more, and gives clients hints. Read once for each server, when it is
 * created.
 */
export function isProduction(): boolean {
  return process.env.NODE_ENV === 'production'
}
