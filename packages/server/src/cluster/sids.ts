/** Separates a socket's own id from its node's in its `sid`. */
const SEPARATOR = '.'

/** The id of a socket of a node. @param own its id on the node */
export function sidOf(own: string, node: string): string {
  return own + SEPARATOR + node
}

/** A socket's own id is short: so a question to a node may have a thousand of these. */
const SID = /^[\w-]{1,64}\.([\w-]{1,64})$/

/** The node in the id of a socket. @returns `undefined` for what is no such id */
export function nodeOf(sid: string): string | undefined {
  const [, node] = SID.exec(sid) ?? []
  return node
}
