// `npm run matrix -- --tests node22`: runs the unit and the end-to-end tests of this repository under another runtime, which npm
// installs into an empty folder, and prints a table of counts. It takes minutes. Names: node20, node22, node24, node26, bun.
// Bun leaves out the tests that ask for something of Node's own: `inNodeOnly` marks them, with the reason.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureExecutables } from './executables.mjs'
import { root } from './gates.mjs'

/** The gates that run. */
const GATES = ['unit', 'end-to-end']

/** Seconds that a gate may take: it runs one file after the other. */
const LIMIT = 3600

/** Packages that bring a runtime, and its executable in them. */
const RUNTIMES = {
  node20: { specifier: 'node@20', bin: 'node/bin/node' },
  node22: { specifier: 'node@22', bin: 'node/bin/node' },
  node24: { specifier: 'node@24', bin: 'node/bin/node' },
  node26: { specifier: 'node@26', bin: 'node/bin/node' },
  bun: { specifier: 'bun@1', bin: 'bun/bin/bun.exe' },
}

/**
 * Runs the gates under a runtime.
 * @param {string} name one of {@link RUNTIMES}
 * @param {readonly string[]} [gates] @default unit and end-to-end
 * @returns {Promise<boolean>} whether every test passed
 */
export async function runTestsUnder(name, gates = GATES) {
  const runtime = new Map(Object.entries(RUNTIMES)).get(name)
  if (!runtime) {
    console.error(`--tests has to be one of ${Object.keys(RUNTIMES).join(', ')}`)
    return false
  }
  const folder = mkdtempSync(join(tmpdir(), 'token-socket-runtime-'))
  try {
    const program = install(folder, runtime)
    const version = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim()
    const { env } = await ensureExecutables()
    const rows = gates.map((gate) => runUnder(program, gate, env))
    console.log(`\n| ${name} ${version} | passed | failed |\n| --- | --- | --- |`)
    for (const { gate, passed, failed, note } of rows) {
      console.log(`| ${gate} | ${passed} | ${failed}${note ? ` (${note})` : ''} |`)
    }
    for (const { failures = [] } of rows) for (const failure of failures) console.log(`\n${failure}`)
    return rows.every(({ failed }) => failed === 0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function install(folder, { specifier, bin }) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const args = ['install', specifier, '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' })
  if (status !== 0) throw new Error(`npm install ${specifier} failed`)
  return join(folder, 'node_modules', bin)
}

/** A gate runs its tests by the program that runs this very code, so it is asked of the other runtime. */
function runUnder(program, gate, env) {
  const result = join(root, 'coverage', `${gate}.runtime.json`)
  const isBun = program.endsWith('.exe')
  const code = `
    const { writeFileSync } = await import('node:fs')
    const { gateNamed, IN_NODE_ONLY } = await import('./scripts/gates.mjs')
    const { runGate } = await import('./scripts/run-gate.mjs')
    const { coverage: _, ...found } = gateNamed(${JSON.stringify(gate)})
    const bun = { jobs: undefined, leftOut: [...(found.leftOut ?? []), IN_NODE_ONLY] }
    const gate = { ...found, limit: ${LIMIT}, ...(${isBun} && bun) }
    writeFileSync(${JSON.stringify(result)}, JSON.stringify(await runGate(gate)))`
  rmSync(result, { force: true })
  const args = isBun ? ['--eval', code] : ['--input-type=module', '--eval', code]
  spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  try {
    return { gate, ...JSON.parse(readFileSync(result, 'utf8')) }
  } catch {
    return { gate, passed: 0, failed: 1, note: 'it did not run' }
  }
}
