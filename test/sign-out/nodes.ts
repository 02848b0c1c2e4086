/** Real sites on two nodes, with sessions in a store that they share. */
import { CLOSE_CODES, type RpcError, type TokenSocket } from '@token-socket/client'
import { RedisEngine } from '@token-socket/redis'
import { expect } from 'chai'
import { next, Site, type SiteOptions } from '../end-to-end/fixture.js'
import { RedisProcess } from '../redis/redis-process.js'
import { RedisStore } from './redis-store.js'

/** What an application does on each node. */
export type Prepare = (app: Parameters<NonNullable<SiteOptions['prepare']>>[0], store: RedisStore) => void

export class Nodes {
  readonly #redis: RedisProcess
  readonly #sites: Site[] = []
  #made = 0

  private constructor(redis: RedisProcess) {
    this.#redis = redis
  }

  static async start(): Promise<Nodes> {
    return new Nodes(await RedisProcess.start())
  }

  /** Two sites, each with its own store object. */
  async two(prepare: Prepare, options: SiteOptions = {}) {
    const prefix = `${++this.#made}:`
    const one = async () => {
      const store = new RedisStore(await this.#redis.admin())
      const engine = new RedisEngine({ url: this.#redis.url, prefix, logger: { info() {}, warn() {} } })
      await engine.ready()
      const site = await Site.start({
        engine,
        secret: 'of the tests, 32 bytes long or more',
        prepare: (app) => prepare(app, store),
        ...options,
      })
      this.#sites.push(site)
      return { site, store }
    }
    return [await one(), await one()] as const
  }

  /** Ends Redis, until {@link restart}. */
  kill(): Promise<void> {
    return this.#redis.kill()
  }

  restart(): Promise<void> {
    return this.#redis.restart()
  }

  /** Ends the sites. */
  async clear(): Promise<void> {
    await Promise.all(this.#sites.splice(0).map((site) => site.stop()))
  }

  async stop(): Promise<void> {
    await this.clear()
    await this.#redis.stop()
  }
}

/** A browser: it keeps its cookie, and sends it. */
export class Browser {
  readonly #site: Site
  headers: { Cookie: string } = { Cookie: '' }

  constructor(site: Site) {
    this.#site = site
  }

  async send(path: string, method = 'POST'): Promise<string> {
    const response = await fetch(this.#site.url + path, { method, headers: this.headers })
    const [cookie] = String(response.headers.get('set-cookie') ?? this.headers.Cookie).split(';', 1)
    // Clients hold this object: it changes for them too.
    this.headers.Cookie = cookie ?? ''
    return response.text()
  }
}

/** Resolves when a client's socket is closed, and fails unless that was because it was revoked. */
export async function revoked(client: TokenSocket): Promise<void> {
  const [error] = (await next(client, 'disconnect')) as [RpcError]
  expect(error.data).to.include({ code: CLOSE_CODES.revoked.code })
}
