import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How often another port is tried: between finding a free one and using it somebody else may take it. */
const TRIES = 5

/** A real Redis that a test starts and stops: nothing of it stays. */
export class RedisServer {
  readonly port: number
  readonly #process: ChildProcess
  readonly #folder: string

  private constructor(port: number, process: ChildProcess, folder: string) {
    this.port = port
    this.#process = process
    this.#folder = folder
  }

  static async start(): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'token-socket-redis-'))
    for (let tries = 0; tries < TRIES; tries++) {
      const port = await freePort()
      const process = spawnRedis(port, folder)
      if (await isReady(process)) return new RedisServer(port, process, folder)
    }
    await rm(folder, { recursive: true, force: true })
    throw new Error('redis-server did not start')
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      const exited = once(this.#process, 'exit')
      this.#process.kill()
      await exited
    }
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function spawnRedis(port: number, folder: string): ChildProcess {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  args.push('--save', '', '--appendonly', 'no')
  return spawn(process.env.REDIS_SERVER ?? 'redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
}

function isReady(redis: ChildProcess): Promise<boolean> {
  return new Promise((resolve, reject) => {
    redis.once('error', reject).once('exit', () => resolve(false))
    redis.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('Ready to accept connections')) resolve(true)
    })
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
