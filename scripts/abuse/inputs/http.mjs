// HTTP requests of any content, over a few connections that are kept.
import { Agent, request } from 'node:http'
import { Breach } from './breach.mjs'

/** Milliseconds that an answer may take. */
const PATIENCE = 15_000

export class Browser {
  #agent = new Agent({ keepAlive: true, maxSockets: 16 })
  #port

  constructor(port) {
    this.#port = port
  }

  /** @returns the status and the body @throws Breach if there is no answer */
  ask({ method = 'POST', path, headers = {}, body = '' }) {
    const input = JSON.stringify({ method, path, headers, body: String(body) })
    return new Promise((resolve, reject) => {
      const length = Buffer.byteLength(body)
      const options = { agent: this.#agent, port: this.#port, host: '127.0.0.1', timeout: PATIENCE }
      const sent = method === 'GET' ? {} : { 'content-length': length }
      const asked = request({ ...options, method, path, headers: { ...headers, ...sent } }, (response) => {
        const chunks = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }),
        )
      })
      asked.on('timeout', () => asked.destroy(new Error('no answer came in time')))
      asked.on('error', (error) => reject(new Breach(`a request was not answered: ${error.message}`, input)))
      asked.end(method === 'GET' ? undefined : body)
    })
  }

  /** A response that goes on. @returns what ends it */
  stream(path, hear) {
    const asked = request({ port: this.#port, host: '127.0.0.1', method: 'POST', path }, (response) => {
      response.setEncoding('utf8')
      response.on('data', hear)
      response.on('error', () => {})
    })
    asked.on('error', () => {})
    asked.end()
    return () => asked.destroy()
  }

  close() {
    this.#agent.destroy()
  }
}
