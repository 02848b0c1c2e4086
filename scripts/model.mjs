// `npm run model -- --seeds 100000 --first 0`: plays generated histories of a client and a server, and prints those that
// went wrong. See docs/STATES.md. `npm run model -- authorization --count 100000 --seed 1` does so with users whose rights
// change: see docs/AUTHORISATION.md.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { root } from './gates.mjs'
import { MOST_FAILURES, progress, readModel, readNumber, shares, summary } from './model-report.mjs'

/** Milliseconds between two lines of progress. */
const INTERVAL = 10_000

const run = { ...readOptions(), done: 0, failures: [], died: false }
const begun = performance.now()
const now = () => ({ ...run, seconds: (performance.now() - begun) / 1000 })
const ticker = setInterval(() => console.log(progress(now())), INTERVAL)
const children = shares(run.first, run.seeds, run.workers).map(start)
await Promise.all(children.map(({ ended }) => ended))
clearInterval(ticker)
for (const line of summary(now())) console.log(line)
process.exitCode = run.failures.length > 0 || run.died ? 1 : 0

function readOptions() {
  const most = Math.min(2, availableParallelism())
  const text = { type: 'string' }
  try {
    const { values, positionals } = parseArgs({
      options: { seeds: text, first: text, count: text, seed: text, workers: text },
      allowPositionals: true,
    })
    const { seeds, first, count, seed, workers = String(most) } = values
    return {
      model: readModel(positionals),
      seeds: readNumber(seeds === undefined ? 'count' : 'seeds', seeds ?? count ?? '100000', 1),
      first: readNumber(first === undefined ? 'seed' : 'first', first ?? seed ?? '1', 0),
      workers: readNumber('workers', workers, 1),
    }
  } catch (error) {
    console.error(error.message)
    process.exit(2)
  }
}

function start(share) {
  const loader = ['--conditions=@token-socket/source', '--import=tsx']
  const node = [
    ...loader,
    'test/client/subscription-model/run.ts',
    '--model',
    run.model,
    '--seeds',
    String(share.seeds),
    '--first',
    String(share.first),
  ]
  const child = spawn(process.execPath, node, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  createInterface({ input: child.stdout }).on('line', (line) => hear(JSON.parse(line)))
  const ended = new Promise((resolve) => {
    child.on('close', (code) => {
      run.died ||= code !== 0 && run.failures.length < MOST_FAILURES
      resolve()
    })
  })
  return { child, ended }
}

function hear({ seed, wrong, done }) {
  run.done += done ?? 0
  if (wrong === undefined) return
  run.failures.push(seed)
  console.log(`${wrong}\n`)
  if (run.failures.length >= MOST_FAILURES) for (const { child } of children) child.kill()
}
