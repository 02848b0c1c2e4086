/** A server whose users are signed in always, and which serves what a bundler has made. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenSocketServer } from '@token-socket/server'
import express, { type Express } from 'express'

/** What a server of the tests does. */
export interface SiteOptions {
  /** `false`: it opens no WebSocket, as behind a proxy that does not know them. @default true */
  readonly webSocket?: boolean
  /** The path that its routes are below. @default '' */
  readonly below?: string
}

export class Site {
  readonly app: Express = express()
  readonly sockets: TokenSocketServer
  readonly #server = createServer(this.app)

  /** @param origins of pages that may connect besides its own */
  constructor(origins: 'own' | '*' = 'own', { webSocket = true, below = '' }: SiteOptions = {}) {
    this.sockets = new TokenSocketServer({
      app: this.app,
      server: this.#server,
      prefix: `${below}/sockets`,
      tokenRoute: `${below}/socket/token`,
      secret: 'of the bundlers’ tests, 32 bytes or more',
      authentication: async () => ({ name: 'ann' }),
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      socketController: {
        askBack: async (_auth, data, _callback, socket) => ({ doubled: await socket.rpc('double', data) }),
      },
      ...(origins === '*' && { origins: '*' }),
    })
    if (!webSocket) this.#server.removeAllListeners('upgrade')
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this.host
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    await this.sockets.shutdown()
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
