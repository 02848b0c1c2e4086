// Installs what package-lock.json asks for, when it is not there yet. Node's own modules only.

import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root } from './gates.mjs'
import { missingLinks, missingPackages } from './installed.mjs'
import { runStep } from './step.mjs'

/**
 * Runs `npm ci` when node_modules is missing, or lacks a package that the lock file names. Missing links to workspaces are made
 * without it: a new workspace needs no download.
 * @param {string} [folder] below the root, with a lock file of its own. @default the root
 * @returns {Promise<boolean>} whether everything is installed now
 */
export async function installPackages(folder = '') {
  const wanted = packagesIn(join(folder, 'package-lock.json'))
  const installed = packagesIn(join(folder, 'node_modules', '.package-lock.json'))
  if (wanted && installed && missingPackages(wanted, installed).length === 0)
    return linkWorkspaces(wanted, folder)
  const npm = process.env.npm_execpath
  const args = ['ci', '--include=dev', '--no-fund', '--no-audit']
  return runStep({
    title: `Installing packages ${folder && `of ${folder} `}(npm ci)`,
    program: npm ? process.execPath : 'npm',
    args: npm ? [npm, ...args] : args,
    cwd: join(root, folder),
    advice:
      'Is npm’s registry reachable (`npm ping`)? When package.json has changed, run `npm install` and try again.',
  })
}

function linkWorkspaces(wanted, project) {
  for (const { path, target } of missingLinks(wanted, (path) => existsSync(join(root, project, path)))) {
    const folder = dirname(path)
    mkdirSync(join(root, project, folder), { recursive: true })
    symlinkSync(relative(folder, target), join(root, project, path), 'junction')
  }
  return true
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  } catch {
    return undefined
  }
}
