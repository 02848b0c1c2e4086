import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'

const folder = join(import.meta.dirname, '../../docs')
const text = readFileSync(join(folder, 'SECURITY.md'), 'utf8')

/** A row of a table of promises. */
interface Row {
  readonly promise: string
  /** What the row names: a test's file, and a part of a title in it. */
  readonly tests: readonly (readonly [file: string, title: string])[]
}

/** `[name](file) “title”, “title”, [name](file) “title”` */
function testsOf(cell: string): Row['tests'] {
  const parts = cell.matchAll(/\]\(([^)]+)\)|“([^”]+)”/g)
  let file = ''
  return [...parts].flatMap(([, link, title]) => {
    file = link ?? file
    return title === undefined ? [] : [[file, title] as const]
  })
}

const rows: readonly Row[] = text
  .split('\n| promise | where it is tested |\n')
  .slice(1)
  .flatMap((table) => /^(\|.*\n)+/.exec(table)?.[0].trimEnd().split('\n').slice(1) ?? [])
  .map((line) => {
    const [, promise = '', tests = ''] = line.split(' | ').join('|').split('|')
    return { promise: promise.trim(), tests: testsOf(tests) }
  })

describe('docs/SECURITY.md', () => {
  it('promises something', () => {
    expect(rows.length).to.be.above(20)
  })

  for (const { promise, tests } of rows) {
    it(`names tests that exist: ${promise}`, () => {
      expect(tests).to.not.deep.equal([])
      for (const [file, title] of tests) {
        expect(readFileSync(join(folder, file), 'utf8'), file).to.contain(title)
      }
    })
  }
})
