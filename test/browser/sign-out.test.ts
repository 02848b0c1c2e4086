import { EventEmitter, once } from 'node:events'
import { expect } from 'chai'
import type { BrowserContext, Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { ExampleServer } from './example-server.js'

describe('the sign-out example', function () {
  this.timeout(120_000)
  let server: ExampleServer
  let chromium: OpenBrowser
  const problems: string[] = []

  before(async () => {
    server = await ExampleServer.create('sign-out')
    await server.start()
    chromium = await openBrowser()
  })

  beforeEach(() => {
    problems.length = 0
  })

  afterEach(() => {
    expect(problems).to.deep.equal([])
  })

  after(async () => {
    await chromium?.close()
    await server?.ended('SIGTERM')
    await server?.remove()
  })

  const click = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

  const state = (page: Page, text: string) =>
    page.getByRole('status').getByText(text, { exact: true }).waitFor()

  const open = async (context: BrowserContext) => {
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', ({ message }) => problems.push(message))
    await page.goto(server.address)
    return page
  }

  /** Two windows of one user, both with an open socket. */
  const twoWindows = async () => {
    const context = await chromium.browser.newContext()
    const first = await open(context)
    await click(first, 'Sign in')
    await state(first, 'open')
    const second = await open(context)
    await state(second, 'open')
    return [first, second] as const
  }

  it('closes the socket of the other window at the sign-out', async () => {
    const [first, second] = await twoWindows()
    await click(first, 'Sign out')
    await second.getByRole('listitem').getByText('closed: The authorisation was revoked').waitFor()
  })

  it('closes those of both at the provider', async () => {
    const [first, second] = await twoWindows()
    await click(first, 'Sign out at the provider')
    for (const page of [first, second])
      await page.getByRole('listitem').getByText('closed: The authorisation was revoked').waitFor()
  })

  it('has both windows fetch new tokens when the role changes', async () => {
    const [first, second] = await twoWindows()
    await click(first, 'Change my role')
    for (const page of [first, second]) await page.getByText('refreshed: the role is editor').waitFor()
    await state(second, 'open')
  })

  it('opens the socket of a sign-in that is faster than the answer to the page', async () => {
    const page = await (await chromium.browser.newContext()).newPage()
    page.setDefaultTimeout(20_000)
    const steps = new EventEmitter()
    const fetched = once(steps, 'fetched')
    const signedIn = once(steps, 'signed in')
    // The first token request is answered as it was before the sign-in, but arrives after it.
    await page.route('**/socket/token*', async (route) => {
      const response = await route.fetch()
      steps.emit('fetched')
      await signedIn
      await route.fulfill({ response })
    })
    await page.goto(server.address)
    await fetched
    const [signIn] = await Promise.all([page.waitForResponse('**/sign-in'), click(page, 'Sign in')])
    await signIn.finished()
    await page.evaluate(() => undefined)
    steps.emit('signed in')
    await state(page, 'open')
  })

  it('keeps the socket of a sign-in whose answer overtakes that of the sign-out before it', async () => {
    const [page] = await twoWindows()
    const steps = new EventEmitter()
    const signedIn = once(steps, 'signed in')
    await page.route('**/sign-out', async (route) => {
      const response = await route.fetch()
      steps.emit('signed out')
      await signedIn
      await route.fulfill({ response })
    })
    const signedOut = once(steps, 'signed out')
    await click(page, 'Sign out')
    await signedOut
    await page.getByRole('listitem').getByText('closed: The authorisation was revoked').waitFor()
    await click(page, 'Sign in')
    await state(page, 'open')
    const answered = page.waitForResponse('**/sign-out')
    steps.emit('signed in')
    await (await answered).finished()
    await page.evaluate(() => undefined)
    await click(page, 'Change my role')
    await page.getByText('refreshed: the role is editor').waitFor()
  })
})
