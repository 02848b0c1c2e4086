import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { RedisEngineOptions } from '@token-socket/redis'

const SCRIPT = fileURLToPath(new URL('node-script.ts', import.meta.url))

/** A node in a process of its own. `node-script.ts` is the part of it there. */
export class NodeProcess {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, (data: unknown) => void>()
  #lastId = 0
  /** Resolves when another node has asked it something. */
  readonly asked = new Promise<void>((resolve) => this.#waiting.set(-1, () => resolve()))

  /** @param ahead milliseconds by which its clock is wrong */
  private constructor(options: RedisEngineOptions, ahead: number) {
    const execArgv = ['--conditions=@token-socket/source', '--import=tsx']
    this.#process = fork(SCRIPT, [JSON.stringify(options), String(ahead)], { execArgv })
    this.#process.on('message', ({ id, data }: { id: number; data: unknown }) =>
      this.#waiting.get(id)?.(data),
    )
  }

  static async start(options: RedisEngineOptions, ahead = 0): Promise<NodeProcess> {
    const node = new NodeProcess(options, ahead)
    const exited = once(node.#process, 'exit').then(() => {
      throw new Error('the node ended before it was ready')
    })
    exited.catch(() => {})
    await Promise.race([new Promise((resolve) => node.#waiting.set(0, resolve)), exited])
    return node
  }

  /** Calls a method of its engine, or of a part of it. */
  ask(
    part: 'broker' | 'presence' | 'nodes' | 'engine',
    method: string,
    ...args: readonly unknown[]
  ): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#process.send({ id, part, method, args })
    })
  }

  /** Resolves when it has ended by itself, with nothing left to do. */
  async ended(): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.disconnect()
    await exited
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Kills it without warning. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
  }
}
