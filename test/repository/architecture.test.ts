/** ARCHITECTURE.md against the code. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { arrows, layers } from './rules.js'

const root = new URL('../..', import.meta.url).pathname
const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')

/** The cells of a column of the table that begins with a header. */
function column(header: string, index: number): string[] {
  const table = text.slice(text.indexOf(`| ${header} |`)).split('\n\n')[0] ?? ''
  const rows = table.split('\n').slice(2)
  return rows.map((row) => row.split('|')[index + 1]?.trim() ?? '')
}

describe('ARCHITECTURE.md', () => {
  it('has every package, with what it imports', () => {
    const folders = column('folder | package', 0).map((cell) => /packages\/([a-z-]+)`/.exec(cell)?.[1] ?? '')
    expect(folders).to.have.members(readdirSync(join(root, 'packages')))
    const imports = column('folder | package', 3).map((cell) =>
      /nothing/.test(cell) ? [] : cell.split(', '),
    )
    for (const [index, folder] of folders.entries())
      expect(imports[index], folder).to.have.members([...(arrows[folder] ?? ['unknown'])])
  })

  for (const [name, { folders }] of Object.entries(layers))
    it(`has the folders of ${name}, from the lowest to the highest`, () => {
      const cells = column(`folder of \`packages/${name}/src\``, 0)
      expect(cells.slice(0, -1)).to.deep.equal(folders.map((folder) => `\`${folder}\``))
      expect(cells.at(-1)).to.equal('(root)')
      const found = readdirSync(join(root, 'packages', name, 'src'), { withFileTypes: true })
      const actual = found.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
      expect([...folders]).to.have.members(actual)
    })

  it('names what the linked files hold', () => {
    const links = [...text.matchAll(/\[`([\w.]+)`\]\((packages\/[\w/.-]+\.ts)\)/g)]
    expect(links).to.have.length.above(20)
    for (const [, name = '', path = ''] of links) {
      const file = path.split('/').at(-1)?.replace('.ts', '')
      const source = readFileSync(join(root, path), 'utf8')
      const [symbol = ''] = name.split('.')
      const isThere = new RegExp(`(class|const|function|interface) ${symbol}\\b`).test(source)
      expect(isThere || symbol === file, `${name} in ${path}`).to.equal(true)
    }
  })
})
