import type { TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, endSocket, pageWith, Site, uncaughtIn } from './site.js'
import { USUAL_TRANSPORTS } from './sockjs-transports.js'

const SCRIPTS = ['token-socket.js', 'token-socket.min.js', 'token-socket.full.min.js']

interface Way {
  readonly title: string
  readonly transport: string
  readonly options: TokenSocketOptions
}

const SOCKJS_WAYS: readonly Way[] = USUAL_TRANSPORTS.map(({ name }) => ({
  title: `SockJS’s ${name}`,
  transport: name,
  options: { transports: ['sockjs'], sockjs: { transports: [name] } },
}))

const WAYS: readonly Way[] = [
  { title: 'plain WebSocket', transport: 'websocket', options: {} },
  ...SOCKJS_WAYS,
]

describe('a page with a content security policy', () => {
  let chromium: OpenBrowser
  let page: Page
  let site: Site
  /** Pages of another origin, which the site lets in. */
  let other: Site
  /** Sockets that let in no other origin. */
  let stranger: Site
  let uncaught: string[]
  /** What the browser says that a policy forbids. */
  const violations: string[] = []

  before(async function () {
    this.timeout(120_000)
    other = await Site.open()
    site = await Site.open({
      sockets: { origins: [other.origin] },
      prepare: (app) =>
        app.get(
          '/policy.js',
          (_request, response) => void response.type('text/javascript').send(POLICY_SCRIPT),
        ),
    })
    stranger = await Site.open({ sockets: {} })
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
    uncaught = uncaughtIn(page)
    page.on('console', (message) => {
      if (/content security policy|trusted/i.test(message.text())) violations.push(message.text())
    })
    await page.goto(`${site.origin}/sign-in`)
  })

  afterEach(async () => {
    await endSocket(page)
    await page.goto('about:blank')
    violations.length = 0
    expect(uncaught.splice(0)).to.deep.equal([])
  })

  after(async () => {
    await chromium?.close()
    await site?.close()
    await other?.close()
    await stranger?.close()
  })

  /** Opens a page under a policy. @param script what it loads */
  async function visit(on: Site, policy: string, script: string, rest = ''): Promise<void> {
    on.headers = { 'Content-Security-Policy': policy }
    on.page = pageWith(script, rest)
    await page.goto(`${on.origin}/`)
  }

  describe("of `default-src 'self'`", () => {
    for (const { title, transport, options } of WAYS) {
      it(`works over ${title}`, async () => {
        await visit(site, "default-src 'self'", '/sockets/token-socket.min.js')
        expect(await connect(page, options)).to.deep.equal({ transport })
        expect(await page.evaluate(() => window.socket.rpc('echo', 1))).to.equal(1)
        expect(violations).to.deep.equal([])
      })
    }

    for (const script of ['token-socket.js', 'token-socket.full.min.js']) {
      it(`works by ${script}`, async () => {
        await visit(site, "default-src 'self'", `/sockets/${script}`)
        expect(await connect(page, { transports: ['sockjs'] })).to.deep.equal({ transport: 'websocket' })
        expect(violations).to.deep.equal([])
      })
    }

    it('is one that forbids scripts in the page and `eval`', async () => {
      const inline = '<script>window.ranInline = true</script>'
      await visit(site, "default-src 'self'", '/sockets/token-socket.min.js', inline)
      expect(await page.evaluate(() => 'ranInline' in window)).to.equal(false)
      expect(violations).to.have.length(1)
    })
  })

  describe('that names the server in `connect-src`', () => {
    const policy = () =>
      `default-src 'self'; script-src ${site.origin}; connect-src ${site.origin} ${site.origin.replace('http', 'ws')}`

    for (const { title, transport, options } of WAYS) {
      it(`works on another origin over ${title}`, async () => {
        await visit(other, policy(), `${site.origin}/sockets/token-socket.min.js`)
        expect(await connect(page, { ...options, host: site.origin })).to.deep.equal({ transport })
        expect(violations).to.deep.equal([])
      })
    }

    describe('with HTTP only', () => {
      beforeEach(() => {
        const policy = `default-src 'self'; script-src ${site.origin}; connect-src ${site.origin}`
        return visit(other, policy, `${site.origin}/sockets/token-socket.min.js`)
      })

      it('falls back to SockJS', async () => {
        const outcome = await connect(page, { host: site.origin })
        expect(outcome).to.deep.equal({ transport: 'xhr-streaming' })
      })

      it('tells at once that a WebSocket can’t be had, instead of waiting for it', async () => {
        const options = { host: site.origin, transports: ['websocket'], reconnect: false } as const
        expect(await connect(page, options)).to.deep.equal({
          code: 'transport_failed',
          message: `websocket failed: ${site.origin.replace('http', 'ws')}/sockets/websocket: forbidden`,
        })
      })
    })
  })

  it('that forbids the token request hears of `token_failed`', async () => {
    await visit(
      other,
      `script-src ${site.origin}; connect-src 'none'`,
      `${site.origin}/sockets/token-socket.min.js`,
    )
    const outcome = await connect(page, { host: site.origin, reconnect: false })
    expect(outcome).to.have.property('code', 'token_failed')
  })

  it('with nonces passes its own on to the script beside it', async () => {
    site.headers = { 'Content-Security-Policy': "script-src 'nonce-abc'; connect-src 'self'" }
    site.page =
      '<!doctype html><title>x</title><script nonce="abc" src="/sockets/token-socket.min.js"></script>'
    await page.goto(`${site.origin}/`)
    expect(await connect(page, { transports: ['sockjs'] })).to.have.property('transport')
    expect(violations).to.deep.equal([])
  })

  describe('that requires trusted types', () => {
    const policy = "default-src 'self'; require-trusted-types-for 'script'"

    for (const script of SCRIPTS) {
      it(`works over plain WebSocket with ${script}`, async () => {
        await visit(site, policy, `/sockets/${script}`)
        expect(await connect(page)).to.deep.equal({ transport: 'websocket' })
        expect(violations).to.deep.equal([])
      })
    }

    for (const { title, transport, options } of SOCKJS_WAYS) {
      it(`works over ${title} where no script has to be loaded`, async () => {
        await visit(site, policy, '/sockets/token-socket.full.min.js')
        expect(await connect(page, options)).to.deep.equal({ transport })
        expect(violations).to.deep.equal([])
      })
    }

    it('keeps the script beside the client’s from being loaded, which is `transport_failed`', async () => {
      await visit(site, policy, '/sockets/token-socket.min.js')
      const outcome = await connect(page, { transports: ['sockjs'], reconnect: false })
      expect(outcome).to.have.property('code', 'transport_failed')
      expect(outcome.message).to.match(
        /^sockjs failed: http:\S+: SockJS could not be loaded: .*TrustedScriptURL/,
      )
    })

    it('lets it be loaded where the page has a default policy for it', async () => {
      await visit(site, policy, '/policy.js', '<script src="/sockets/token-socket.min.js"></script>')
      expect(await connect(page, { transports: ['sockjs'] })).to.deep.equal({ transport: 'websocket' })
      expect(violations).to.deep.equal([])
    })

    it('keeps JSONP from working, which is `token_failed`', async () => {
      const script = `${stranger.origin}/sockets/token-socket.min.js`
      await visit(other, "require-trusted-types-for 'script'", script)
      const outcome = await connect(page, { host: stranger.origin, jsonp: true, reconnect: false })
      expect(outcome.code).to.equal('token_failed')
      expect(outcome.message).to.match(
        /^The token request to http:\/\/127\.0\.0\.1:\d+\/socket\/token failed: .*TrustedScriptURL/,
      )
      expect(outcome.message).to.include(`${stranger.origin}/`)
    })
  })
})

/** Lets scripts come from this very site only. */
const POLICY_SCRIPT = `trustedTypes.createPolicy('default', {
  createScriptURL: (url) => (new URL(url, location.href).origin === location.origin ? url : null),
})`
