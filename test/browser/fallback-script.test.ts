import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import type { Request, Response } from 'express'
import type { Page } from 'playwright-core'
import { until } from '../client/waiting.js'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, endSocket, pageWith, Site, uncaughtIn } from './site.js'

const { resolve } = createRequire(import.meta.url)
const fileOf = (name: string) => resolve(`@token-socket/client/${name}`)

const MAIN = 'token-socket.min.js'
const FALLBACK = 'token-socket.fallback.min.js'
const FULL = 'token-socket.full.min.js'

/** What becomes of a request for the fallback script. */
type Fate = (request: Request, response: Response) => void

const served: Fate = (_request, response) => response.sendFile(fileOf(FALLBACK), { dotfiles: 'allow' })
const missing: Fate = (_request, response) => void response.status(404).send('Not found')
const hanging: Fate = () => {}
/** As single-page applications answer whatever they don't know. */
const replaced: Fate = (_request, response) => void response.type('html').send('<!doctype html>')
const emptied: Fate = (_request, response) => void response.type('text/javascript').send('')
const tampered: Fate = (_request, response) =>
  void response.type('text/javascript').send('globalThis.SockJS = class {}')

/** A try that failed. */
interface Failure {
  readonly code: string | undefined
  /** Milliseconds until the next. */
  readonly delay: number | undefined
  /** How many tags of the fallback script there had been by then. */
  readonly tags: number
}

/** What a page of these tests notes. */
interface PageGlobals {
  /** The fallback script's tags so far. */
  readonly tags: { readonly nonce: string; readonly integrity: string; readonly crossOrigin: string | null }[]
  /** How many SockJS objects there were. */
  readonly made: number
  /** How the socket's tries have failed. */
  failures: Failure[]
}

/** Runs in the page, before its scripts. */
const NOTE_TAGS = `
  tags = []
  new MutationObserver((records) => {
    for (const script of records.flatMap(({ addedNodes }) => [...addedNodes])) {
      if (!script.src?.includes('fallback')) continue
      const { nonce, integrity, crossOrigin } = script
      tags.push({ nonce, integrity, crossOrigin })
    }
  }).observe(document, { childList: true, subtree: true })
`

/** A page that counts how often the SockJS that it brings is used. */
const PAGE_WITH_SOCKJS = pageWith(
  '/sockjs.min.js',
  `<script>
    var made = 0
    SockJS = class extends SockJS { constructor (...options) { super(...options); made += 1 } }
  </script>
  <script src="/scripts/${MAIN}"></script>`,
)

