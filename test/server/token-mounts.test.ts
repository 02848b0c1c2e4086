/** What an application's token routes and health routes answer by each HTTP server that it has. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express, { type Express } from 'express'
import fc from 'fast-check'
import { EXPRESS_VERSIONS } from './applications.js'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** HTTP servers: two that have TokenSocketServers, and one that has none. */
const HTTP_SERVERS = [0, 1, 2]
const PATHS = [0, 1]

/** What is done: at an HTTP server, with a pair of paths. */
interface Step {
  readonly at: number
  readonly path: number
  readonly act: 'make' | 'shutdown' | 'final'
}

const STEPS = fc.array(
  fc.record<Step>({
    at: fc.constantFrom(0, 1),
    path: fc.constantFrom(...PATHS),
    act: fc.constantFrom('make', 'make', 'shutdown', 'final'),
  }),
  { minLength: 2, maxLength: 8 },
)

/** What docs/EXPRESS.md says of one place: an HTTP server and a pair of paths. */
type Place = 'open' | 'closed'

class World {
  readonly app: Express
  readonly #https: Server[] = []
  readonly #servers = new Map<string, TokenSocketServer>()
  readonly #model = new Map<string, Place>()
  readonly #given = new Set<number>()

  constructor(app: Express) {
    this.app = app
  }

  async open(): Promise<void> {
    for (const _ of HTTP_SERVERS) {
      const http = createServer(this.app)
      http.listen(0, '127.0.0.1')
      await once(http, 'listening')
      this.#https.push(http)
    }
  }

  act({ at, path, act }: Step): void {
    const place = `${at} ${path}`
    if (act === 'make') {
      if (this.#model.get(place) !== 'open') this.#make(at, path)
    } else if (this.#model.has(place)) {
      this.#servers.get(place)?.shutdown({ final: act === 'final' })
      if (act === 'final') this.#model.delete(place)
      else this.#model.set(place, 'closed')
    }
  }

  #make(at: number, path: number): void {
    const options = { prefix: `/p${path}`, tokenRoute: `/t${path}`, secret: 's'.repeat(32), logger }
    const sockets = new TokenSocketServer({
      ...{ app: this.app, server: this.#https[at] as Server, ...options },
      authentication: () => true,
      customMiddleware: (_request, response, next) => {
        response.set('X-By', String(at))
        next()
      },
    })
    this.#servers.set(`${at} ${path}`, sockets)
    for (const other of PATHS)
      if (this.#model.get(`${at} ${other}`) === 'closed') this.#model.delete(`${at} ${other}`)
    this.#model.set(`${at} ${path}`, 'open')
    this.#given.add(at)
  }

  async check(): Promise<void> {
    for (const at of HTTP_SERVERS)
      for (const path of PATHS) {
        const port = this.#portOf(at)
        const [token, health] = await Promise.all([
          fetch(`http://127.0.0.1:${port}/t${path}`, { method: 'POST' }),
          fetch(`http://127.0.0.1:${port}/p${path}/health`),
        ])
        await Promise.all([token.text(), health.text()])
        const by = token.headers.get('x-by')
        const place = `by ${at}, path ${path}`
        expect(`${token.status}${by === null ? '' : ` of ${by}`}`, place).to.equal(this.#token(at, path))
        expect(health.status, place).to.equal(this.#health(at, path))
      }
  }

  #portOf(at: number): number {
    return ((this.#https[at] as Server).address() as AddressInfo).port
  }

  #token(at: number, path: number): string {
    const own = this.#model.get(`${at} ${path}`)
    if (own) return own === 'open' ? `200 of ${at}` : '503'
    const others = [0, 1].filter((other) => other !== at)
    const open = others.filter((other) => this.#model.get(`${other} ${path}`) === 'open')
    if (open.length > 0) return `200 of ${open.length > 1 ? this.#older(path) : open[0]}`
    const isDown = others.some((other) => this.#model.get(`${other} ${path}`) === 'closed')
    return isDown && !this.#given.has(at) ? '503' : '404'
  }

  /** Places are in the order in which they were opened. */
  #older(path: number): number {
    return [...this.#model.keys()].find((place) => place.endsWith(` ${path}`))?.startsWith('0') ? 0 : 1
  }

  #health(at: number, path: number): number {
    const own = this.#model.get(`${at} ${path}`)
    return own ? { open: 200, closed: 503 }[own] : 404
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((sockets) => sockets.shutdown()))
    for (const http of this.#https) {
      http.closeAllConnections()
      http.close()
    }
  }
}

describe('token routes of one application on several HTTP servers', function () {
  this.timeout(60_000)

  for (const { name, make } of EXPRESS_VERSIONS)
    it(`answer by each HTTP server what was made and shut down there (${name})`, () =>
      fc.assert(
        fc.asyncProperty(STEPS, async (steps) => {
          const world = new World(make())
          await world.open()
          try {
            for (const step of steps) {
              world.act(step)
              await world.check()
            }
          } finally {
            await world.close()
          }
        }),
        { numRuns: 25 },
      ))

  it('are answered by the oldest server that is open, for an HTTP server that has none', async () => {
    const world = new World(express())
    await world.open()
    const steps = [
      { at: 0, act: 'make' },
      { at: 1, act: 'make' },
      { at: 0, act: 'shutdown' },
      { at: 0, act: 'make' },
    ] as const
    try {
      for (const step of steps) {
        world.act({ path: 0, ...step })
        await world.check()
      }
    } finally {
      await world.close()
    }
  })

  it('keep nothing of HTTP servers that are closed', async () => {
    const app = express()
    type Mounted = { readonly answerers: ReadonlyMap<Server, unknown> }
    const known: WeakMap<Express, Map<string, Mounted>> = Object(globalThis)[
      Symbol.for('@token-socket/server token routes 1')
    ]
    for (let left = 20; left > 0; left -= 1) {
      const http = createServer(app).listen(0, '127.0.0.1')
      await once(http, 'listening')
      await new TokenSocketServer({ app, server: http, secret: 's'.repeat(32), logger }).shutdown()
      http.close()
      await once(http, 'close')
    }
    expect(known.get(app)?.get('/socket/token')?.answerers.size).to.equal(1)
  })
})
