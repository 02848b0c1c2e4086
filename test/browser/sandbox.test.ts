import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import { type Frame, chromium as launcher, type Page } from 'playwright-core'
import { CHROMIUM, type OpenBrowser, openBrowser } from './chromium.js'
import { connect, pageWith, Site, uncaughtIn } from './site.js'

/** Lets in who says the word, where the browser sends no cookie. */
const byWord: Partial<TokenSocketServerOptions> = {
  authentication: ({ query, headers }) =>
    query.word === 'please' && { origin: headers.origin ?? 'none', cookie: headers.cookie ?? 'none' },
}

/** What a script gets of storage: it throws where there is none. */
const storageOf = (frame: Frame | Page) =>
  frame.evaluate(() => {
    try {
      return window.localStorage.length
    } catch (error) {
      return (error as Error).name
    }
  })

describe('a page in a sandbox', () => {
  let chromium: OpenBrowser
  let page: Page
  let uncaught: string[]
  let site: Site

  before(async function () {
    this.timeout(120_000)
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
    uncaught = uncaughtIn(page)
  })

  afterEach(async () => {
    await page.goto('about:blank')
    await site.close()
    expect(uncaught.splice(0)).to.deep.equal([])
  })

  after(() => chromium?.close())

  /** Visits, signed in, a page of the same site with a frame. @param sandbox what the frame may */
  async function openFrame(sockets: Partial<TokenSocketServerOptions>, sandbox: string): Promise<Frame> {
    site = await Site.open({
      sockets,
      prepare: (app) => app.get('/framed', (_request, response) => void response.send(pageWith())),
    })
    site.page = `<!doctype html><title>Around it</title><iframe sandbox="${sandbox}" src="/framed"></iframe>`
    await page.goto(`${site.origin}/sign-in`)
    await page.goto(`${site.origin}/`)
    const [, frame] = page.frames()
    if (!frame) throw new Error('there is no frame')
    return frame
  }

  it('that keeps its origin is as any other', async () => {
    const frame = await openFrame({}, 'allow-scripts allow-same-origin')
    expect(await connect(frame)).to.deep.equal({ transport: 'websocket' })
  })

  it('has no origin and no storage, and gets no token where `origins` does not name `null`', async () => {
    const frame = await openFrame({ origins: ['https://elsewhere.example'] }, 'allow-scripts')
    expect(await frame.evaluate(() => window.origin)).to.equal('null')
    expect(await storageOf(frame)).to.equal('SecurityError')
    for (const jsonp of [false, true]) {
      const { code } = await connect(frame, { reconnect: false, jsonp })
      expect(code).to.equal('token_failed')
    }
    expect(site.asked).to.deep.equal([])
  })

  it('is nobody where `origins` names it: the browser sends it no cookies', async () => {
    const frame = await openFrame({ origins: ['null'] }, 'allow-scripts')
    const { code, data } = await connect(frame)
    expect(code).to.equal('token_refused')
    expect(data).to.include({ status: 403 })
    expect(site.asked).to.deep.equal([{ origin: 'null', cookie: undefined }])
  })

  // SockJS takes the XHR transports for useless in a page without an origin.
  for (const [title, transport, options] of [
    ['plain WebSocket', 'websocket', {}],
    ['SockJS’s websocket', 'websocket', { transports: ['sockjs'], sockjs: { transports: ['websocket'] } }],
    [
      'SockJS’s eventsource',
      'eventsource',
      { transports: ['sockjs'], sockjs: { transports: ['eventsource'] } },
    ],
  ] as const) {
    it(`works over ${title} where \`origins\` names it and \`authentication\` knows it`, async () => {
      const frame = await openFrame({ ...byWord, origins: ['null'] }, 'allow-scripts')
      const outcome = await connect(frame, { ...options, authentication: { word: 'please' } })
      expect(outcome).to.deep.equal({ transport })
      expect(await frame.evaluate(() => window.socket.rpc('whoami'))).to.deep.equal({
        origin: 'null',
        cookie: 'none',
      })
    })
  }

  it('falls back to eventsource where there are no WebSockets', async () => {
    const transports = ['xhr-streaming', 'xhr-polling', 'eventsource'] as const
    const frame = await openFrame({ ...byWord, transports, origins: ['null'] }, 'allow-scripts')
    const outcome = await connect(frame, { authentication: { word: 'please' } })
    expect(outcome).to.deep.equal({ transport: 'eventsource' })
  })
})

describe('a browser that blocks cookies and storage', () => {
  let folder: string
  let site: Site

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'token-socket-no-cookies-'))
    await mkdir(join(folder, 'Default'))
    const blocked = { profile: { default_content_setting_values: { cookies: 2 } } }
    await writeFile(join(folder, 'Default', 'Preferences'), JSON.stringify(blocked))
    site = await Site.open({ sockets: byWord })
  })

  afterEach(async () => {
    await site.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('connects where the server needs no cookie, and comes back', async function () {
    this.timeout(120_000)
    const context = await launcher.launchPersistentContext(folder, CHROMIUM)
    try {
      const page = await context.newPage()
      const uncaught = uncaughtIn(page)
      await page.goto(`${site.origin}/`)
      expect(await storageOf(page)).to.equal('SecurityError')
      expect(await connect(page, { authentication: { word: 'please' } })).to.deep.equal({
        transport: 'websocket',
      })
      const back = page.evaluate(
        () => new Promise<void>((resolve) => window.socket.onreconnect(() => resolve())),
      )
      for (const socket of site.sockets.sockets()) socket.end()
      await back
      const who = await page.evaluate(() => window.socket.rpc('whoami'))
      expect(who).to.deep.equal({ origin: site.origin, cookie: 'none' })
      expect(uncaught).to.deep.equal([])
    } finally {
      await context.close()
    }
  })
})
