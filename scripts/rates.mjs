// `npm run rates`: floods the limits of messages and says what passes. See docs/LIMITS.md.
import { spawn } from 'node:child_process'
import { ensureExecutables } from './executables.mjs'
import { root } from './gates.mjs'

const { env, missing } = await ensureExecutables(['REDIS_SERVER'])
if (missing.length > 0) process.exit(1)
const node = [
  '--conditions=@token-socket/source',
  '--import=tsx',
  'test/rates/run.ts',
  ...process.argv.slice(2),
]
const child = spawn(process.execPath, node, { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' })
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
