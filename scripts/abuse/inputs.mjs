// `node scripts/abuse/inputs.mjs --count 1000000 --seed 1`: generated inputs against the real library, in a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { root } from '../gates.mjs'

const FILE = fileURLToPath(import.meta.url)

const HELP = `node scripts/abuse/inputs.mjs [options]

  --count N      inputs in all (default 1000000)
  --seed N       the same seed gives the same inputs (default: random, printed)
  --only TEXT    only the kinds whose names contain the text
  --help         this text

The exit code is 1 at the first promise that is broken; the seed, the kind and the input are printed.`

/**
 * Runs them in a process of its own, which prints a table.
 * @returns whether every promise was kept
 */
export async function runGenerated({ count, seed = newSeed(), only = '' }) {
  const flags = ['--conditions=@token-socket/source', '--import=tsx']
  const args = ['--count', String(count), '--seed', String(seed), '--only', only]
  const child = spawn(process.execPath, [...flags, FILE, '--inside', ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  const [code] = await once(child, 'exit')
  return code === 0
}

const newSeed = () => Math.floor(Math.random() * 2 ** 31)

function wholeNumber(text, name) {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0)
    throw new Error(`--${name} takes a whole number, 0 or above`)
  return number
}

function print({ kind, inputs, answered, closed, seconds, kept }) {
  const cells = [inputs, answered, closed, seconds.toFixed(1), (kept / 1024).toFixed(0)]
  console.log(kind.padEnd(24) + cells.map((cell) => String(cell).padStart(11)).join(''))
}

async function inside({ count, seed, only }) {
  const { runInputs } = await import('./inputs/run.mjs')
  console.log(`seed ${seed}\n`)
  console.log(
    `${'kind'.padEnd(24)}${['inputs', 'answered', 'closed', 'seconds', 'KiB kept'].map((name) => name.padStart(11)).join('')}`,
  )
  try {
    const rows = await runInputs({ count, seed, only, report: print })
    const sum = (name) => rows.reduce((total, row) => total + row[name], 0)
    print({
      kind: 'all',
      ...Object.fromEntries(
        ['inputs', 'answered', 'closed', 'seconds', 'kept'].map((name) => [name, sum(name)]),
      ),
    })
    process.exit(0)
  } catch (breach) {
    console.error(`\nBROKEN ${breach.kind}, seed ${seed}, count ${count}: ${breach.message}`)
    if (breach.input !== undefined)
      console.error(
        [breach.input]
          .flat()
          .map((one) => String(one).slice(0, 2000))
          .join('\n'),
      )
    process.exit(1)
  }
}

if (process.argv[1] === FILE) {
  const option = { type: 'string' }
  const flag = { type: 'boolean' }
  const { values } = parseArgs({
    options: { count: option, seed: option, only: option, inside: flag, help: flag },
  })
  const count = wholeNumber(values.count ?? '1000000', 'count')
  const seed = wholeNumber(values.seed ?? String(newSeed()), 'seed')
  const settings = { count, seed, only: values.only ?? '' }
  if (values.help) console.log(HELP)
  else if (values.inside) await inside(settings)
  else process.exitCode = (await runGenerated(settings)) ? 0 : 1
}
