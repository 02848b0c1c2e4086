/** The cheap half of the matrix, and `docs/SUPPORT.md` held to the rows. `npm run matrix` runs them all. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { findExecutables } from '../../scripts/executables.mjs'
import { allRows } from './all-rows.js'
import { play } from './play.js'
import { keyOf, readDocument, writeDocument } from './support-document.js'
import { removeTarballs, root } from './tarballs.js'

Object.assign(process.env, findExecutables())
const rows = await allRows()
const read = (file: string) => readFile(join(root, file), 'utf8')

describe('the matrix', () => {
  after(removeTarballs)

  for (const row of rows.filter(({ suite }) => suite)) {
    it(`${keyOf(row)} ${row.expected === 'works' ? 'works' : 'is refused'}`, async function () {
      this.timeout(180_000)
      const { result, message } = await play(row, 'links')
      expect(result, message).to.equal(row.expected)
    })
  }
})

describe('the rows', () => {
  it('have a name that no other has', () => {
    const keys = rows.map(keyOf)
    expect(keys).to.have.length(new Set(keys).size)
  })

  it('of the suite take packages that are installed with the repository', async () => {
    const [own, matrix] = await Promise.all(
      ['package.json', 'test/matrix/package.json'].map(
        async (file) => JSON.parse(await read(file)).devDependencies,
      ),
    )
    const installed = new Set([...Object.keys(own), ...Object.keys(matrix)])
    const wanted = rows.filter(({ suite }) => suite).flatMap(({ packages }) => packages)
    const names = wanted.map(({ name, alias = name }) => alias)
    expect(names.filter((name) => !installed.has(name))).to.deep.equal([])
  })
})

describe('docs/SUPPORT.md', () => {
  it('has every row and no other, as `npm run matrix` wrote it', async () => {
    const text = await read('docs/SUPPORT.md')
    const results = readDocument(text)
    expect([...results.keys()]).to.deep.equal(rows.map(keyOf))
    expect(text).to.equal(writeDocument(rows, results))
  })

  it('has the result that each row expects, or why it did not run', async () => {
    const results = readDocument(await read('docs/SUPPORT.md'))
    const other = rows.filter((row) => {
      const { result, message } = results.get(keyOf(row)) ?? {}
      return result === 'not run' ? !message : result !== row.expected
    })
    expect(other.map(keyOf)).to.deep.equal([])
  })

  it('says how each refusal reads', async () => {
    const results = [...readDocument(await read('docs/SUPPORT.md')).values()]
    expect(results.filter(({ result, message }) => result === 'refused' && !message)).to.deep.equal([])
  })
})
