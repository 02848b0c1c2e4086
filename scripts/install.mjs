// Installs what package-lock.json asks for, when it is not there yet. Node's own modules only.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './gates.mjs'
import { runStep } from './step.mjs'

/**
 * Runs `npm ci` when node_modules is missing or is not what the lock file says.
 * @returns {Promise<boolean>} whether everything is installed now
 */
export async function installPackages() {
  if (isInstalled()) return true
  const npm = process.env.npm_execpath
  const args = ['ci', '--include=dev', '--no-fund', '--no-audit']
  return runStep({
    title: 'Installing packages (npm ci)',
    program: npm ? process.execPath : 'npm',
    args: npm ? [npm, ...args] : args,
    advice:
      'Is npm’s registry reachable (`npm ping`)? When package.json has changed, run `npm install` and try again.',
  })
}

/** npm writes down what it installed in a file like the lock file; packages for other platforms are left out of it. */
function isInstalled() {
  const wanted = packagesIn('package-lock.json')
  const installed = packagesIn(join('node_modules', '.package-lock.json'))
  if (!wanted || !installed) return false
  return Object.entries(wanted).every(([path, { version, optional, peer, dev, link }]) => {
    if (path === '' || (optional && !installed[path])) return true
    if (peer && !dev && !installed[path]) return true
    return installed[path] !== undefined && (link || installed[path].version === version)
  })
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  } catch {
    return undefined
  }
}
