// Holds the lines that the unit and end-to-end gates ran to each package's limit.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseSync } from 'oxc-parser'
import { root } from './gates.mjs'
import { coverageFolder } from './run-gate.mjs'

/** Lines covered at the least, in per cent, by package. */
const limits = { protocol: 100, server: 90, client: 90, contract: 90, lmdb: 90, redis: 90, 'sign-out': 90 }

const typeStatements = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration', 'ExportAllDeclaration'])

/** Files with nothing to run are never loaded, so they would count as uncovered. */
function isTypesOnly(file) {
  return parseSync(file, readFileSync(file, 'utf8')).program.body.every((statement) => {
    if (statement.type === 'ImportDeclaration') return true
    if (statement.type === 'ExportNamedDeclaration' && !statement.declaration) return true
    return typeStatements.has((statement.declaration ?? statement).type)
  })
}

function check(name, limit) {
  const sources = join(root, 'packages', name, 'src')
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const ignored = files.map((file) => join(sources, file)).filter(isTypesOnly)
  const args = ['report', '--all', '--temp-directory', coverageFolder, '--src', sources]
  args.push('--reports-dir', join(root, 'coverage', name), '--reporter', 'text', '--reporter', 'lcovonly')
  args.push('--include', `packages/${name}/src/**`, '--exclude-after-remap')
  args.push('--exclude', 'node_modules/**', ...ignored.flatMap((file) => ['--exclude', relative(root, file)]))
  // A percentage of all the package's lines together: the sum is the limit, not each file.
  args.push('--check-coverage', '--lines', String(limit), '--functions', '0', '--branches', '0')
  args.push('--statements', '0')
  const { status } = spawnSync(process.execPath, ['node_modules/c8/bin/c8.js', ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  return status === 0
}

const checked = Object.entries(limits).filter(([name]) => existsSync(join(root, 'packages', name, 'src')))
if (!existsSync(coverageFolder)) {
  console.error('no test has run yet: run `npm test` (or `npx grunt test`) first')
  process.exitCode = 1
} else {
  const failed = checked.filter(([name, limit]) => !check(name, limit))
  for (const [name, limit] of failed)
    console.error(`packages/${name}: fewer than ${limit} % of the lines are covered`)
  process.exitCode = failed.length === 0 ? 0 : 1
}
