// `npm run model -- --seeds 100000`: plays generated histories of a client and a server, and prints those that went wrong.
// See docs/STATES.md.
import { spawn } from 'node:child_process'
import { root } from './gates.mjs'
import { installPackages } from './install.mjs'

if (!(await installPackages())) process.exit(1)
const node = [
  '--conditions=@token-socket/source',
  '--import=tsx',
  'test/client/subscription-model/run.ts',
  ...process.argv.slice(2),
]
const child = spawn(process.execPath, node, { cwd: root, stdio: 'inherit' })
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
