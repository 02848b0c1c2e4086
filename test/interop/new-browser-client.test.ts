import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import { type OpenBrowser, openBrowser } from '../browser/chromium.js'
import {
  ALL_TRANSPORTS,
  CROSS_ORIGIN_TRANSPORTS,
  type SockJSTransport,
} from '../browser/sockjs-transports.js'
import { LegacyServer } from './legacy-server.js'
import { clientScript, NewClientPage } from './new-client-page.js'
import { RedisServer } from './redis-server.js'

describe('the new client in a browser on the legacy server', function () {
  this.timeout(120_000)
  let chromium: OpenBrowser
  let redis: RedisServer
  let server: LegacyServer
  let elsewhere: EmptySite
  let script: string
  let page: NewClientPage

  before(async () => {
    script = await clientScript()
    redis = await RedisServer.start()
    elsewhere = await EmptySite.start()
    chromium = await openBrowser()
  })

  after(async () => {
    await chromium.close()
    await elsewhere.stop()
    await redis.stop()
  })

  beforeEach(async () => {
    server = await LegacyServer.create(redis.port)
  })

  afterEach(async () => {
    await page.close()
    await server.stop()
    expect(page.uncaught, 'uncaught errors of the page').to.deep.equal([])
  })

  async function load(address = `${server.host}/sign-in`): Promise<void> {
    page = await NewClientPage.load(chromium.browser, `${server.host}/sign-in`, address, script)
  }

  async function works(): Promise<void> {
    expect(await page.rpc('echo', { a: 1 })).to.deep.equal({ a: 1 })
    const [socket] = await server.sockets()
    expect(await server.ask('rpc', socket?.sid, 'echo', 2)).to.deep.equal([null, 2])
    await page.subscribe('news')
    expect(await page.publish('news', { b: 3 })).to.deep.equal([['news', { b: 3 }]])
  }

  type Way = readonly [title: string, transport: string, client: TokenSocketOptions]

  const waysOver = (transports: readonly SockJSTransport[]): readonly Way[] => [
    ['plain WebSocket', 'websocket', {}],
    ...transports.map(
      ({ name }): Way => [
        `SockJS’s ${name}`,
        name,
        { transports: ['sockjs'], sockjs: { transports: [name] } },
      ],
    ),
    ['SockJS as the old option chooses it', 'xhr-polling', { sockjs: { transports: ['xhr-polling'] } }],
  ]

  for (const [title, transport, client] of waysOver(ALL_TRANSPORTS)) {
    it(`works over ${title}, and comes back`, async () => {
      await load()
      expect(await page.open(client)).to.equal(transport)
      await works()
      await page.reconnected(() => server.ask('closeAll'))
      expect(await page.publish('news', { b: 4 })).to.deep.include(['news', { b: 4 }])
      expect(page.tokenRequests).to.deep.equal([
        ['POST', 'fetch'],
        ['GET', 'fetch'],
        ['GET', 'fetch'],
      ])
    })
  }

  for (const [title, transport, client] of waysOver(CROSS_ORIGIN_TRANSPORTS)) {
    it(`works from another origin over ${title}, if it may use JSONP`, async () => {
      await load(elsewhere.address)
      expect(await page.open({ ...client, host: server.host, jsonp: true })).to.equal(transport)
      await works()
      expect(page.tokenRequests.at(-1)).to.deep.equal(['GET', 'script'])
    })
  }

  it('gets no token from another origin without JSONP, which the legacy server does not allow by CORS', async () => {
    await load(elsewhere.address)
    expect(await page.open({ host: server.host, reconnect: false })).to.equal('token_failed')
  })
})

/** Another origin, with empty pages. */
class EmptySite {
  readonly #server = createServer((_request, response) => response.end())

  static async start(): Promise<EmptySite> {
    const site = new EmptySite()
    await new Promise<void>((resolve) => site.#server.listen(0, '127.0.0.1', resolve))
    return site
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve)
      this.#server.closeAllConnections()
    })
  }
}
