import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { ExampleServer } from './example-server.js'

/** What a browser writes to the console when a server is away. */
const NETWORK_ERRORS = [
  /^Failed to load resource: net::ERR_/,
  /^Failed to load resource: the server responded with a status of 503/,
  /^WebSocket connection to '.*' failed/,
]

/** Milliseconds that a client waits between two tries at the most: a slow machine may get there. */
const LONGEST_DELAY = 20_000

/** One person's half of the page. */
class Window {
  readonly #page: Page
  readonly #uid: string

  constructor(page: Page, uid: string) {
    this.#page = page
    this.#uid = uid
  }

  #find(selector: string) {
    return this.#page.locator(`.pane[data-uid="${this.#uid}"] ${selector}`)
  }

  async says(text: string): Promise<void> {
    await this.#find('input').fill(text)
    await this.#find('input').press('Enter')
  }

  /** Waits for a state of the connection. @param timeout milliseconds */
  async is(state: string, timeout = 8000): Promise<void> {
    await this.#find(`.state[data-state="${state}"]`).waitFor({ timeout })
  }

  /** Waits until a line is shown that has come back from the server. */
  async sees(text: string, timeout = 8000): Promise<void> {
    await this.#find('li[data-id] p').getByText(text, { exact: true }).waitFor({ timeout })
  }

  /** What is shown of a selector, once it is not empty. */
  async text(selector: string): Promise<string> {
    await this.#find(`${selector}:not(:empty)`).waitFor()
    return this.#find(selector).innerText()
  }

  /** Waits until an element shows a text. */
  async shows(selector: string, text: string): Promise<void> {
    const shown = this.#find(selector)
    await this.#page.waitForFunction(
      ([element, wanted]) => element instanceof HTMLElement && element.innerText === wanted,
      [await shown.elementHandle(), text] as const,
    )
  }

  async becomesEmpty(selector: string): Promise<void> {
    await this.#find(`${selector}:empty`).waitFor({ state: 'attached' })
  }

  lines(): Promise<string[]> {
    return this.#find('li[data-id] p').allInnerTexts()
  }

  /** The lines of one side. */
  side(side: 'own' | 'other'): Promise<string[]> {
    return this.#find(`li.${side}[data-id] p`).allInnerTexts()
  }

  type(text: string): Promise<void> {
    return this.#find('input').pressSequentially(text)
  }

  /** Goes offline, or comes back. */
  toggle(): Promise<void> {
    return this.#find('button.offline').click()
  }
}

