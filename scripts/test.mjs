// `npm test`: installs what is needed, runs every gate in order, and ends with one line of counts. It starts on a fresh
// clone, so it loads Node's own modules only.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureExecutables } from './executables.mjs'
import { gates, root } from './gates.mjs'
import { installPackages } from './install.mjs'
import { runGate } from './run-gate.mjs'

const results = []

async function record(name, run) {
  const start = performance.now()
  const outcome = await run()
  results.push({ seconds: (performance.now() - start) / 1000, ...outcome, name })
  return outcome
}

function counted(worked, note) {
  return worked ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, note }
}

async function installAndRun(gate, env) {
  if (gate.packages && !(await installPackages(gate.packages))) {
    return counted(false, `npm ci failed in ${gate.packages}`)
  }
  return runGate(gate, env)
}

async function runGates(env) {
  for (const [index, gate] of gates.entries()) {
    console.log(`\n[${index + 1}/${gates.length}] ${gate.name}: ${gate.does}`)
    const { passed, failed, note } = await record(gate.name, () => installAndRun(gate, env))
    console.log(`${gate.name}: ${passed} passed, ${failed} failed${note ? ` (${note})` : ''}`)
  }
}

function summarise() {
  const width = Math.max(...results.map(({ name }) => name.length))
  console.log('\nGate'.padEnd(width + 3), ' Passed', ' Failed', '   Seconds')
  for (const { name, passed, failed, seconds, note } of results) {
    const numbers = [String(passed).padStart(7), String(failed).padStart(7), seconds.toFixed(1).padStart(10)]
    console.log(`${name.padEnd(width + 2)}`, ...numbers, note ? ` ${note}` : '')
  }
  // Once more where they are seen first: thousands of lines stand between them and the end.
  for (const { name, failures = [] } of results) {
    for (const failure of failures) console.log(`\n${name}: ${failure}`)
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0)
  if (sum('failed') > 0) process.exitCode = 1
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
}

const { failed } = await record('install', async () => counted(await installPackages(), 'npm ci failed'))
if (failed === 0) {
  let env = {}
  await record('programs', async () => {
    const found = await ensureExecutables()
    env = found.env
    return counted(found.missing.length === 0, `missing: ${found.missing.join(', ')}`)
  })
  rmSync(join(root, 'coverage'), { recursive: true, force: true })
  await runGates(env)
}
summarise()
