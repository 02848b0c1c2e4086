import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { ExampleServer } from './example-server.js'

/** What axe found, as far as this test reads it. */
interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

interface Axe {
  run(options: object): Promise<{ readonly violations: readonly Violation[] }>
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** How a page may be looked at. */
const LOOKS = [
  { colorScheme: 'light', forcedColors: 'none', width: 1280 },
  { colorScheme: 'light', forcedColors: 'none', width: 390 },
  { colorScheme: 'dark', forcedColors: 'none', width: 1280 },
  { colorScheme: 'dark', forcedColors: 'none', width: 390 },
  { colorScheme: 'light', forcedColors: 'active', width: 1280 },
  { colorScheme: 'dark', forcedColors: 'active', width: 390 },
] as const

type Look = (typeof LOOKS)[number]

/** How each demo is brought into the states that are looked at, one after the other. */
const DEMOS: Readonly<Record<string, Readonly<Record<string, (page: Page) => Promise<void>>>>> = {
  chat: {
    'when it is empty': async (page) => {
      await page.getByText('No messages yet').first().waitFor()
    },
    'with a conversation, and a line that waits': async (page) => {
      const pam = page.getByRole('region', { name: 'Pam’s window' })
      const write = async (text: string) => {
        await pam.getByRole('textbox').fill(text)
        await pam.getByRole('button', { name: 'Send' }).click()
      }
      // More than the window shows, so that it scrolls.
      for (let index = 1; index <= 12; index += 1) await write(`line ${index}`)
      await page.locator('[data-uid="jim"] .lines').getByText('line 12').waitFor()
      await pam.getByRole('button', { name: 'Go offline' }).click()
      await pam.getByText('offline', { exact: true }).waitFor()
      await write('this one waits')
      await pam.getByText('waiting', { exact: true }).waitFor()
    },
  },
  playground: {
    'before the sign-in': async (page) => {
      await page.getByLabel('Your name').fill('Ada')
    },
    'after the sign-in': async (page) => {
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.locator('#flow .done[data-step="authenticated"]').waitFor()
      await page.locator('#channels [data-channel="lobby"]').waitFor()
    },
    'with answers, failures, a refusal and a question': async (page) => {
      const call = page.getByRole('button', { name: 'Call', exact: true })
      for (const name of ['echo', 'time', 'fail', 'crash', 'math.add', 'no.such.function']) {
        await page.getByLabel('Function').selectOption(name)
        await call.click()
      }
      await page.getByLabel('Argument (JSON)').fill('{')
      await call.click()
      await page.getByLabel('Channel', { exact: true }).fill('locked')
      await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
      await page.getByText('This channel is for members only').waitFor()
      await page.getByLabel('Message', { exact: true }).fill('Hello')
      await page.getByRole('button', { name: 'Publish' }).click()
      await page.locator('#messages .mine').waitFor()
      await page.getByRole('button', { name: 'Ask me something' }).click()
      await page.getByLabel('The server asks').waitFor()
    },
  },
  typed: {
    'when it is ready': async (page) => {
      await page.getByText('connect ready').waitFor()
    },
    'with a greeting, a notification and errors': async (page) => {
      for (const name of ['Say hello', 'Send a number as the name', 'Subscribe'])
        await page.getByRole('button', { name, exact: true }).click()
      for (const topic of ['none', 'news']) {
        await page.getByLabel('To', { exact: true }).fill(topic)
        await page.getByLabel('Message').fill('Something happened')
        await page.getByRole('button', { name: 'Announce' }).click()
      }
      await page.getByText('onSendNotification news').waitFor()
    },
  },
  'sign-out': {
    'before the sign-in': async (page) => {
      await page.getByRole('status').getByText('closed', { exact: true }).waitFor()
    },
    'with events': async (page) => {
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByRole('status').getByText('open', { exact: true }).waitFor()
      await page.getByRole('button', { name: 'Change my role' }).click()
      await page.getByText('refreshed: the role is editor').waitFor()
    },
  },
  cluster: {
    'when everybody has talked': async (page) => {
      await page.waitForFunction(() => document.querySelectorAll('.state[data-state="ready"]').length === 4)
      await page.getByLabel('Everybody talks').check()
      await page.waitForFunction(() => document.querySelectorAll('.lines li').length === 24)
      await page.getByLabel('Everybody talks').uncheck()
    },
    'with a killed node': async (page) => {
      await page
        .getByRole('button', { name: /^Kill node/ })
        .first()
        .click()
      await page.locator('.node[data-state="down"]').waitFor()
    },
  },
}

for (const [name, states] of Object.entries(DEMOS)) {
  describe(`the ${name}, by axe, in all colours and widths`, function () {
    this.timeout(120_000)
    let server: ExampleServer
    let chromium: OpenBrowser
    let page: Page

    before(async () => {
      server = await ExampleServer.create(name)
      await server.start()
      chromium = await openBrowser()
      page = await chromium.browser.newPage()
      page.setDefaultTimeout(20_000)
      await page.goto(server.address)
      await page.evaluate(AXE)
    })

    after(async () => {
      await chromium?.close()
      await server?.ended('SIGTERM')
      await server?.remove()
    })

    for (const [state, reach] of Object.entries(states)) {
      it(`has no fault ${state}, and does not scroll sideways`, async () => {
        await reach(page)
        for (const look of LOOKS) expect(await faultsOf(page, look), JSON.stringify(look)).to.deep.equal([])
      })
    }
  })
}

describe('the styles of the demos', () => {
  const styles = Object.keys(DEMOS).map((name) => `../../examples/${name}/public/style.css`)
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  /** The colours that a style sheet names. */
  const declarations = (text: string) =>
    [...text.matchAll(/^\s+--[\w-]+:[^;]+;/gm)].map(([line]) => line.trim())

  it('name each shared colour once', () => {
    const shared = new Set(declarations(read('../../examples/shared.css')))
    expect(shared.size).to.be.above(20)
    for (const path of styles)
      expect(
        declarations(read(path)).filter((line) => shared.has(line)),
        path,
      ).to.deep.equal([])
  })
})

/** The faults of a page in a look, each with where it is. */
async function faultsOf(page: Page, { width, ...media }: Look): Promise<string[]> {
  await page.emulateMedia(media)
  await page.setViewportSize({ width, height: 844 })
  // Where the system sets the colours, axe still compares those of the page.
  const rules = { 'color-contrast': { enabled: media.forcedColors === 'none' } }
  const { violations, overflow } = await page.evaluate(async (rules) => {
    const { axe } = window as unknown as { axe: Axe }
    // What fades in has hardly a colour before it is there.
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
    await Promise.all(ending.map(({ finished }) => finished.catch(() => {})))
    const { violations } = await axe.run({ resultTypes: ['violations'], rules })
    return { violations, overflow: document.documentElement.scrollWidth - innerWidth }
  }, rules)
  const faults = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  )
  return overflow > 0 ? [...faults, `scrolls sideways by ${overflow} px`] : faults
}
