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
  await fanout.open(setup)
  return new Load({ operations: [fanout.publish], depth: 1, weight: setup.burst })
}

class Fanout {
  #text
  #burst
  #subscribers
  /** By the number of the burst. @type {Map<number, { left: number, done(): void, step(): void }>} */
  #running = new Map()
  #bursts = 0
  #publisher

  constructor({ payload, burst, connections }) {
    this.#text = payloadText(payload)
    this.#burst = burst
    this.#subscribers = connections
  }

  async open(setup) {
    const subscribers = await openClients(setup, this.#subscribers)
    await Promise.all(subscribers.map((client) => setup.wire.subscribe(client)))
    for (const client of subscribers) this.#listen(client)
    const [publisher] = await openClients(setup, 1)
    this.#publisher = publisher
  }

  /** @type {import('../loader/load.js').Operation} */
  publish = (done, step) => {
    const first = this.#bursts * this.#burst
    this.#running.set(this.#bursts, { left: this.#subscribers * this.#burst, done, step })
    this.#bursts += 1
    const request = `{"n":${first},"count":${this.#burst},"text":"${this.#text}"}`
    this.#publisher.call('publish', request, () => {})
  }

  /** Each subscriber gets every publication, once, in order. */
  #listen(client) {
    let next = 0
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
