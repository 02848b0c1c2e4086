// What the clients of this page know together of the hall: who is there, by which node, and what
// was said from here.

export class Hall {
  #nodes
  /** The latest message of each user's client about its node, by uid: its id, and the node. */
  #servedBy = new Map()
  /** The uids of those who are there, as the client knows them that was notified last. */
  #members = new Set()
  /** The offsets of what clients of this page said and the server has acknowledged. */
  #said = []

  /** @param {import('./nodes.js').Nodes} nodes */
  constructor(nodes) {
    this.#nodes = nodes
  }

  /** A user's client says which node serves it. A message of the past changes nothing that is known. */
  isAt({ id, meta: { uid }, data: { node } }) {
    const known = this.#servedBy.get(uid)
    // Ids count up.
    if (known && known.id >= id) return
    this.#servedBy.set(uid, { id, node })
    this.show()
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
      [...this.#members].filter((uid) => this.#servedBy.get(uid)?.node === name).sort(),
    )
  }
}
