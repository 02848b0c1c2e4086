import { publishAll } from './publish-all.js'

/**
 * The least that a program needs on top of bare frames: `{ id, method, params }` is answered `{ id, result }`, a call of
 * the server `{ call, params }` is answered `{ call, result }`, and a publication is `{ channel, data }`. No errors, no
 * time-outs, no limits.
 */
export class JsonMessages {
  #calls = new Map()
  #lastCall = 0
  #functions

  /** @param {(data: object) => void} publish */
  constructor(publish) {
    this.#functions = {
      echo: (data) => data,
      publish: (request) => publishAll(request, publish),
      subscribe: (_channel, join) => join(),
    }
  }

  /**
   * A message came.
   * @param {string} text
   * @param {{ send(text: string): void, join(): void }} client who sent it
   */
  receive(text, { send, join }) {
    const { id, method, params, call, result } = JSON.parse(text)
    if (method !== undefined) {
      send(JSON.stringify({ id, result: this.#functions[method](params, join) ?? null }))
    } else {
      const done = this.#calls.get(call)
      this.#calls.delete(call)
      done(result)
    }
  }

  /** Calls a client. */
  call(send, params, done) {
    const call = ++this.#lastCall
    this.#calls.set(call, done)
    send(JSON.stringify({ call, params }))
  }
}

/** @param {object} data */
export function encodePublication(data) {
  return JSON.stringify({ channel: 'news', data })
}
