import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const root = fileURLToPath(new URL('../..', import.meta.url))

const COMPILER_OPTIONS = {
  module: 'nodenext',
  target: 'es2022',
  lib: ['es2023', 'dom', 'dom.iterable'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  types: ['node'],
}

/** A library that exports what it makes of inferred types: their declarations have to name each. */
const LIBRARY = `import type { TokenSocketServer } from '@token-socket/server'
declare const sockets: TokenSocketServer
type Context = Parameters<Parameters<typeof sockets.use>[1]>[0]
export const middleware = (context: Context) => context
`

/** All entries of all packages that are modules with types. */
function entries(): string[] {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const manifest = readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')
    const { name, exports } = JSON.parse(manifest) as { name: string; exports: Record<string, unknown> }
    const modules = Object.keys(exports).filter((path) => typeof exports[path] === 'object')
    return modules.map((path) => name + path.slice(1))
  })
}

describe('the declarations of the packages', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-socket-declarations-'))
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('compile for a user who checks those of libraries, too', async function () {
    this.timeout(120_000)
    const imports = entries().map((entry, at) => `import * as entry${at} from '${entry}'\nvoid entry${at}\n`)
    for (const file of ['user.mts', 'user.cts']) writeFileSync(join(folder, file), imports.join(''))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'user.library.mts'), LIBRARY)
    const files = ['user.mts', 'user.cts', 'user.library.mts']
    const project = { compilerOptions: { ...COMPILER_OPTIONS, declaration: true }, files }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project))
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, [tsc, '--project', '.'], { cwd: folder }, (_, text) => resolve(text))
    })
    // Errors inside other packages' declarations are theirs.
    const ours = output
      .split('\n')
      .filter((line) => /^user\.|[\\/](packages|@token-socket)[\\/].*error/.test(line))
    expect(imports).to.have.length.above(8)
    expect(ours).to.deep.equal([])
  })
})
