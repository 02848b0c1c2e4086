import { readFile, rename } from 'node:fs/promises'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { createServer, type ViteDevServer } from 'vite'
import { type OpenBrowser, openBrowser } from '../browser/chromium.js'
import { until } from '../client/waiting.js'
import { Project } from './project.js'
import { Site } from './site.js'

describe('a page in development, served by Vite', function () {
  this.timeout(60_000)
  let chromium: OpenBrowser
  let project: Project
  let site: Site
  let vite: ViteDevServer
  let page: Page
  const faults: string[] = []

  before(async () => {
    chromium = await openBrowser()
  })

  after(() => chromium.close())

  afterEach(async () => {
    await page.close()
    await vite.close()
    await site.close()
    await project.remove()
    expect(faults).to.deep.equal([])
  })

  /** Whether the page gets this title in time. */
  function shows(title: string, timeout = 5000): Promise<boolean> {
    const has = page.waitForFunction((title) => document.title === title, title, { timeout })
    return has.then(
      () => true,
      () => false,
    )
  }

  /** Writes the script as an editor does that puts the new file in the old one's place: nobody reads half of it. */
  async function save(text: string): Promise<void> {
    await project.write('hot.js.new', text)
    await rename(project.path('hot.js.new'), project.path('hot.js'))
  }

  async function serve(script: string): Promise<void> {
    project = await Project.create()
    await project.copy(script)
    await project.write(
      'index.html',
      `<!doctype html><body></body><script type="module" src="/${script}"></script>`,
    )
    site = new Site('*')
    await project.write('.env', `VITE_HOST=http://${await site.open()}`)
    vite = await createServer({
      root: project.folder,
      configFile: false,
      logLevel: 'silent',
      server: { port: 0, host: '127.0.0.1' },
    })
    await vite.listen()
    page = await chromium.browser.newPage()
    faults.length = 0
    page.on('pageerror', (error) => faults.push(String(error)))
    const address = vite.httpServer?.address()
    if (typeof address !== 'object' || address === null) throw new Error('Vite does not listen')
    // A change that comes before Vite's own client listens would never reach the page.
    const listens = page.waitForEvent('console', (message) => message.text().includes('[vite] connected'))
    await page.goto(`http://127.0.0.1:${address.port}/`)
    await listens
  }

  it('has one socket under React’s StrictMode, which mounts everything twice', async () => {
    await serve('strict-mode.js')
    await page.waitForFunction(() => document.querySelector('#state')?.textContent === 'ready')
    await until(() => site.sockets.sockets().length === 1)
    // A second one would have come by now: it was asked for before the first.
    await page.waitForLoadState('networkidle')
    expect(site.sockets.sockets()).to.have.length(1)
  })

  it('has one socket however often its script is changed', async () => {
    await serve('hot.js')
    expect(await shows('ready 1', 30_000)).to.equal(true)
    for (const version of [2, 3, 4]) {
      const text = await readFile(project.path('hot.js'), 'utf8')
      const changed = text.replace(/VERSION = \d/, `VERSION = ${version}`)
      // Vite tells only pages that listen: one that it is reloading hears of no change, until the next.
      do await save(changed)
      while (!(await shows(`ready ${version}`)))
    }
    await until(() => site.sockets.sockets().length === 1)
  })
})
