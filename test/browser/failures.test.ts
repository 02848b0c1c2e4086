import { readFile } from 'node:fs/promises'
import type { TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, endSocket, Site } from './site.js'

/** A page that came by https, from a host that only the test knows. */
const SECURE = 'https://secure.example'
const EMPTY = '<!doctype html><title>A page</title>'

/** What is wrong, what the error says, and what the console says to do about it. `SITE` and `PAGE` are origins. */
interface Mistake {
  readonly page?: 'own' | 'other' | 'secure'
  readonly headers?: Record<string, string>
  readonly options: TokenSocketOptions
  readonly code: string
  readonly parts: readonly string[]
  readonly remedy: string
}

const MISTAKES: Readonly<Record<string, Mistake>> = {
  'an origin that is not allowed': {
    page: 'other',
    options: { host: 'SITE' },
    code: 'token_failed',
    parts: ['SITE/socket/token', 'Failed to fetch', 'is PAGE allowed?'],
    remedy: '`origins`',
  },
  'a port at which nothing listens': {
    options: { host: 'http://127.0.0.1:1' },
    code: 'token_failed',
    parts: ['http://127.0.0.1:1/socket/token', 'Failed to fetch'],
    remedy: 'The server does not run',
  },
  'a policy that forbids the token request': {
    headers: { 'Content-Security-Policy': "connect-src 'none'" },
    options: {},
    code: 'token_failed',
    parts: ['SITE/socket/token', 'Failed to fetch'],
    remedy: '`connect-src`',
  },
  'a policy that forbids the socket': {
    headers: { 'Content-Security-Policy': "connect-src 'none'" },
    options: { token: 'x', transports: ['websocket'] },
    code: 'transport_failed',
    parts: ['WS/sockets/websocket', 'forbidden'],
    remedy: '`connect-src`',
  },
  'a token request by http from a page that came by https': {
    page: 'secure',
    options: { host: 'http://plain.example' },
    code: 'token_failed',
    parts: ['http://plain.example/socket/token', 'Failed to fetch'],
    remedy: 'write https:// in `host`',
  },
  'a socket by ws from a page that came by https': {
    page: 'secure',
    options: { host: 'http://plain.example', token: 'x', transports: ['websocket'] },
    code: 'transport_failed',
    parts: ['ws://plain.example/sockets/websocket'],
    remedy: 'https',
  },
  'a wrong `tokenPath`': {
    options: { tokenPath: '/nowhere' },
    code: 'token_refused',
    parts: ['SITE/nowhere', '404'],
    remedy: '`tokenRoute`',
  },
  'a wrong `socketPrefix`': {
    options: { socketPrefix: '/nowhere', transports: ['websocket'] },
    code: 'transport_failed',
    parts: ['WS/nowhere/websocket', '1006'],
    remedy: '`socketPrefix`',
  },
  'a user who is not signed in': {
    options: { authentication: { guest: 1 } },
    code: 'token_refused',
    parts: ['SITE/socket/token', '403', 'Forbidden'],
    remedy: 'Sign in',
  },
}

describe('what a page says when it does not connect', function () {
  this.timeout(120_000)

  let chromium: OpenBrowser
  let page: Page
  let site: Site
  let other: Site
  const warnings: string[] = []

  before(async () => {
    other = await Site.open()
    const authentication = (request: { query: Record<string, unknown> }) =>
      !request.query.guest && { name: 'x' }
    site = await Site.open({ sockets: { authentication } })
    for (const one of [site, other]) one.page = EMPTY
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(10_000)
    page.on('console', (message) => {
      if (/^(warning)$/.test(message.type()) && message.text().includes('TokenSocket'))
        warnings.push(message.text())
    })
    await page.route(`${SECURE}/**`, (route) => route.fulfill({ contentType: 'text/html', body: EMPTY }))
  })

  afterEach(() => endSocket(page))

  after(async () => {
    await chromium?.close()
    await site?.close()
    await other?.close()
  })

  for (const script of ['token-socket.js', 'token-socket.min.js']) {
    for (const [title, mistake] of Object.entries(MISTAKES)) {
      it(`names it in ${script}: ${title}`, async () => {
        const origin = { own: site.origin, other: other.origin, secure: SECURE }[mistake.page ?? 'own']
        const filled = (text: string) =>
          text
            .replace('SITE', site.origin)
            .replace('WS', site.origin.replace('http', 'ws'))
            .replace('PAGE', origin)
        site.headers = mistake.headers ?? {}
        await page.goto(`${origin}/`)
        const content = await readFile(
          new URL(`../../packages/client/dist/${script}`, import.meta.url),
          'utf8',
        )
        await page.addScriptTag({ content })
        warnings.length = 0
        const { host, ...options } = mistake.options
        const { code, message = '' } = await connect(page, {
          ...options,
          ...(host && { host: filled(host) }),
          reconnect: false,
        })
        expect(code, message).to.equal(mistake.code)
        for (const part of mistake.parts) expect(message).to.include(filled(part))
        expect(warnings, 'warnings').to.have.length(1)
        expect(warnings[0]).to.include(message)
        if (script === 'token-socket.js') expect(warnings[0]).to.include(mistake.remedy)
      })
    }
  }
})
