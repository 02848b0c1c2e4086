// What the clients of this page know together of the hall: who is there, by which node, and what was said from here.

export class Hall {
  #element
  /** The node that serves somebody, by uid, as they said themselves. */
  #nodes = new Map()
  /** Nodes that have served anybody. */
  #names = new Set()
  /** Those who are there, by uid, as the client sees it that was told last. */
  #members = new Set()
  /** The offsets of what clients of this page said and the server has acknowledged. */
  #said = []

  constructor(element) {
    this.#element = element
  }

  /** Somebody is served by a node, now or at the time of a message of the past. */
  isAt(uid, node) {
    this.#nodes.set(uid, node)
    this.#names.add(node)
    this.#show()
  }

  nodeOf(uid) {
    return this.#nodes.get(uid) ?? '…'
  }

  /** @param {readonly { uid: string }[]} members */
  has(members) {
    this.#members = new Set(members.map(({ uid }) => uid))
    this.#show()
  }

  said(offset) {
    this.#said.push(offset)
  }

  /** How much of what was said after an offset is not among those heard. */
  missing(after, heard) {
    return this.#said.filter((offset) => offset > after && !heard.has(offset)).length
  }

  #show() {
    this.#element.replaceChildren(...[...this.#names].sort().map((name) => this.#node(name)))
  }

  #node(name) {
    const element = document.getElementById('node').content.firstElementChild.cloneNode(true)
    element.dataset.node = name
    element.querySelector('h3').textContent = name
    const uids = [...this.#members].filter((uid) => this.#nodes.get(uid) === name).sort()
    element
      .querySelector('ul')
      .append(...uids.map((uid) => Object.assign(document.createElement('li'), { textContent: uid })))
    return element
  }
}
