/** Sites for the tests in Chromium: one with sockets, and pages of other origins that load its script. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { TokenSocket, TokenSocketOptions } from '@token-socket/client'
import { TokenSocketServer, type TokenSocketServerOptions } from '@token-socket/server'
import express, { type Express } from 'express'
import session from 'express-session'
import type { Frame, Page } from 'playwright-core'

declare global {
  interface Window {
    /** What the script tag defines. */
    TokenSocket: typeof TokenSocket
    /** The socket of the test that runs. */
    socket: TokenSocket
  }
}

/** What a test may set. */
export interface SiteOptions {
  /** Options of the TokenSocketServer; without them the site has pages only. */
  readonly sockets?: Partial<TokenSocketServerOptions>
  /** Runs before the TokenSocketServer is made: middleware and routes. */
  readonly prepare?: (app: Express) => void
}

const SOCKJS = createRequire(import.meta.url).resolve('sockjs-client/dist/sockjs.min.js')

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A page that loads a script, by default the client's from its own server. */
export function pageWith(script = '/sockets/token-socket.min.js', rest = ''): string {
  return `<!doctype html><title>A page</title><script src="${script}"></script>${rest}`
}

/** A web server on the loopback interface: a page at `/`, SockJS’s script, and sockets where the test wants them. */
export class Site {
  /** The page at `/`. May be changed at any time. */
  page = pageWith()
  /** Headers of that page. May be changed at any time. */
  headers: Record<string, string> = {}
  /** Whom `authentication` was asked about: the origin and the cookie of each token request that came so far. */
  readonly asked: { readonly origin: string | undefined; readonly cookie: string | undefined }[] = []
  readonly #app = express()
  readonly #server: Server
  readonly #responses: ServerResponse[] = []
  readonly #sockets: TokenSocketServer | undefined

  static async open(options: SiteOptions = {}): Promise<Site> {
    const site = new Site(options)
    site.#server.listen(0, '127.0.0.1')
    await once(site.#server, 'listening')
    return site
  }

  private constructor({ sockets, prepare }: SiteOptions) {
    const app = this.#app
    const responses = this.#responses
    class NotedResponse extends ServerResponse<IncomingMessage> {
      constructor(request: IncomingMessage) {
        super(request)
        responses.push(this)
      }
    }
    this.#server = createServer({ ServerResponse: NotedResponse }, app)
    // Headers change while the page does not: a browser's copy would keep the old ones.
    app.disable('etag')
    app.get('/favicon.ico', (_request, response) => void response.status(204).end())
    app.get('/sockjs.min.js', (_request, response) => response.sendFile(SOCKJS, { dotfiles: 'allow' }))
    app.get('/', (_request, response) => void response.set(this.headers).send(this.page))
    if (sockets) app.use(session({ secret: 'only a test', resave: false, saveUninitialized: false }))
    app.get('/sign-in', (request, response) => {
      Object.assign(request.session, { auth: { name: 'Ada' } })
      response.send('Welcome')
    })
    prepare?.(app)
    this.#sockets = sockets && new TokenSocketServer({ ...this.#defaults(), ...sockets })
  }

  /** `http://127.0.0.1:<port>`; its page's cookies go to other ports of that address too. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** The same site by another host name, which is another site to browsers. */
  get localhost(): string {
    return `http://localhost:${this.port}`
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** What it has answered so far to requests for tokens and sockets, upgrades aside. */
  get answers(): { readonly asked: string; readonly status: number }[] {
    const ours = this.#responses.filter(({ req }) => /^\/sockets?\b/.test(req.url ?? ''))
    return ours.map(({ req, statusCode }) => ({ asked: `${req.method} ${req.url}`, status: statusCode }))
  }

  get sockets(): TokenSocketServer {
    if (!this.#sockets) throw new Error('this site has pages only')
    return this.#sockets
  }

  async close(): Promise<void> {
    await this.#sockets?.shutdown()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #defaults() {
    return {
      app: this.#app,
      server: this.#server,
      secret: 'only a test, of 32 bytes or more',
      logger: silent,
      authentication: (request: express.Request) => {
        const { origin, cookie } = request.headers
        this.asked.push({ origin, cookie })
        return (request.session as { auth?: unknown }).auth
      },
      socketController: { echo: (_auth: unknown, data: unknown) => data, whoami: (auth: unknown) => auth },
    }
  }
}

/** How a page's socket got on: what carries it, or why it never will be ready. */
export interface Outcome {
  readonly transport?: string | undefined
  readonly code?: string
  readonly message?: string
  readonly data?: unknown
}

/** Makes the page's socket and waits until it is ready, or failed. */
export function connect(page: Page | Frame, options: TokenSocketOptions = {}): Promise<Outcome> {
  return page.evaluate(async (settings) => {
    window.socket = new window.TokenSocket(settings)
    return window.socket.ready().then(
      () => ({ transport: window.socket.transport }),
      ({ code, message, data }) => ({ code, message, ...(data !== undefined && { data }) }),
    )
  }, options)
}

/** Ends the page's socket, if it has one. */
export function endSocket(page: Page | Frame): Promise<void> {
  return page.evaluate(() => window.socket?.end())
}

/** Notes what a page throws and does not catch, rejections too. */
export function uncaughtIn(page: Page): string[] {
  const uncaught: string[] = []
  page.on('pageerror', (error) => uncaught.push(String(error)))
  return uncaught
}
