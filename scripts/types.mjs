// Checks the types of every package on its own, then of the tests and the examples.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './gates.mjs'

const projects = readdirSync(join(root, 'packages'))
  .filter((name) => existsSync(join(root, 'packages', name, 'src')))
  .map((name) => join('packages', name))
projects.push('.')

let failed = 0
for (const project of projects) {
  const args = ['node_modules/typescript/bin/tsc', '--noEmit', '--project', project]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  console.log(`${status === 0 ? 'ok    ' : 'failed'} ${project === '.' ? 'test, examples' : project}`)
  if (status !== 0) failed += 1
}
process.exitCode = failed === 0 ? 0 : 1
