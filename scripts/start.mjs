// `npm start`: installs and builds what is needed, then runs the chat, or the example that is named, as in
// `npm start -- playground`; `npm run cluster` is one of them. It starts on a fresh clone, so it loads Node's own modules only.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ensureExecutables } from './executables.mjs'
import { root } from './gates.mjs'
import { installPackages } from './install.mjs'
import { announce } from './open-page.mjs'
import { answers, choosePort } from './ports.mjs'
import { runStep } from './step.mjs'

const [EXAMPLE = 'chat', ...ARGS] = process.argv.slice(2)
const SERVER = join('examples', EXAMPLE, 'server.js')
/** The programs that examples need besides Node, by the environment variables that point to them. */
const PROGRAMS = { cluster: ['REDIS_SERVER', 'NGINX', 'HAPROXY'] }
const ADVICE = 'The messages above name the cause. `npm run types` shows errors of types on their own.'

async function runExample(port, programs) {
  const child = spawn(process.execPath, [SERVER, ...ARGS], {
    cwd: root,
    env: { ...process.env, ...programs, PORT: String(port) },
    stdio: 'inherit',
  })
  let running = true
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  // A terminal sends Ctrl-C to every process in front, so the example has it already.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  child.on('exit', (code, signal) => {
    running = false
    process.exitCode = signal ? 0 : (code ?? 1)
  })
  while (running && !(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 100))
  if (running) announce(`The ${EXAMPLE}`, `http://localhost:${port}/`)
}

async function start() {
  if (!(await installPackages())) return false
  const { env: programs, missing } = await ensureExecutables(PROGRAMS[EXAMPLE] ?? [])
  if (missing.length > 0) return false
  const build = { title: 'Building', program: process.execPath, args: ['scripts/build.mjs'], advice: ADVICE }
  if (!(await runStep(build))) return false
  if (!existsSync(join(root, SERVER))) {
    console.error(`${SERVER} is missing, so there is nothing to start.`)
    return false
  }
  const port = await choosePort()
  if (port === undefined) {
    console.error(
      `Port ${process.env.PORT} is taken. Set PORT to another one, or to none for the next free one.`,
    )
    return false
  }
  await runExample(port, programs)
  return true
}

if (!(await start())) process.exitCode = 1
