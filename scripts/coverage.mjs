// Holds the lines that the unit and end-to-end gates ran to each package's limit.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseSync } from 'oxc-parser'
import { root } from './gates.mjs'
import { coverageFolder } from './run-gate.mjs'

/** Where c8 writes its reports. */
const reportFolder = join(root, 'coverage', 'report')

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

/** What c8 does not count: files without anything to run. */
function ignoredFiles(name) {
  const sources = join(root, 'packages', name, 'src')
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  return files.map((file) => join(sources, file)).filter(isTypesOnly)
}

/** Reports on all packages in one run, which reads what the tests have written once. */
function report(names) {
  const args = ['report', '--all', '--temp-directory', coverageFolder, '--exclude-after-remap']
  args.push('--reports-dir', reportFolder, '--exclude', 'node_modules/**')
  for (const reporter of ['text', 'lcovonly', 'json-summary']) args.push('--reporter', reporter)
  for (const name of names) {
    args.push('--src', join(root, 'packages', name, 'src'), '--include', `packages/${name}/src/**`)
    for (const file of ignoredFiles(name)) args.push('--exclude', relative(root, file))
  }
  const c8 = spawnSync(process.execPath, ['node_modules/c8/bin/c8.js', ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  return c8.status === 0
}

/** The percentage of a package's lines that ran, all its files together. */
function coveredLines(summary, name) {
  const folder = join(root, 'packages', name, 'src', '/')
  const files = Object.entries(summary).filter(([file]) => file.startsWith(folder))
  const sum = (field) => files.reduce((total, [, { lines }]) => total + lines[field], 0)
  return files.length === 0 ? 0 : (100 * sum('covered')) / sum('total')
}

const checked = Object.entries(limits).filter(([name]) => existsSync(join(root, 'packages', name, 'src')))
if (!existsSync(coverageFolder)) {
  console.error('no test has run yet: run `npm test` (or `npx grunt test`) first')
  process.exitCode = 1
} else if (!report(checked.map(([name]) => name))) {
  process.exitCode = 1
} else {
  const summary = JSON.parse(readFileSync(join(reportFolder, 'coverage-summary.json'), 'utf8'))
  for (const [name, limit] of checked) {
    const covered = coveredLines(summary, name)
    console.log(`packages/${name}: ${covered.toFixed(2)} % of the lines, limit ${limit} %`)
    if (covered >= limit) continue
    console.error(`packages/${name}: fewer than ${limit} % of the lines are covered`)
    process.exitCode = 1
  }
}
