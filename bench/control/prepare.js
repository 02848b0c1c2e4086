// Before anything else: what the bench needs is installed and built. Node's own modules only.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../../scripts/install.mjs'
import { missingPackages } from '../../scripts/installed.mjs'
import { runStep } from '../../scripts/step.mjs'

const bench = fileURLToPath(new URL('..', import.meta.url))
const packages = fileURLToPath(new URL('../../packages', import.meta.url))

/** @returns {Promise<boolean>} whether everything is there now */
export async function prepare() {
  return (await installPackages()) && (await installPeers()) && (await build())
}

/** @returns {Promise<boolean>} whether what the bench of the types needs is there: no peers of the server */
export async function prepareTypes() {
  return (await installPackages()) && (await build(['protocol', 'server', 'client', 'contract']))
}

async function installPeers() {
  if (isInstalled()) return true
  const npm = process.env.npm_execpath
  const args = ['ci', '--prefix', bench, '--no-fund', '--no-audit']
  return runStep({
    title: 'Installing the peers (npm ci in bench)',
    program: npm ? process.execPath : 'npm',
    args: npm ? [npm, ...args] : args,
    advice: 'Is npm’s registry reachable (`npm ping`)?',
  })
}

function isInstalled() {
  const wanted = packagesIn('package-lock.json')
  const installed = packagesIn(join('node_modules', '.package-lock.json'))
  return Boolean(wanted && installed) && missingPackages(wanted, installed).length === 0
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(join(bench, file), 'utf8')).packages
  } catch {
    return undefined
  }
}

async function build(names = ['protocol', 'server', 'contract', 'lmdb', 'redis']) {
  if (names.every(isBuilt)) return true
  const advice = 'The messages above name the cause. `npm run types` shows errors of types on their own.'
  return runStep({ title: 'Building', program: process.execPath, args: ['scripts/build.mjs'], advice })
}

/** Whether a package's build is newer than each of its sources. */
function isBuilt(name) {
  const built = statSync(join(packages, name, 'dist', 'esm', 'index.js'), { throwIfNoEntry: false })
  if (!built) return false
  const source = join(packages, name, 'src')
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  return files.every((file) => statSync(join(source, file)).mtimeMs <= built.mtimeMs)
}
