import { spawn } from 'node:child_process'
import { canPin } from './pinning.js'

/** Milliseconds that an answer may take. */
const LIMIT = 120_000

/** Milliseconds that a process has to end by itself. */
const GRACE = 5000

/** How much of what a child writes is kept, for when it fails. */
const KEPT = 4000

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/** Ends every process that was started here, by its id. */
export function endAll() {
  for (const child of running) child.kill('SIGKILL')
}

/** A process on a core of its own. */
export class Child {
  #process
  #name
  #output = ''
  #lastId = 0
  /** @type {Map<number, { resolve(data: any): void, reject(error: Error): void }>} */
  #asked = new Map()
  /** @type {Error | undefined} */
  #end

  /**
   * @param {object} what
   * @param {string} what.name for messages
   * @param {number} what.core
   * @param {readonly string[]} what.command a program and its arguments
   * @param {Record<string, string>} [what.env] added to the environment
   * @param {boolean} [what.ipc] whether it can be asked. @default true
   */
  constructor({ name, core, command, env = {}, ipc = true }) {
    this.#name = name
    const [program, ...args] = canPin ? ['taskset', '-c', String(core), ...command] : command
    this.#process = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? [/** @type {const} */ ('ipc')] : [])],
      env: { ...process.env, NODE_ENV: 'production', NODE_NO_WARNINGS: '1', ...env },
    })
    running.add(this.#process)
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-KEPT)
      })
    }
    this.#process.on('message', (message) => this.#answered(message))
    this.#process.on('error', (error) => this.#ended(error.message))
    this.#process.on('close', (code, signal) => this.#ended(signal ?? `exit code ${code}`))
  }

  /** Asks for something, and waits. Rejects when the process fails at it, ends, or takes too long. */
  ask(name, args = {}) {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(this.#end)
      const id = ++this.#lastId
      const limit = setTimeout(() => {
        reject(new Error(`${this.#name} did not answer "${name}" within ${LIMIT / 1000} s`))
      }, LIMIT)
      const settle = (how) => (value) => {
        clearTimeout(limit)
        this.#asked.delete(id)
        how(value)
      }
      this.#asked.set(id, { resolve: settle(resolve), reject: settle(reject) })
      this.#process.send({ id, name, args })
    })
  }

  /** Ends it, and waits until it is gone. */
  async stop() {
    if (this.#end) return
    const gone = new Promise((resolve) => this.#process.once('exit', resolve))
    // Those that can be asked end by themselves, and write their profile then.
    if (this.#process.connected) this.#process.disconnect()
    else this.#process.kill('SIGKILL')
    const limit = setTimeout(() => this.#process.kill('SIGKILL'), GRACE)
    await gone
    clearTimeout(limit)
    running.delete(this.#process)
  }

  #answered({ id, data, error }) {
    const asked = this.#asked.get(id)
    if (error === undefined) asked?.resolve(data)
    else asked?.reject(new Error(`${this.#name}: ${error}`))
  }

  #ended(how) {
    running.delete(this.#process)
    this.#end ??= new Error(`${this.#name} ended (${how})\n${this.#output}`)
    for (const { reject } of [...this.#asked.values()]) reject(this.#end)
  }
}
