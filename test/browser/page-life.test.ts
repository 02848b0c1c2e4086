import type { TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import type { BrowserContext, Page } from 'playwright-core'
import { until } from '../client/waiting.js'
import { type OpenBrowser, openBrowser, openPlainBrowser } from './chromium.js'
import { connect, pageWith, Site, uncaughtIn } from './site.js'

declare global {
  interface Window {
    /** What happened in the page, in order: its own events, and the states of its socket. */
    noted: string[]
    /** Milliseconds until the socket's next try, as it told them. */
    delays: number[]
  }
}

/** Opens the page's socket, and notes what happens to both. */
const NOTES = `
  noted = []
  delays = []
  messages = []
  for (const type of ['pageshow', 'pagehide']) {
    addEventListener(type, ({ persisted }) => noted.push(persisted ? type + ', persisted' : type))
  }
  for (const type of ['freeze', 'resume']) document.addEventListener(type, () => noted.push(type))
  socket = new TokenSocket({ transports: location.hash ? ['sockjs'] : undefined,
    sockjs: location.hash ? { transports: [location.hash.slice(1)] } : undefined })
  socket.on('state', (state, { delay } = {}) => {
    noted.push(delay === undefined ? state : state + ', for a time')
    if (delay !== undefined) delays.push(delay)
  })
  socket.onmessage((...message) => messages.push(message.slice(0, 2)))`

const TOKEN = '/socket/token'

describe('the life of a page', () => {
  let site: Site
  let uncaught: string[]
  let page: Page

  before(async () => {
    site = await Site.open({
      sockets: {},
      prepare: (app) => {
        app.get('/notes.js', (_request, response) => void response.type('text/javascript').send(NOTES))
        app.get('/away', (_request, response) => void response.send('<!doctype html><title>Away</title>'))
      },
    })
    site.page = pageWith('/sockets/token-socket.min.js', '<script src="/notes.js"></script>')
  })

  after(() => site?.close())

  async function signIn(context: BrowserContext): Promise<void> {
    const tab = await context.newPage()
    await tab.goto(`${site.origin}/sign-in`)
    await tab.close()
  }

  /** Opens the page in a tab of its own, with its socket ready. @param transport SockJS's, if any */
  async function openTab(context: BrowserContext, transport = ''): Promise<Page> {
    const tab = await context.newPage()
    tab.setDefaultTimeout(8000)
    uncaught = uncaughtIn(tab)
    await tab.goto(`${site.origin}/${transport && `#${transport}`}`)
    await tab.evaluate(() => window.socket.ready())
    return tab
  }

  const stateOf = (tab: Page) => tab.evaluate(() => window.socket.state)

  const isReady = (tab = page) => tab.waitForFunction(() => window.socket.state === 'ready')

  /** Resolves when the server has so many sockets. */
  const has = (count: number) => until(() => site.sockets.sockets().length === count)

  describe('in a browser that keeps pages to go back to', () => {
    let chromium: OpenBrowser
    let context: BrowserContext

    before(async function () {
      this.timeout(120_000)
      // Playwright switches that off, unless told not to.
      chromium = await openBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] })
      context = await chromium.browser.newContext()
      await signIn(context)
    })

    afterEach(async () => {
      await context.setOffline(false)
      for (const tab of context.pages()) await tab.close()
      await has(0)
      expect(uncaught.splice(0)).to.deep.equal([])
    })

    after(() => chromium?.close())

    for (const transport of ['', 'xhr-streaming', 'eventsource', 'xhr-polling']) {
      it(`that goes elsewhere closes ${transport || 'its WebSocket'}, and is ready at once when it is back`, async () => {
        page = await openTab(context, transport)
        await page.evaluate(() => window.socket.subscribe('news'))
        await page.goto(`${site.origin}/away`)
        await has(0)
        // Playwright waits for a `load` event that a kept page has had already.
        await page.goBack({ waitUntil: 'commit' })
        await isReady()
        expect(await page.evaluate(() => window.noted)).to.deep.equal([
          'pageshow',
          'ready',
          'pagehide, persisted',
          'waiting',
          'freeze',
          'resume',
          'connecting',
          'pageshow, persisted',
          'ready',
        ])
        // Subscriptions are restored before calls go out.
        await page.evaluate(() => window.socket.publish('news', 'back'))
        await page.waitForFunction(() => window.messages.length === 1)
      })
    }

    it('whose socket ends between two polls leaves no poll behind', async function () {
      // SockJS's server waits 5 s for the next poll; where there is one, for its heartbeat after 25 s as well.
      this.timeout(120_000)
      page = await openTab(context, 'xhr-polling')
      await page.evaluate(() => {
        const { send } = XMLHttpRequest.prototype
        XMLHttpRequest.prototype.send = function (body) {
          this.addEventListener('loadend', () => /\/xhr\?/.test(this.responseURL) && window.socket.end())
          send.call(this, body)
        }
      })
      // The poll that is open is older than that: the answer to the first call starts the one that is watched.
      await page.evaluate(() => window.socket.rpc('whoami'))
      await page.evaluate(() => window.socket.rpc('whoami').catch(() => {}))
      await page.waitForFunction(() => window.socket.state === 'ended')
      await has(0)
    })

    for (const [what, leave] of [
      ['is closed', () => page.close()],
      ['goes to another site', () => page.goto('about:blank')],
    ] as const) {
      it(`that ${what} is no socket of the server’s any more, at once`, async () => {
        page = await openTab(context)
        await has(1)
        await leave()
        await has(0)
      })
    }

    it('that is loaded again has one socket', async () => {
      page = await openTab(context)
      const [before] = site.sockets.sockets()
      await page.reload()
      await isReady()
      await has(1)
      expect(site.sockets.sockets()[0]).to.not.equal(before)
    })

    /** Opens the page with a clock that can be put forward. @returns the paths that it asks for once it is ready */
    async function openWithClock(): Promise<string[]> {
      page = await openTab(context)
      await page.clock.install()
      await page.reload()
      await isReady()
      await has(1)
      const asked: string[] = []
      page.on('request', (request) => asked.push(new URL(request.url()).pathname))
      return asked
    }

    /** Lets the page hear that there is no network. */
    async function goOffline(): Promise<void> {
      const heard = page.evaluate(
        () => new Promise<void>((resolve) => addEventListener('offline', () => resolve(), { once: true })),
      )
      await page.evaluate(() => {})
      await context.setOffline(true)
      await heard
    }

    const isWaiting = () => page.waitForFunction(() => window.socket.state === 'waiting')

    it('that is offline waits half a minute or more, and is ready as soon as it is online', async () => {
      const asked = await openWithClock()
      await goOffline()
      for (const socket of site.sockets.sockets()) socket.end()
      await isWaiting()
      expect(await page.evaluate(() => window.noted)).to.deep.equal([
        'pageshow',
        'ready',
        'waiting, for a time',
      ])
      const [delay] = await page.evaluate(() => window.delays)
      expect(delay).to.be.within(30_000, 60_000)
      await page.clock.fastForward(25_000)
      expect(await stateOf(page)).to.equal('waiting')
      expect(asked).to.deep.equal([])
      await context.setOffline(false)
      await isReady()
      expect(asked).to.deep.equal([TOKEN])
    })

    it('that is offline tries within a minute, for the browser may be wrong', async () => {
      const asked = await openWithClock()
      await goOffline()
      for (const socket of site.sockets.sockets()) socket.end()
      await isWaiting()
      await page.clock.fastForward(60_000)
      await page.waitForFunction(() => window.delays.length === 2)
      expect(asked).to.deep.equal([TOKEN])
      const [, delay] = await page.evaluate(() => window.delays)
      expect(delay).to.be.within(30_000, 60_000)
    })

    it('waits longer for the next try when it goes offline', async () => {
      const asked = await openWithClock()
      await page.route(`**${TOKEN}`, (route) => route.abort())
      for (const socket of site.sockets.sockets()) socket.end()
      await page.waitForFunction(() => window.delays.length > 3)
      await goOffline()
      await isWaiting()
      asked.length = 0
      // Longer than any wait of a page that is online.
      await page.clock.fastForward(25_000)
      expect(await stateOf(page)).to.equal('waiting')
      expect(asked).to.deep.equal([])
      await page.unroute(`**${TOKEN}`)
      await context.setOffline(false)
      await isReady()
    })

    it('is one of several with the same session, each of which has a socket', async () => {
      const tabs = [await openTab(context), await openTab(context), await openTab(context)] as const
      await has(3)
      for (const tab of tabs) await tab.evaluate(() => window.socket.subscribe('news'))
      await tabs[0].evaluate(() => window.socket.publish('news', 'to all'))
      for (const tab of tabs) await tab.waitForFunction(() => window.messages.length === 1)
      await tabs[1].close()
      await has(2)
      for (const tab of [tabs[0], tabs[2]]) {
        expect(await tab.evaluate(() => window.socket.rpc('whoami'))).to.deep.equal({ name: 'Ada' })
      }
    })

    for (const script of ['token-socket.js', 'token-socket.min.js', 'token-socket.full.min.js']) {
      it(`has no \`unload\` or \`beforeunload\` listener by ${script}`, async () => {
        page = await context.newPage()
        await page.addInitScript(() => {
          const { addEventListener } = EventTarget.prototype
          window.noted = []
          EventTarget.prototype.addEventListener = function (type: string, ...rest) {
            window.noted.push(type)
            return addEventListener.call(this, type, ...rest)
          }
        })
        await page.goto(`${site.origin}/away`)
        await page.addScriptTag({ url: `/sockets/${script}` })
        const options: TokenSocketOptions = {
          transports: ['sockjs'],
          sockjs: { transports: ['xhr-streaming'] },
        }
        expect(await connect(page, options)).to.deep.equal({ transport: 'xhr-streaming' })
        const types = await page.evaluate(() => window.noted)
        expect(types).to.include('pagehide')
        expect(types.filter((type) => type.endsWith('unload'))).to.deep.equal([])
      })
    }
  })

  describe('in a tab behind another', () => {
    let chromium: OpenBrowser
    let context: BrowserContext
    let front: Page

    before(async function () {
      this.timeout(120_000)
      // Playwright makes every page believe that it is in front, unless it finds the browser running.
      chromium = await openPlainBrowser()
      const [own] = chromium.browser.contexts()
      if (!own) throw new Error('the browser has no window')
      context = own
      await signIn(context)
    })

    beforeEach(async () => {
      page = await openTab(context)
      front = await context.newPage()
      await front.bringToFront()
      await page.waitForFunction(() => document.visibilityState === 'hidden', null, { polling: 50 })
    })

    afterEach(async () => {
      await page.close()
      await front.close()
      await has(0)
      expect(uncaught.splice(0)).to.deep.equal([])
    })

    after(() => chromium?.close())

    /** Freezes the page, as browsers do to save power; or lets it go on. */
    async function setLife(state: 'frozen' | 'active'): Promise<void> {
      const session = await page.context().newCDPSession(page)
      await session.send('Page.setWebLifecycleState', { state })
      await session.detach()
    }

    it('stays connected, hears and is heard', async () => {
      await page.evaluate(() => window.socket.subscribe('news'))
      await site.sockets.publish('news', 'to a hidden page')
      await page.waitForFunction(() => window.messages.length === 1, null, { polling: 50 })
      expect(await page.evaluate(() => window.socket.rpc('echo', 'from it'))).to.equal('from it')
      expect(await stateOf(page)).to.equal('ready')
    })

    it('comes back by itself when the server closed its connection', async () => {
      const [before] = site.sockets.sockets()
      before?.end()
      await until(() => site.sockets.sockets().some((socket) => socket !== before))
      expect(await page.evaluate(() => document.visibilityState)).to.equal('hidden')
    })

    it('works on, subscribed, after it was frozen while messages came', async () => {
      await page.evaluate(() => window.socket.subscribe('news'))
      await setLife('frozen')
      for (let n = 0; n < 100; n += 1) await site.sockets.publish('news', 'to a frozen page')
      await setLife('active')
      // Chromium cuts a connection on which something came meanwhile: then the first call is lost, and the next one waits.
      const answer = await page.evaluate(() =>
        window.socket.rpc('echo', 'well').catch(() => window.socket.rpc('echo', 'well again')),
      )
      expect(answer).to.be.oneOf(['well', 'well again'])
      await page.evaluate(() => window.socket.publish('news', 'after it'))
      await page.waitForFunction(() => window.messages.some(([, message]) => message === 'after it'), null, {
        polling: 50,
      })
      expect(await page.evaluate(() => window.noted)).to.include.members(['freeze', 'resume'])
    })

    it('is ready again after it was frozen, and lost its connection, when it is in front', async () => {
      await setLife('frozen')
      for (const socket of site.sockets.sockets()) socket.end()
      await setLife('active')
      await page.bringToFront()
      await page.waitForFunction(() => window.noted.includes('connecting'))
      await isReady()
    })
  })
})
