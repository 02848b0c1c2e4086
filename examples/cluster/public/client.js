// One client: a socket of its own, by a transport of its own.

/** Lines that are shown. */
const LINES = 6

const TRANSPORTS = {
  websocket: { transports: ['websocket'] },
  'xhr-streaming': { transports: ['sockjs'], sockjs: { transports: ['xhr-streaming'] } },
  'xhr-polling': { transports: ['sockjs'], sockjs: { transports: ['xhr-polling'] } },
}

const STATES = { connecting: 'connecting…', waiting: 'reconnecting…', ready: 'ready' }

export class Client {
  element
  #name
  #hall
  #socket
  #channel
  /** The node that serves it, once it has said so. */
  #node = 'a node'
  /** The offsets of what it has heard. */
  #heard = new Set()
  /** The offset after which it has to hear everything: of its first word. */
  #start = Number.POSITIVE_INFINITY
  #words = 0
  #recovered = 0
  #gaps = 0

  constructor(name, hall) {
    this.#name = name
    this.#hall = hall
    this.element = document.getElementById('client').content.firstElementChild.cloneNode(true)
    this.element.dataset.uid = name
    this.element.ariaLabel = name
    this.#find('h3').textContent = name
    this.#find('.hello').addEventListener('click', () => this.sayHello())
    this.#find('.crash').addEventListener('click', () => this.#crashNode())
    this.#find('select').addEventListener('change', ({ target }) => this.#change(target.value))
    this.#connect('websocket')
  }

  get name() {
    return this.#name
  }

  /** Says something that every client has to hear. The key makes it harmless to say it twice. */
  async sayHello() {
    const text = `hello ${++this.#words}`
    const idempotencyKey = crypto.randomUUID()
    const channel = this.#channel
    for (;;) {
      try {
        const { offset } = await channel.send('hello', { text, node: this.#node }, { idempotencyKey })
        return this.#hall.said(offset)
      } catch (error) {
        // It is unknown whether it was said, or Redis is away for a moment.
        const isWorthIt = ['connection_lost', 'timeout', 'engine_unavailable'].includes(error.code)
        if (!isWorthIt || channel !== this.#channel)
          return this.#tell(`“${text}” was not said: ${error.message}`)
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
  }

  showCount() {
    const missing = this.#hall.missing(this.#start, this.#heard)
    const counts = { heard: this.#heard.size, misses: missing, recovered: this.#recovered, gaps: this.#gaps }
    this.#find('.count').textContent = Object.entries(counts)
      .map((pair) => pair.join(' '))
      .join(' · ')
  }

  #find(selector) {
    return this.element.querySelector(selector)
  }

  #connect(transport) {
    this.#socket = new TokenSocket({ authentication: { name: this.#name }, ...TRANSPORTS[transport] })
    const socket = this.#socket
    socket.on('state', (state) => socket === this.#socket && this.#showState(state))
    socket.on('error', (error) => socket === this.#socket && this.#tell(error.message))
    this.#showState(this.#socket.state)
    this.#channel = this.#socket.channel('hall')
    this.#channel.bind('hello', (message) => this.#hear(message))
    this.#channel.bind('here', (message) => this.#hall.isAt(message))
    this.#channel.on('subscribed', () => this.#arrive())
    for (const event of ['subscribed', 'joined', 'left']) {
      this.#channel.on(event, () => this.#hall.has(this.#channel.members))
    }
    this.#channel.on('joined', ({ uid }) => this.#note(`${uid} came`))
    this.#channel.on('left', ({ uid }) => this.#note(`${uid} left`))
    this.#channel.on('recovered', () => {
      this.#recovered += 1
      this.#note(`${this.#name} is back and receives what it missed`)
    })
    this.#channel.on('gap', (reason) => {
      this.#gaps += 1
      this.#note(`${this.#name} is back, but something is missing: ${reason}`)
    })
  }

  /** Another transport is another socket: what it hears begins anew. */
  #change(transport) {
    this.#socket.end()
    this.#heard.clear()
    this.#start = Number.POSITIVE_INFINITY
    this.#connect(transport)
  }

  /** Tells the others which node serves it. */
  async #arrive() {
    const socket = this.#socket
    const channel = this.#channel
    // Another transport may be chosen meanwhile: answers for the old socket are ignored.
    const isOver = () => socket !== this.#socket
    try {
      if (this.#start === Number.POSITIVE_INFINITY) await this.#learn()
      if (isOver()) return
      const node = await socket.rpc('node')
      if (isOver()) return
      this.#node = node
      this.#find('.at').textContent = `on ${this.#node}`
      this.#find('.crash').textContent = `Kill ${this.#node}`
      const { offset } = await channel.send('here', { node })
      if (isOver()) return
      this.#start = Math.min(this.#start, offset)
      this.#tell('')
    } catch (error) {
      // It comes back, and so does this.
      if (error.code !== 'connection_lost' && !isOver()) this.#tell(error.message)
    }
  }

  /** Where the others are, from what they said when they came. */
  async #learn() {
    const latest = await this.#channel.history({ reverse: true })
    for (const message of latest) if (message.event === 'here') this.#hall.isAt(message)
  }

  #hear({ data, meta, offset, id }) {
    this.#heard.add(offset)
    const isCrossing = data.node !== this.#node
    const line = this.#note(
      `${meta.uid}: ${data.text}`,
      isCrossing ? `${data.node} → ${this.#node}` : data.node,
    )
    line.dataset.id = id
    line.classList.toggle('crossing', isCrossing)
  }

  async #crashNode() {
    // Otherwise the call would wait, and kill the next node, too.
    if (this.#socket.state !== 'ready') return
    this.#note(`${this.#name} kills ${this.#node}`)
    await this.#socket.rpc('crash').catch(() => {})
  }

  #note(text, way = '') {
    const line = document.createElement('li')
    const words = Object.assign(document.createElement('span'), { textContent: text })
    line.append(words, Object.assign(document.createElement('small'), { textContent: way }))
    const list = this.#find('.lines')
    list.append(line)
    while (list.children.length > LINES) list.firstElementChild.remove()
    return line
  }

  #showState(state) {
    const element = this.#find('.state')
    element.textContent = STATES[state] ?? state
    element.dataset.state = state
    if (state !== 'ready') this.#find('.at').textContent = ''
  }

  #tell(problem) {
    this.#find('.problem').textContent = problem
  }
}
