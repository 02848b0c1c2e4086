/** A real site for a test: an Express application, its HTTP server, a TokenSocketServer, clients and hostile peers. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Controller, type RpcError, TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { type Logger, TokenSocketServer, type TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import express, { type Express, type RequestHandler } from 'express'
import session from 'express-session'
import { type Carrier, openPeer, type Peer } from './peer.js'
import { type Surroundings, surroundings } from './surroundings.js'

/** What a test may set; all but the first three are options of the TokenSocketServer. */
export interface SiteOptions extends Partial<TokenSocketServerOptions> {
  /** Runs before the TokenSocketServer is made: middleware and routes. */
  readonly prepare?: (app: Express) => void
  /** @default any free one */
  readonly port?: number
  /** Leaves `logger` to the server. */
  readonly usesConsole?: boolean
}

/** A line that the server logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly details: Record<string, unknown>
  readonly message: string
}

/** What the `error` event told. */
export interface Failure {
  readonly cause: unknown
  readonly details: Record<string, unknown>
}

export const CONTROLLER = {
  echo: (_auth: unknown, data: unknown, callback: (error: unknown, data: unknown) => void) =>
    callback(null, data),
  whoami: (auth: unknown) => auth,
  /** Never answers. */
  hang: (_auth: unknown, _data: unknown, _callback: unknown) => {},
}

/** One server process's worth of a site. */
class SiteNode {
  readonly app: Express
  readonly http: Server
  readonly sockets: TokenSocketServer

  constructor({ prepare, port: _port, usesConsole, ...options }: SiteOptions, logger: Logger) {
    this.app = options.app ?? express()
    this.http = (options.server as Server | undefined) ?? createServer(this.app)
    prepare?.(this.app)
    this.app.get('/hello', (_request, response) => void response.send('hello'))
    this.sockets = new TokenSocketServer({
      app: this.app,
      server: this.http,
      authentication: (request: { query: Record<string, unknown> }) => ({
        name: request.query.name ?? 'ann',
      }),
      socketController: { ...CONTROLLER },
      ...(!usesConsole && { logger }),
      ...options,
    })
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port
  }

  async listen(port = 0): Promise<void> {
    this.http.listen(port, '127.0.0.1')
    await once(this.http, 'listening')
  }

  async close(): Promise<void> {
    this.http.closeAllConnections()
    if (this.http.listening) await new Promise((resolve) => this.http.close(resolve))
  }
}

/** One node, or as many as the surroundings of the tests want, as one. */
export class Site {
  readonly app: Express
  readonly http: Server
  readonly sockets: TokenSocketServer
  readonly log: LogLine[] = []
  readonly failures: Failure[] = []
  readonly #clients: TokenSocket[] = []
  readonly #peers: Peer[] = []
  readonly #nodes: readonly SiteNode[]
  readonly #around: Surroundings
  readonly #prefix: string
  readonly #tokenRoute: string

