import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { root } from './source-file.js'

/**
 * What each built entry exports, by its name. A change of it is a change of the public interface: look at it, then write
 * it down with `UPDATE_EXPORTS=1 npx mocha test/repository/exports.test.ts`.
 */
const snapshotFile = `${root}/test/repository/exports.json`
const snapshot: Record<string, string[]> = JSON.parse(readFileSync(snapshotFile, 'utf8'))

interface Manifest {
  readonly name: string
  readonly exports: Record<string, string | Record<string, unknown>>
}

/** Every entry of the built packages that both `import` and `require` load. */
function entries(): string[] {
  return readdirSync(`${root}/packages`).flatMap((folder) => {
    if (!existsSync(`${root}/packages/${folder}/src/index.ts`)) return []
    const { name, exports }: Manifest = JSON.parse(
      readFileSync(`${root}/packages/${folder}/package.json`, 'utf8'),
    )
    const paths = Object.keys(exports).filter((path) => typeof exports[path] === 'object')
    return paths.map((path) => name + path.slice(1))
  })
}

/** Loads an entry in a Node of its own, which knows no source condition and so loads what is built. */
function exportedNames(script: string): string[] {
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...env } = process.env
  const print = `${script}.then((entry) => console.log(JSON.stringify(Object.keys(entry))))`
  const output = execFileSync(process.execPath, ['--eval', print], { cwd: root, env, encoding: 'utf8' })
  const names: string[] = JSON.parse(output)
  // Both are Node's own additions to a CommonJS module that ESM loads, and to an ESM that `require` loads.
  return names.filter((name) => name !== '__esModule' && name !== 'module.exports').sort()
}

describe('the built packages', () => {
  for (const entry of entries()) {
    describe(entry, () => {
      it('exports what the snapshot says', () => {
        const names = exportedNames(`import('${entry}')`)
        if (process.env.UPDATE_EXPORTS) update(entry, names)
        expect(names).to.deep.equal(snapshot[entry])
      })

      it('exports the same by require', () => {
        const names = exportedNames(`Promise.resolve(require('${entry}'))`)
        expect(names).to.deep.equal(exportedNames(`import('${entry}')`))
      })
    })
  }

  describe('the snapshot', () => {
    it('holds no entry that is gone', () => {
      expect(entries()).to.include.members(Object.keys(snapshot))
    })
  })
})

function update(entry: string, names: string[]): void {
  snapshot[entry] = names
  const sorted = Object.fromEntries(Object.entries(snapshot).sort(([a], [b]) => a.localeCompare(b)))
  writeFileSync(snapshotFile, `${JSON.stringify(sorted, null, 2)}\n`)
}
