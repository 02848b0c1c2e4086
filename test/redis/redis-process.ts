import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { freePort } from '../ports.js'

/** A client of the test's own, for what no engine does. */
export type Admin = ReturnType<typeof createAdmin>

function createAdmin(port: number) {
  return createClient({ url: `redis://127.0.0.1:${port}` }).on('error', () => {})
}

/** A real Redis that a test starts, kills, and starts again at the same address. */
export class RedisProcess {
  readonly port: number
  readonly #settings: readonly string[]
  readonly #folder: string
  #process!: ChildProcess
  readonly #admins: Admin[] = []

  private constructor(port: number, folder: string, settings: readonly string[]) {
    this.port = port
    this.#folder = folder
    this.#settings = settings
  }

  /** @param settings of redis.conf, as arguments; without any, nothing is kept when it ends */
  static async start(...settings: readonly string[]): Promise<RedisProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'token-socket-redis-'))
    const redis = new RedisProcess(await freePort(), folder, settings)
    await redis.restart()
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** The same by a socket of the file system. */
  get unixUrl(): string {
    return `unix://${this.#socket}`
  }

  get #socket(): string {
    return join(this.#folder, 'redis.sock')
  }

  /** A connection for the test itself; it is closed with the process. */
  async admin(): Promise<Admin> {
    const admin = createAdmin(this.port)
    this.#admins.push(admin)
    await admin.connect()
    return admin
  }

  /** Starts it after {@link kill}. */
  async restart(): Promise<void> {
    const fixed = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '']
    const args = [...fixed, '--unixsocket', this.#socket, ...this.#settings]
    const redis = spawn(process.env.REDIS_SERVER ?? 'redis-server', args, {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#process = redis
    await new Promise<void>((resolve, reject) => {
      redis.once('error', reject).once('exit', () => reject(new Error('redis-server did not start')))
      redis.stdout?.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('Ready to accept connections')) resolve()
      })
    })
  }

  /** It ends with this process, which does not wait for it. */
  endAtExit(): void {
    this.#process.unref()
    ;(this.#process.stdout as Socket | null)?.unref()
    process.once('exit', () => {
      this.#process.kill('SIGKILL')
      rmSync(this.#folder, { recursive: true, force: true })
    })
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
  }

  /** It takes connections and says nothing, until {@link wake}. */
  freeze(): void {
    this.#process.kill('SIGSTOP')
  }

  wake(): void {
    this.#process.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    for (const admin of this.#admins) admin.destroy()
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
