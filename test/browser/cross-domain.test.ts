import { expect } from 'chai'
import type { Page, Request } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, endSocket, pageWith, Site, type SiteOptions, uncaughtIn } from './site.js'
import { CROSS_ORIGIN_TRANSPORTS, EVERY_TRANSPORT } from './sockjs-transports.js'

/** Other options of the client where SockJS is to be used. */
const viaSockJS = (name: string) => ({ transports: ['sockjs'], sockjs: { transports: [name] } }) as const

describe('a page of another origin', () => {
  let chromium: OpenBrowser
  let page: Page
  let other: Site
  let uncaught: string[]
  let site: Site | undefined
  /** How the page asked for tokens. */
  const asked: string[] = []

  before(async function () {
    this.timeout(120_000)
    other = await Site.open()
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
    uncaught = uncaughtIn(page)
    page.on('request', (request) => {
      if (isForToken(request)) asked.push(`${request.method()} by ${request.resourceType()}`)
    })
  })

  afterEach(async () => {
    await page.goto('about:blank')
    await page.context().clearCookies()
    await site?.close()
    site = undefined
    asked.length = 0
    other.headers = {}
    expect(uncaught.splice(0)).to.deep.equal([])
  })

  after(async () => {
    await chromium?.close()
    await other?.close()
  })

  /** Opens the server's site, and signs in there. */
  async function open(options: SiteOptions): Promise<Site> {
    const opened = await Site.open(options)
    site = opened
    other.page = pageWith(`${opened.origin}/sockets/token-socket.min.js`)
    await page.goto(`${opened.origin}/sign-in`)
    return opened
  }

  /** Opens the server's site, signs in there, and visits the page of the other origin. */
  async function visit(options: SiteOptions, address = other.origin): Promise<Site> {
    const opened = await open(options)
    await page.goto(`${address}/`)
    return opened
  }

  describe('that the server’s `origins` name', () => {
    const ways = [
      { title: 'plain WebSocket', transport: 'websocket', options: {} },
      ...CROSS_ORIGIN_TRANSPORTS.map(({ name }) => ({
        title: `SockJS’s ${name}`,
        transport: name,
        options: viaSockJS(name),
      })),
    ]
    for (const { title, transport, options } of ways) {
      it(`works over ${title}, with a token by CORS and the user’s cookie`, async () => {
        const { origin } = await visit({ sockets: { origins: [other.origin], ...EVERY_TRANSPORT } })
        expect(await connect(page, { host: origin, ...options })).to.deep.equal({ transport })
        expect(await page.evaluate(() => window.socket.rpc('whoami'))).to.deep.equal({ name: 'Ada' })
        expect(asked).to.deep.equal(['POST by fetch'])
        await endSocket(page)
      })
    }

    it('works where `origins` is a function', async () => {
      const { origin } = await visit({ sockets: { origins: (asking) => asking === other.origin } })
      expect(await connect(page, { host: origin })).to.deep.equal({ transport: 'websocket' })
    })

    it('works where the page keeps its address to itself', async () => {
      other.headers = { 'Referrer-Policy': 'no-referrer' }
      const { origin } = await visit({ sockets: { origins: [other.origin] } })
      expect(await connect(page, { host: origin })).to.deep.equal({ transport: 'websocket' })
    })

    it('hears that nobody is signed in', async () => {
      const { origin } = await visit({ sockets: { origins: [other.origin] } })
      await page.context().clearCookies()
      expect(await connect(page, { host: origin })).to.deep.equal({
        code: 'token_refused',
        message: `Forbidden, HTTP status 403 from ${origin}/socket/token`,
        data: { status: 403, url: `${origin}/socket/token` },
      })
      expect(asked).to.have.length(1)
    })

    it('of another site, where the browser sends no cookie, may say who it is by `authentication`', async () => {
      const sockets: SiteOptions['sockets'] = {
        origins: [other.localhost],
        authentication: ({ query, headers }) => ({ ...query, cookie: headers.cookie ?? 'none' }),
      }
      const { origin } = await visit({ sockets }, other.localhost)
      expect(await connect(page, { host: origin, authentication: { key: 'of Ada' } })).to.deep.equal({
        transport: 'websocket',
      })
      const who = await page.evaluate(() => window.socket.rpc('whoami'))
      expect(who).to.deep.equal({ key: 'of Ada', cookie: 'none' })
    })
  })

  describe('that they do not name', () => {
    it('gets no token by CORS, and asks nobody who the user is', async () => {
      const { origin, asked: judged } = await visit({ sockets: {} })
      expect(await connect(page, { host: origin, reconnect: false })).to.deep.equal({
        code: 'token_failed',
        message: `The token request to ${origin}/socket/token failed: Failed to fetch (is ${other.origin} allowed?)`,
      })
      expect(judged).to.deep.equal([])
    })

    it('gets none by JSONP either', async () => {
      const { origin, asked: judged } = await visit({ sockets: {} })
      expect(await connect(page, { host: origin, reconnect: false, jsonp: true })).to.deep.equal({
        code: 'token_failed',
        message: `The token request to ${origin}/socket/token failed: the request by JSONP failed`,
      })
      expect(asked).to.deep.equal(['POST by fetch', 'GET by script'])
      expect(judged).to.deep.equal([])
    })
  })

  describe('whose CORS headers a proxy drops', () => {
    /** Options of a site behind such a proxy. */
    const behindProxy = (sockets: SiteOptions['sockets'] = {}): SiteOptions => ({
      sockets: { origins: [other.origin], ...sockets },
      prepare: (app) =>
        app.use('/socket/token', (_request, response, next) => {
          const { writeHead } = response
          response.writeHead = ((...args: [number]) => {
            response.removeHeader('Access-Control-Allow-Origin')
            return writeHead.apply(response, args)
          }) as typeof writeHead
          next()
        }),
    })

    for (const [title, transport, options] of [
      ['plain WebSocket', 'websocket', {}],
      ['SockJS', 'xhr-streaming', viaSockJS('xhr-streaming')],
    ] as const) {
      it(`gets its token by JSONP with \`jsonp\`, for ${title}, and leaves nothing in the page`, async () => {
        const { origin } = await visit(behindProxy())
        const before = await page.evaluate(() => document.head.childElementCount)
        const outcome = await connect(page, { host: origin, jsonp: true, ...options })
        expect(outcome).to.deep.equal({ transport })
        expect(await page.evaluate(() => window.socket.rpc('whoami'))).to.deep.equal({ name: 'Ada' })
        expect(asked).to.deep.equal(['POST by fetch', 'GET by script'])
        expect(await left()).to.deep.equal([])
        expect(await page.evaluate(() => document.head.childElementCount)).to.equal(before)
      })
    }

    it('gets its token by JSONP from a site that helmet keeps from being embedded', async () => {
      const options = behindProxy()
      const prepare: SiteOptions['prepare'] = (app) => {
        app.use((_request, response, next) => {
          response.set('Cross-Origin-Resource-Policy', 'same-origin')
          next()
        })
        options.prepare?.(app)
      }
      const { origin } = await visit({ ...options, prepare })
      expect(await connect(page, { host: origin, jsonp: true })).to.deep.equal({ transport: 'websocket' })
    })

    it('gets none without', async () => {
      const { origin } = await visit(behindProxy())
      expect(await connect(page, { host: origin, reconnect: false })).to.have.property('code', 'token_failed')
      expect(asked).to.deep.equal(['POST by fetch'])
    })

    it('comes back with a fresh token by JSONP', async () => {
      const { origin, sockets } = await visit(behindProxy())
      await connect(page, { host: origin, jsonp: true })
      const back = page.evaluate(
        () => new Promise<unknown>((resolve) => window.socket.onreconnect((error) => resolve(error?.code))),
      )
      for (const socket of sockets.sockets()) socket.end()
      expect(await back).to.equal(undefined)
      expect(asked.filter((how) => how === 'GET by script')).to.have.length(2)
    })

    it('takes `authentication` along', async () => {
      const authentication = ({ query }: { query: Record<string, unknown> }) => ({ ...query, callback: '' })
      const { origin } = await visit(behindProxy({ authentication }))
      await connect(page, { host: origin, jsonp: true, authentication: { a: { b: 'ä&=' } } })
      const who = await page.evaluate(() => window.socket.rpc('whoami'))
      expect(who).to.deep.equal({ 'a[b]': 'ä&=', callback: '' })
    })

    it('gets none by JSONP if it keeps its address to itself', async () => {
      other.headers = { 'Referrer-Policy': 'no-referrer' }
      const { origin, asked: judged } = await visit(behindProxy())
      const outcome = await connect(page, { host: origin, reconnect: false, jsonp: true })
      expect(outcome).to.have.property(
        'message',
        `The token request to ${origin}/socket/token failed: the request by JSONP failed`,
      )
      // Once, by CORS: the server can’t know that the proxy keeps its answer from the page.
      expect(judged).to.have.length(1)
    })

    it('gives a script up that does not come in time, which harms nothing when it comes, and is forgotten', async () => {
      let release = () => {}
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      const authentication = async ({ method }: { method: string }) => {
        if (method === 'GET') await released
        return { name: 'Ada' }
      }
      const { origin } = await visit(behindProxy({ authentication }))
      const options = { host: origin, reconnect: false, jsonp: true, connectTimeout: 500 }
      expect(await connect(page, options)).to.deep.equal({
        code: 'token_failed',
        message: `The token request to ${origin}/socket/token failed: no answer in time`,
      })
      const came = page.waitForResponse((response) => isForToken(response.request()))
      release()
      await came
      await page.waitForFunction(
        () => !Object.keys(window).some((name) => name.startsWith('token_callback_')),
      )
    })

    /** Names of JSONP callbacks in the page. */
    const left = () =>
      page.evaluate(() => Object.keys(window).filter((name) => name.startsWith('token_callback_')))
  })
})

function isForToken(request: Request): boolean {
  return new URL(request.url()).pathname === '/socket/token'
}
