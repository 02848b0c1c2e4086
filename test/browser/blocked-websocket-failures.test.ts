import { createRequire } from 'node:module'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { clientScript } from '../interop/new-client-page.js'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, endSocket, Site, uncaughtIn } from './site.js'
import { BlackHole, TcpProxy } from './tcp-proxy.js'

const SOCKJS = createRequire(import.meta.url).resolve('sockjs-client/dist/sockjs.min.js')

/** What the error says can be done. */
const REMEDY =
  'serve token-socket.fallback.min.js beside this script and allow it in script-src, or use token-socket.full.min.js'

/** What a page of these tests notes of its socket. */
interface PageGlobals {
  /** The errors' codes of the tries that failed. */
  failures: (string | undefined)[]
}

describe('a page that nothing connects', function () {
  this.timeout(120_000)

  let site: Site
  let proxy: TcpProxy
  let hole: BlackHole
  let chromium: OpenBrowser
  let page: Page
  let uncaught: string[]
  let script: string

  before(async () => {
    script = await clientScript()
    site = await Site.open({ sockets: { transports: ['xhr-streaming', 'xhr-polling'] } })
    site.page = '<!doctype html><title>No script</title>'
    proxy = await TcpProxy.open(site.port)
    hole = await BlackHole.open()
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(15_000)
    uncaught = uncaughtIn(page)
    await page.goto(`${proxy.origin}/sign-in`)
  })

  beforeEach(async () => {
    await page.goto(`${proxy.origin}/`)
    // Text in the page: it has no address beside which a fallback script could be.
    await page.addScriptTag({ content: script })
  })

  afterEach(() => endSocket(page))

  after(async () => {
    await chromium?.close()
    await hole?.close()
    await proxy?.close()
    await site?.close()
  })

  /** Makes the page's socket, which notes its failures, and waits for two of them. @returns their codes */
  async function failTwice(): Promise<unknown> {
    await page.evaluate(() => {
      const globals = globalThis as unknown as PageGlobals
      globals.failures = []
      window.socket = new window.TokenSocket()
      window.socket.on(
        'state',
        (state, { error }) => state === 'waiting' && globals.failures.push(error?.code),
      )
    })
    await page.waitForFunction(() => (globalThis as unknown as PageGlobals).failures.length >= 2)
    return page.evaluate(() => (globalThis as unknown as PageGlobals).failures.slice(0, 2))
  }

  /** Waits until the page's socket is ready. @returns what carries it */
  function ready(): Promise<string | undefined> {
    return page.evaluate(() => window.socket.ready().then(() => window.socket.transport))
  }

  describe('where WebSocket is blocked and there is no SockJS', () => {
    it('says so', async () => {
      expect(await connect(page, { reconnect: false })).to.deep.equal({
        code: 'transport_failed',
        message:
          `websocket failed: ${proxy.origin.replace('http', 'ws')}/sockets/websocket: closed, code 1006; ` +
          `sockjs failed: ${proxy.origin}/sockets: SockJS could not be loaded: ${REMEDY} (this script has no address)`,
      })
    })

    it('goes on trying, and is ready as soon as there is one', async () => {
      expect(await failTwice()).to.deep.equal(['transport_failed', 'transport_failed'])
      await page.addScriptTag({ path: SOCKJS })
      expect(await ready()).to.equal('xhr-streaming')
    })
  })

  describe('whose server refuses connections', () => {
    beforeEach(async () => {
      await page.addScriptTag({ path: SOCKJS })
      await proxy.close()
    })

    afterEach(() => proxy.reopen())

    it('says so', async () => {
      expect(await connect(page, { reconnect: false })).to.deep.equal({
        code: 'token_failed',
        message: `The token request to ${proxy.origin}/socket/token failed: Failed to fetch`,
      })
    })

    it('goes on trying, and is ready as soon as the server is back', async () => {
      expect(await failTwice()).to.deep.equal(['token_failed', 'token_failed'])
      await proxy.reopen()
      expect(await ready()).to.equal('xhr-streaming')
    })
  })

  describe('whose server never answers', () => {
    it('says so after `connectTimeout`', async () => {
      const host = `127.0.0.1:${hole.port}`
      expect(await connect(page, { host, connectTimeout: 300, reconnect: false })).to.deep.equal({
        code: 'token_failed',
        message: `The token request to http://${host}/socket/token failed: no answer in time`,
      })
    })
  })

  describe('in the end', () => {
    it('threw nothing that it would have had to catch', () => {
      expect(uncaught).to.deep.equal([])
    })
  })
})
