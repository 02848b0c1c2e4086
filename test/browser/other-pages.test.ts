/** Pages that did not come by HTTP: they have to name the server, and the server has to know their origin. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import type { Frame, Page } from 'playwright-core'
import { CHROMIUM, type OpenBrowser, openBrowser } from './chromium.js'
import { connect, pageWith, Site } from './site.js'

/** A page, and what its browser calls it. */
interface OtherPage {
  readonly title: string
  readonly protocol: string
  /** The `Origin` of its token request and of its WebSocket; `undefined` for that of the page around it. */
  readonly origin: string | undefined
  open(): Promise<Page | Frame>
}

describe('a page that did not come by HTTP', () => {
  let chromium: OpenBrowser
  let page: Page
  let site: Site
  let folder: string
  /** The origin of each request that the server judged: of the token route, and of the WebSocket. */
  let origins: Record<string, unknown>
  let allowed: readonly string[] | undefined

  before(async function () {
    this.timeout(20_000)
    folder = await mkdtemp(join(tmpdir(), 'token-socket-pages-'))
    site = await Site.open({
      sockets: {
        authentication: () => ({ name: 'Ada' }),
        origins: (origin, { url = '', headers }) => {
          origins[/websocket/.test(url) ? 'webSocket' : 'token'] = headers.origin
          return allowed?.includes(origin) ?? true
        },
      },
    })
    // Pages without a server are public to Chromium, and this one is local.
    const args = [...CHROMIUM.args, '--disable-features=LocalNetworkAccessChecks']
    chromium = await openBrowser({ args })
  })

  beforeEach(async () => {
    origins = {}
    allowed = undefined
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
  })

  afterEach(() => page.close())

  after(async () => {
    await chromium?.close()
    await site?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const script = () => `${site.origin}/sockets/token-socket.min.js`

  async function visit(url: string): Promise<Page> {
    await page.goto(url)
    await page.waitForFunction(() => 'TokenSocket' in window)
    return page
  }

  /** A frame of the site's own page, which a line of script makes. */
  async function frameOf(make: string): Promise<Frame> {
    site.page = pageWith()
    await page.goto(`${site.origin}/`)
    const html = JSON.stringify(pageWith(script())).replaceAll('<', '\\u003c')
    await page.addScriptTag({
      content: `const html = ${html}; const frame = document.createElement('iframe'); ${make}; document.body.append(frame)`,
    })
    const frame = page.frames()[1]
    if (!frame) throw new Error('there is no frame')
    await frame.waitForFunction(() => 'TokenSocket' in window)
    return frame
  }

  const PAGES: readonly OtherPage[] = [
    {
      title: 'a file',
      protocol: 'file:',
      origin: 'null',
      async open() {
        const file = join(folder, 'page.html')
        await writeFile(file, pageWith(script()))
        return visit(pathToFileURL(file).href)
      },
    },
    {
      title: 'a data: URL',
      protocol: 'data:',
      origin: 'null',
      open: () => visit(`data:text/html,${encodeURIComponent(pageWith(script()))}`),
    },
    {
      title: 'an empty page',
      protocol: 'about:',
      origin: 'null',
      async open() {
        await page.goto('about:blank')
        await page.addScriptTag({ url: script() })
        return page
      },
    },
    {
      title: 'a frame of a text',
      protocol: 'about:',
      origin: undefined,
      open: () => frameOf('frame.srcdoc = html'),
    },
    {
      title: 'a frame of a blob: URL',
      protocol: 'blob:',
      origin: undefined,
      open: () => frameOf("frame.src = URL.createObjectURL(new Blob([html], { type: 'text/html' }))"),
    },
  ]

  for (const { title, protocol, origin, open } of PAGES) {
    it(`such as ${title} has to name the host, and connects then`, async () => {
      const opened = await open()
      expect(await opened.evaluate(() => window.location.protocol)).to.equal(protocol)
      const error = await connect(opened).catch(String)
      expect(error).to.include('host has to be given')
      expect(await connect(opened, { host: site.origin })).to.deep.equal({ transport: 'websocket' })
      const own = origin === undefined ? {} : { token: origin, webSocket: origin }
      expect(origins).to.deep.equal(own)
    })
  }

  it('gets in where `origins` names `null`, a file too, and not where it names another', async () => {
    const opened = await PAGES[0]?.open()
    if (!opened) throw new Error('there is no such page')
    allowed = ['null']
    expect(await connect(opened, { host: site.origin })).to.deep.equal({ transport: 'websocket' })
    allowed = ['capacitor://localhost']
    const { code } = await connect(opened, { host: site.origin, reconnect: false })
    expect(code).to.equal('token_failed')
  })

  it('has workers of blob: URLs that need the host as well', async () => {
    site.page = pageWith()
    await page.goto(`${site.origin}/`)
    const answers = await page.evaluate(
      async ([url, host]) => {
        const code = `importScripts(${JSON.stringify(url)})
          const make = (options) => {
            try { return new TokenSocket(options) } catch (error) { return error }
          }
          const socket = make({ host: ${JSON.stringify(host)} })
          socket.ready().then(async () => {
            const said = [location.protocol, make().message, socket.transport, await socket.rpc('echo', 1)]
            await socket.end()
            postMessage(said)
          }, (error) => postMessage([String(error)]))`
        const worker = new Worker(URL.createObjectURL(new Blob([code])))
        return await new Promise<unknown[]>((resolve) => {
          worker.onmessage = ({ data }) => resolve(data)
          worker.onerror = ({ message }) => resolve([message])
        })
      },
      [script(), site.origin] as const,
    )
    const [protocol, message, ...rest] = answers
    expect(protocol).to.equal('blob:')
    expect(message).to.include('host has to be given')
    expect(rest).to.deep.equal(['websocket', 1])
  })
})
