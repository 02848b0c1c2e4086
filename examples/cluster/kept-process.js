import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Milliseconds after which a dead process is started again: long enough to see that it was down.
 */
const PAUSE = 3000

/** Milliseconds that a process has to end after a signal. */
const GRACE = 6000

/**
 * A process that is started again whenever it dies, until it is stopped. It emits `state` at each
 * change: `starting`, `up` when it is ready, `down` when it has ended.
 */
export class KeptProcess extends EventEmitter {
  name
  state = 'down'
  /** When it came into this state, ms since 1970. */
  since = Date.now()
  #start
  #port
  /** The process of now; none while one ends on purpose. */
  #child
  #timer
  #replacement
  #isStopped = false

  /**
   * @param {string} name that the log and the page show
   * @param {() => import('node:child_process').ChildProcess} start
   * @param {number} [port] where it can be reached when it is ready; without it, it says so by a
   *   message
   */
  constructor(name, start, port) {
    super()
    this.name = name
    this.#start = start
    this.#port = port
  }

  /** Resolves when it is ready, or was replaced meanwhile. Rejects if it ends before. */
  async run() {
    this.#become('starting')
    const child = this.#start()
    this.#child = child
    // One that was replaced is watched no longer: it may end whenever it does.
    const isCurrent = () => this.#child === child
    const ended = once(child, 'exit').then(([code]) => {
      if (isCurrent()) throw new Error(`${this.name} ended with ${code} before it was ready`)
    })
    await Promise.race([this.#port ? this.#isReached(child) : once(child, 'message'), ended])
    ended.catch(() => {})
    if (!isCurrent()) return
    console.log(`${this.name} runs (process ${child.pid})`)
    child.once('exit', (code, signal) => isCurrent() && this.#ended(code, signal))
    this.#become('up')
  }

  /** Sends a message to the process, if it is up. */
  send(message) {
    // The process may end at this very moment: a message to it is then lost, as it should be.
    if (this.state === 'up') this.#child?.send(message, () => {})
  }

  /**
   * Ends it and starts it again: a deploy. One that has died, and waits to be started again, is
   * started now. Calls that overlap are one.
   */
  replace() {
    this.#replacement ??= this.#replace().finally(() => {
      this.#replacement = undefined
    })
    return this.#replacement
  }

  /** Ends it for good. */
  async stop() {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#end()
    await this.#replacement
  }

  async #replace() {
    console.log(`${this.name} is replaced`)
    clearTimeout(this.#timer)
    await this.#end()
    this.#become('down')
    if (!this.#isStopped) await this.#restart()
  }

  async #restart() {
    await this.run().catch((error) => {
      console.error(error.message)
      this.#ended(1)
    })
  }

  async #isReached(child) {
    while (isRunning(child) && !(await canConnect(this.#port))) await sleep(50)
  }

  async #end() {
    const child = this.#child
    this.#child = undefined
    if (!child || !isRunning(child)) return
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE)
    child.kill('SIGTERM')
    await once(child, 'exit')
    clearTimeout(timer)
  }

  #ended(code, signal) {
    if (this.#isStopped) return
    this.#become('down')
    console.log(`${this.name} has ended (${signal ?? code}); it is started again in ${PAUSE / 1000} s`)
    this.#timer = setTimeout(() => this.#restart(), PAUSE)
  }

  #become(state) {
    if (state === this.state) return
    this.state = state
    this.since = Date.now()
    this.emit('state', state)
  }
}

function isRunning({ exitCode, signalCode }) {
  return exitCode === null && signalCode === null
}

function canConnect(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false)).once('connect', () => socket.end())
  })
}

/**
 * Starts a program whose messages are shown and whose output is not. Signals of the terminal are
 * not for it.
 */
export function startProgram(program, args, cwd) {
  // nginx takes a variable of its own name for a list of sockets that it inherits.
  const { NGINX: _, ...env } = process.env
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'], detached: true })
  child.once('error', (error) => {
    console.error(`${program} does not start: ${error.message}`)
    child.emit('exit', 1, null)
  })
  return child
}
