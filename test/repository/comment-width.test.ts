/** Comments wrap at 100 columns. Formatters leave them alone. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'

const root = new URL('../..', import.meta.url).pathname

const WIDTH = 100

/** Lines of older comments that are wider still, at most: lower a number when there are fewer. */
const WIDER: Readonly<Record<string, number>> = {
  server: 64,
  protocol: 48,
  client: 38,
}

const COMMENT = /^\s*(\/\*\*|\*|\/\/)/

/** The lines of comments that are too wide. */
function widerLines(text: string): string[] {
  return text.split('\n').filter((line) => line.length > WIDTH && COMMENT.test(line))
}

describe('the comments', () => {
  it('are found at the beginning of a line', () => {
    const wide = 'x'.repeat(WIDTH)
    expect(widerLines(`/** ${wide}\n * ${wide}\n  // ${wide}\n${wide} // a\n * a`)).to.have.length(3)
  })

  it('of a package wrap at 100 columns', async () => {
    for (const name of await readdir(join(root, 'packages'))) {
      const folder = join(root, 'packages', name, 'src')
      const files = await readdir(folder, { recursive: true })
      const texts = await Promise.all(
        files.filter((file) => file.endsWith('.ts')).map((file) => readFile(join(folder, file), 'utf8')),
      )
      const wider = texts.flatMap(widerLines)
      expect(wider.length, `${name}: ${wider.at(-1)}`).to.be.at.most(WIDER[name] ?? 0)
    }
  })
})
