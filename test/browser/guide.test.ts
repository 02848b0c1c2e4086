/** The pages of HTML in docs/guide, in a real Chromium, as they stand there. */
import { expect } from 'chai'
import { build } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import { GuidePage } from '../end-to-end/guide/guide-page.js'
import { type OpenBrowser, openBrowser } from './chromium.js'

const DEVELOPMENT = { 'process.env.NODE_ENV': '"development"' }

describe('the guide, in a page', function () {
  this.timeout(120_000)
  let chromium: OpenBrowser
  let page: GuidePage
  const problems: string[] = []

  before(async () => {
    chromium = await openBrowser()
  })

  afterEach(async () => {
    await page?.remove()
    expect(problems.splice(0)).to.deep.equal([])
  })

  after(() => chromium?.close())

  const open = async (context: BrowserContext, path = '/') => {
    const window = await context.newPage()
    window.setDefaultTimeout(20_000)
    window.on('pageerror', ({ message }) => problems.push(message))
    await window.goto(page.address + path)
    return window
  }

  const status = (window: Page, text: string) =>
    window.getByRole('status').getByText(text, { exact: true }).waitFor()

  const click = (window: Page, name: string) => window.getByRole('button', { name, exact: true }).click()

  const item = (window: Page, text: string) =>
    window.getByRole('listitem').getByText(text, { exact: true }).first().waitFor()

  it('start: two pages talk, and come back after a restart of the server', async () => {
    page = await GuidePage.write('start')
    const server = await page.serve()
    const context = await chromium.browser.newContext()
    const [ann, bob] = [await open(context, '/?name=Ann'), await open(context, '/?name=Bob')]
    await item(ann, 'Hello Ann, you said: good morning')
    await Promise.all([status(ann, 'ready'), status(bob, 'ready')])
    await ann.getByLabel('Message').fill('Is anyone here?')
    await click(ann, 'Send')
    await Promise.all([ann, bob].map((window) => item(window, 'Ann: Is anyone here?')))
    expect(server.output).to.include('Ann is here')
    await server.kill()
    await status(bob, 'waiting')
    await page.serve()
    await Promise.all([status(ann, 'ready'), status(bob, 'ready')])
    await ann.getByLabel('Message').fill('Back again')
    await click(ann, 'Send')
    await item(bob, 'Ann: Back again')
  })

  it('sign-in: a wrong password, a right one, and a sign-out that closes both windows', async () => {
    page = await GuidePage.write('sign-in')
    await page.serve()
    const context = await chromium.browser.newContext()
    const ann = await open(context)
    await status(ann, 'Please sign in')
    await ann.getByLabel('Name').fill('Ann')
    await ann.getByLabel('Password').fill('wrong')
    await click(ann, 'Sign in')
    await status(ann, 'Wrong name or password')
    await ann.getByLabel('Password').fill('correct horse')
    await click(ann, 'Sign in')
    await status(ann, 'Hello Ann')
    const second = await open(context)
    await status(second, 'Hello Ann')
    await click(ann, 'Sign out')
    await Promise.all([status(ann, 'Please sign in'), status(second, 'Please sign in')])
  })

  it('frontends: the hooks of React under StrictMode, and a loss', async () => {
    page = await GuidePage.write('frontends')
    const options = { bundle: true, format: 'esm', splitting: true, jsx: 'automatic' } as const
    // Without NODE_ENV of production, StrictMode runs each effect twice.
    await build({
      ...options,
      entryPoints: [page.path('main.jsx')],
      outdir: page.path('public'),
      define: DEVELOPMENT,
    })
    const server = await page.serve()
    const context = await chromium.browser.newContext()
    const [ann, bob] = [await open(context, '/?name=ann'), await open(context, '/?name=bob')]
    await Promise.all(
      [ann, bob].map((window) => window.getByText('Here: ann, bob', { exact: true }).waitFor()),
    )
    await click(ann, 'Say hello')
    await item(bob, 'ann: hello')
    expect(await bob.getByRole('listitem').count()).to.equal(1)

    await click(ann, 'Ask me')
    await click(ann, 'Yes')
    await ann.locator('output').getByText('yes', { exact: true }).waitFor()

    await server.kill()
    const offline = bob.getByText('Offline. What you send waits, and goes out when you are back.')
    await offline.waitFor()
    await page.serve()
    const retry = bob.getByRole('button', { name: 'Try now' })
    await retry.click({ timeout: 2000 }).catch(() => {}) // it may be back by itself
    await offline.waitFor({ state: 'detached' })
    await click(ann, 'Say hello')
    await bob.getByRole('listitem').nth(1).waitFor()
  })

  it('dashboard: customers, questions, presence, older messages, offline, and the sign-out', async () => {
    page = await GuidePage.write('dashboard')
    const options = { bundle: true, format: 'esm', splitting: true, define: DEVELOPMENT } as const
    await build({ ...options, entryPoints: [page.path('page.mjs')], outdir: page.path('public') })
    const server = await page.serve()
    const signIn = async (name: string, context?: BrowserContext) => {
      const window = await open(context ?? (await chromium.browser.newContext()))
      window.on('dialog', (dialog) => void dialog.accept())
      await status(window, 'Please sign in')
      await window.getByLabel('Name').fill(name)
      await window.getByLabel('Password').fill(`${name}'s password`)
      await click(window, 'Sign in')
      return window
    }
    const context = await chromium.browser.newContext()
    const [ann, bob, eve] = [await signIn('Ann', context), await signIn('Bob'), await signIn('Eve')]
    await bob.getByText('Here: Ann, Bob', { exact: true }).waitFor()
    await eve.getByText('Here: Eve', { exact: true }).waitFor()
    await click(ann, 'Cancel tea')
    await Promise.all([ann, bob].map((window) => item(window, 'tea: cancelled')))
    await eve.getByRole('button', { name: 'Cancel milk' }).waitFor()

    for (const text of ['one', 'two']) {
      await ann.getByLabel('Message').fill(text)
      await click(ann, 'Send')
      await item(bob, `Ann: ${text}`)
    }
    const second = await open(context)
    await second.getByRole('heading', { name: 'acme, Ann' }).waitFor()
    await click(second, 'Older messages')
    await item(second, 'Ann: one')

    await click(ann, 'Sign out')
    for (const window of [ann, second]) {
      await status(window, 'You are signed out.')
      await window.getByLabel('Password').waitFor()
    }
    await bob.getByText('Here: Bob', { exact: true }).waitFor()
    await server.kill()
    await status(bob, 'Offline. What you send waits, and goes out when you are back.')
  })
})
