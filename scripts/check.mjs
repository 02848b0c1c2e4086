// `npm run check`: what a contributor runs before each commit. Lint, types and the build run at the same time, then the
// unit tests, some of which use what is built, and the rules of imports.

import { gateNamed } from './gates.mjs'
import { runGate } from './run-gate.mjs'

/** What runs at the same time, step by step. */
const STEPS = [['lint', 'types', 'build'], ['unit'], ['rules']]

/** The tests of `repository` that say where a file may stand and what it may import. */
const RULES = { ...gateNamed('repository'), name: 'rules', files: ['architecture', 'imports', 'sentences'] }

const gateOf = (name) => (name === 'rules' ? RULES : { ...gateNamed(name), coverage: false })

const start = performance.now()
const results = []
for (const names of STEPS) {
  console.log(`\n${names.join(', ')}`)
  const run = async (name) => results.push({ name, ...(await runGate(gateOf(name))) })
  await Promise.all(names.map(run))
}
console.log('')
for (const { name, passed, failed, seconds, failures = [] } of results) {
  console.log(`${name.padEnd(8)}${passed} passed, ${failed} failed, ${seconds.toFixed(1)} s`)
  for (const failure of failures) console.log(`  ${failure}`)
}
const sum = (key) => results.reduce((total, result) => total + result[key], 0)
console.log(
  `\n${sum('passed')} passed, ${sum('failed')} failed, ${((performance.now() - start) / 1000).toFixed(0)} s`,
)
if (sum('failed') > 0) process.exitCode = 1
