/** A page with a client of a contract. The matrix has the pages that bundlers build. */
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { build } from 'esbuild'
import express from 'express'
import { type OpenBrowser, openBrowser } from '../browser/chromium.js'
import { Project } from './project.js'
import { Site } from './site.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where a page finds modules that no bundler has resolved. */
const IMPORTS = {
  '@token-socket/client': '/packages/client/dist/browser/index.js',
  '@token-socket/contract': '/packages/contract/dist/esm/index.js',
  '@token-socket/contract/client': '/packages/contract/dist/esm/client/index.js',
  '@token-socket/protocol': '/packages/protocol/dist/esm/index.js',
  eventemitter3: '/node_modules/eventemitter3/dist/eventemitter3.esm.js',
}

const PAGE = `<!doctype html>
<title>A page without a bundler</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module" src="/test/bundlers/contract-page.js"></script>
`

describe('a page with a client of a contract', function () {
  this.timeout(60_000)
  let chromium: OpenBrowser
  let project: Project
  let site: Site

  before(async () => {
    chromium = await openBrowser()
    project = await Project.create('module', ['contract'])
  })

  after(async () => {
    await chromium.close()
    await project.remove()
  })

  beforeEach(() => {
    site = new Site()
  })

  afterEach(() => site.close())

  /** What the page came to, and what went wrong in it. */
  async function outcome(): Promise<unknown> {
    await site.open()
    const page = await chromium.browser.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(String(error)))
    await page.goto(`http://${site.host}/`)
    const answer = await page.evaluate(() => (window as unknown as { outcome: Promise<unknown> }).outcome)
    await page.close()
    return { answer, faults }
  }

  it('works by `import`, without a bundler', async () => {
    site.app.get('/', (_request, response) => void response.send(PAGE))
    site.app.use(express.static(root))
    expect(await outcome()).to.deep.equal({ answer: { doubled: 42 }, faults: [] })
  })

  it('has nothing of what it does not import', async () => {
    const bytes = async (contents: string) => {
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: project.folder },
        bundle: true,
        minify: true,
        format: 'esm',
        write: false,
      })
      return Number(outputFiles[0]?.contents.length)
    }
    const safe = await bytes("import { safe } from '@token-socket/contract/client'; globalThis.safe = safe")
    const connect = await bytes(
      "import { connect } from '@token-socket/contract/client'; globalThis.c = connect",
    )
    const calls = await bytes(
      "import { connectCalls } from '@token-socket/contract/client'; globalThis.c = connectCalls",
    )
    expect(safe).to.be.within(100, connect / 10)
    // The code of channels is more than 2 kB.
    expect(calls).to.be.below(connect - 2000)
  })
})
