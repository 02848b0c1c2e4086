import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect } from 'chai'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { ExampleServer } from './example-server.js'

/** What axe found, as far as this test reads it. */
interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

interface Axe {
  run(options: object): Promise<{ readonly violations: readonly Violation[] }>
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const WIDE = { width: 1280, height: 800 }
const NARROW = { width: 390, height: 844 }

/** How a page may be looked at. */
const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  'in light colours at 1280 px': { colorScheme: 'light', viewport: WIDE },
  'in light colours at 390 px': { colorScheme: 'light', viewport: NARROW },
  'in dark colours at 1280 px': { colorScheme: 'dark', viewport: WIDE },
  'in dark colours at 390 px': { colorScheme: 'dark', viewport: NARROW },
  'in forced colours at 1280 px': { forcedColors: 'active', viewport: WIDE },
  'in forced colours at 390 px': { forcedColors: 'active', viewport: NARROW },
}

/** Where the system sets the colours, axe still compares those of the page. */
const rulesFor = ({ forcedColors }: BrowserContextOptions) => ({
  'color-contrast': { enabled: forcedColors !== 'active' },
})

/** Brings each demo into states that are looked at, one after the other. */
const DEMOS: Readonly<Record<string, readonly ((page: Page) => Promise<void>)[]>> = {
  chat: [
    async (page) => {
      await page.getByText('No messages yet').first().waitFor()
    },
    async (page) => {
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
  ],
  playground: [
    async (page) => {
      await page.getByLabel('Your name').fill('Ada')
    },
    async (page) => {
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.locator('#flow .done[data-step="authenticated"]').waitFor()
      await page.locator('#channels [data-channel="lobby"]').waitFor()
    },
    async (page) => {
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
  ],
  cluster: [
    async (page) => {
      await page.waitForFunction(() => document.querySelectorAll('.state[data-state="ready"]').length === 4)
      await page.getByLabel('Everybody talks').check()
      await page.waitForFunction(() => document.querySelectorAll('.lines li').length === 24)
      await page.getByLabel('Everybody talks').uncheck()
    },
    async (page) => {
      await page
        .getByRole('button', { name: /^Kill node/ })
        .first()
        .click()
      await page.locator('.node[data-state="down"]').waitFor()
    },
  ],
}

for (const [name, states] of Object.entries(DEMOS)) {
  describe(`the ${name}, by axe and by eye`, function () {
    this.timeout(60_000)
    let server: ExampleServer
    let chromium: OpenBrowser

    before(async () => {
      server = await ExampleServer.create(name)
      await server.start()
      chromium = await openBrowser()
    })

    after(async () => {
      await chromium?.close()
      await server?.ended('SIGTERM')
      await server?.remove()
    })

    for (const [look, options] of Object.entries(LOOKS)) {
      it(`has no fault ${look}, and does not scroll sideways`, async () => {
        const page = await chromium.browser.newPage(options)
        page.setDefaultTimeout(20_000)
        await page.goto(server.address)
        for (const reach of states) {
          await reach(page)
          expect(await faultsOf(page, options)).to.deep.equal([])
          expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).to.equal(0)
        }
        await page.close()
      })
    }
  })
}

/** The faults of a page that are serious or critical, each with where it is. */
async function faultsOf(page: Page, options: BrowserContextOptions): Promise<string[]> {
  await page.evaluate(AXE)
  const { violations } = await page.evaluate(
    (rules) => (window as unknown as { axe: Axe }).axe.run({ resultTypes: ['violations'], rules }),
    rulesFor(options),
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}
