/** Times that mean one thing are one constant. */
import { expect } from 'chai'
import { identifier, nodesIn } from './doc-comments.js'
import { isNode, parseSource, readSources, type SourceFile } from './source-file.js'

const TIME = /(TIMEOUT|TTL|RETRY|LEASE|MINUTE|HOUR|DAY)$/

/** Short forms stand in for the files beside them, and the tests of engines wait for as long as they please. */
const COPIES = /\/short-|^engine-tests\//

/** The constants of times that a file declares by a number: `NAME = text`. */
function times(file: SourceFile): string[] {
  return nodesIn(file.program.body).flatMap((statement) => {
    const declaration = isNode(statement.declaration) ? statement.declaration : statement
    return nodesIn(declaration.declarations).flatMap(({ id, init }) => {
      const [name = ''] = identifier(id)
      if (!isNode(init) || !TIME.test(name)) return []
      const text = file.text.slice(init.start, init.end)
      return /^[\d_ *.]+$/.test(text) ? [`${name} = ${text.replaceAll('_', '')}`] : []
    })
  })
}

/** Those that more than one file declares. */
function repeated(files: readonly SourceFile[]): string[] {
  const all = files.filter(({ name }) => !COPIES.test(name)).flatMap(times)
  return all.filter((one, index) => all.indexOf(one) !== index)
}

describe('constants of times', () => {
  it('exist once', () => {
    expect(repeated(readSources())).to.deep.equal([])
  })

  it('are found twice', () => {
    const files = ['a/x', 'b/y'].map((name) =>
      parseSource(name, 'export const TTL = 5 * 1_000\nconst SIZE = 5'),
    )
    expect(repeated(files)).to.deep.equal(['TTL = 5 * 1000'])
  })
})
