// `npm run matrix [-- --only text] [--list]`: tries the packed packages with the tools and libraries of others, each in an empty
// folder with npm, and writes docs/SUPPORT.md. It fails where a row is not what it is expected to be. `--links` takes what is
// installed here instead of asking npm.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findExecutables } from './executables.mjs'
import { root } from './gates.mjs'

if (existsSync(join(root, 'packages/server/dist'))) {
  const node = [
    '--conditions=@token-socket/source',
    '--import=tsx',
    'test/matrix/run.ts',
    ...process.argv.slice(2),
  ]
  const env = { ...process.env, ...findExecutables() }
  const child = spawn(process.execPath, node, { cwd: root, env, stdio: 'inherit' })
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
} else {
  console.error('The packages are not built yet. Run `npm run build` first.')
  process.exitCode = 1
}
