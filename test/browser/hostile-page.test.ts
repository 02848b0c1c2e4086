import { readFileSync } from 'node:fs'
import type { TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import type { Frame, Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, pageWith, Site } from './site.js'
import { EVERY_TRANSPORT } from './sockjs-transports.js'

/** What the hostile page has for the test. */
interface HostilePage {
  readonly attempts: Readonly<Record<string, unknown>>
  attempt(name: string, server: string): Promise<string | null>
}

const SCRIPT = readFileSync(new URL('hostile-page.js', import.meta.url), 'utf8')

/** The attempts that get something where the page’s origin is allowed: it is known of these that they could. */
const ABLE = [
  'fetch by POST',
  'fetch by GET',
  'fetch with a callback',
  'fetch that hides its address',
  'fetch with a preflight',
  'XHR by POST',
  'XHR by GET',
  'a script',
  'a script with credentials by CORS',
  'a module script',
  'plain WebSocket',
  'SockJS’s WebSocket',
  'eventsource',
  'xhr_streaming',
  'xhr',
  'info',
]

const SERVERS: Readonly<
  Record<string, readonly [Partial<TokenSocketServerOptions>, able: readonly string[]]>
> = {
  'on a server as it is by default': [{}, ABLE],
  'on a server with JSONP and every other transport on': [
    EVERY_TRANSPORT,
    [...ABLE, 'a frame with the iframe page', 'jsonp'],
  ],
}

describe('a hostile page', function () {
  // Each test makes some thirty attempts, one after the other.
  this.timeout(120_000)

  let chromium: OpenBrowser
  let page: Page
  /** Where the hostile page is. */
  let other: Site
  let site: Site
  /** Cookies that came with requests for tokens. */
  const cookies: (string | undefined)[] = []
  before(async () => {
    other = await Site.open({
      prepare: (app) => {
        app.get(
          '/hostile-page.js',
          (_request, response) => void response.type('text/javascript').send(SCRIPT),
        )
        app.get('/framed', (_request, response) => void response.send(pageWith('/hostile-page.js')))
      },
    })
    chromium = await openBrowser()
    const context = await chromium.browser.newContext()
    page = await context.newPage()
    page.setDefaultTimeout(8000)
  })

  beforeEach(() => {
    other.page = pageWith('/hostile-page.js', '<body></body>')
    other.headers = {}
  })

  afterEach(async () => {
    await page.goto('about:blank')
    await site.close()
  })

  after(async () => {
    await chromium?.close()
    await other?.close()
  })

  /** Signs in at the site, then goes where the hostile page is. */
  async function open(sockets: Partial<TokenSocketServerOptions>, address: string): Promise<void> {
    site = await Site.open({
      sockets,
      prepare: (app) =>
        app.use('/socket/token', (request, _response, next) => {
          cookies.push(request.headers.cookie)
          next()
        }),
    })
    await page.goto(`${site.origin}/sign-in`)
    await page.goto(`${address}/`)
    cookies.length = 0
  }

  /** Makes every attempt, one after the other. @returns what they got */
  function attack(from: Page | Frame): Promise<Record<string, string>> {
    return from.evaluate(async (server) => {
      const hostile = window as unknown as HostilePage
      const loot: Record<string, string> = {}
      for (const name of Object.keys(hostile.attempts)) {
        const got = await hostile.attempt(name, server)
        if (got !== null) loot[name] = got
      }
      return loot
    }, site.origin)
  }

  /** Attacks, and fails if that got anything, or if the site gave anything away. */
  async function getsNothing(from: Page | Frame): Promise<void> {
    expect(await attack(from)).to.deep.equal({})
    expect(site.asked).to.deep.equal([])
    expect(site.sockets.sockets()).to.deep.equal([])
    expect(site.answers).to.have.length.above(20)
    expect(site.answers.filter(({ status }) => status !== 403 && status !== 404)).to.deep.equal([])
  }

  for (const [where, [options, able]] of Object.entries(SERVERS)) {
    describe(where, () => {
      it('is a page like any other if the site names it', async () => {
        await open({ ...options, origins: [other.origin] }, other.origin)
        expect(Object.keys(await attack(page))).to.have.members(able)
      })

      it('gets nothing with the user’s cookies, from another port of the same host', async () => {
        await open(options, other.origin)
        await getsNothing(page)
        expect(cookies.filter((cookie) => cookie?.includes('connect.sid='))).to.have.length.above(10)
      })

      it('gets nothing by keeping its address to itself', async () => {
        other.headers = { 'Referrer-Policy': 'no-referrer' }
        await open(options, other.origin)
        await getsNothing(page)
      })
    })
  }

  it('gets nothing from another host', async () => {
    await open({}, other.localhost)
    await getsNothing(page)
  })

  it('gets nothing from a frame without an origin', async () => {
    other.page = '<!doctype html><iframe sandbox="allow-scripts allow-forms" src="/framed"></iframe>'
    await open({}, other.origin)
    const [, frame] = page.frames()
    if (!frame) throw new Error('there is no frame')
    await getsNothing(frame)
  })

  it('gets nothing while the user has the site open, whose socket it does not harm', async () => {
    await open({}, other.origin)
    const own = await page.context().newPage()
    await own.goto(`${site.origin}/`)
    await connect(own)
    expect(await attack(page)).to.deep.equal({})
    expect(site.sockets.sockets()).to.have.length(1)
    expect(await own.evaluate(() => window.socket.rpc('echo', 'unharmed'))).to.equal('unharmed')
    await own.close()
  })
})
