import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const root = fileURLToPath(new URL('../..', import.meta.url))
const LOADER = ['--conditions=@token-socket/source', '--import=tsx']

const text = await readFile(join(root, 'docs', 'CONTRACT.md'), 'utf8')
const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code)
const mocks = blocks.filter((code) => code.includes('@token-socket/contract/mock'))

/** What an example says that it prints: the comments after `console.log`. */
function printedBy(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, printed = '']) => printed)
}

describe('the examples of mocks in docs/CONTRACT.md', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(root, 'test', 'contracts', 'example-'))
    await writeFile(join(folder, 'contract.ts'), blocks[0] ?? '')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  for (const [index, code] of mocks.entries()) {
    it(`print what they say, example ${index + 1}`, async function () {
      this.timeout(20_000)
      const file = join(folder, 'example.mts')
      const imports = "import { contract } from './contract.js'\n"
      await writeFile(file, imports + code)
      const { stdout } = await promisify(execFile)(process.execPath, [...LOADER, file], { cwd: root })
      expect(stdout.trim().split('\n')).to.deep.equal(printedBy(code))
    })
  }

  it('are two', () => {
    expect(mocks).to.have.length(2)
  })
})
