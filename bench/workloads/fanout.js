import { Load } from '../loader/load.js'
import { openClients } from './open-clients.js'
import { check, payloadText } from './payload.js'

/**
 * The server publishes to every subscriber, one publication or a burst of them in one turn, because one more client
 * asks it to. The next comes when every subscriber has every one.
 * @param {import('./open-clients.js').Setup} setup
 */
export async function createLoad(setup) {
  const fanout = new Fanout(setup)
  await fanout.open(setup, setup.connections)
  return fanout.load()
}

/** Subscribers, and one more client, which has the server publish. */
export class Fanout {
  #text
  #burst
  /** @type {import('../loader/client.js').Client[]} */
  #subscribers = []
  /** By the number of the burst. @type {Map<number, { left: number, done(): void, step(): void }>} */
  #running = new Map()
  #bursts = 0
  #publisher

  constructor({ payload, burst }) {
    this.#text = payloadText(payload)
    this.#burst = burst
  }

  /** Adds subscribers. */
  async open(setup, count) {
    const subscribers = await openClients(setup, count)
    await Promise.all(subscribers.map((client) => setup.wire.subscribe(client)))
    for (const client of subscribers) this.#listen(client)
    this.#subscribers.push(...subscribers)
    if (this.#publisher) return
    const [publisher] = await openClients(setup, 1)
    this.#publisher = publisher
  }

  /** Has one subscriber stop reading. It is counted no more. */
  stall() {
    this.#subscribers.pop()?.stall()
  }

  load() {
    return new Load({ operations: [this.publish], depth: 1, weight: this.#burst })
  }

  /** @type {import('../loader/load.js').Operation} */
  publish = (done, step) => {
    const first = this.#bursts * this.#burst
    this.#running.set(this.#bursts, { left: this.#subscribers.length * this.#burst, done, step })
    this.#bursts += 1
    const request = `{"n":${first},"count":${this.#burst},"text":"${this.#text}"}`
    this.#publisher.call('publish', request, () => {})
  }

  /** Each subscriber gets every publication from now on, once, in order. */
  #listen(client) {
    let next = this.#bursts * this.#burst
    client.onpublication = (data) => {
      check(data, next, this.#text)
      const number = Math.floor(next / this.#burst)
      next += 1
      const running = this.#running.get(number)
      running.step()
      running.left -= 1
      if (running.left > 0) return
      this.#running.delete(number)
      running.done()
    }
  }
}
