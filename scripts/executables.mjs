// The programs that the tests need and npm does not install: Redis, Chromium and three proxies. Node's own modules only.

import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runStep } from './step.mjs'

const macChrome = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

/** Each by the environment variable that points to it. */
const executables = {
  REDIS_SERVER: { title: 'Redis', names: ['redis-server'], paths: [], debian: 'redis-server' },
  CHROMIUM: {
    title: 'Chromium',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    paths: [macChrome],
    debian: 'chromium',
  },
  NGINX: { title: 'nginx', names: ['nginx'], paths: ['/usr/sbin/nginx'], debian: 'nginx-light' },
  HAPROXY: { title: 'HAProxy', names: ['haproxy'], paths: ['/usr/sbin/haproxy'], debian: 'haproxy' },
  APACHE: {
    title: 'Apache',
    names: ['apache2', 'httpd'],
    paths: ['/usr/sbin/apache2', '/usr/sbin/httpd'],
    debian: 'apache2-bin',
  },
}

/**
 * Finds what is there and installs nothing.
 * @returns {Record<string, string>} paths by environment variable; what is missing is left out
 */
export function findExecutables() {
  const found = Object.keys(executables).map((variable) => [variable, find(variable)])
  return Object.fromEntries(found.filter(([, path]) => path !== undefined))
}

/**
 * Finds those that are wanted, installs what is missing where that is possible (Debian, as root), and says what is missing otherwise.
 * @param {readonly string[]} [wanted] environment variables. @default all
 * @returns {Promise<{env: Record<string, string>, missing: string[]}>} `missing` holds environment variables
 */
export async function ensureExecutables(wanted = Object.keys(executables)) {
  const missingFrom = (env) => wanted.filter((variable) => env[variable] === undefined)
  const absent = missingFrom(findExecutables()).filter((variable) => !process.env[variable])
  if (absent.length > 0 && canInstall()) await install(absent.map((variable) => executables[variable].debian))
  const env = findExecutables()
  const missing = missingFrom(env)
  for (const variable of missing) console.error(explain(variable))
  return { env, missing }
}

function find(variable) {
  const given = process.env[variable]
  if (given) return isExecutable(given) ? given : undefined
  const { names, paths } = executables[variable]
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...paths].find(
    isExecutable,
  )
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function canInstall() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version')
}

async function install(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const advice = 'Are Debian’s package servers reachable?'
  const update = { title: 'Updating Debian’s list of packages', args: ['update'] }
  const add = { title: `Installing ${packages.join(' and ')}`, args: ['install', '-y', ...packages] }
  for (const step of [update, add]) {
    if (!(await runStep({ ...step, program: 'apt-get', advice, env }))) return
  }
}

function explain(variable) {
  const { title, names } = executables[variable]
  const given = process.env[variable]
  if (given) return `${title}: ${variable} is set to ${given}, which is not an executable file.`
  return `${title} is missing. Install it (looked on the PATH for ${names.join(', ')}), or set ${variable} to its executable.`
}