  static async start(options: SiteOptions = {}): Promise<Site> {
    const isOwn = ['engine', 'app', 'server', 'port'].some((name) => name in options)
    const around = await surroundings(isOwn ? 'one node' : undefined)
    const site = new Site(options, around)
    for (const node of site.#nodes) await node.listen(options.port)
    await around.open(site.#nodes.map(({ port }) => port))
    return site
  }

  private constructor(options: SiteOptions, around: Surroundings) {
    const logger = this.#logger()
    // They have their controller in common, as tests change it.
    const common = { socketController: { ...CONTROLLER }, ...options }
    const [first = {}, ...more] = around.nodes
    const node = new SiteNode({ ...first, ...common }, logger)
    this.#nodes = [node, ...more.map((own) => new SiteNode({ ...own, ...common }, logger))]
    this.app = node.app
    this.http = node.http
    this.#around = around
    this.sockets = around.join(this.#nodes.map(({ sockets }) => sockets))
    for (const { sockets } of this.#nodes) {
      sockets.on('error', (cause, details) => this.failures.push({ cause, details: { ...details } }))
    }
    this.#prefix = options.prefix ?? '/sockets'
    this.#tokenRoute = options.tokenRoute ?? '/socket/token'
  }

  get port(): number {
    return this.#around.port ?? (this.http.address() as AddressInfo).port
  }

  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  get url(): string {
    return `http://${this.host}`
  }

  /** A client of this site. */
  client(options: TokenSocketOptions = {}, actions: Controller = {}): TokenSocket {
    const client = new TokenSocket({ host: this.host, ...this.#around.client, ...options }, actions)
    this.#clients.push(client)
    return client
  }

  /** A client that is ready. */
  async ready(options: TokenSocketOptions = {}, actions: Controller = {}): Promise<TokenSocket> {
    const client = this.client(options, actions)
    await client.ready()
    return client
  }

  /** A client that is ready, and the same as the server sees it. */
  async pair(options: TokenSocketOptions = {}, actions: Controller = {}) {
    const before = new Set(this.sockets.sockets())
    const client = await this.ready(options, actions)
    const socket = this.sockets.sockets().find((one) => !before.has(one))
    if (!socket) throw new Error('the server has no new socket')
    return { client, socket }
  }

  /** A connection that has not said who it is. */
  async peer(carrier: Carrier = 'websocket', headers: Record<string, string> = {}): Promise<Peer> {
    const peer = openPeer(carrier, `${this.url}${this.#prefix}`, headers)
    this.#peers.push(peer)
    await peer.opened
    return peer
  }

  /** A connection that is let in. */
  async member(carrier: Carrier = 'websocket'): Promise<Peer> {
    const peer = await this.peer(carrier)
    await peer.auth(await this.token())
    return peer
  }

  /** Asks the token route. */
  askToken(init: RequestInit = {}, query = ''): Promise<Response> {
    return fetch(`${this.url}${this.#tokenRoute}${query}`, { method: 'POST', ...init })
  }

  async token(): Promise<string> {
    const response = await this.askToken()
    const { token } = (await response.json()) as { token: string }
    return token
  }

  /** Fails unless an honest client, and an ordinary HTTP request, are served as ever. */
  async servesHonestClients(): Promise<void> {
    expect(await (await fetch(`${this.url}/hello`)).text()).to.equal('hello')
    const client = await this.ready({ reconnect: false })
    await client.subscribe('honest')
    const message = next(client, 'message')
    await client.publish('honest', { from: 'an honest client' })
    expect(await message).to.deep.equal(['honest', { from: 'an honest client' }])
    expect(await client.rpc('echo', { still: 'here' })).to.deep.equal({ still: 'here' })
    await client.end()
  }

  /** Ends everything: clients, peers, the server, the HTTP server. */
  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()))
    for (const peer of this.#peers) peer.destroy()
    await this.sockets.shutdown()
    await Promise.all(this.#nodes.map((node) => node.close()))
    await this.#around.close()
  }

  #logger() {
    const note = (level: LogLine['level']) => (details: object, message: string) => {
      this.log.push({ level, details: { ...details }, message })
    }
    return { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  }
}

/** For a `describe`: starts sites and stops them all after each test. */
export function useSites(): (options?: SiteOptions) => Promise<Site> {
  const sites: Site[] = []
  afterEach(() => Promise.all(sites.splice(0).map((site) => site.stop())))
  return async (options) => {
    const site = await Site.start(options)
    sites.push(site)
    return site
  }
}

/** As on many nodes, which have them in common. */
const SESSIONS = new session.MemoryStore()

/** Sessions by cookie: `GET /sign-in?name=ann` signs in. */
export function sessions(app: Express): void {
  app.use(session({ secret: 'of the tests', resave: false, saveUninitialized: false, store: SESSIONS }))
  app.get('/sign-in', (request, response) => {
    Object.assign(request.session, { auth: { name: request.query.name }, cart: ['book'] })
    response.send('welcome')
  })
}

/** The `Cookie` header of a signed-in user. */
export async function signIn(site: Site, name = 'ann'): Promise<{ Cookie: string }> {
  const response = await fetch(`${site.url}/sign-in?name=${name}`)
  return { Cookie: String(response.headers.get('set-cookie')).split(';', 1).join() }
}

/** Middleware with a session in which the user is signed in always. */
export const alwaysSignedIn: RequestHandler = (request, _response, next) => {
  Object.assign(request, { session: { auth: { name: 'ann' }, cookie: { path: '/' } } })
  next()
}

type Emitter = { once(event: never, listener: (...args: never[]) => void): unknown }

/** What the next event carries: of a message, its channel and data. */
export function next(emitter: Emitter, event: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    emitter.once(event as never, (...args: unknown[]) =>
      resolve(event === 'message' ? args.slice(0, 2) : args),
    )
  })
}

/** A promise, and what settles it. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Real ones: a test may fake the clock. */
const { setImmediate: nextTurn, setTimeout: wait } = globalThis

/** Turns of the event loop that {@link until} looks in; a wait that lasts longer leaves the processor to others. */
const EAGER_TURNS = 500

/** Resolves as soon as `isTrue` is; looks once each turn of the event loop, later each millisecond. */
export async function until(isTrue: () => unknown): Promise<void> {
  for (let turns = 0; !isTrue(); turns += 1) {
    if (turns < EAGER_TURNS) await turn()
    else await new Promise((resolve) => wait(resolve, 1))
  }
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(resolve)
  })
}

/** What a promise rejects with. @throws if it resolves */
export async function rejection(promise: Promise<unknown>): Promise<RpcError> {
  return promise.then(
    (value) => {
      throw new Error(`it was expected to reject, but resolved with ${JSON.stringify(value)}`)
    },
    (error: unknown) => error as RpcError,
  )
}