describe('the script with SockJS beside the client’s', function () {
  this.timeout(120_000)

  /** Serves the client's scripts in `/scripts/`, and takes WebSockets. */
  let open: Site
  /** The same, but it takes no WebSockets. */
  let blocked: Site
  let chromium: OpenBrowser
  let page: Page
  let uncaught: string[]
  let fate: Fate
  /** The scripts that the page has asked for. */
  const scripts: string[] = []
  /** What the browser says that a policy forbids. */
  const violations: string[] = []
  /** The hashes of the scripts, as `integrity` has them. */
  const hashes = new Map<string, string>()

  before(async () => {
    for (const name of [MAIN, FALLBACK]) {
      const hash = createHash('sha384').update(await readFile(fileOf(name)))
      hashes.set(name, `sha384-${hash.digest('base64')}`)
    }
    open = await openSite()
    blocked = await openSite(open.origin)
    chromium = await openBrowser()
    const context = await chromium.browser.newContext()
    await context.addInitScript({ content: NOTE_TAGS })
    page = await context.newPage()
    page.setDefaultTimeout(8000)
    uncaught = uncaughtIn(page)
    page.on('request', (request) => {
      if (request.resourceType() === 'script') scripts.push(new URL(request.url()).pathname)
    })
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) violations.push(message.text())
    })
  })

  beforeEach(() => {
    fate = served
    for (const site of [open, blocked]) site.headers = {}
    for (const list of [scripts, violations]) list.length = 0
  })

  afterEach(async () => {
    await endSocket(page)
    await page.goto('about:blank')
    expect(uncaught.splice(0)).to.deep.equal([])
  })

  after(async () => {
    await chromium?.close()
    await open?.close()
    await blocked?.close()
  })

  /** @param friend another origin that it lets in; then it takes no WebSockets */
  function openSite(friend?: string): Promise<Site> {
    return Site.open({
      sockets: {
        ...(friend && { origins: [friend], transports: ['xhr-streaming', 'xhr-polling'] }),
        authentication: async () => ({ name: 'Ada' }),
      },
      prepare: (app) => {
        app.get('/scripts/:name', (request, response) => {
          response.set({ 'Access-Control-Allow-Origin': request.get('Origin') ?? '*' })
          response.set({ 'Access-Control-Allow-Credentials': 'true', 'Cache-Control': 'no-store' })
          const { name } = request.params
          if (name === FALLBACK) fate(request, response)
          else response.sendFile(fileOf(name), { dotfiles: 'allow' })
        })
      },
    })
  }

  /** Opens a page with one script of the folder. @param attributes of its tag */
  async function visit(site: Site, name = MAIN, attributes = ''): Promise<void> {
    const tag = `<script ${attributes} src="/scripts/${name}"></script>`
    site.page = `<!doctype html><title>A page</title>${tag}`
    await page.goto(`${site.origin}/`)
  }

  /** Makes a socket that fails for good. @returns its error, with the addresses' origin left out */
  async function failure(options: TokenSocketOptions = {}) {
    const { code, message } = await connect(page, { reconnect: false, ...options })
    return { code, message: message?.replaceAll(`${blocked.origin}/scripts`, '/scripts') }
  }

  /** Why there is neither WebSocket nor SockJS, and what to do about it. */
  const because = (why: string) => ({
    code: 'transport_failed',
    message:
      `websocket failed: ${blocked.origin.replace('http', 'ws')}/sockets/websocket: closed, code 1006; ` +
      `sockjs failed: ${blocked.origin}/sockets: SockJS could not be loaded: ` +
      'serve token-socket.fallback.min.js beside this script and allow it in script-src, ' +
      `or use token-socket.full.min.js (${why})`,
  })

  const tags = () => page.evaluate(() => (globalThis as unknown as PageGlobals).tags)

  describe('is not asked for', () => {
    it('where WebSocket works', async () => {
      await visit(open)
      expect(await connect(page)).to.deep.equal({ transport: 'websocket' })
      expect(await page.evaluate(() => window.socket.rpc('echo', 1))).to.equal(1)
      expect(scripts).to.deep.equal([`/scripts/${MAIN}`])
    })

    it('before there is a socket', async () => {
      await visit(blocked)
      await page.waitForLoadState('networkidle')
      expect(scripts).to.deep.equal([`/scripts/${MAIN}`])
    })

    it('where the page has SockJS', async () => {
      blocked.page = PAGE_WITH_SOCKJS
      await page.goto(`${blocked.origin}/`)
      expect(await connect(page)).to.deep.equal({ transport: 'xhr-streaming' })
      expect(await page.evaluate(() => (globalThis as unknown as PageGlobals).made)).to.equal(1)
      expect(scripts).to.deep.equal(['/sockjs.min.js', `/scripts/${MAIN}`])
    })

    it('by the script that has SockJS in it', async () => {
      await visit(blocked, FULL)
      const outcome = await connect(page, { transports: ['sockjs'] })
      expect(outcome).to.deep.equal({ transport: 'xhr-streaming' })
      expect(await page.evaluate(() => window.socket.rpc('echo', 1))).to.equal(1)
      expect(scripts).to.deep.equal([`/scripts/${FULL}`])
      expect(await page.evaluate(() => 'SockJS' in window)).to.equal(false)
    })
  })

  describe('is loaded where WebSocket is blocked', () => {
    it('once, however many sockets need it, and leaves no tag', async () => {
      await visit(blocked)
      const transports = await page.evaluate(async () => {
        const sockets = [1, 2, 3].map(() => new window.TokenSocket())
        await Promise.all(sockets.map((socket) => socket.ready()))
        const transports = sockets.map(({ transport }) => transport)
        await Promise.all(sockets.map((socket) => socket.end()))
        return transports
      })
      expect(transports).to.deep.equal(Array(3).fill('xhr-streaming'))
      expect(await connect(page)).to.deep.equal({ transport: 'xhr-streaming' })
      expect(scripts).to.deep.equal([`/scripts/${MAIN}`, `/scripts/${FALLBACK}`])
      expect(await page.evaluate(() => document.scripts.length)).to.equal(1)
    })

    /** The tag of the page's own script, and that of the script beside it. */
    const TAGS: Readonly<Record<string, readonly [own: string, beside: Partial<PageGlobals['tags'][0]>]>> = {
      'nothing besides': ['', {}],
      'its nonce': ['nonce="abc"', { nonce: 'abc' }],
      '`crossorigin`': ['crossorigin', { crossOrigin: 'anonymous' }],
      '`crossorigin` with credentials': ['crossorigin="use-credentials"', { crossOrigin: 'use-credentials' }],
      'a hash, which is its own': ['integrity="HASH"', { integrity: FALLBACK }],
      'all of them': [
        'nonce="abc" crossorigin="anonymous" integrity="HASH"',
        { nonce: 'abc', crossOrigin: 'anonymous', integrity: FALLBACK },
      ],
    }
    for (const [title, [own, beside]] of Object.entries(TAGS)) {
      it(`with what the page’s tag has: ${title}`, async () => {
        if (beside.nonce) blocked.headers = { 'Content-Security-Policy': "script-src 'nonce-abc'" }
        await visit(blocked, MAIN, own.replace('HASH', hashes.get(MAIN) ?? ''))
        expect(await connect(page)).to.deep.equal({ transport: 'xhr-streaming' })
        const integrity = hashes.get(beside.integrity ?? '') ?? ''
        expect(await tags()).to.deep.equal([{ nonce: '', crossOrigin: null, ...beside, integrity }])
        expect(violations).to.deep.equal([])
      })
    }

    it('from where the client’s script is, of another origin and with its hash checked', async () => {
      open.page = pageWith(`${blocked.origin}/scripts/${MAIN}`).replace(
        '<script',
        `<script crossorigin integrity="${hashes.get(MAIN)}"`,
      )
      await page.goto(`${open.origin}/`)
      expect(await connect(page, { host: blocked.origin })).to.deep.equal({ transport: 'xhr-streaming' })
      expect(await tags()).to.have.nested.property('[0].integrity', hashes.get(FALLBACK))
    })
  })

  describe('that can’t be had', () => {
    const address = `/scripts/${FALLBACK}`

    it('is not there: says what to do', async () => {
      fate = missing
      await visit(blocked)
      expect(await failure()).to.deep.equal(because(`${address} did not load`))
      expect(scripts).to.deep.equal([`/scripts/${MAIN}`, address])
    })

    it('is forbidden by the page’s policy: says what to do', async () => {
      blocked.headers = { 'Content-Security-Policy': `script-src ${blocked.origin}/scripts/${MAIN}` }
      await visit(blocked)
      expect(await failure()).to.deep.equal(because(`${address} did not load`))
      expect(violations).to.have.length(1)
    })

    it('hangs: says what to do before `connectTimeout` is over', async () => {
      fate = hanging
      await page.clock.install()
      await visit(blocked)
      const failed = failure()
      await until(() => scripts.includes(address))
      await page.clock.fastForward(9000)
      expect(await failed).to.deep.equal(because(`${address} did not load in time`))
    })

    it('is another than the page’s hashes allow: says what to do', async () => {
      fate = tampered
      await visit(blocked, MAIN, `integrity="${hashes.get(MAIN)}"`)
      expect(await failure()).to.deep.equal(because(`${address} did not load`))
    })

    it('has no SockJS in it: says what to do', async () => {
      fate = emptied
      await visit(blocked)
      expect(await failure()).to.deep.equal(because('token-socket.fallback.min.js left no SockJS'))
    })

    it('is a page instead: says what to do', async () => {
      fate = replaced
      await visit(blocked)
      expect(await failure()).to.deep.equal(because('token-socket.fallback.min.js left no SockJS'))
      expect(uncaught.splice(0)).to.deep.equal(["SyntaxError: Unexpected token '<'"])
    })
  })

  describe('that can’t be had yet', () => {
    /** Makes a socket that goes on trying, with the longest delays that it would choose; waits for four failures. */
    async function failFourTimes(options: TokenSocketOptions = {}): Promise<Failure[]> {
      await page.evaluate((options) => {
        Math.random = () => 1
        const globals = globalThis as unknown as PageGlobals
        globals.failures = []
        window.socket = new window.TokenSocket(options)
        window.socket.on('state', (state, { error, delay }) => {
          if (state === 'waiting')
            globals.failures.push({ code: error?.code, delay, tags: globals.tags.length })
        })
      }, options)
      await page.waitForFunction(
        () => (globalThis as unknown as PageGlobals).failures.length >= 4,
        undefined,
        { timeout: 30_000 },
      )
      return page.evaluate(() => (globalThis as unknown as PageGlobals).failures.slice(0, 4))
    }

    /** @param tags of the fallback script, by the time of each */
    const failures = (code: string, tags: readonly number[]): Failure[] =>
      [100, 200, 400, 800].map((delay, index) => ({ code, delay, tags: tags[index] ?? 0 }))

    it('is asked for once each try, with growing delays, until it is there', async () => {
      fate = missing
      await visit(blocked)
      expect(await failFourTimes()).to.deep.equal(failures('transport_failed', [1, 2, 3, 4]))
      fate = served
      expect(await page.evaluate(() => window.socket.ready().then(() => window.socket.transport))).to.equal(
        'xhr-streaming',
      )
    })

    it('is tried once each try where the page’s policy forbids it', async () => {
      blocked.headers = { 'Content-Security-Policy': "script-src 'nonce-abc'" }
      blocked.page = `<!doctype html><script nonce="abc" src="/scripts/${MAIN}"></script>`
      await page.goto(`${blocked.origin}/`)
      // The tag loses its nonce, as by a framework that rewrites it.
      await page.evaluate(() => {
        for (const script of document.scripts) script.nonce = ''
      })
      expect(await failFourTimes()).to.deep.equal(failures('transport_failed', [1, 2, 3, 4]))
    })

    it('hangs, and is asked for no more often than once in the time that it may take', async () => {
      fate = hanging
      await visit(blocked)
      expect(await failFourTimes({ connectTimeout: 500 })).to.deep.equal(failures('timeout', [1, 1, 1, 1]))
    })
  })
})
