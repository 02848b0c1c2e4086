// What the clients of this page know together of the hall: who is there, by which node, and what
// was said from here.

export class Hall {
  #nodes
  /** The node that serves a user, by uid, as their client said itself. */
  #servedBy = new Map()
  /** The uids of those who are there, as the client knows them that was notified last. */
  #members = new Set()
  /** The offsets of what clients of this page said and the server has acknowledged. */
  #said = []

  /** @param {import('./nodes.js').Nodes} nodes */
  constructor(nodes) {
    this.#nodes = nodes
  }

  /** A user is served by a node, now or at the time of a message of the past. */
  isAt(uid, node) {
    this.#servedBy.set(uid, node)
    this.show()
  }

  nodeOf(uid) {
    return this.#servedBy.get(uid)
  }

  /** @param {readonly { uid: string }[]} members */
  has(members) {
    this.#members = new Set(members.map(({ uid }) => uid))
    this.show()
  }

  said(offset) {
    this.#said.push(offset)
  }

  /** How much of what was said after an offset is not among what was heard. */
  missing(after, heard) {
    return this.#said.filter((offset) => offset > after && !heard.has(offset)).length
  }

  show() {
    this.#nodes.showClients((name) =>
      [...this.#members].filter((uid) => this.#servedBy.get(uid) === name).sort(),
    )
  }
}
