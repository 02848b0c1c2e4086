/** The page of docs/CONNECTIONS.md with a bare `WebSocket`, as it is written. */
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { RawRecipe } from '../raw-recipe.js'
import { type OpenBrowser, openBrowser } from './chromium.js'

describe('a page with a bare WebSocket', () => {
  let recipe: RawRecipe
  let chromium: OpenBrowser
  let page: Page

  before(async function () {
    this.timeout(120_000)
    recipe = await RawRecipe.start()
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
  })

  beforeEach(() => page.goto(recipe.url))

  after(async () => {
    await chromium.close()
    await recipe.stop()
  })

  /** Opens one more. @returns what came, or how it ended */
  const open = (query: string, protocols: readonly string[] = []) =>
    page.evaluate(
      ([own, names]) =>
        new Promise((resolve) => {
          const socket = new WebSocket(`ws://${location.host}/sockets/raw${own}`, [...names])
          socket.onopen = () => socket.send('hello')
          const texts: string[] = []
          socket.onmessage = ({ data }) => {
            texts.push(data)
            if (texts.length === 2) resolve([socket.protocol, ...texts])
          }
          socket.onclose = ({ code }) => resolve(code)
        }),
      [query, protocols] as const,
    )

  it('is signed in, and gets its answer', async () => {
    await page.waitForFunction(() => document.title.startsWith('{'))
    expect(await page.title()).to.equal('{"from":"ann","data":{"lat":1,"long":2}}')
  })

  it('sends and gets texts as they are', async () => {
    expect(await open('?key=k-ann')).to.deep.equal(['', 'Welcome, ann', '{"from":"ann","data":"hello"}'])
  })

  it('opens with subprotocols: the first is accepted', async () => {
    const answer = ['chat', 'Welcome, ann', '{"from":"ann","data":"hello"}']
    expect(await open('?key=k-ann', ['chat', 'v2'])).to.deep.equal(answer)
  })

  it('is refused without a key', async () => {
    expect(await open('')).to.equal(1006)
  })

  it('of another origin is refused', async () => {
    await page.goto(recipe.url.replace('localhost', '127.0.0.1'))
    const host = new URL(recipe.url).host
    const code = await page.evaluate(
      (other) =>
        new Promise((resolve) => {
          const socket = new WebSocket(`ws://${other}/sockets/raw?key=k-ann`)
          socket.onclose = (event) => resolve(event.code)
          socket.onopen = () => resolve('open')
        }),
      host,
    )
    expect(code).to.equal(1006)
  })
})