describe('the chat', () => {
  let chromium: OpenBrowser
  let server: ExampleServer
  let page: Page
  let jim: Window
  let pam: Window
  const problems: string[] = []

  async function open(address: string): Promise<void> {
    await page?.context().close()
    const context = await chromium.browser.newContext()
    context.setDefaultTimeout(8000)
    page = await context.newPage()
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      const isKnown = NETWORK_ERRORS.some((known) => known.test(message.text()))
      if (message.type() === 'error' && !isKnown) problems.push(message.text())
    })
    jim = new Window(page, 'jim')
    pam = new Window(page, 'pam')
    await page.goto(address)
    await jim.is('ready')
    await pam.is('ready')
  }

  /** The id of the chat that is shown. */
  const session = () => new URL(page.url()).hash.slice(1)

  before(async function () {
    this.timeout(120_000)
    server = await ExampleServer.create('chat')
    await server.start()
    chromium = await openBrowser()
  })

  after(async function () {
    this.timeout(120_000)
    await chromium?.close()
    await server?.remove()
  })

  beforeEach(() => open(server.address))

  afterEach(() => expect(problems.splice(0)).to.deep.equal([]))

  it('shows two people to each other, and what they say in one order', async () => {
    await jim.shows('.there', 'Pam is here')
    await pam.shows('.there', 'Jim is here')
    await jim.says('Hello Pam')
    await pam.sees('Hello Pam')
    await pam.says('Hello Jim')
    await jim.sees('Hello Jim')
    expect(await jim.lines()).to.deep.equal(['Hello Pam', 'Hello Jim'])
    expect(await pam.lines()).to.deep.equal(await jim.lines())
    expect(await jim.side('own')).to.deep.equal(['Hello Pam'])
    expect(await pam.side('own')).to.deep.equal(['Hello Jim'])
  })

  it('shows the time of a line, from its id', async () => {
    const before = Date.now()
    await jim.says('now')
    await pam.sees('now')
    const stamp = await page.locator('.pane[data-uid="pam"] time').getAttribute('datetime')
    expect(Date.parse(stamp ?? '')).to.be.within(before - 1, Date.now())
  })

  it('shows what people write as text, never as HTML', async () => {
    const text = '<img src=x onerror="alert(1)"> & <b>bold</b>'
    await jim.says(text)
    await pam.sees(text)
    expect(await page.locator('.lines img, .lines b').count()).to.equal(0)
  })

  it('shows who is typing, until they have said it or stopped', async () => {
    await jim.type('Hel')
    expect(await pam.text('.typing')).to.equal('Jim is typing…')
    await jim.says('Hello')
    await pam.sees('Hello')
    await pam.becomesEmpty('.typing')
    await pam.type('x')
    expect(await jim.text('.typing')).to.equal('Pam is typing…')
    await jim.becomesEmpty('.typing')
  })

  it('sends a sign of typing every 1.5 s at the most', async () => {
    const sent: string[] = []
    await page.close()
    page = await page.context().newPage()
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => sent.push(...String(payload).split('\n'))),
    )
    jim = new Window(page, 'jim')
    await page.goto(server.address)
    await jim.is('ready')
    await jim.type('a line that is long enough to be typed with many keys')
    const signs = sent.filter((frame) => frame.includes('is-typing'))
    expect(signs).to.have.length.within(1, 2)
  })

  it('is the same after a reload, and by its link in another browser', async () => {
    await jim.says('one')
    await pam.says('two')
    await jim.sees('two')
    await pam.sees('one')
    const lines = await jim.lines()
    const address = page.url()
    await page.reload()
    await jim.sees('two')
    await pam.sees('one')
    expect(await jim.lines()).to.deep.equal(lines)
    await page.goto('about:blank')
    await page.goto(server.address)
    await jim.sees('two')
    expect(page.url()).to.equal(address)
    await open(address)
    await jim.sees('two')
    await pam.sees('one')
    expect(await pam.lines()).to.deep.equal(lines)
  })

  it('begins anew when asked to', async () => {
    await jim.says('old')
    await pam.sees('old')
    const old = session()
    await page.getByRole('button', { name: 'New chat' }).click()
    await page.waitForFunction((id) => location.hash.slice(1) !== id, old)
    await jim.is('ready')
    await pam.is('ready')
    await jim.says('new')
    await pam.sees('new')
    expect(await pam.lines()).to.deep.equal(['new'])
    await page.goBack().catch(() => {})
    await page.goto(`${server.address}#${old}`)
    await jim.sees('old')
    expect(await jim.lines()).to.deep.equal(['old'])
  })

  it('reads what was said page by page', async function () {
    this.timeout(120_000)
    const id = session()
    const writer = new TokenSocket({ host: server.address.slice(0, -1), token: () => tokenOf('jim', id) })
    const lines = Array.from({ length: 230 }, (_, index) => `line ${index}`)
    for (const line of lines) await writer.publish(`chat-${id}`, line, { event: 'chat' })
    await writer.end()
    await page.reload()
    await jim.sees('line 229')
    expect(await jim.lines()).to.deep.equal(lines)
  })

  it('brings what somebody missed who was offline', async () => {
    await pam.toggle()
    await pam.is('suspended')
    await jim.shows('.there', 'Pam is away')
    await jim.says('are you there?')
    await jim.sees('are you there?')
    await jim.says('hello?')
    await jim.sees('hello?')
    expect(await pam.lines()).to.deep.equal([])
    await pam.toggle()
    await pam.sees('hello?')
    expect(await pam.lines()).to.deep.equal(['are you there?', 'hello?'])
    await jim.shows('.there', 'Pam is here')
  })

  it('says of the other one only what it knows while it is offline', async () => {
    await jim.shows('.there', 'Pam is here')
    await jim.toggle()
    await jim.shows('.there', 'Pam was here')
    await pam.shows('.there', 'Jim is away')
    await pam.toggle()
    await pam.shows('.there', 'Jim was away')
    await jim.toggle()
    await jim.shows('.there', 'Pam is away')
  })

  it('says that there is no message yet, until there is one', async () => {
    const empty = page.locator('.pane[data-uid="pam"]').getByText('No messages yet. Write the first one.')
    await empty.waitFor()
    await jim.says('the first')
    await pam.sees('the first')
    await empty.waitFor({ state: 'hidden' })
  })

  it('names each window, and whom its message is for', async () => {
    for (const [name, other] of [
      ['Jim', 'Pam'],
      ['Pam', 'Jim'],
    ]) {
      const region = page.getByRole('region', { name: `${name}’s window` })
      await region.getByRole('textbox', { name: `Message to ${other}` }).fill(`from ${name}`)
      await region.getByRole('button', { name: 'Send' }).click()
      await region.getByRole('log').getByText(`from ${name}`).waitFor()
    }
    expect(await page.getByRole('log').first().getByRole('listitem').count()).to.equal(2)
  })

  it('copies the link to the chat', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Copy link' }).click()
    await page.getByRole('status').getByText('Link copied').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).to.equal(page.url())
  })

  it('shows the link where the page may not write to the clipboard', async () => {
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }))
    const shown = new Promise((resolve) => {
      page.once('dialog', async (dialog) => {
        await dialog.dismiss()
        resolve(dialog.defaultValue())
      })
    })
    await page.getByRole('button', { name: 'Copy link' }).click()
    expect(await shown).to.equal(page.url())
  })

  it('has in the server’s output who comes and goes', async () => {
    await jim.toggle()
    await pam.shows('.there', 'Jim is away')
    expect(server.output).to.match(/jim is connected by websocket\n(.*\n)*jim is gone: client_closed\n/)
  })

  it('sends what was written offline as soon as it is back', async () => {
    await jim.toggle()
    await jim.is('suspended')
    await jim.says('wait for me')
    await jim.shows('.drafts p', 'wait for me')
    await jim.shows('.drafts small', 'waiting')
    expect(await jim.lines()).to.deep.equal([])
    await jim.toggle()
    await pam.sees('wait for me')
    await jim.sees('wait for me')
    expect(await jim.lines()).to.deep.equal(['wait for me'])
    await jim.becomesEmpty('.drafts')
  })

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`loses no line when the server ends by ${signal} in the middle, and starts again`, async function () {
      this.timeout(120_000)
      await jim.says('before')
      await pam.sees('before')
      await server.ended(signal)
      await jim.says('while it was away')
      await pam.says('from the other side')
      await server.start()
      for (const window of [jim, pam]) {
        await window.sees('while it was away', LONGEST_DELAY)
        await window.sees('from the other side', LONGEST_DELAY)
      }
      await jim.says('after')
      await pam.sees('after')
      const lines = await jim.lines()
      expect(lines).to.have.length(4)
      expect([lines[0], lines[3]]).to.deep.equal(['before', 'after'])
      expect(await pam.lines()).to.deep.equal(lines)
      await page.reload()
      await pam.sees('after')
      expect(await pam.lines()).to.deep.equal(lines)
    })
  }

  it('gives no token for what is no chat, and no chat to a token of another', async () => {
    for (const body of [
      {},
      { uid: 'eve' },
      { uid: 'jim', session: 'x' },
      { uid: 'jim', session: '*'.repeat(9) },
    ]) {
      expect(await statusOf(body)).to.equal(400)
    }
    const id = session()
    const stranger = new TokenSocket({
      host: server.address.slice(0, -1),
      token: () => tokenOf('pam', 'another-chat'),
    })
    const refusal = await stranger.subscribe(`chat-${id}`).catch((error) => error)
    expect(refusal).to.have.property('code', 'forbidden')
    await stranger.end()
  })

  it('uses the client that is built', async () => {
    const built = createRequire(import.meta.url).resolve('@token-socket/client/token-socket.min.js')
    const served = await fetch(`${server.address}sockets/token-socket.min.js`)
    expect(await served.text()).to.equal(await readFile(built, 'utf8'))
  })

  function ask(body: object): Promise<Response> {
    return fetch(`${server.address}tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  async function statusOf(body: object): Promise<number> {
    return (await ask(body)).status
  }

  async function tokenOf(uid: string, session: string): Promise<string> {
    const { token } = (await (await ask({ uid, session })).json()) as { token: string }
    return token
  }
})
