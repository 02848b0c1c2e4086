// `npm run payloads -- --count 100000 --seed 1 --shapes 100`: sends generated payloads to every receiver of a contract, faulty ones
// and valid ones, and prints the shortest that is treated wrongly. See docs/CONTRACT.md.
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { root } from './gates.mjs'
import { readNumber } from './model-report.mjs'

const options = readOptions()
console.log(`seed ${options.seed}`)
const loader = ['--conditions=@token-socket/source', '--import=tsx', 'test/contracts/generated/run.ts']
const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
const child = spawn(process.execPath, [...loader, ...args], { cwd: root, stdio: 'inherit' })
child.on('close', (code) => {
  process.exitCode = code ?? 1
})

function readOptions() {
  const defaults = { count: '100000', seed: String(Date.now() % 2 ** 31), shapes: '100' }
  const option = (name) => ({ type: 'string', default: defaults[name] })
  try {
    const known = { count: option('count'), seed: option('seed'), shapes: option('shapes') }
    const { values } = parseArgs({ options: known })
    return {
      count: readNumber('count', values.count, 1),
      seed: readNumber('seed', values.seed, 0),
      shapes: readNumber('shapes', values.shapes, 0),
    }
  } catch (error) {
    console.error(error.message)
    process.exit(2)
  }
}
