import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds after which one that has died is started again: long enough to see that it was away. */
const PAUSE = 3000

/** Milliseconds that one has to end by itself. */
const GRACE = 6000

/** A process that is started again whenever it dies, until it is stopped. */
export class KeptProcess {
  #name
  #start
  #port
  #child
  #timer
  #isStopped = false

  /**
   * @param {string} name for people
   * @param {() => import('node:child_process').ChildProcess} start
   * @param {number} [port] where it can be reached when it is ready; without it, it says so by a message
   */
  constructor(name, start, port) {
    this.#name = name
    this.#start = start
    this.#port = port
  }

  /** Resolves when it is ready. Rejects if it ends before. */
  async run() {
    const child = this.#start()
    this.#child = child
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${this.#name} ended with ${code} before it was ready`)
    })
    await Promise.race([this.#port ? this.#isReached(child) : once(child, 'message'), ended])
    ended.catch(() => {})
    console.log(`${this.#name} runs (process ${child.pid})`)
    child.once('exit', this.#ended)
  }

  /** Ends it and starts it again: a deploy. One that has died, and waits to be started again, is started now. */
  async replace() {
    console.log(`${this.#name} is replaced`)
    clearTimeout(this.#timer)
    await this.#end('SIGTERM')
    await this.run().catch((error) => this.#failed(error))
  }

  /** Ends it for good. */
  async stop() {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#end('SIGTERM')
  }

  async #isReached(child) {
    while (isRunning(child) && !(await canConnect(this.#port))) await sleep(50)
  }

  async #end(signal) {
    const child = this.#child
    if (!child || !isRunning(child)) return
    child.off('exit', this.#ended)
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE)
    child.kill(signal)
    await once(child, 'exit')
    clearTimeout(timer)
  }

  #ended = (code, signal) => {
    if (this.#isStopped) return
    console.log(`${this.#name} has ended (${signal ?? code}); it is started again in ${PAUSE / 1000} s`)
    this.#timer = setTimeout(() => this.run().catch((error) => this.#failed(error)), PAUSE)
  }

  #failed(error) {
    console.error(error.message)
    this.#ended(1)
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

/** Starts a program whose messages are shown and whose output is not. Signals of the terminal are not for it. */
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
