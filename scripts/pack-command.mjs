// Installs the packed contract into an empty project, and runs its command there: without the packages that it needs only for
// some tasks, which it has to name, and with them.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './gates.mjs'

const CONTRACT = `import { defineContract, procedure } from '@token-socket/contract'
import { z } from 'zod'

export const contract: unknown = defineContract({
  server: { buy: procedure({ input: z.object({ item: z.string() }), output: z.number() }) },
})
`

const MODEL = `asyncapi: 3.0.0
info: { title: Shop, version: 1.0.0 }
channels: { calls: { messages: { buy: { payload: { type: object, properties: { item: { type: string } } } } } } }
operations: { buy: { action: receive, channel: { $ref: '#/channels/calls' } } }
`

/** What the command needs only for some tasks, as the user is told to install it. */
const OPTIONAL = ['jiti', 'js-yaml', 'json-schema-to-typescript', 'zod']

/**
 * @param {{ name: string, tarball: string }[]} tarballs of all packages
 * @param {{ folder: string, npm: (args: string[], cwd: string) => string, env: Record<string, string> }} world
 * @returns {string[]} what is wrong, a text for each
 */
export function checkCommand(tarballs, { folder, npm, env }) {
  const needed = tarballs.filter(({ name }) => /contract$|protocol$/.test(name))
  const dependencies = Object.fromEntries(needed.map(({ name, tarball }) => [name, `file:${tarball}`]))
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  writeFileSync(join(folder, 'contract.ts'), CONTRACT)
  writeFileSync(join(folder, 'model.yaml'), MODEL)
  writeFileSync(join(folder, 'model.json'), '{ "asyncapi": "3.0.0" }')
  const install = (...names) =>
    npm(['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...names], folder)
  const run = (...args) => {
    const options = { cwd: folder, env, encoding: 'utf8' }
    return spawnSync(join(folder, 'node_modules', '.bin', 'token-socket'), args, options)
  }
  install()
  const missing = checkMissing(run)
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  install('--save-dev', ...OPTIONAL.map((name) => `${name}@${devDependencies[name] ?? 'latest'}`))
  return [...missing, ...checkBothWays(run, folder)]
}

/** Each task names what it lacks, in the words that install it. */
function checkMissing(run) {
  const wanted = [
    [['asyncapi', 'contract.ts'], 'Install it: npm install -D jiti\n'],
    [['contract', 'model.yaml'], 'Install it: npm install -D js-yaml\n'],
    [['contract', 'model.json'], 'Install it: npm install -D json-schema-to-typescript\n'],
  ]
  return wanted.flatMap(([args, text]) => {
    const { status, stderr } = run(...args)
    return status === 1 && stderr.endsWith(text) ? [] : [`${args.join(' ')} without it: ${status} ${stderr}`]
  })
}

/** The commands take what each other writes, and the compiler takes the contract. */
function checkBothWays(run, folder) {
  const tasks = [
    ['asyncapi', 'contract.ts', '--out', 'made.json'],
    ['contract', 'made.json', '--out', 'made.ts'],
    ['contract', 'model.yaml', '--out', 'made-of-yaml.ts'],
    ['asyncapi', 'made.ts', '--out', 'again.json'],
  ]
  const problems = tasks.flatMap((args) => {
    const { status, stderr } = run(...args)
    return status === 0 ? [] : [`${args.join(' ')}: ${status} ${stderr}`]
  })
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const settings = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck']
  const args = [tsc, ...settings, 'made.ts', 'made-of-yaml.ts']
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  return stdout === '' ? problems : [...problems, `types: ${stdout}`]
}
