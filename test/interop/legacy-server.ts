import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A socket as the legacy server sees it. */
export interface LegacyServerSocket {
  readonly sid: string
  readonly auth: unknown
  readonly channels: readonly string[]
}

/** What the test sets of the legacy server's options. */
export interface LegacyServerOptions {
  readonly ping?: boolean
  /** Whom to let in: those with a session, or those whose token request has a `foo`. @default 'auth' */
  readonly authentication?: 'auth' | 'query'
}

interface Waiter {
  resolve(data: unknown): void
  reject(error: Error): void
}

const script = fileURLToPath(new URL('legacy-server.cjs', import.meta.url))

/** The published legacy server in a process of its own. `legacy-server.cjs` is the part of it there. */
export class LegacyServer {
  port = 0
  /** The cookie of a session that is signed in. */
  cookie = ''
  readonly #redisPort: number
  readonly #options: LegacyServerOptions
  readonly #waiting = new Map<number, Waiter>()
  #process!: ChildProcess
  #exited!: Promise<unknown>
  #lastId = 0

  private constructor(redisPort: number, options: LegacyServerOptions) {
    this.#redisPort = redisPort
    this.#options = options
  }

  static async create(redisPort: number, options: LegacyServerOptions = {}): Promise<LegacyServer> {
    const server = new LegacyServer(redisPort, options)
    await server.start()
    return server
  }

  get host(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Starts it, on its former port if it had one, and signs in. */
  async start(): Promise<void> {
    const settings = { port: this.port, redisPort: this.#redisPort, options: this.#options }
    // Without this process's own flags, which load TypeScript; its crash report is not for the test's output.
    this.#process = fork(script, [JSON.stringify(settings)], { execArgv: [], silent: true })
    this.#exited = once(this.#process, 'exit').then(() => this.#failAll())
    await new Promise<void>((resolve, reject) => {
      this.#process.on(
        'message',
        (message: { port: number } | { id: number; error?: string; data: unknown }) => {
          if (!('port' in message)) return this.#answered(message)
          this.port = message.port
          resolve()
        },
      )
      this.#exited.then(() => reject(new Error('the legacy server ended before it listened')))
    })
    await this.#signIn()
  }

  /** Kills it. */
  async stop(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#exited
  }

  /** Resolves when it has ended by itself. */
  async crashed(): Promise<void> {
    await this.#exited
  }

  sockets(): Promise<LegacyServerSocket[]> {
    return this.ask('sockets') as Promise<LegacyServerSocket[]>
  }

  /** Asks for one of the `answers` of the script. */
  ask(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#process.send({ id, name, args })
    })
  }

  #answered({ id, error, data }: { id: number; error?: string; data: unknown }): void {
    const waiter = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiter?.resolve(data)
    else waiter?.reject(new Error(error))
  }

  #failAll(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the legacy server has ended'))
    this.#waiting.clear()
  }

  async #signIn(): Promise<void> {
    const response = await fetch(`${this.host}/sign-in`)
    this.cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
  }
}
