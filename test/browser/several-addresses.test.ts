/** A browser whose requests leave by several addresses, before an application that a proxy mounts below a path. */
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { ManyAddresses } from '../end-to-end/many-addresses.js'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, endSocket, pageWith, Site } from './site.js'

const BELOW = '/app'

describe('a browser whose requests leave by several addresses', () => {
  let chromium: OpenBrowser
  let page: Page
  let site: Site
  let network: ManyAddresses

  before(async function () {
    this.timeout(20_000)
    site = await Site.open({
      sockets: { bindSessions: 'cookie', transports: ['xhr-streaming', 'xhr-polling'] },
    })
    site.page = pageWith(`${BELOW}/sockets/token-socket.min.js`)
    network = await ManyAddresses.start({
      site: site.port,
      from: ['127.0.0.1', '127.0.0.2'],
      below: BELOW,
    })
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
    await page.goto(`http://${network.host}${BELOW}/sign-in`)
  })

  afterEach(() => endSocket(page))

  after(async () => {
    await chromium?.close()
    await network?.stop()
    await site?.close()
  })

  for (const transport of ['xhr-polling', 'xhr-streaming']) {
    it(`is served by ${transport} with bindSessions: 'cookie', each session by a cookie of its own`, async () => {
      const answers = site.answers.length
      await page.goto(`http://${network.host}${BELOW}/`)
      const host = `http://${network.host}${BELOW}`
      const outcome = await connect(page, {
        host,
        transports: ['sockjs'],
        sockjs: { transports: [transport] },
      })
      expect(outcome).to.deep.equal({ transport })
      for (const value of [1, 2, 3, 4])
        expect(await page.evaluate((one) => window.socket.rpc('echo', one), value)).to.equal(value)
      expect(site.answers.slice(answers).filter(({ status }) => status >= 400)).to.deep.equal([])
      const cookies = await page.context().cookies(`${host}/`)
      expect(cookies.map(({ name }) => name)).to.not.include('token-socket-session')
      const all = (await page.context().cookies()).filter(({ name }) => name === 'token-socket-session')
      expect(all).to.not.deep.equal([])
      for (const { path, httpOnly } of all) {
        expect(path).to.match(/^\/app\/sockets\/\d{3}\/\w+$/)
        expect(httpOnly).to.equal(true)
      }
    })
  }
})
