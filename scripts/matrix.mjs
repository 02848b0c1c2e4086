// `npm run matrix [-- --only text] [--list]`: tries the packed packages with the tools and libraries of others, each in an empty
// folder with npm, and writes docs/SUPPORT.md. It fails where a row is not what it is expected to be. `--links` takes what is
// installed here instead of asking npm; `--write` runs nothing and writes the page anew, with the results of the
// pages that `--from` names. `--tests node22` runs this repository's own tests under another runtime instead.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findExecutables } from './executables.mjs'
import { root } from './gates.mjs'
import { runTestsUnder } from './matrix-tests.mjs'

const args = process.argv.slice(2)
const [first, name = '', ...gates] = args
if (first === '--tests') {
  const passed = await runTestsUnder(name, gates.length > 0 ? gates : undefined)
  process.exitCode = passed ? 0 : 1
} else if (existsSync(join(root, 'packages/server/dist'))) {
  const node = ['--conditions=@token-socket/source', '--import=tsx', 'test/matrix/run.ts', ...args]
  const env = { ...process.env, ...findExecutables() }
  const child = spawn(process.execPath, node, { cwd: root, env, stdio: 'inherit' })
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
} else {
  console.error('The packages are not built yet. Run `npm run build` first.')
  process.exitCode = 1
}
