/** The list of rows, and `docs/SUPPORT.md` held to it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { allRows } from './all-rows.js'
import { keyOf, readDocument, writeDocument } from './support-document.js'
import { root } from './tarballs.js'

const rows = await allRows()
const read = (file: string) => readFile(join(root, file), 'utf8')

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
