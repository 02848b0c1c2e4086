/** The API reference, which is made of the comments of the sources. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { root } from '../repository/source-file.js'

const docs = join(root, 'docs')

/** The texts of the files of a folder, by their paths in it. */
function textsIn(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.md'),
  )
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]))
}

describe('docs/reference/api', function () {
  this.timeout(120_000)
  let folder: string
  let output: string

  before(() => {
    folder = mkdtempSync(join(root, '.cache', 'api-'))
    const typedoc = join(docs, 'node_modules/typedoc/bin/typedoc')
    const args = [typedoc, '--out', folder]
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: docs, encoding: 'utf8' })
    output = stdout + stderr
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  it('is what the comments say now: `npm run docs -- --write` brings it up to date', () => {
    const now = textsIn(folder)
    const written = textsIn(join(docs, 'reference/api'))
    expect(Object.keys(written)).to.deep.equal(Object.keys(now))
    for (const [path, text] of Object.entries(now)) expect(written[path], path).to.equal(text)
  })

  it('is made without a warning', () => {
    expect(output.match(/\[warning\].*/g) ?? []).to.deep.equal([])
  })
})
