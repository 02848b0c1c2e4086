import { expect } from 'chai'
import express from 'express'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from '../browser/chromium.js'
import { BUNDLERS } from './bundlers.js'
import { Project } from './project.js'
import { Site } from './site.js'

/** What would mean that Node's parts have come along, or a polyfill for them. */
const NODE_PARTS =
  /\bprocess\.(?:env|nextTick|version)|\bBuffer\.|\brequire\(["']|["']node:|node_modules\/ws\//

describe('a page that imports the client', function () {
  this.timeout(60_000)
  let chromium: OpenBrowser

  before(async () => {
    chromium = await openBrowser()
  })

  after(() => chromium.close())

  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    describe(`built by ${name}`, () => {
      let project: Project
      let site: Site
      let page: Page
      let warnings: readonly string[]
      const faults: string[] = []
      const requested: string[] = []

      before(async () => {
        project = await Project.create()
        await project.copy('page.js')
        warnings = await bundle(project)
        site = new Site()
        site.app.use(express.static(project.path('site'), { dotfiles: 'allow' }))
        await site.open()
      })

      after(async () => {
        await site.close()
        await project.remove()
      })

      beforeEach(async () => {
        page = await chromium.browser.newPage()
        faults.length = 0
        requested.length = 0
        page.on('pageerror', (error) => faults.push(String(error)))
        page.on('request', (request) => requested.push(new URL(request.url()).pathname))
      })

      afterEach(() => page.close())

      const outcome = async (query = '') => {
        await page.goto(`http://${site.host}/${query}`)
        return page.evaluate(() => (window as unknown as { outcome: Promise<unknown> }).outcome)
      }

      it('is built without a warning', () => {
        expect(warnings).to.deep.equal([])
      })

      /** The file that SockJS is in, and no other. */
      async function sockjsFile(): Promise<string> {
        const scripts = [...(await project.scripts('site'))]
        const [first, ...others] = scripts.filter(([, text]) => text.includes('/xhr_streaming'))
        expect(others).to.deep.equal([])
        return first?.[0] ?? 'nowhere'
      }

      it('has nothing of Node’s in it, and SockJS in a file of its own', async () => {
        const file = await sockjsFile()
        const scripts = await project.scripts('site')
        expect(scripts.get(file)).to.have.length.above(40_000)
        scripts.delete(file)
        expect(scripts).to.have.property('size').above(0)
        for (const [name, text] of scripts) expect(NODE_PARTS.exec(text)?.[0], name).to.equal(undefined)
      })

      it('connects by WebSocket, calls and is called, and does not load SockJS', async () => {
        expect(await outcome()).to.deep.equal({ transport: 'websocket', answer: { doubled: 42 } })
        expect(requested).to.not.include(`/${await sockjsFile()}`)
        expect(faults).to.deep.equal([])
      })

      it('loads SockJS when it needs it', async () => {
        expect(await outcome('?transports=sockjs')).to.have.nested.property('answer.doubled', 42)
        expect(requested).to.include(`/${await sockjsFile()}`)
        expect(faults).to.deep.equal([])
      })
    })
  }
})
