/** Programs that applications run, each in a process group of its own, so that what it started ends with it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds until it is killed. @default 120,000 */
  readonly timeout?: number
}

/** How a program ended. */
export interface Ended {
  readonly stdout: string
  readonly stderr: string
  /** Its exit code; `null` where it was killed. */
  readonly code: number | null
}

const TIMEOUT = 120_000

/** Runs a program to its end. Resolves for one that fails, too. @param program `node` is this process's own */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const child = new Program(program, args, options)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? TIMEOUT)
  const code = await child.ended
  clearTimeout(timer)
  child.kill('SIGKILL')
  return { stdout: child.stdout, stderr: child.stderr, code }
}

/** A program that runs beside the test. */
export class Program {
  stdout = ''
  stderr = ''
  /** Its exit code; `null` where it was killed, or could not be started. */
  readonly ended: Promise<number | null>
  readonly #child: ChildProcess

  constructor(program: string, args: readonly string[], { cwd, env }: RunOptions = {}) {
    const file = program === 'node' ? process.execPath : program
    this.#child = spawn(file, args, {
      cwd,
      env: { ...inherited(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.stdout += text
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.stderr += text
    })
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.stderr += error.message
        resolve(null)
      })
      this.#child.once('close', (code) => resolve(code))
    })
  }

  /** Resolves with the match as soon as the output matches. @throws when the program ends before, or after 60 s */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    const giveUp = AbortSignal.timeout(60_000)
    let isOver = false
    void this.ended.then(() => {
      isOver = true
    })
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
      if (match) return match
      if (isOver || giveUp.aborted)
        throw new Error(`it never printed ${pattern}:\n${this.stdout}${this.stderr}`)
      await Promise.race([
        this.ended,
        once(this.#child.stdout as NodeJS.ReadableStream, 'data', { signal: giveUp }).catch(() => {}),
        once(this.#child.stderr as NodeJS.ReadableStream, 'data', { signal: giveUp }).catch(() => {}),
      ])
    }
  }

  /** Asks it to end. Resolves with its exit code; after 10 s it is killed. */
  async end(): Promise<number | null> {
    const { pid, exitCode } = this.#child
    if (pid !== undefined && exitCode === null) this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.kill('SIGKILL'), 10_000)
    const code = await this.ended
    clearTimeout(timer)
    this.kill('SIGKILL')
    return code
  }

  /** Signals its whole group. Harmless when it is gone. */
  kill(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
    } catch {
      // The group is gone already, which is the usual case.
    }
  }
}

/** What npm, Mocha and coverage set for this process is not the application's. */
function inherited(): Record<string, string | undefined> {
  const isOwn = (name: string) => /^(npm_|MOCHA|NODE_OPTIONS$|NODE_V8_COVERAGE$|NODE_ENV$)/i.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOwn(name)))
}
