import { EventEmitter, once } from 'node:events'
import { expect } from 'chai'
import type { Page, Route } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { ExampleServer } from './example-server.js'

/** Answers of the server that a test holds back, until what they were for has changed. */
class HeldAnswers {
  readonly #steps = new EventEmitter()
  readonly #released = once(this.#steps, 'released')

  /**
   * Holds back the answer to the first request for a path.
   * @param page whose request it is
   * @param path as a glob
   */
  static async of(page: Page, path: string): Promise<HeldAnswers> {
    const held = new HeldAnswers()
    await page.route(path, (route) => held.#hold(route), { times: 1 })
    return held
  }

  /** Settles when the server has answered, and the page does not know yet. */
  readonly fetched = once(this.#steps, 'fetched')
  /** Settles when the page has the answer, or has given it up. */
  readonly delivered = once(this.#steps, 'delivered')

  async #hold(route: Route): Promise<void> {
    const response = await route.fetch()
    this.#steps.emit('fetched')
    await this.#released
    // The page may have aborted the request.
    await route.fulfill({ response }).catch(() => {})
    this.#steps.emit('delivered')
  }

  /** Lets the page have the answer, and waits until its code has run. */
  async release(page: Page): Promise<void> {
    this.#steps.emit('released')
    await this.delivered
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)))
  }
}

describe('late answers in the demos', function () {
  this.timeout(120_000)
  let chromium: OpenBrowser
  let server: ExampleServer | undefined
  const problems: string[] = []

  before(async () => {
    chromium = await openBrowser()
  })

  afterEach(async () => {
    await server?.remove()
    expect(problems.splice(0)).to.deep.equal([])
  })

  after(() => chromium?.close())

  /** Starts a demo. @returns its page, which is empty yet */
  async function start(name: string): Promise<Page> {
    server = await ExampleServer.create(name)
    await server.start()
    const page = await (await chromium.browser.newContext()).newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', ({ message }) => problems.push(message))
    return page
  }

  const addressOf = () => server?.address ?? ''
  const click = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

  const signIn = async (page: Page, name: string) => {
    await page.getByLabel('Your name').fill(name)
    await click(page, 'Sign in')
  }

  /** Counts the WebSockets of a page that are open. */
  const socketsOf = (page: Page) => {
    const sockets = { open: 0 }
    page.on('websocket', (socket) => {
      sockets.open += 1
      socket.on('close', () => {
        sockets.open -= 1
      })
    })
    return sockets
  }

  const isReady = (page: Page) => page.locator('#state[data-state="ready"]').waitFor()

  describe('the chat', () => {
    it('shows the chat that was asked for last, and has sockets for that one only', async () => {
      const page = await start('chat')
      const sockets = socketsOf(page)
      const held = await HeldAnswers.of(page, '**/tokens')
      await page.goto(addressOf())
      await held.fetched
      await click(page, 'New chat')
      for (const uid of ['jim', 'pam'])
        await page.locator(`.pane[data-uid="${uid}"] .state[data-state="ready"]`).waitFor()
      const address = page.url()
      await held.release(page)
      await page.locator('.pane[data-uid="pam"] .state[data-state="ready"]').waitFor()
      expect(page.url()).to.equal(address)
      expect(await page.locator('.pane').count()).to.equal(2)
      expect(sockets.open).to.equal(2)
    })
  })

  describe('the playground', () => {
    it('signs in by the name that was given last', async () => {
      const page = await start('playground')
      const sockets = socketsOf(page)
      await page.goto(addressOf())
      const held = await HeldAnswers.of(page, '**/sign-in')
      await signIn(page, 'Ada')
      await held.fetched
      await signIn(page, 'Grace')
      await held.release(page)
      await page.getByRole('heading', { name: 'Welcome, Grace' }).waitFor()
      await isReady(page)
      const session = await page.evaluate(async () => (await fetch('/session')).json())
      expect(session).to.include({ name: 'Grace' })
      expect(sockets.open).to.equal(1)
    })

    it('stays signed in when the sign-out before is answered late', async () => {
      const page = await start('playground')
      await page.goto(addressOf())
      await signIn(page, 'Ada')
      await isReady(page)
      const held = await HeldAnswers.of(page, '**/sign-out')
      await click(page, 'Sign out')
      await held.fetched
      await signIn(page, 'Grace')
      await held.release(page)
      await page.getByRole('heading', { name: 'Welcome, Grace' }).waitFor()
      await isReady(page)
      expect(await page.locator('#welcome').isVisible()).to.equal(false)
    })

    it('shows the steps of the newer socket, whatever comes for the one before', async () => {
      const page = await start('playground')
      await page.goto(addressOf())
      const held = await HeldAnswers.of(page, '**/socket/token*')
      await signIn(page, 'Ada')
      await held.fetched
      await page.getByLabel('Use', { exact: true }).selectOption('websocket')
      await isReady(page)
      const shown = await page.locator('#flow').innerText()
      await held.release(page)
      expect(await page.locator('#flow').innerText()).to.equal(shown)
      expect(await page.locator('#subscribe-problem').innerText()).to.equal('')
      await page.locator('#channels [data-channel="lobby"]').waitFor()
    })

    it('shows the question that replaced another', async () => {
      const page = await start('playground')
      await page.goto(addressOf())
      await signIn(page, 'Ada')
      await isReady(page)
      await click(page, 'Ask me something')
      await page.locator('#question').waitFor()
      await click(page, 'Ask me something')
      await page.getByText('Another question came').first().waitFor()
      await page.getByLabel('The server asks').fill('42')
      await click(page, 'Answer')
      await page.locator('#called .worked').getByText('42').first().waitFor()
    })
  })

  describe('the typed example', () => {
    it('sends no form before it is connected', async () => {
      const page = await start('typed')
      const held = await HeldAnswers.of(page, '**/app.js')
      await page.goto(addressOf(), { waitUntil: 'commit' })
      await held.fetched
      // Playwright would wait until the button can be pressed.
      await page.locator('#hello button').click({ force: true })
      await held.release(page)
      await page.getByText('connect ready').waitFor()
      expect(page.url()).to.equal(addressOf())
      await click(page, 'Say hello')
      await page.getByText('onSendGreeting Hello Jack!').waitFor()
    })
  })
})
