/** What a path below the prefix asks for, as SockJS has it: `/<server>/<session>/<transport>`. */
export interface SessionPath {
  readonly session: string
  readonly transport: string
}

/**
 * As SockJS has it: no slash, no dot, not empty. Nor what Node's old URL parser would change after
 * us (`\`, `"`, `{`).
 */
const SESSION = /^\/[\w!$&()*+,;=:@%~-]{1,128}\/([\w!$&()*+,;=:@%~-]{1,128})\/([a-z_]+)\/?$/

/** Reads a path of a session. @param path below the prefix @returns `undefined` if it is none */
export function readSessionPath(path: string): SessionPath | undefined {
  const [, session, transport] = SESSION.exec(path) ?? []
  return session === undefined || transport === undefined ? undefined : { session, transport }
}
