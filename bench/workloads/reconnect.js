import { Client } from '../loader/client.js'
import { Histogram } from '../loader/histogram.js'
import { TokenRequests } from '../loader/token-requests.js'
import { openClients } from './open-clients.js'
import { check, payloadText } from './payload.js'

/** Milliseconds in which a server has told Redis of all that left. */
const SETTLE = 300

/**
 * Clients of one node lose their connections, miss a publication on each of their channels, and come back to another node,
 * saying where they were. Nobody else is on these channels; the others around have one each.
 * @param {import('./open-clients.js').Setup & { ports: readonly number[], lost: number, each: number }} setup
 */
export async function createLoad(setup) {
  const { wire, ports, connections, lost } = setup
  const others = []
  for (const port of ports) others.push(...(await openClients({ wire, port }, connections / ports.length)))
  const names = others.map((_, index) => `other-${index}`)
  await Promise.all(others.map((client, index) => wire.join(client, names[index])))
  const [publisher] = await openClients({ wire, port: ports[0] }, 1)
  const clients = await openClients({ wire, port: ports[0] }, lost)
  const visitors = clients.map((client, index) => new Visitor(setup, { client, index }))
  for (const visitor of visitors) await visitor.join()
  return new Reconnects({ setup, publisher, visitors, others, names })
}

/** The steps: they leave, something is published, they come back. */
class Reconnects {
  #setup
  #publisher
  #visitors
  #others
  #names

  constructor({ setup, publisher, visitors, others, names }) {
    this.#setup = setup
    this.#publisher = publisher
    this.#visitors = visitors
    this.#others = others
    this.#names = names
  }

  /** A publication on each channel: a client of some servers knows where it is only by one. */
  begin = async () => {
    const text = textOf(this.#setup, 'a')
    const heard = this.#visitors.map((visitor) => visitor.expect(text))
    await this.#publish(text)
    await Promise.all(heard)
  }

  /** They leave. */
  leave = async () => {
    await Promise.all(this.#visitors.map((visitor) => visitor.leave()))
    await new Promise((resolve) => setTimeout(resolve, SETTLE))
  }

  /** Publishes on all channels, and ends when the others have theirs: then it is over for Redis and the nodes too. */
  miss = async () => {
    const text = textOf(this.#setup, 'b')
    const heard = this.#others.map((client) => {
      return new Promise((resolve) => {
        client.onpublication = (data) => resolve(check(data, 1, text))
      })
    })
    await this.#publish(text, this.#names)
    await Promise.all(heard)
  }

  /** They come back, all at once, and get what they missed. */
  saturate = async () => {
    const times = new Histogram()
    const text = textOf(this.#setup, 'b')
    const start = performance.now()
    const comeBack = async (visitor) => {
      await visitor.comeBack(text)
      times.add(performance.now() - start)
    }
    await Promise.all(this.#visitors.map(comeBack))
    const seconds = (performance.now() - start) / 1000
    const operations = this.#visitors.length
    return { operations, seconds, p50Ms: times.percentile(0.5), p99Ms: times.percentile(0.99) }
  }

  async #publish(text, others = []) {
    const channels = [...this.#visitors.flatMap((visitor) => visitor.channels), ...others]
    await this.#publisher.request('publishOn', JSON.stringify({ channels, count: 1, text }))
  }
}

/** One of those that lose their connection. */
class Visitor {
  channels
  #setup
  #client
  #text = ''
  #left = 0
  #done = () => {}
  /** By channel, if publications say it. @type {Map<string, any>} */
  #places = new Map()

  constructor(setup, { client, index }) {
    this.#setup = setup
    this.#client = client
    this.channels = Array.from({ length: setup.each }, (_, at) => `own-${index}-${at}`)
    client.onpublication = this.#hear
  }

  async join() {
    for (const channel of this.channels) await this.#setup.wire.join(this.#client, channel)
  }

  /** Resolves when a publication with this text has come on each channel. One more ends the bench. */
  expect(text) {
    this.#text = text
    this.#left = this.channels.length
    return new Promise((resolve) => {
      this.#done = () => resolve(undefined)
    })
  }

  leave() {
    return new Promise((resolve) => {
      this.#client.onclose = () => resolve(undefined)
      this.#client.close()
    })
  }

  async comeBack(text) {
    const { wire, ports } = this.#setup
    const port = ports[1]
    const tokens = new TokenRequests(port, wire.tokenMethod)
    const token = await tokens.get()
    tokens.close()
    const heard = this.expect(text)
    const session = { name: this.#client.session, places: [...this.#places.values()] }
    this.#client = await Client.resume(wire, { port, token, session, onpublication: this.#hear })
    await heard
  }

  #hear = (data, place) => {
    check(data, 1, this.#text)
    this.#places.set(place.channel ?? '', place)
    this.#left -= 1
    if (this.#left < 0) throw new Error(`wrong: ${JSON.stringify(data)} came twice`)
    if (this.#left === 0) this.#done()
  }
}

/** The text of a publication, as long as any, which says when it was made. */
function textOf({ payload }, letter) {
  return letter + payloadText(payload).slice(1)
}
