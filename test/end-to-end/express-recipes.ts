/** The programs of docs/EXPRESS.md, as they are written, and what a test needs to run them. */
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Controller, TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { TokenSocketServer, type TokenSocketServerOptions } from '@token-socket/server'
import type { Express } from 'express'
import { RecordedLog } from '../server/recorded-log.js'

const root = new URL('../..', import.meta.url).pathname

/** What can be changed of the options of a server. */
export type Options = Partial<TokenSocketServerOptions>

/** Applications, servers and clients of one test. */
export class ExpressWorld {
  readonly log = new RecordedLog()
  readonly #folder: string
  readonly #ends: (() => unknown)[] = []

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Reads the document. */
  static async open(): Promise<ExpressWorld> {
    const folder = await mkdtemp(join(root, 'node_modules/.express-'))
    const document = await readFile(join(root, 'docs/EXPRESS.md'), 'utf8')
    for (const [, name = '', code = ''] of document.matchAll(/```js ([\w-]+\.mjs)\n([\s\S]*?)```/g))
      await writeFile(join(folder, name), code)
    return new ExpressWorld(folder)
  }

  /** A program of the document. @param version loads it again, as hot reload does */
  async load<Recipe>(name: string, version = 0): Promise<Recipe> {
    return import(`${join(this.#folder, name)}.mjs?${version}`)
  }

  /** Options that every server here has. */
  options(more: Options = {}): Options {
    const socketController = {
      echo: (_auth: unknown, data: unknown) => data,
      whoami: (auth: unknown) => auth,
    }
    return { secret: 's'.repeat(32), logger: this.log, socketController, ...more }
  }

  /** A server, which is shut down at the end of the test. */
  make(app: Express, server: Server, more: Options = {}): TokenSocketServer {
    return this.keep(new TokenSocketServer({ ...this.options(more), app, server }))
  }

  keep(sockets: TokenSocketServer): TokenSocketServer {
    this.atEnd(() => sockets.shutdown())
    return sockets
  }

  atEnd(run: () => unknown): void {
    this.#ends.push(run)
  }

  async listen(server: Server): Promise<Server> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.atEnd(() => {
      server.closeAllConnections()
      server.close()
    })
    return server
  }

  /** An HTTP server that listens, and answers by the application. */
  serve(app: Express): Promise<Server> {
    return this.listen(createServer(app))
  }

  client(server: Server, options: TokenSocketOptions = {}, actions: Controller = {}): TokenSocket {
    const host = `127.0.0.1:${portOf(server)}`
    const client = new TokenSocket({ host, logLevel: 'none', ...options }, actions)
    this.atEnd(() => client.end())
    return client
  }

  /** Ends all of one test. */
  async clear(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end()
    this.log.lines.length = 0
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** For a `describe`: a world that every test begins anew in. */
export function useExpressWorld(): () => ExpressWorld {
  let world: ExpressWorld
  before(async () => {
    world = await ExpressWorld.open()
  })
  afterEach(() => world.clear())
  after(() => world.close())
  return () => world
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** Asks an HTTP server. */
export function ask(server: Server, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${portOf(server)}${path}`, init)
}

/** Signs in by a request, and gives the header that a browser sends from then on. */
export async function signedIn(server: Server, path = '/sign-in', cookie = ''): Promise<{ Cookie: string }> {
  const response = await ask(server, path, { method: 'POST', headers: cookie ? { cookie } : {} })
  await response.text()
  return {
    Cookie: String(response.headers.get('set-cookie') ?? cookie)
      .split(';', 1)
      .join(),
  }
}
