import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dialects } from './dialects.js'
import { operationsOf } from './operations.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What is compiled: the contract with a file that imports it, or with its server and client. */
export const CASES = /** @type {const} */ (['alone', 'used'])

/**
 * Writes the files of one library.
 * @param {string} folder below the repository's root, so that packages are found
 * @param {{ library: string, count: number }} wanted how many operations
 */
export function writeProject(folder, { library, count }) {
  mkdirSync(folder, { recursive: true })
  const program = dialects[library](operationsOf(count))
  for (const [name, text] of Object.entries(program)) writeFileSync(join(folder, `${name}.ts`), text)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  for (const name of CASES) {
    const settings = {
      extends: join(root, 'tsconfig.base.json'),
      // The packages' declarations, as an application has them, not their sources.
      compilerOptions: { lib: ['es2023', 'dom'], types: ['node'], customConditions: [] },
      files: [`${name}.ts`],
    }
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(settings))
  }
}

/**
 * @typedef {object} Check
 * @property {string} output what the compiler says of errors
 * @property {number} seconds from its start to its end
 * @property {number} cpuSeconds of all its threads
 * @property {number} megabytes the most that its process had in memory
 * @property {number} instantiations
 */

/**
 * Runs the compiler on one of a project's cases.
 * @param {string} folder
 * @param {'alone' | 'used'} name
 * @returns {Promise<Check>}
 */
export async function check(folder, name) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const args = ['--project', join(folder, `${name}.json`), '--noEmit', '--extendedDiagnostics']
  const before = process.hrtime.bigint()
  const child = spawn('/usr/bin/time', ['-f', '%U %S %M', process.execPath, compiler, ...args], { cwd: root })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text))
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  const seconds = Number(process.hrtime.bigint() - before) / 1e9
  return { ...measuresOf(output), seconds }
}

function measuresOf(output) {
  const [user = Number.NaN, system = Number.NaN, kilobytes = Number.NaN] =
    output
      .match(/([\d.]+) ([\d.]+) (\d+)\s*$/)
      ?.slice(1)
      .map(Number) ?? []
  return {
    output: output
      .split('\n')
      .filter((line) => /error TS/.test(line))
      .join('\n'),
    cpuSeconds: user + system,
    megabytes: kilobytes / 1024,
    instantiations: Number(output.match(/Instantiations:\s+(\d+)/)?.[1]),
  }
}
