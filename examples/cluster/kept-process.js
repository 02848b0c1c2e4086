import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Milliseconds after which one that has died is started again: long enough to see that it was away. */
const PAUSE = 3000

/** Milliseconds that one has to end by itself. */
const GRACE = 6000

/** A process that is started again whenever it dies, until it is stopped. */
export class KeptProcess {
  #name
  #start
  #child
  #timer
  #isStopped = false

  /** @param {string} name for people @param {() => import('node:child_process').ChildProcess} start */
  constructor(name, start) {
    this.#name = name
    this.#start = start
  }

  /** Resolves when it is ready, which it says by a message if it has a channel for that. Rejects if it ends before. */
  async run() {
    const child = this.#start()
    this.#child = child
    const isReady = child.channel ? once(child, 'message') : once(child, 'spawn')
    await Promise.race([
      isReady,
      once(child, 'exit').then(([code]) => {
        throw new Error(`${this.#name} ended with ${code} before it was ready`)
      }),
    ])
    console.log(`${this.#name} runs (process ${child.pid})`)
    child.once('exit', this.#ended)
  }

  /** Ends it and starts it again: a deploy. */
  async replace() {
    console.log(`${this.#name} is replaced`)
    await this.#end('SIGTERM')
    await this.run()
  }

  /** Ends it for good. */
  async stop() {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#end('SIGTERM')
  }

  async #end(signal) {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
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

/** Starts a program whose messages are shown and whose output is not. */
export function startProgram(program, args, cwd) {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'], detached: true })
  child.once('error', (error) => {
    console.error(`${program} does not start: ${error.message}`)
    child.emit('exit', 1, null)
  })
  return child
}
