/** What pages on another host of the same site get of a signed-in user's token, if they hide their origin. */
import type { TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { Site } from './site.js'

/** What a page got, as `got`, when it is `done`. */
type Got = { got?: unknown; done?: boolean }

/** How a page asks for a token. @param url the token route's */
const WAYS: Readonly<Record<string, (url: string, hop: string) => string>> = {
  'a script without a Referer': (url) =>
    `<meta name="referrer" content="no-referrer"><script>function take(it) { got = it.token }</script>
    <script src="${url}?callback=take" onload="done = true" onerror="done = true"></script>`,
  'a script of a sandboxed frame': (url) =>
    `<script>onmessage = ({ data }) => { got = data; done = true }</script>
    <iframe sandbox="allow-scripts" srcdoc="<script>function take(it) { parent.postMessage(it.token, '*') }
      const end = () => parent.postMessage(undefined, '*')</script>
      <script src='${url}?callback=take' onload='end()' onerror='end()'></script>"></iframe>`,
  'a request that another host redirects': (_url, hop) =>
    `<script>fetch('${hop}', { credentials: 'include' }).then((answer) => answer.json())
      .then(({ token }) => { got = token }, () => {}).finally(() => { done = true })</script>`,
}

describe('a page on another host of the same site', () => {
  let chromium: OpenBrowser
  let page: Page
  let site: Site | undefined
  let other: Site
  /** Where the other site's second host sends the browser on to. */
  let target = ''

  before(async function () {
    this.timeout(120_000)
    chromium = await openBrowser()
    other = await Site.open({
      prepare: (app) =>
        app.get('/hop', ({ headers }, response) => {
          response.set('Access-Control-Allow-Origin', String(headers.origin))
          response.set('Access-Control-Allow-Credentials', 'true').redirect(target)
        }),
    })
  })

  beforeEach(async () => {
    const context = await chromium.browser.newContext()
    page = await context.newPage()
    page.setDefaultTimeout(8000)
  })

  afterEach(async () => {
    await page.context().close()
    await site?.close()
  })

  after(async () => {
    await chromium?.close()
    await other?.close()
  })

  /** Signs in at one host of a site, and visits a page of another. @returns whether that got a token */
  async function isTaken(way: string, origins: TokenSocketServerOptions['origins']): Promise<boolean> {
    site = await Site.open({
      sockets: { origins },
      // As helmet is by default.
      prepare: (app) =>
        app.use((_request, response, next) => {
          response.set('Cross-Origin-Resource-Policy', 'same-origin')
          next()
        }),
    })
    const own = `http://app.site.localhost:${site.port}`
    target = `${own}/socket/token`
    other.page = `<!doctype html>${WAYS[way]?.(target, `http://third.site.localhost:${other.port}/hop`)}`
    await page.goto(`${own}/sign-in`)
    await page.goto(`http://other.site.localhost:${other.port}/`)
    await page.waitForFunction(() => (window as Got).done)
    return page.evaluate(() => typeof (window as Got).got === 'string')
  }

  for (const way of Object.keys(WAYS)) {
    it(`gets none by ${way}, where \`origins\` has \`null\` or a function that allows it`, async () => {
      expect(await isTaken(way, ['null'])).to.equal(false)
      await site?.close()
      expect(await isTaken(way, () => true)).to.equal(false)
      expect(site?.asked).to.deep.equal([])
    })
  }

  it('gets one by a redirect where `origins` allows all, as every page does', async () => {
    expect(await isTaken('a request that another host redirects', '*')).to.equal(true)
  })
})
