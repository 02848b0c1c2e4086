import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** A response that is read while it is still being written. */
export class Streamed {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly #response: IncomingMessage
  readonly #over: Promise<unknown>
  #text = ''
  #isOver = false

  constructor(response: IncomingMessage) {
    this.#response = response
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      this.#text += text
    })
    // Breaking off is an error too.
    response.on('error', () => {})
    this.#over = new Promise<void>((resolve) => {
      response.on('close', () => {
        this.#isOver = true
        resolve()
      })
    })
  }

  /** What comes next, up to and with an ending. */
  async until(ending: string): Promise<string> {
    let at = this.#text.indexOf(ending)
    while (at < 0) {
      if (this.#isOver) throw new Error(`The response ended without ${JSON.stringify(ending)}: ${this.#text}`)
      await Promise.race([once(this.#response, 'data').catch(() => {}), this.#over])
      at = this.#text.indexOf(ending)
    }
    const found = this.#text.slice(0, at + ending.length)
    this.#text = this.#text.slice(found.length)
    return found
  }

  /** All that is left, once the server has ended the response. */
  async rest(): Promise<string> {
    await this.#over
    if (!this.#response.complete) throw new Error('The response broke off')
    return this.#text
  }

  /** Breaks off, as a network error does. */
  abort(): void {
    this.#response.destroy()
  }
}
