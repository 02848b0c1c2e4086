/**
 * The parts of a session's path below the prefix, as in SockJS: `/<server>/<session>/<transport>`.
 */
export interface SessionPath {
  readonly session: string
  readonly transport: string
}

/**
 * As in SockJS: no slash, no dot, not empty. It also excludes characters that Node's old URL parser
 * changes (`\`, `"`, `{`).
 */
const SESSION = /^\/[\w!$&()*+,;=:@%~-]{1,128}\/([\w!$&()*+,;=:@%~-]{1,128})\/([a-z_]+)\/?$/

/**
 * Parses a path of a session. @param path below the prefix @returns `undefined` for any other path
 */
export function readSessionPath(path: string): SessionPath | undefined {
  const [, session, transport] = SESSION.exec(path) ?? []
  return session === undefined || transport === undefined ? undefined : { session, transport }
}
