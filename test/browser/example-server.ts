/** Runs an example's server as a process of its own, as `npm start` does. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a process said and how it ended. */
export interface Exit {
  readonly code: number | null
  readonly output: string
}

/** An example's server, which can be stopped and started again on the same port. */
export class ExampleServer {
  /** Its address, with a slash at the end; known once it has been started. */
  address = ''
  readonly #command: readonly string[]
  readonly #folder: string
  #child: ChildProcess | undefined
  #output = ''

  /**
   * @param name of its folder among the examples
   * @param args of its command line
   * @returns one that is not running; what it keeps is in a folder of its own
   */
  static async create(name: string, ...args: readonly string[]): Promise<ExampleServer> {
    const script = fileURLToPath(new URL(`../../examples/${name}/server.js`, import.meta.url))
    const folder = await mkdtemp(join(tmpdir(), `token-socket-${name}-test-`))
    return new ExampleServer([script, ...args], folder)
  }

  private constructor(command: readonly string[], folder: string) {
    this.#command = command
    this.#folder = folder
  }

  /**
   * Starts it.
   * @param port the one before if left out, at first any free one; `null` leaves PORT unset
   * @throws what it said, if it ended instead
   */
  async start(port?: string | null): Promise<void> {
    if (await this.tryToStart(port)) return
    throw new Error((await this.ended()).output)
  }

  /** Starts it. @returns whether it runs */
  tryToStart(
    port: string | null = new URL(this.address || 'http://localhost:0').port || '0',
  ): Promise<boolean> {
    const { PORT: _, ...inherited } = process.env
    const env = {
      ...inherited,
      TMPDIR: this.#folder,
      TEMP: this.#folder,
      CHAT_DATA: join(this.#folder, 'data'),
      ...(port !== null && { PORT: port }),
    }
    const child = spawn(process.execPath, this.#command, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.#output = ''
    return new Promise((resolve) => {
      const hear = (text: string) => {
        this.#output += text
        const [address] = /http:\/\/localhost:\d+\//.exec(this.#output) ?? []
        if (address) this.address = address
        if (address) resolve(true)
      }
      child.stdout.setEncoding('utf8').on('data', hear)
      child.stderr.setEncoding('utf8').on('data', hear)
      child.once('close', () => resolve(false))
    })
  }

  /** What it has said since its last start. */
  get output(): string {
    return this.#output
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Waits until it has ended, after a signal if one is given. */
  async ended(signal?: NodeJS.Signals): Promise<Exit> {
    const child = this.#child
    if (!child) throw new Error('it was never started')
    const isRunning = child.exitCode === null && child.signalCode === null
    const closed = isRunning ? once(child, 'close') : undefined
    if (signal) child.kill(signal)
    await closed
    return { code: child.exitCode, output: this.#output }
  }

  /** Kills it if it runs, and removes what it kept. */
  async remove(): Promise<void> {
    if (this.#child) await this.ended('SIGKILL')
    await rm(this.#folder, { recursive: true, force: true })
  }
}
