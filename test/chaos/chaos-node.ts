import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LoopReport } from './loop-watch.js'
import type { NodeOrder, NodeSettings } from './node-script.js'

const SCRIPT = fileURLToPath(new URL('node-script.ts', import.meta.url))

/** What a node says of itself, and of its event loop since it began to watch it. */
export interface NodeReport extends LoopReport {
  readonly sockets: number
}

/** What came of an order. */
export interface OrderReport {
  readonly count?: number
  readonly missing?: readonly string[]
  readonly error?: string
}

/** A server in a process of its own, at one port however often it is killed. */
export class ChaosNode {
  readonly #settings: NodeSettings
  #process: ChildProcess | undefined

  constructor(settings: NodeSettings) {
    this.#settings = settings
  }

  get isAlive(): boolean {
    const node = this.#process
    return node !== undefined && node.exitCode === null && node.signalCode === null
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const execArgv = ['--conditions=@token-socket/source', '--import=tsx']
    this.#process = fork(SCRIPT, [JSON.stringify(this.#settings)], { execArgv })
    const ended = once(this.#process, 'exit').then(() => {
      throw new Error('the node ended before it was ready')
    })
    ended.catch(() => {})
    await Promise.race([once(this.#process, 'message'), ended])
  }

  /** Gives it a core of its own, which nobody else who was kept from it uses. */
  keepOn(core: number): void {
    keepOn(core, this.#process?.pid)
  }

  async kill(): Promise<void> {
    if (!this.#process || !this.isAlive) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
  }

  /** Stops or continues it, or ends it. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Has all nodes do something. */
  async order(order: NodeOrder): Promise<OrderReport> {
    if (!this.#process) throw new Error('it was never started')
    const answer = once(this.#process, 'message')
    this.#process.send(order)
    return ((await answer) as [OrderReport])[0]
  }

  /** Asks it how it is; `watch` begins to watch its event loop. */
  async ask(question: 'watch' | 'look'): Promise<NodeReport> {
    if (!this.#process) throw new Error('it was never started')
    const answer = once(this.#process, 'message')
    this.#process.send(question)
    return ((await answer) as [NodeReport])[0]
  }
}

/** Keeps a process on a core, and what it starts from now on, where there is `taskset`. @param pid @default this one */
export function keepOn(core: number, pid = process.pid): void {
  spawnSync('taskset', ['-acp', String(core), String(pid)])
}
