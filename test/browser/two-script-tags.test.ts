import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { until } from '../client/waiting.js'
import { legacyClientFile } from '../interop/legacy-client.js'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { LEGACY_README_PAGE } from './legacy-readme-page.js'
import { Site, uncaughtIn } from './site.js'

describe('the snippets of the legacy client’s README, in a page with two script tags', () => {
  let chromium: OpenBrowser
  let page: Page
  let site: Site
  let other: Site
  let folder: string
  let uncaught: string[]
  /** What the page wrote to the console. */
  const lines: string[] = []

  before(async function () {
    this.timeout(120_000)
    other = await Site.open()
    site = await Site.open({
      sockets: {
        origins: [other.origin, 'null'],
        authentication: ({ query }) => query.foo === 'bar' && { foo: query.foo },
        socketController: { echo: (_auth, data) => data, something: { nested: (_auth, data) => data } },
      },
    })
    const html = LEGACY_README_PAGE.replaceAll('https://yourserver.com', site.origin)
    site.page = html
    other.page = html
    folder = await mkdtemp(join(tmpdir(), 'token-socket-page-'))
    await writeFile(join(folder, 'page.html'), html)
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
    uncaught = uncaughtIn(page)
    page.on('console', (message) => lines.push(message.text()))
  })

  afterEach(async () => {
    await page.goto('about:blank')
    lines.length = 0
    expect(uncaught.splice(0)).to.deep.equal([])
  })

  after(async () => {
    await chromium?.close()
    await site?.close()
    await other?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('are those of the README, but for the names of the scripts', async () => {
    const text = withoutSpaces(await legacyClientFile('README.md'))
    const snippets = [...LEGACY_README_PAGE.matchAll(/^\/\/ ---- as in the README\n(.*?)^\/\/ ----$/gms)].map(
      ([, code]) => code ?? '',
    )
    expect(snippets).to.have.length(11)
    for (const snippet of snippets) expect(text).to.include(withoutSpaces(snippet))
  })

  const places: readonly (readonly [where: string, address: () => string, transport: string])[] = [
    ['from the server itself', () => `${site.origin}/`, 'websocket'],
    ['from the server itself, as they stand there', () => `${site.origin}/?xhr-polling`, 'xhr-polling'],
    ['from another origin, as they stand there', () => `${other.origin}/?xhr-polling`, 'xhr-polling'],
    ['from a file', () => pathToFileURL(join(folder, 'page.html')).href, 'websocket'],
  ]
  for (const [where, address, transport] of places) {
    it(`do what it says, ${where}`, async () => {
      await page.goto(address())
      await until(() => lines.length === 4)
      expect(lines.splice(0)).to.have.members([
        ...Array(2).fill('Response:  null {foo: bar}'),
        ...Array(2).fill('Got message on channel! channel1 {foo: bar}'),
      ])
      const socket = site.sockets.sockets().at(-1)
      expect(socket?.transport).to.equal(transport)
      expect(socket?.channels).to.deep.equal(['channel1'])
      expect(await socket?.rpc('ping', 1)).to.equal(1)
      expect(await socket?.rpc('nested.foo')).to.equal('foo')
      await page.evaluate('register()')
      expect(await socket?.rpc('echo', 2)).to.equal(2)
      await page.evaluate('leave()')
      await until(() => socket?.channels.length === 0)
      await page.evaluate('end()')
      await until(() => lines.length === 1)
      expect(lines).to.deep.equal(['Socket closed'])
    })
  }
})

function withoutSpaces(text: string): string {
  return text.replace(/\s+/g, '')
}
