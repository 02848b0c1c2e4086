/** A program of a page, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'

/** A process of Node, and what it prints. */
export class Program {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  readonly #name: string
  #output = ''
  #onoutput: () => void = () => {}

  /** @param args of `node`: a file and what follows it @param more environment, in addition to the tests' own */
  constructor(folder: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) {
    this.#name = args.join(' ')
    const { NODE_ENV: _, NODE_OPTIONS: __, ...rest } = process.env
    const env = { ...rest, ...more }
    this.#child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] })
    this.#closed = once(this.#child, 'close')
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += stripVTControlCharacters(text)
        this.#onoutput()
      })
    }
  }

  /** What it has printed. */
  get output(): string {
    return this.#output.trim()
  }

  /** Waits until it has printed a text. */
  async says(text: string): Promise<void> {
    const ended = this.#closed.then(() => {
      throw new Error(`${this.#name} ended before it said ${text}:\n${this.#output}`)
    })
    ended.catch(() => {})
    while (!this.#output.includes(text)) {
      await Promise.race([ended, new Promise<void>((resolve) => (this.#onoutput = resolve))])
    }
  }

  /** Writes a line to its input; an empty one ends the input. */
  type(line: string): void {
    if (line === '') this.#child.stdin?.end()
    else this.#child.stdin?.write(`${line}\n`)
  }

  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Waits until it ends. @returns what it has printed, and its exit code */
  async ended(): Promise<{ readonly output: string; readonly code: number | null }> {
    await this.#closed
    return { output: this.output, code: this.#child.exitCode }
  }

  /** Ends it. Harmless if it has ended. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }
}
