/** The tables of docs/PAGES.md about content security policies: what a transport needs is enough, and none of it is too much. */
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, endSocket, pageWith, Site } from './site.js'
import { CROSS_ORIGIN_TRANSPORTS, EVERY_TRANSPORT } from './sockjs-transports.js'

const text = readFileSync(new URL('../../docs/PAGES.md', import.meta.url), 'utf8')

/** What a transport needs, by directive. */
type Needs = Readonly<Record<string, string>>

const DIRECTIVES = ['connect-src', 'frame-src', 'form-action']

/** The transports of the document's table. */
function documented(): ReadonlyMap<string, Needs> {
  const [, table = ''] = text.split('| transport | `connect-src` |')
  const rows = [...table.matchAll(/^\| (`[^|]+`) \|([^|\n]*)\|([^|\n]*)\|([^|\n]*)\|$/gm)]
  return new Map(
    rows.flatMap(([, names = '', ...cells]) => {
      const needs = cells.map((cell, index) => [DIRECTIVES[index], cell.replaceAll('`', '').trim()])
      return names.split(', ').map((name) => [name.replaceAll('`', ''), Object.fromEntries(needs)])
    }),
  )
}

describe('docs/PAGES.md about policies', function () {
  this.timeout(60_000)
  let chromium: OpenBrowser
  let page: Page
  let site: Site
  let other: Site
  const violations: string[] = []

  before(async () => {
    other = await Site.open()
    site = await Site.open({ sockets: { origins: [other.origin], ...EVERY_TRANSPORT } })
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) violations.push(message.text())
    })
    await page.goto(`${site.origin}/sign-in`)
  })

  after(async () => {
    await chromium?.close()
    await site?.close()
    await other?.close()
  })

  /** Calls the server by a transport from a page of another origin. @returns whether it was answered */
  async function works(transport: string, needs: Needs): Promise<boolean> {
    const own = (value: string) =>
      value
        .replaceAll('https://api.example.com', site.origin)
        .replaceAll('wss://api.example.com', site.origin.replace('http', 'ws'))
    const directives = Object.entries(needs).map(([name, value]) => `${name} ${own(value) || "'none'"}`)
    const policy = ["default-src 'none'", `script-src ${site.origin}`, ...directives].join('; ')
    other.headers = { 'Content-Security-Policy': policy }
    other.page = pageWith(`${site.origin}/sockets/token-socket.min.js`)
    await page.goto(`${other.origin}/`)
    violations.length = 0
    const sockjs = { transports: ['sockjs'], sockjs: { transports: [transport] } } as const
    const outcome = await connect(page, { host: site.origin, reconnect: false, ...sockjs })
    const answer =
      outcome.transport &&
      (await page.evaluate(() => window.socket.rpc('echo', 1, { timeout: 2000 }).catch(() => undefined)))
    await endSocket(page)
    return answer === 1
  }

  it('has each transport that reaches another origin', () => {
    const known = CROSS_ORIGIN_TRANSPORTS.map(({ name }) => name)
    expect([...documented().keys()]).to.have.members(known)
  })

  for (const [transport, needs] of documented()) {
    it(`names all that ${transport} needs`, async () => {
      expect(await works(transport, needs)).to.equal(true)
      expect(violations).to.deep.equal([])
    })

    for (const [directive, value] of Object.entries(needs).filter(([, value]) => value !== ''))
      it(`names nothing in ${directive} that ${transport} does not need`, async () => {
        const rest = value.split(' ').slice(0, -1).join(' ')
        expect(await works(transport, { ...needs, [directive]: rest })).to.equal(false)
        expect(violations).to.have.length.above(0)
      })
  }

  it('says that a nonce is not needed with strict-dynamic', async () => {
    for (const nonce of ['nonce="abc" ', '']) {
      site.headers = {
        'Content-Security-Policy': "script-src 'nonce-abc' 'strict-dynamic'; connect-src 'self'",
      }
      site.page = `<!doctype html><title>x</title><script nonce="abc">
        const tag = document.createElement('script')
        tag.src = '/sockets/token-socket.min.js'
        if (${JSON.stringify(nonce)}) tag.nonce = 'abc'
        document.head.append(tag)
      </script>`
      await page.goto(`${site.origin}/`)
      await page.waitForFunction(() => 'TokenSocket' in window)
      violations.length = 0
      expect(await connect(page, { transports: ['sockjs'] })).to.have.property('transport')
      await endSocket(page)
      expect(violations).to.deep.equal([])
    }
  })

  it('says that JSONP needs the server in script-src', async () => {
    const stranger = await Site.open({ sockets: { authentication: () => ({ name: 'Ada' }) } })
    try {
      other.headers = { 'Content-Security-Policy': `script-src ${site.origin}` }
      other.page = pageWith(`${site.origin}/sockets/token-socket.min.js`)
      await page.goto(`${other.origin}/`)
      violations.length = 0
      const options = { host: stranger.origin, jsonp: true, reconnect: false } as const
      expect(await connect(page, options)).to.have.property('code', 'token_failed')
      expect(violations.join()).to.include('script-src')
    } finally {
      await stranger.close()
    }
  })
})
