/** The tables of docs/guide hold what the code does, and each of its blocks of code is run or compiled. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CLOSE_CODES, ERRORS, retryOf, shouldReconnect } from '@token-socket/protocol'
import { expect } from 'chai'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import { type Block, GuidePage, guidePages, isRun } from '../end-to-end/guide/guide-page.js'

const root = new URL('../..', import.meta.url).pathname

const pages = await Promise.all(
  (await guidePages()).map(async (name) => [name, await GuidePage.read(name)] as const),
)

/** Languages whose blocks no test runs, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  sh: 'commands of a shell, which install or start what the tests have installed and started',
  nginx: 'held to the configuration that the tests of proxies run',
  yaml: 'a manifest of Kubernetes',
  text: 'what a program prints; compared when the program runs',
}

/** Files of pages that no program names, and the test that takes them. */
const TAKEN: Readonly<Record<string, string>> = {
  'public/index.html': 'test/browser/guide.test.ts',
  'main.jsx': 'test/browser/guide.test.ts',
  'page.mjs': 'test/browser/guide.test.ts',
  'sockets.js': 'test/matrix/guide-vue.test.ts',
  'vite.config.js': 'test/bundlers/vite-proxy.test.ts, which runs the same settings',
}

/** The rows of the tables in a page, as their cells. */
async function rowsOf(name: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(join(root, `docs/guide/${name}.md`), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| '))
  return rows.map((row) =>
    row
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  )
}

const isTried = (block: Block, blocks: readonly Block[]) => block.title in TAKEN || isRun(block, blocks)

describe('the blocks of the guide', () => {
  for (const [name, blocks] of pages)
    it(`of ${name} are run or compiled, each`, () => {
      const left = blocks.filter(
        ({ language, title }) => title === '' && language !== 'ts' && !NOT_RUN[language],
      )
      const untried = blocks.filter(
        (block) => block.title !== '' && !NOT_RUN[block.language] && !isTried(block, blocks),
      )
      expect([...left.map(({ code }) => code), ...untried.map(({ title }) => title)]).to.deep.equal([])
    })
})

describe('the tables of the guide', () => {
  it('errors: say of each code whether to repeat, as the code does', async () => {
    const rows = (await rowsOf('errors')).filter(([code = '']) => code.slice(1, -1) in ERRORS)
    expect(rows).to.have.length.above(10)
    for (const [code = '', , retry] of rows) expect(retry, code).to.equal(retryOf(code.slice(1, -1)))
  })

  it('errors: have every close code, and whether the client comes back', async () => {
    const rows = (await rowsOf('errors')).filter(([code = '']) => /^\d+$/.test(code))
    const said = rows.map(([code, name, back]) => [code, name, back])
    const known = Object.entries(CLOSE_CODES).map(([name, { code }]) => [
      String(code),
      `\`${name}\``,
      shouldReconnect(code) ? 'yes' : 'no',
    ])
    expect(said).to.deep.equal(known)
  })

  it('limits: have the defaults of the options', async () => {
    const rows = (await rowsOf('limits')).filter(([, option = '']) => /^`limits\.\w+`$/.test(option))
    expect(rows).to.have.length.above(10)
    const known = new Map(Object.entries(DEFAULT_LIMITS))
    for (const [, option = '', value = ''] of rows) {
      const [, amount = '', unit = ''] = /^([\d,]+) ?(\w*)$/.exec(value) ?? []
      const factor = { '': 1, s: 1000, KiB: 1024, MiB: 1024 * 1024 }[unit] ?? 0
      expect(Number(amount.replace(',', '')) * factor, option).to.equal(known.get(option.slice(8, -1)))
    }
  })

  it('glossary: are in the order of the alphabet', async () => {
    const words = (await rowsOf('glossary')).slice(2).map(([word = '']) => word.replace(/[*`]/g, ''))
    expect(words).to.deep.equal([...words].sort((one, other) => one.localeCompare(other)))
    expect(words).to.have.length.above(40)
  })

  it('deploying: the configuration of nginx is the one that the tests of proxies run', async () => {
    const configuration = (await GuidePage.read('deploying')).find(({ language }) => language === 'nginx')
    const proxies = await readFile(join(root, 'docs/PROXIES.md'), 'utf8')
    expect(proxies).to.include(configuration?.code ?? 'none')
  })

  it('frontends: the proxy of Vite is the documented one', async () => {
    const bundlers = await readFile(join(root, 'docs/BUNDLERS.md'), 'utf8')
    expect(bundlers).to.include("'/socket': { target: 'http://localhost:3000', ws: true }")
    const vite = (await GuidePage.read('frontends')).find(({ title }) => title === 'vite.config.js')
    expect(vite?.code).to.include("'/socket': { target: 'http://localhost:3000', ws: true }")
  })

  it('start: the packages that it packs are there', async () => {
    const [{ code = '' } = {}] = (await GuidePage.read('start')).filter(({ language }) => language === 'sh')
    const folders = [...code.matchAll(/-w (\S+)/g)].map(([, folder = '']) => folder)
    expect(folders).to.have.length(7)
    for (const folder of folders) await readFile(join(root, folder, 'package.json'), 'utf8')
  })
})
