// The nodes' cards: the state of each, which the supervisor publishes, and who is served by it.

/** Milliseconds between two updates of how long a state has lasted. */
const TICK = 1000

/** Milliseconds without a connection after which the states are unknown: a killed node costs less. */
const PATIENCE = 2000

export class Nodes {
  #list
  #news
  /** The cards, by the node's name. */
  #cards = new Map()
  /** The states, as the supervisor saw them last. */
  #states = []
  #version = 0
  /** Since when there is no connection; none if there is one. */
  #awaySince = Date.now()
  #servedBy = () => []

  /**
   * @param {HTMLElement} list where the cards go
   * @param {HTMLElement} news a polite live region: each change is announced there once
   */
  constructor(list, news) {
    this.#list = list
    this.#news = news
    setInterval(() => this.#showStates(), TICK)
  }

  /**
   * Follows the states. This takes a connection of its own: it comes back by another node when its
   * node is killed.
   * @param {TokenSocket} socket
   */
  follow(socket) {
    const channel = socket.channel('nodes')
    channel.bind('states', ({ data }) => this.#update(data, true))
    const load = async () => {
      // The newest need not be the last: each node publishes at its own pace.
      for (const { data } of await channel.history({ reverse: true })) this.#update(data, false)
    }
    socket.on('state', (state) => {
      this.#awaySince = state === 'ready' ? undefined : (this.#awaySince ?? Date.now())
    })
    for (const event of ['subscribed', 'gap']) channel.on(event, () => load().catch(console.warn))
  }

  /** Shows who is served by which node. @param {(name: string) => readonly string[]} servedBy */
  showClients(servedBy) {
    this.#servedBy = servedBy
    for (const [name, card] of this.#cards) {
      const uids = servedBy(name)
      card.querySelector('ul').replaceChildren(...uids.map(makeChip))
      card.querySelector('.none').hidden = uids.length > 0
    }
  }

  #update({ version, states }, isNews) {
    if (version <= this.#version) return
    this.#version = version
    const before = new Map(this.#states.map(({ name, state }) => [name, state]))
    const changed = states.filter(({ name, state }) => state !== before.get(name))
    this.#states = states
    if (isNews) this.#news.textContent = changed.map(({ name, state }) => `${name} is ${state}`).join(', ')
    this.#showStates()
    this.showClients(this.#servedBy)
  }

  #card(name) {
    const known = this.#cards.get(name)
    if (known) return known
    const card = document.getElementById('node').content.firstElementChild.cloneNode(true)
    card.dataset.node = name
    card.querySelector('h3').textContent = name
    this.#cards.set(name, card)
    const names = [...this.#cards.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    this.#list.replaceChildren(...names.map((each) => this.#cards.get(each)))
    return card
  }

  #showStates() {
    const isAway = Date.now() - (this.#awaySince ?? Number.POSITIVE_INFINITY) > PATIENCE
    for (const { name, state, since } of this.#states) {
      const card = this.#card(name)
      card.dataset.state = isAway ? 'unknown' : state
      const text = isAway ? 'unknown, no node answers' : `${state} for ${duration(Date.now() - since)}`
      card.querySelector('.node-state').textContent = text
    }
  }
}

function makeChip(uid) {
  return Object.assign(document.createElement('li'), { textContent: uid })
}

/** `7 s`, `3 min`, `2 h` */
function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`
}
