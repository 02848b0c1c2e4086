import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
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

/** A person with a window of their own. */
class Person {
  /** What went wrong in the window, the network aside. */
  readonly problems: string[] = []
  readonly #page: Page

  static async open({ browser }: OpenBrowser, address: string): Promise<Person> {
    const context = await browser.newContext()
    context.setDefaultTimeout(8000)
    const page = await context.newPage()
    const person = new Person(page)
    await page.goto(address)
    await page.waitForSelector('#welcome', { state: 'visible' })
    return person
  }

  private constructor(page: Page) {
    this.#page = page
    page.on('pageerror', (error) => this.problems.push(error.message))
    page.on('console', (message) => {
      const isKnown = NETWORK_ERRORS.some((known) => known.test(message.text()))
      if (message.type() === 'error' && !isKnown)
        this.problems.push(`${message.text()} ${message.location().url}`)
    })
  }

  get page(): Page {
    return this.#page
  }

  async signIn(name: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(name)
    await this.page.getByRole('button', { name: 'Sign in' }).click()
    await this.sees('ready')
    await this.has('lobby')
  }

  /** Waits for a state of the connection. @param timeout milliseconds */
  async sees(state: string, timeout = 8000): Promise<void> {
    await this.page.waitForSelector(`#state[data-state="${state}"]`, { timeout })
  }

  /** Waits until a channel is among the subscribed ones. */
  async has(channel: string): Promise<void> {
    await this.page.waitForSelector(`#channels [data-channel="${channel}"]`)
  }

  async subscribe(channel: string): Promise<void> {
    await this.page.getByLabel('Channel', { exact: true }).fill(channel)
    await this.page.getByRole('button', { name: 'Subscribe', exact: true }).click()
  }

  async unsubscribe(channel: string): Promise<void> {
    await this.page.getByRole('button', { name: `Unsubscribe from ${channel}` }).click()
    await this.page.waitForSelector(`#channels [data-channel="${channel}"]`, { state: 'detached' })
  }

  async publish(channel: string, text: string): Promise<void> {
    await this.page.getByLabel('To', { exact: true }).selectOption(channel)
    await this.#write(text, 'Publish')
  }

  async broadcast(text: string): Promise<void> {
    await this.#write(text, 'Broadcast')
  }

  /** Waits until a text has come on a channel. */
  async hears(channel: string, text: string): Promise<void> {
    await this.page
      .locator(`#messages [data-channel="${channel}"]`)
      .getByText(text, { exact: true })
      .waitFor()
  }

  /** The texts that have come on a channel. */
  heard(channel: string): Promise<string[]> {
    return this.page.locator(`#messages [data-channel="${channel}"] .text`).allTextContents()
  }

  /** Calls a function of the server. @returns what the page shows of the outcome */
  async call(name: string, argument?: string): Promise<{ state: string; text: string }> {
    await this.page.getByLabel('Function').selectOption(name)
    if (argument !== undefined) await this.page.getByLabel('Argument (JSON)').fill(argument)
    await this.page.getByRole('button', { name: 'Call', exact: true }).click()
    const outcome = this.page.locator('#calls li').last().locator('.outcome:not(.waiting)')
    const text = (await outcome.textContent()) ?? ''
    return { state: (await outcome.getAttribute('class')) ?? '', text }
  }

  async #write(text: string, button: string): Promise<void> {
    await this.page.getByLabel('Message', { exact: true }).fill(text)
    await this.page.getByRole('button', { name: button }).click()
    await this.page.waitForFunction(() => document.querySelector<HTMLInputElement>('#text')?.value === '')
  }
}

