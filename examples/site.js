// What the servers of the chat and the playground have in common: an Express application that
// listens, answers whatever comes, and ends in good order.

import { createServer } from 'node:http'
import { join } from 'node:path'
import express from 'express'

/** The style that the pages of all examples begin with. */
const SHARED_STYLE = join(import.meta.dirname, 'shared.css')

const FIRST_PORT = 3000
const LAST_PORT = 65_535

export class Site {
  app = express()
  server = createServer(this.app)
  #isStopping = false
  #sockets

  constructor() {
    // 503 tells clients that it is worth trying again; a 404 of an application that is half gone
    // would not.
    this.app.use((_request, response, next) => {
      if (!this.#isStopping) return next()
      response.status(503).set({ 'Retry-After': '1', Connection: 'close' }).json({ error: 'Shutting down' })
    })
    // No inline script or style anywhere; connections to this server only.
    this.app.disable('x-powered-by').use((_request, response, next) => {
      response.set({
        'Content-Security-Policy': "default-src 'self'; connect-src 'self' ws: wss:",
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'same-origin',
      })
      next()
    })
    this.app.get('/shared.css', (_request, response) => response.sendFile(SHARED_STYLE))
  }

  /**
   * Listens, until a signal ends the process. After the application's own routes.
   * @param {string} name for people
   * @param {import('@token-socket/server').TokenSocketServer} sockets
   */
  async open(name, sockets) {
    this.#sockets = sockets
    this.#answerAllElse()
    const stop = () => this.#stop()
    process.on('SIGINT', stop).on('SIGTERM', stop)
    try {
      console.log(`The ${name} is at http://localhost:${await this.#listen()}/`)
    } catch (error) {
      console.error(error.message)
      process.exitCode = 1
      await stop()
    }
  }

  #answerAllElse() {
    this.app.use((_request, response) => {
      response.status(404).json({ error: 'Not found' })
    })
    this.app.use((error, _request, response, _next) => {
      const status = error.status ?? 500
      if (status >= 500) console.error(error)
      response.status(status).json({ error: status < 500 ? 'Bad request' : 'Internal error' })
    })
  }

  /** On PORT, or without it on the first free port from 3000 on. */
  async #listen({ PORT: wanted } = process.env) {
    if (wanted && !(/^\d+$/.test(wanted) && Number(wanted) <= LAST_PORT))
      throw new Error(`PORT has to be a number up to ${LAST_PORT}, not ${wanted}.`)
    for (let port = Number(wanted || FIRST_PORT); ; port += 1) {
      try {
        return await this.#listenOn(port)
      } catch (error) {
        if (error.code === 'EADDRINUSE' && !wanted) continue
        const why = { EADDRINUSE: 'is taken', EACCES: 'may not be used by this user' }[error.code]
        throw why ? new Error(`Port ${port} ${why}. Set PORT to another one, or to none.`) : error
      }
    }
  }

  #listenOn(port) {
    const { server } = this
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, () => {
        server.off('error', reject)
        resolve(server.address().port)
      })
    })
  }

  /** Says goodbye to every socket, so that pages know that they may come back, and ends. */
  async #stop() {
    if (this.#isStopping) return
    this.#isStopping = true
    this.server.close()
    await this.#sockets.shutdown()
    setTimeout(() => this.server.closeAllConnections(), 500).unref()
    setTimeout(() => process.exit(), 2000).unref()
  }
}
