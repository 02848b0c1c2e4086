/** The minified client's option `url` in Chromium: a WebSocket without a token. */
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { endSocket, Site } from './site.js'

const FROM = 'http://server.invalid'

describe('a page without a token', () => {
  let chromium: OpenBrowser
  let site: Site
  let page: Page
  let requested: string[]
  let said: string[]

  before(async function () {
    this.timeout(120_000)
    const connectAuthentication = async ({ url = '' }: { readonly url?: string | undefined }) => {
      const key = new URL(url, FROM).searchParams.get('key')
      return key === 'S3CR3T' && { uid: 'ann' }
    }
    site = await Site.open({ sockets: { connectAuthentication } })
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
    page.on('request', (request) => requested.push(new URL(request.url()).pathname))
    page.on('console', (message) => said.push(message.text()))
  })

  beforeEach(async () => {
    requested = []
    said = []
    await page.goto(`${site.origin}/`)
  })

  afterEach(() => endSocket(page))

  after(async () => {
    await chromium.close()
    await site.close()
  })

  /** Makes a socket with a `url` of this text. @returns who it is, or why it failed */
  const connect = (url: string) =>
    page.evaluate(async (text) => {
      const give = new Function('request', `return ${text}`) as () => string
      window.socket = new window.TokenSocket({ url: give })
      return window.socket.ready().then(
        () => [window.socket.transport, window.socket.uid],
        ({ code, message }) => [code, message],
      )
    }, url)

  it('signs in by its URL, and requests no token', async () => {
    expect(await connect('({ url: request.url + "?key=S3CR3T" })')).to.deep.equal(['websocket', 'ann'])
    expect(requested).to.not.include('/socket/token')
  })

  it('is refused for good, and the console has no query', async () => {
    expect(await connect('request.url + "?key=S3CR3T-no"')).to.deep.equal(['forbidden', 'Forbidden'])
    expect(said.join()).to.contain('Forbidden').and.not.contain('S3CR3T')
  })

  it('connects to no other server', async () => {
    const [code, message] = await connect('"ws://127.0.0.1:1/?key=S3CR3T"')
    expect(code).to.equal('bad_option')
    expect(message).to.contain('not ws://127.0.0.1:1').and.not.contain('S3CR3T')
  })

  it('fails where the function throws', async () => {
    const [code, message] = await connect('missing.key')
    expect(code).to.equal('url_failed')
    expect(message).to.equal('missing is not defined')
  })
})