describe('the playground', function () {
  this.timeout(120_000)
  let server: ExampleServer
  let chromium: OpenBrowser
  let ada: Person
  let grace: Person

  /** A client without a page, signed in as a person. */
  async function guestOf({ page }: Person): Promise<TokenSocket> {
    const cookies = await page.context().cookies()
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    return new TokenSocket({ host: server.address.slice(0, -1), headers: { cookie } })
  }

  before(async () => {
    server = await ExampleServer.create('playground')
    await server.start()
    chromium = await openBrowser()
    ada = await Person.open(chromium, server.address)
    grace = await Person.open(chromium, server.address)
  })

  after(async () => {
    await chromium?.close()
    await server?.remove()
  })

  describe('signing in', () => {
    it('refuses a name that is empty or too long', async () => {
      for (const name of ['', ' ', 'x'.repeat(41), 7, null, 'a\u0000b']) {
        const response = await ada.page.request.post(`${server.address}sign-in`, { data: { name } })
        expect(response.status(), String(name)).to.equal(400)
      }
    })

    it('gives no token without a sign-in', async () => {
      const response = await ada.page.request.post(`${server.address}socket/token`)
      expect(response.status()).to.equal(403)
    })

    it('sends a strict content security policy', async () => {
      const response = await ada.page.request.get(server.address)
      expect(response.headers()['content-security-policy']).to.equal(
        "default-src 'self'; connect-src 'self' ws: wss:",
      )
    })

    it('signs in, and shows each step from the session to the socket', async () => {
      await ada.signIn('Ada')
      await grace.signIn('Grace <b>Hopper</b>')
      for (const step of ['session', 'request', 'token', 'open', 'authenticated']) {
        await ada.page.waitForSelector(`#flow .done[data-step="${step}"]`)
      }
      const claims = await ada.page.locator('#claims').textContent()
      expect(claims).to.match(/^jti.+audtoken-socketexpiat \+ 30 s$/)
      expect(await ada.page.locator('#transport').textContent()).to.equal('websocket')
    })

    it('moves the focus to the heading, which greets', async () => {
      const heading = ada.page.getByRole('heading', { level: 1 })
      expect(await heading.innerText()).to.equal('Welcome, Ada')
      expect(await heading.evaluate((element) => element === document.activeElement)).to.equal(true)
    })

    it('is not long on a telephone: empty logs are a line of text', async () => {
      const desktop = ada.page.viewportSize()
      await ada.page.setViewportSize({ width: 390, height: 844 })
      const page = await ada.page.evaluate(() => document.documentElement.scrollHeight)
      const logs = await ada.page
        .locator('.log:empty')
        .evaluateAll((elements) => elements.map(({ clientHeight }) => clientHeight))
      if (desktop) await ada.page.setViewportSize(desktop)
      expect(page).to.be.below(2600)
      expect(logs).to.have.lengthOf(2)
      for (const height of logs) expect(height).to.be.below(30)
    })

    it('shows that a token does not work twice', async () => {
      await ada.page.getByRole('button', { name: 'Use this token again' }).click()
      await ada.page.getByText('Refused: “Invalid token”, closed with code 4004.').waitFor()
    })
  })

  describe('calls', () => {
    it('echo', async () => {
      expect(await ada.call('echo', '{"a":[1,"ä"]}')).to.deep.equal({
        state: 'outcome worked',
        text: '{"a":[1,"ä"]}',
      })
    })

    it('a nested name', async () => {
      expect(await ada.call('math.add')).to.deep.equal({ state: 'outcome worked', text: '5' })
    })

    it('a nested name with a wrong argument', async () => {
      const { state, text } = await ada.call('math.add', '{"a":"two"}')
      expect([state, text]).to.deep.equal(['outcome failed', 'not_numbers a and b have to be numbers'])
    })

    it('who is there', async () => {
      const { text } = await ada.call('people.list')
      expect(JSON.parse(text)).to.deep.equal([
        { name: 'Ada', windows: 1 },
        { name: 'Grace <b>Hopper</b>', windows: 1 },
      ])
    })

    it('an Express route', async () => {
      const { text } = await ada.call('time')
      const { time, ...rest } = JSON.parse(text)
      expect(Date.parse(time)).to.be.within(Date.now() - 60_000, Date.now() + 1000)
      expect(rest).to.deep.equal({ for: 'Ada' })
    })

    it('one that fails, with its code, message and data', async () => {
      const { state, text } = await ada.call('fail')
      expect(state).to.equal('outcome failed')
      expect(text).to.equal('out_of_coffee Sorry Ada, there is no coffee left {"refillAt":"15:00"}')
    })

    it('one that throws, without a word about why', async () => {
      const { state, text } = await ada.call('crash')
      expect([state, text]).to.deep.equal(['outcome failed', 'internal Internal error'])
    })

    it('one that is not there', async () => {
      const { state, text } = await ada.call('no.such.function')
      expect([state, text]).to.deep.equal([
        'outcome failed',
        'not_found Function not found: no.such.function {"function":"no.such.function"}',
      ])
    })

    it('none when the argument is not JSON', async () => {
      const before = await ada.page.locator('#calls li').count()
      await ada.page.getByLabel('Argument (JSON)').fill('{"a":')
      await ada.page.getByRole('button', { name: 'Call', exact: true }).click()
      await ada.page.getByText('This is not JSON').waitFor()
      expect(await ada.page.locator('#calls li').count()).to.equal(before)
    })
  })

  describe('calls of the server', () => {
    it('reach every window', async () => {
      await ada.page.getByRole('button', { name: 'Greet every window' }).click()
      await grace.page.getByText('greet: hello from Ada').waitFor()
      const answers = ada.page.locator('#called code', { hasText: 'says hello back"]' })
      expect(JSON.parse((await answers.textContent()) ?? '')).to.deep.equal([
        'Ada says hello back',
        'Grace <b>Hopper</b> says hello back',
      ])
    })

    it('wait for a person’s answer', async () => {
      await ada.page.getByRole('button', { name: 'Ask me something' }).click()
      await ada.page.getByLabel('The server asks: What should we have for lunch?').fill('Soup')
      await ada.page.getByRole('button', { name: 'Answer' }).click()
      await ada.page.getByText('{"question":"What should we have for lunch?","answer":"Soup"}').waitFor()
    })
  })

  describe('calls of the server that are lost', () => {
    /** The last lines of the log of the server's calls: what was called, how it went, and what is shown of it. */
    const outcomes = (count: number) =>
      ada.page
        .locator('#called .outcome')
        .evaluateAll(
          (all, last) =>
            all.slice(-last).map((outcome) => [outcome.className, outcome.textContent?.split(' ')[0] ?? '']),
          count,
        )

    it('are shown as failures, with one code, and take the question back', async () => {
      await ada.page.getByRole('button', { name: 'Ask me something' }).click()
      const question = ada.page.getByLabel('The server asks: What should we have for lunch?')
      await question.waitFor()
      await ada.page.getByRole('button', { name: 'Cut the line' }).click()
      await question.waitFor({ state: 'hidden' })
      await ada.sees('ready')
      expect(await outcomes(2)).to.deep.equal([
        ['outcome failed', 'connection_lost'],
        ['outcome failed', 'connection_lost'],
      ])
      const text = await ada.page.locator('#called .outcome').last().textContent()
      expect(text?.match(/connection_lost/g)).to.have.length(1)
      expect(text).to.include('The connection was lost before the answer came')
    })

    it('end on both sides when the page gives up its own call', async () => {
      await ada.page.getByRole('button', { name: 'Ask me something' }).click()
      const question = ada.page.getByLabel('The server asks: What should we have for lunch?')
      await question.waitFor()
      await ada.page.getByRole('button', { name: 'Give up the call' }).click()
      await question.waitFor({ state: 'hidden' })
      expect(await outcomes(2)).to.deep.equal([
        ['outcome failed', 'aborted'],
        ['outcome failed', 'aborted'],
      ])
    })
  })

  describe('channels', () => {
    it('carry what one window publishes to the others', async () => {
      for (const person of [ada, grace]) {
        await person.subscribe('kitchen')
        await person.has('kitchen')
      }
      await ada.publish('kitchen', 'Is there any soup?')
      await grace.hears('kitchen', 'Is there any soup?')
      await ada.hears('kitchen', 'Is there any soup?')
    })

    it('show what people write as text, never as HTML', async () => {
      await grace.publish('kitchen', '<img src=x onerror=alert(1)>')
      await ada.hears('kitchen', '<img src=x onerror=alert(1)>')
      expect(await ada.page.locator('#messages img, #messages b').count()).to.equal(0)
      await ada.page.locator('#messages strong', { hasText: 'Grace <b>Hopper</b>' }).waitFor()
    })

    it('all carry a broadcast', async () => {
      await grace.broadcast('Lunch is ready')
      for (const channel of ['lobby', 'kitchen']) await ada.hears(channel, 'Lunch is ready')
    })

    it('carry nothing any more after unsubscribing', async () => {
      await grace.unsubscribe('kitchen')
      await ada.publish('kitchen', 'Grace is not here')
      await ada.publish('lobby', 'Grace is here')
      await grace.hears('lobby', 'Grace is here')
      expect(await grace.heard('kitchen')).not.to.include('Grace is not here')
      await grace.subscribe('kitchen')
      await grace.has('kitchen')
    })

    it('take what people write in their own name only, and not too much of it', async () => {
      const guest = await guestOf(grace)
      for (const [data, code] of [
        [{ from: 'Ada', text: 'I am Ada' }, 'wrong_name'],
        [{ from: 'Grace <b>Hopper</b>', text: '' }, 'bad_text'],
        [{ from: 'Grace <b>Hopper</b>', text: 'x'.repeat(501) }, 'bad_text'],
        [null, 'wrong_name'],
      ] as const) {
        for (const send of [() => guest.publish('lobby', data), () => guest.broadcast(data)]) {
          expect(await send().catch((error) => error)).to.have.property('code', code)
        }
      }
      await guest.end()
    })

    it('may be refused by the server', async () => {
      await ada.subscribe('locked')
      const refusal = ada.page.getByRole('alert').filter({ hasText: 'This channel is for members only' })
      expect(await refusal.innerText()).to.equal('members_only This channel is for members only')
      const [shown, button] = await Promise.all([
        refusal.boundingBox(),
        ada.page.getByRole('button', { name: 'Subscribe', exact: true }).boundingBox(),
      ])
      expect((shown?.y ?? 0) - (button?.y ?? 0)).to.be.within(0, 80)
      expect(await ada.page.locator('#channels [data-channel="locked"]').count()).to.equal(0)
    })
  })

  describe('the connection', () => {
    it('comes back by itself when the server cuts the line', async () => {
      await ada.page.getByRole('button', { name: 'Cut the line' }).click()
      await ada.page.locator('#reconnects', { hasText: '2' }).waitFor()
      await ada.sees('ready')
    })

    it('comes back by itself, subscribed, after the server was stopped and started', async function () {
      this.timeout(3 * LONGEST_DELAY)
      const { code } = await server.ended('SIGTERM')
      expect(code).to.equal(0)
      for (const person of [ada, grace]) await person.sees('waiting')
      await ada.page.getByText(/Next try in [\d.]+ m?s/).waitFor()
      await server.start()
      for (const person of [ada, grace]) await person.sees('ready', LONGEST_DELAY + 5000)
      await grace.page.getByText('Still subscribed to lobby, kitchen').waitFor()
      await ada.publish('kitchen', 'Here we are again')
      await grace.hears('kitchen', 'Here we are again')
      expect(await ada.page.locator('#account-name').textContent()).to.equal('Ada')
    })

    it('works over each transport that can be chosen', async () => {
      for (const transport of ['xhr-streaming', 'eventsource', 'xhr-polling', 'websocket']) {
        await ada.page.getByLabel('Use', { exact: true }).selectOption(transport)
        await ada.page.locator('#transport', { hasText: transport }).waitFor()
        await ada.page.waitForSelector('#flow .done[data-step="authenticated"]')
        await ada.publish('kitchen', `By ${transport}`)
        await grace.hears('kitchen', `By ${transport}`)
      }
    })
  })

  describe('what the server sees', () => {
    /** Waits until the last lines of a person's list are these, the times aside. */
    const becomes = async ({ page }: Person, lines: readonly string[]) => {
      await page.waitForFunction((wanted) => {
        const texts = [...document.querySelectorAll<HTMLElement>('#seen li')].map(
          ({ textContent }) => textContent ?? '',
        )
        const last = texts
          .slice(-wanted.length)
          .map((text) => text.replace(/^\S+( [AP]M)? /, '').replace(/, after .*/, ''))
        return String(last) === String(wanted)
      }, lines)
    }

    it('is listed on every page, in order', async () => {
      await ada.subscribe('garden')
      await ada.has('garden')
      await ada.publish('garden', 'Who waters the plants?')
      await ada.hears('garden', 'Who waters the plants?')
      await ada.broadcast('It rains')
      await ada.hears('garden', 'It rains')
      await ada.unsubscribe('garden')
      const seen = [
        'subscribed Ada to garden',
        'published Ada on garden',
        'published Ada on every channel',
        'unsubscribed Ada from garden: client',
      ]
      for (const person of [ada, grace]) await becomes(person, seen)
    })

    it('has the end of a connection, with its reason, and the next one', async () => {
      const reconnects = Number(await ada.page.locator('#reconnects').textContent())
      await ada.page.getByRole('button', { name: 'Cut the line' }).click()
      await ada.page.locator('#reconnects', { hasText: String(reconnects + 1) }).waitFor()
      await becomes(grace, [
        'unsubscribed Ada from lobby: disconnected',
        'unsubscribed Ada from kitchen: disconnected',
        'disconnected Ada closed_by_server',
        'connected Ada by websocket',
        'subscribed Ada to lobby',
        'subscribed Ada to kitchen',
      ])
      await becomes(ada, [
        'connected Ada by websocket',
        'subscribed Ada to lobby',
        'subscribed Ada to kitchen',
      ])
    })

    it('is what only the server can say', async () => {
      const guest = await guestOf(grace)
      const forged = { from: 'Grace <b>Hopper</b>', text: 'x', type: 'connected', name: 'Eve' }
      const refusal = await guest.publish('server', forged, { event: 'seen' }).catch((error) => error)
      expect(refusal).to.have.property('code', 'server_only')
      await guest.publish('lobby', forged, { event: 'seen' })
      await guest.end()
      await becomes(ada, [
        'published Grace <b>Hopper</b> on lobby',
        'disconnected Grace <b>Hopper</b> client_closed',
      ])
      expect(await ada.page.locator('#seen').getByText('Eve', { exact: true }).count()).to.equal(0)
    })

    it('is on a channel that the page does not list', async () => {
      expect(await ada.page.locator('#channels li').allTextContents()).to.deep.equal(['lobby×', 'kitchen×'])
      expect(await ada.heard('server')).to.deep.equal([])
    })
  })

  describe('in the end', () => {
    it('signs out every window of a person at once', async () => {
      const second = await ada.page.context().newPage()
      await second.goto(server.address)
      await second.waitForSelector('#state[data-state="ready"]')
      await ada.page.getByRole('button', { name: 'Sign out' }).click()
      await ada.page.waitForSelector('#welcome', { state: 'visible' })
      await second.getByText('You were signed out.').waitFor()
      await grace.sees('ready')
    })

    it('had no errors in the console but those of the network, and broke no security policy', () => {
      expect([...ada.problems, ...grace.problems]).to.deep.equal([])
    })
  })
})

