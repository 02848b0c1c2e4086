// Runs one gate and counts what passed and what failed. Node's own modules only: it loads before anything is installed.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { GATE_LIMIT, root } from './gates.mjs'

/** How long a Mocha process may go on after its last test, in seconds: longer means that something was left open. */
const LEAK_LIMIT = 20

/** Where the processes of the gates that count as coverage write what they ran. */
export const coverageFolder = join(root, 'coverage', 'tmp')

/**
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} failed
 * @property {number} seconds
 * @property {string[]} [failures] the tests that failed, and why
 * @property {string} [note] why, when it is not plain from the output
 */

/**
 * Runs a gate with its output shown as it comes. Never throws for a gate that fails.
 * @param {import('./gates.mjs').Gate} gate
 * @param {Record<string, string>} [env] added to the gate's environment
 * @returns {Promise<Outcome>}
 */
export async function runGate(gate, env = {}) {
  const start = performance.now()
  const counts = gate.tests ? await runTests(gate, env) : await runCommand(gate, env)
  return { ...counts, seconds: (performance.now() - start) / 1000 }
}

async function runCommand(gate, env) {
  const { code, note } = await run([...gate.command], env)
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, note: note ?? `exit code ${code}` }
}

async function runTests(gate, env) {
  const folders = gate.tests.filter((folder) => existsSync(join(root, folder)))
  if (folders.length === 0) return { passed: 0, failed: 0, note: 'no test folder yet' }
  const meant = folders.flatMap(testFiles).filter((file) => isMeant(gate, basename(file, '.test.ts')))
  const files = longestFirst(meant, gate)
  if (files.length === 0) return { passed: 0, failed: 1, note: 'no tests' }
  const shards = shardsOf(files, gate.processes ?? 1)
  const outcomes = await Promise.all(shards.map((shard, index) => runShard(gate, { shard, index, env })))
  const sum = (key) => outcomes.reduce((total, outcome) => total + outcome[key], 0)
  return {
    passed: sum('passed'),
    failed: sum('failed'),
    failures: outcomes.flatMap(({ failures }) => failures),
    note: outcomes.find(({ note }) => note)?.note,
  }
}

/** Deals files out to processes, so that the long ones, which come first, are in different ones. */
function shardsOf(files, count) {
  return Array.from({ length: count }, (_, shard) => files.filter((_, index) => index % count === shard))
}

async function runShard(gate, { shard, index, env }) {
  const countsFile = join(root, 'coverage', `${gate.name}.${index + 1}.counts.json`)
  mkdirSync(join(root, 'coverage'), { recursive: true })
  rmSync(countsFile, { force: true })
  const testEnv = { ...env, ...gate.env, MOCHA_COUNTS: countsFile }
  if (gate.coverage) testEnv.NODE_V8_COVERAGE = coverageFolder
  const jobs = gate.jobs ? ['--parallel', '--jobs', String(gate.jobs)] : []
  const leftOut = gate.leftOut ? ['--invert', '--grep', gate.leftOut.map(escaped).join('|')] : []
  const reporter = ['--reporter', 'scripts/mocha-reporter.cjs']
  const mocha = ['node_modules/mocha/bin/mocha.js', ...reporter, ...jobs, ...leftOut, ...shard]
  const exit = await run(mocha, testEnv, { hasEnded: () => readCounts(countsFile).ended, limit: gate.limit })
  const counts = readCounts(countsFile)
  return { ...judge(counts, exit), failures: counts.failures }
}

/** The files of a gate, its long ones first: one that starts last keeps the other jobs idle. */
function longestFirst(files, { longFiles = [] }) {
  const nameOf = (file) => basename(file, '.test.ts')
  const long = longFiles.flatMap((name) => files.filter((file) => nameOf(file) === name))
  return [...long, ...files.filter((file) => !long.includes(file))]
}

/** Whether a gate has the tests of a file. @param name the file's, without the folder and the extensions */
function isMeant({ files, otherFiles = [] }, name) {
  return (files?.includes(name) ?? true) && !otherFiles.includes(name)
}

/** Mocha's own counts, and one failure more when the run as a whole went wrong in a way that they don't show. */
function judge({ passed, failed, ended }, { code, note }) {
  if (note) return { passed, failed: failed + 1, note }
  if (!ended) return { passed, failed: failed + 1, note: `Mocha stopped before the end, exit code ${code}` }
  if (passed + failed === 0) return { passed, failed: 1, note: 'no tests' }
  if (code !== 0 && failed === 0) return { passed, failed: 1, note: `Mocha’s exit code is ${code}` }
  return { passed, failed }
}

/** A text as an expression that matches just it. */
function escaped(text) {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function testFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !isOthers(name))
    .map((name) => join(folder, name))
    .sort()
}

/** Whether a path is in a package of others, or what a test copies elsewhere. */
function isOthers(path) {
  return path.split(/[\\/]/).some((part) => part === 'node_modules' || part === 'fixtures')
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 0, failures: [], ended: false }
  }
}

/** Runs Node in a process group of its own, so that what it started goes when it is killed. */
function run(args, env, { hasEnded = () => false, limit = GATE_LIMIT } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: gateEnv(env),
      stdio: 'inherit',
      detached: true,
    })
    let note
    const kill = (reason) => {
      note ??= reason
      killGroup(child)
    }
    const unwatch = watch({ hasEnded, limit }, kill)
    const onInterrupt = () => kill('interrupted')
    process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt)
    const settle = (code, reason) => {
      unwatch()
      process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt)
      killGroup(child)
      resolve({ code, note: note ?? reason })
      if (note === 'interrupted') process.exit(130)
    }
    child.on('error', (error) => settle(1, error.message))
    child.on('exit', (code, signal) => settle(code ?? 1, signal ? `killed by ${signal}` : undefined))
  })
}

/** The coverage of a run that someone makes of this script itself must not mix with the gate's own. */
function gateEnv(env) {
  const { NODE_V8_COVERAGE: _, ...inherited } = process.env
  return { ...inherited, ...env }
}

function watch({ hasEnded, limit }, kill) {
  const timer = setTimeout(() => kill(`killed: it took more than ${limit} seconds`), limit * 1000)
  let endedAt
  const poll = setInterval(() => {
    if (endedAt === undefined && hasEnded()) endedAt = performance.now()
    if (endedAt !== undefined && performance.now() - endedAt > LEAK_LIMIT * 1000) {
      kill(
        `killed: ${LEAK_LIMIT} seconds after the last test the process still ran; a test left something open`,
      )
    }
  }, 500)
  return () => {
    clearTimeout(timer)
    clearInterval(poll)
  }
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // the group is gone already, which is the usual case
  }
}
