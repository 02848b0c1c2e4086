import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { startHAProxy, startNginx } from './reverse-proxy.js'
import { pageWith, Site, uncaughtIn } from './site.js'
import { BlackHole, type Fate, TcpProxy } from './tcp-proxy.js'

/** What a page of these tests has besides its socket. */
interface PageGlobals {
  /** Milliseconds from the start of the page's load until its socket was ready. */
  readonly readyAfter: number | undefined
}

/** Where the machine is busy, SockJS shall not take a stream for dead that is merely slow. */
const PAGE = pageWith(
  undefined,
  `<script>
  socket = new TokenSocket({ sockjs: { timeout: 1500 } })
  socket.ready().then(function () { readyAfter = performance.now() })
</script>`,
)

/** Milliseconds from the start of the page's load within which its socket has to be ready. */
const LIMIT = 5000

/** Something in the way. */
interface Obstacle {
  /** The address of the page behind it. */
  readonly origin: string
  close(): Promise<void>
}

/** Ports on the loopback interface. */
interface Ports {
  readonly site: number
  readonly hole: number
}

const forward = (fate: Fate) => (ports: Ports) => TcpProxy.open(ports.site, fate)

/** How it may be blocked, and what carries the socket then. */
const WAYS: Readonly<Record<string, readonly [(ports: Ports) => Promise<Obstacle>, transport: string]>> = {
  'by nginx that refuses upgrades': [(ports) => startNginx('refuses', ports), 'xhr-streaming'],
  'by nginx that never answers upgrades': [(ports) => startNginx('swallows', ports), 'xhr-streaming'],
  'by nginx that takes upgrades for plain requests': [
    (ports) => startNginx('strips', ports),
    'xhr-streaming',
  ],
  'by nginx that holds streams back as well': [(ports) => startNginx('holds back', ports), 'xhr-polling'],
  'by HAProxy that refuses upgrades': [(ports) => startHAProxy('refuses', ports), 'xhr-streaming'],
  'by HAProxy that never answers upgrades': [(ports) => startHAProxy('swallows', ports), 'xhr-streaming'],
  'by HAProxy that takes upgrades for plain requests': [
    (ports) => startHAProxy('strips', ports),
    'xhr-streaming',
  ],
  'by something that loses every frame': [forward('mute'), 'xhr-streaming'],
  'by something that loses the page’s frames': [forward('deaf'), 'xhr-streaming'],
  'by something that breaks the connection at the first frame': [forward('cut'), 'xhr-streaming'],
}

describe('a page where WebSocket is blocked', function () {
  this.timeout(120_000)

  let site: Site
  let hole: BlackHole
  let chromium: OpenBrowser
  let page: Page
  let uncaught: string[]
  /** The paths of the WebSockets that the page has tried. */
  const webSockets: string[] = []

  before(async () => {
    site = await Site.open({ sockets: {} })
    site.page = PAGE
    hole = await BlackHole.open()
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(15_000)
    uncaught = uncaughtIn(page)
    page.on('websocket', (socket) => webSockets.push(new URL(socket.url()).pathname))
    await page.goto(`${site.origin}/sign-in`)
  })

  after(async () => {
    await chromium?.close()
    await hole?.close()
    await site?.close()
  })

  /** Loads the page and waits until its socket is ready. @returns what carries it */
  async function load(origin: string): Promise<string | undefined> {
    webSockets.splice(0)
    await page.goto(`${origin}/`)
    await page.waitForFunction(() => (globalThis as unknown as PageGlobals).readyAfter)
    return page.evaluate(() => window.socket.transport)
  }

  const ports = () => ({ site: site.port, hole: hole.port })

  for (const start of [startNginx, startHAProxy]) {
    it(`is not, by ${start === startNginx ? 'nginx' : 'HAProxy'} that passes it on`, async () => {
      const proxy = await start('passes', ports())
      expect(await load(proxy.origin)).to.equal('websocket')
      await page.goto('about:blank')
      await proxy.close()
    })
  }

  for (const [title, [open, expected]] of Object.entries(WAYS)) {
    describe(title, () => {
      let proxy: Obstacle
      let transport: string | undefined

      before(async () => {
        proxy = await open(ports())
        transport = await load(proxy.origin)
      })

      after(async () => {
        await page.goto('about:blank')
        await proxy?.close()
      })

      it('is ready by HTTP within 5 s of its load, after one WebSocket', async () => {
        const readyAfter = await page.evaluate(() => (globalThis as unknown as PageGlobals).readyAfter)
        expect(readyAfter).to.be.below(LIMIT)
        expect(transport).to.equal(expected)
        expect(webSockets).to.deep.equal(['/sockets/websocket'])
        expect(await page.evaluate(() => window.socket.rpc('echo', 'over HTTP'))).to.equal('over HTTP')
      })

      it('comes back by what worked, with no other WebSocket', async () => {
        webSockets.splice(0)
        const back = page.evaluate(
          () => new Promise((resolve) => window.socket.once('reconnect', (error) => resolve(error?.code))),
        )
        const [socket] = site.sockets.sockets()
        socket?.end()
        expect(await back).to.equal(undefined)
        expect(await page.evaluate(() => window.socket.transport)).to.equal(transport)
        expect(webSockets).to.deep.equal([])
      })
    })
  }

  describe('in the end', () => {
    it('threw nothing that the page would have had to catch', () => {
      expect(uncaught).to.deep.equal([])
    })
  })
})