describe('the playground’s server', function () {
  this.timeout(120_000)
  let server: ExampleServer
  let other: Server

  beforeEach(async () => {
    server = await ExampleServer.create('playground')
    other = createServer()
  })

  afterEach(async () => {
    await server.remove()
    other.close()
  })

  const occupy = (port: number) =>
    new Promise<number>((resolve) => {
      other.once('error', () => resolve(port))
      other.listen(port, () => resolve((other.address() as AddressInfo).port))
    })

  it('says in one line that PORT is taken', async () => {
    const port = await occupy(0)
    await server.tryToStart(String(port))
    expect(await server.ended()).to.deep.equal({
      code: 1,
      output: `Port ${port} is taken. Set PORT to another one, or to none.\n`,
    })
  })

  it('takes the next free port after 3000 when PORT is unset', async () => {
    await occupy(3000)
    await server.start(null)
    expect(Number(new URL(server.address).port)).to.be.above(3000)
  })

  it('says in one line that PORT is not a port', async () => {
    await server.tryToStart('many')
    expect(await server.ended()).to.deep.equal({
      code: 1,
      output: 'PORT has to be a number up to 65535, not many.\n',
    })
  })

  it('ends by itself on SIGINT', async () => {
    await server.start()
    expect((await server.ended('SIGINT')).code).to.equal(0)
  })
})
