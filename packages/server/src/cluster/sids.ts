/** Separates a socket's own id from its node's in its `sid`. */
const SEPARATOR = '.'

/** The id of a socket of a node. @param own its id on the node */
export function sidOf(own: string, node: string): string {
  return own + SEPARATOR + node
}

/** The node in the id of a socket. @returns `undefined` for what is no such id */
export function nodeOf(sid: string): string | undefined {
  const [, node] = /\.([\w-]{1,64})$/.exec(sid) ?? []
  return node
}
