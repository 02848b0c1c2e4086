import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { build } from 'esbuild'
import { type OpenBrowser, openBrowser } from './chromium.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What a page does with a mock server: it answers by name. */
const PAGE = `
import { defineContract, procedure } from '@token-socket/contract'
import { mockServer } from '@token-socket/contract/mock'
import { z } from 'zod'

const contract = defineContract({
  server: {
    list: procedure({ output: z.array(z.object({ id: z.int().min(1), name: z.string().min(2) })).min(1) }),
    greet: procedure({ input: z.object({ name: z.string() }), output: z.string() }),
  },
  client: { sendGreeting: procedure({ input: z.object({ greeting: z.string() }) }) },
  channels: { 'room-{id}': { events: { say: z.object({ text: z.string() }) } } },
})

globalThis.run = async () => {
  const mock = mockServer(contract, { seed: 7, handlers: { greet: ({ name }) => 'Hello ' + name } })
  const client = await mock.connect()
  const greeting = new Promise((resolve) => client.onSendGreeting(resolve))
  mock.client.sendGreeting({ greeting: 'Good morning' })
  const room = client.channel('room-{id}', { id: 7 })
  const said = new Promise((resolve) => room.bind('say', ({ data }) => resolve(data)))
  await new Promise((resolve) => room.on('subscribed', resolve))
  await mock.publish('room-{id}', { id: 7 }, 'say', { text: 'hi' })
  const outcome = {
    list: await client.list(),
    greet: await client.greet({ name: 'Ann' }),
    invalid: await client.greet({ name: 5 }).catch(({ code, data }) => [code, data.issues[0].path]),
    greeting: await greeting,
    said: await said,
    listen: await mock.listen().catch(({ code }) => code),
  }
  await mock.close()
  return outcome
}
`

describe('a mock server in a page', function () {
  this.timeout(120_000)
  let chromium: OpenBrowser
  before(async () => {
    chromium = await openBrowser()
  })
  after(() => chromium?.close())

  it('answers, pushes and publishes without a network, as in Node', async () => {
    const { outputFiles } = await build({
      stdin: { contents: PAGE, resolveDir: join(root, 'test'), loader: 'js' },
      bundle: true,
      platform: 'browser',
      format: 'iife',
      write: false,
      logLevel: 'error',
    })
    const page = await (await chromium.browser.newContext({ offline: true })).newPage()
    await page.addScriptTag({ content: outputFiles[0]?.text ?? '' })
    const outcome = await page.evaluate(() => (globalThis as unknown as { run(): Promise<Outcome> }).run())
    const { list, ...rest } = outcome
    expect(list.length).to.be.at.least(1)
    for (const { id, name } of list) expect([id >= 1, name.length >= 2]).to.deep.equal([true, true])
    expect(rest).to.deep.equal({
      greet: 'Hello Ann',
      invalid: ['invalid_input', ['name']],
      greeting: { greeting: 'Good morning' },
      said: { text: 'hi' },
      listen: 'unsupported',
    })
  })
})

interface Outcome {
  readonly list: readonly { readonly id: number; readonly name: string }[]
}
