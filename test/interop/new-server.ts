import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { TokenSocketServer, type TokenSocketServerOptions } from '@token-socket/server'
import express from 'express'
import session from 'express-session'
import { legacyClientFile } from './legacy-client.js'

declare module 'express-session' {
  interface SessionData {
    auth: { readonly user: string }
  }
}

/** What a test may set of the server's options. */
export type NewServerOptions = Partial<Omit<TokenSocketServerOptions, 'app' | 'server'>>

const PAGE = `<!doctype html><html><head><meta charset="utf-8"><title>Legacy client</title></head><body>
<script src="/sockjs.min.js"></script><script src="/tokensockjs.min.js"></script><script src="/legacy-page.js"></script>
</body></html>`

const SCRIPTS: Readonly<Record<string, string>> = {
  '/sockjs.min.js': createRequire(import.meta.url).resolve('sockjs-client/dist/sockjs.min.js'),
  '/legacy-page.js': new URL('legacy-page.js', import.meta.url).pathname,
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** The new server on an application with sign-in, as an application of the legacy pair has it, and a page of that time. */
export class NewServer {
  /** Of the running server: after {@link restart} it is another. */
  sockets!: TokenSocketServer
  port = 0
  readonly #options: NewServerOptions
  readonly #store = new session.MemoryStore()
  readonly #legacyClient: string
  #server!: Server

  private constructor(options: NewServerOptions, legacyClient: string) {
    this.#options = options
    this.#legacyClient = legacyClient
  }

  static async create(options: NewServerOptions = {}): Promise<NewServer> {
    const server = new NewServer(options, await legacyClientFile('clients/browser/tokensockjs.min.js'))
    await server.start()
    return server
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Stops it and starts another on the same port. Sessions stay, as in a store of their own; sockets and secret don't. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Starts it, on its former port if it had one. */
  async start(): Promise<void> {
    const app = this.#makeApp()
    this.#server = createServer(app)
    this.sockets = new TokenSocketServer({ logger: silent, ...this.#options, app, server: this.#server })
    await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve))
    this.port = (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    await this.sockets.shutdown()
    await new Promise((resolve) => {
      this.#server.close(resolve)
      this.#server.closeAllConnections()
    })
  }

  #makeApp(): express.Express {
    const app = express()
    app.get('/favicon.ico', (_request, response) => void response.status(204).end())
    for (const [path, file] of Object.entries(SCRIPTS)) {
      app.get(path, (_request, response) => response.sendFile(file, { dotfiles: 'allow' }))
    }
    app.get('/tokensockjs.min.js', (_request, response) => {
      response.type('text/javascript').send(this.#legacyClient)
    })
    app.use(session({ secret: 'test', resave: false, saveUninitialized: false, store: this.#store }))
    app.get('/', (_request, response) => void response.send(PAGE))
    app.get('/sign-in', (request, response) => {
      request.session.auth = { user: 'ada' }
      response.redirect('/')
    })
    return app
  }
}
