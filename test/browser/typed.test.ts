import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { ExampleServer } from './example-server.js'

describe('the typed example', function () {
  this.timeout(120_000)
  let server: ExampleServer
  let chromium: OpenBrowser
  /** What went wrong in the pages. */
  const problems: string[] = []

  before(async () => {
    server = await ExampleServer.create('typed')
    await server.start()
    chromium = await openBrowser()
  })

  beforeEach(() => {
    problems.length = 0
  })

  after(async () => {
    await chromium?.close()
    await server?.ended('SIGTERM')
    await server?.remove()
  })

  async function open(): Promise<Page> {
    const page = await (await chromium.browser.newContext()).newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', ({ message }) => problems.push(message))
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
    await page.goto(server.address)
    await page.getByText('connect ready').waitFor()
    return page
  }

  const click = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

  it('says hello, and hears the greeting', async () => {
    const page = await open()
    await page.getByLabel('Your name').fill('Ada')
    await click(page, 'Say hello')
    await page.getByText('onSendGreeting Hello Ada!').waitFor()
    expect(problems).to.deep.equal([])
  })

  it('tells of an input that the contract refuses', async () => {
    const page = await open()
    await click(page, 'Send a number as the name')
    await page.getByText('$onError Invalid input: sayHello: name').waitFor()
    await page.getByLabel('Your name').fill('')
    await click(page, 'Say hello')
    await page.getByText('$onError Invalid input: sayHello: name').nth(1).waitFor()
    expect(problems).to.deep.equal([])
  })

  it('notifies the windows that subscribed, and says of a topic that has none', async () => {
    const [one, other] = [await open(), await open()]
    await one.getByLabel('Topic', { exact: true }).fill('films')
    await click(one, 'Subscribe')
    await one.getByText('$withReconnect subscribed to films').waitFor()
    for (const topic of ['books', 'films']) {
      await other.getByLabel('To', { exact: true }).fill(topic)
      await other.getByLabel('Message').fill('A new one')
      await click(other, 'Announce')
    }
    await other.getByText('announce no window listens to books').waitFor()
    await other.getByText('announce reached 1 window').waitFor()
    await one.getByText('onSendNotification films: A new one').waitFor()
    expect(problems).to.deep.equal([])
  })

  it('subscribes again when the line was cut', async () => {
    const page = await open()
    await click(page, 'Subscribe')
    await page.getByText('$withReconnect subscribed to news').waitFor()
    await click(page, 'Cut the line')
    await page.getByText('$withReconnect subscribed to news').nth(1).waitFor()
    await page.getByLabel('Message').fill('Still there')
    await click(page, 'Announce')
    await page.getByText('onSendNotification news: Still there').waitFor()
    expect(problems).to.deep.equal([])
  })
})

describe('the tour of the typed example', () => {
  it('prints what comes, and ends', async () => {
    const script = fileURLToPath(new URL('../../examples/typed/tour.js', import.meta.url))
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script])
    expect(stderr).to.equal('')
    expect(stdout.trim().split('\n')).to.deep.equal([
      'Received greeting Hello Jack!',
      'Subscribed on connection 1',
      'Received notification one',
      'Reached 1',
      'Subscribed on connection 2',
      'Received notification two',
      'Received error: Invalid input: sayHello: name: Too small: expected string to have >=1 characters',
    ])
  }).timeout(120_000)
})
