/** Separates a socket's own id from its node's in its `sid`. */
const SEPARATOR = '.'

/** Returns the id of a socket of a node. @param own its id on the node */
export function sidOf(own: string, node: string): string {
  return own + SEPARATOR + node
}

/** A socket's own id is short, so that one question to a node can have a thousand ids. */
const SID = /^[\w-]{1,64}\.([\w-]{1,64})$/

/** Returns the node in the id of a socket. @returns `undefined` if the text is no such id */
export function nodeOf(sid: string): string | undefined {
  const [, node] = SID.exec(sid) ?? []
  return node
}
