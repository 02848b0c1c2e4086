import { Link } from './link.js'

/** Characters that leave in one frame at the most, where messages are batched: as TokenSocket's client has it. */
const BATCH = 16_384

/** @type {string | undefined} */
let lastText
/** @type {readonly import('../wires/wire.js').Message[]} */
let lastMessages = []

/** A thousand subscribers get the same text: it is parsed once. */
function decode(wire, text) {
  if (text !== lastText) {
    lastMessages = wire.decode(text)
    lastText = text
  }
  return lastMessages
}

/** One client of a peer: calls, the server's calls, publications. What goes wrong is thrown, and ends the loader. */
export class Client {
  /** @type {string | undefined} the server's word for it, by which it may come back */
  session
  /** @type {(data: any, place: any) => void} hears publications, and where in its channel each stands */
  onpublication = () => {}
  /** @type {(data: any) => string} answers the server's calls, in JSON */
  oncall = () => {
    throw new Error('the server called, but nobody expects it')
  }
  /** @type {() => void} hears that it is closed, after {@link close} */
  onclose = () => {}
  /** @type {Map<number, (data: any) => void>} */
  #calls = new Map()
  /** @type {string[]} */
  #out = []
  /** @type {any[]} */
  #signals = []
  /** @type {((signal: any) => void) | undefined} */
  #awaited
  #lastId = 0
  #link
  #wire

  /**
   * Connects, signs in where there is something to sign in to, and resolves when it is ready.
   * @param {import('../wires/wire.js').Wire} wire
   * @param {{ port: number, token?: string | undefined }} where
   */
  static async open(wire, { port, token }) {
    const link = await Link.open({ port, path: wire.path() })
    const client = new Client(wire, link)
    await wire.enter(client, token)
    return client
  }

  /**
   * Comes back as a client that was there before, and resolves when it is on its channels again.
   * @param {import('../wires/wire.js').Wire} wire
   * @param {{ port: number, token: string, session: import('../wires/wire.js').Session, onpublication: Client['onpublication'] }} how
   */
  static async resume(wire, { port, token, session, onpublication }) {
    const client = new Client(wire, await Link.open({ port, path: wire.path() }))
    client.onpublication = onpublication
    await wire.resume(client, token, session)
    return client
  }

  constructor(wire, link) {
    this.#wire = wire
    this.#link = link
    link.ontext = (text) => this.#receive(text)
    link.onhandled = () => this.#flush()
    link.onclose = (error) => {
      if (error) throw error
      this.onclose()
    }
  }

  /**
   * Calls a function of the server.
   * @param {string} name
   * @param {string} json its argument
   * @param {(data: any) => void} done gets the answer
   */
  call(name, json, done) {
    const id = ++this.#lastId
    this.#calls.set(id, done)
    this.send(this.#wire.call(id, name, json))
  }

  /** The same, as a promise. */
  request(name, json) {
    return new Promise((resolve) => this.call(name, json, resolve))
  }

  /** Sends a message of the wire. */
  send(message) {
    if (!this.#wire.batches) return this.#link.send(this.#wire.frame([message]))
    if (this.#out.length === 0) queueMicrotask(() => this.#flush())
    this.#out.push(message)
  }

  /** Sends a frame as it is. */
  sendRaw(frame) {
    this.#link.send(frame)
  }

  /** The next message that is no answer, call or publication, such as a greeting. */
  signal() {
    return new Promise((resolve) => {
      if (this.#signals.length > 0) resolve(this.#signals.shift())
      else this.#awaited = resolve
    })
  }

  /** Closes the connection. */
  close() {
    this.#flush()
    this.#link.close()
  }

  /** Reads no more, and does not care any more what becomes of it. */
  stall() {
    this.#link.onclose = () => {}
    this.#link.pause()
  }

  #receive(text) {
    for (const message of decode(this.#wire, text)) this.#handle(message, text)
  }

  #handle(message, text) {
    if (message.kind === 'answer') {
      const done = this.#calls.get(message.id)
      if (!done) throw new Error(`an answer that nobody waits for: ${text}`)
      this.#calls.delete(message.id)
      done(message.data)
    } else if (message.kind === 'publication') this.onpublication(message.data, message.place)
    else if (message.kind === 'call') this.send(this.#wire.result(message.callId, this.oncall(message.data)))
    else if (message.kind === 'ping') this.#link.send(message.reply)
    else if (message.kind === 'signal') this.#signal(message.data)
    else throw new Error(`the server sent an error, or something that the loader does not know: ${text}`)
  }

  #signal(data) {
    const awaited = this.#awaited
    this.#awaited = undefined
    if (awaited) awaited(data)
    else this.#signals.push(data)
  }

  #flush() {
    const messages = this.#out
    if (messages.length === 0) return
    this.#out = []
    let batch = []
    let length = 0
    for (const message of messages) {
      if (length + message.length > BATCH && batch.length > 0) {
        this.#link.send(this.#wire.frame(batch))
        batch = []
        length = 0
      }
      batch.push(message)
      length += message.length
    }
    this.#link.send(this.#wire.frame(batch))
  }
}
