// `npm start`: installs and builds what is needed, then runs the chat, or the example that is named, as in
// `npm start -- playground`; `npm run cluster` is one of them. It starts on a fresh clone, so it loads Node's own modules only.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { ensureExecutables } from './executables.mjs'
import { root } from './gates.mjs'
import { installPackages } from './install.mjs'
import { runStep } from './step.mjs'

const FIRST_PORT = 3000
const [EXAMPLE = 'chat', ...ARGS] = process.argv.slice(2)
const SERVER = join('examples', EXAMPLE, 'server.js')
/** The programs that examples need besides Node, by the environment variables that point to them. */
const PROGRAMS = { cluster: ['REDIS_SERVER', 'NGINX', 'HAPROXY'] }
const ADVICE = 'The messages above name the cause. `npm run types` shows errors of types on their own.'

/** The port that PORT asks for, or the first free one from 3000 on; `undefined` where PORT is taken. */
async function choosePort() {
  const wanted = Number(process.env.PORT)
  if (process.env.PORT && !(wanted > 0 && wanted < 65_536)) {
    console.error(`PORT has to be a number from 1 to 65535, not ${process.env.PORT}`)
    process.exit(1)
  }
  if (wanted) return (await isFree(wanted)) ? wanted : undefined
  let port = FIRST_PORT
  while (!(await isFree(port))) port += 1
  return port
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, 'localhost', () => resolve(true))
    socket.once('error', () => resolve(false)).once('connect', () => socket.end())
  })
}

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
  if (running) announce(`http://localhost:${port}/`)
}

function announce(address) {
  const line = '─'.repeat(address.length + EXAMPLE.length + 16)
  console.log(`\n${line}\n  The ${EXAMPLE} is at ${address}\n  Ctrl-C ends it.\n${line}\n`)
  if (hasDisplay()) openBrowser(address)
}

function hasDisplay() {
  if (process.platform === 'darwin' || process.platform === 'win32') return true
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

/** A convenience: where it does not work, the address is on the screen. */
function openBrowser(address) {
  const programs = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }
  const [program, ...args] = programs[process.platform] ?? ['xdg-open']
  spawn(program, [...args, address], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
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
