import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../ports.js'

/** A real sentinel, which watches one master under the name `main`. */
export class SentinelProcess {
  readonly port: number
  readonly #folder: string
  readonly #process: ChildProcess

  private constructor(port: number, folder: string, process: ChildProcess) {
    this.port = port
    this.#folder = folder
    this.#process = process
  }

  /** @param quorum how many have to agree that the master is gone */
  static async start(masterPort: number, quorum: number): Promise<SentinelProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'token-socket-sentinel-'))
    const port = await freePort()
    const settings = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${masterPort} ${quorum}`,
      'sentinel down-after-milliseconds main 1000',
      'sentinel failover-timeout main 3000',
    ]
    const file = join(folder, 'sentinel.conf')
    await writeFile(file, `${settings.join('\n')}\n`)
    const sentinel = spawn(process.env.REDIS_SERVER ?? 'redis-server', [file, '--sentinel'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await new Promise<void>((resolve, reject) => {
      sentinel.once('error', reject).once('exit', () => reject(new Error('the sentinel did not start')))
      sentinel.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('+monitor')) resolve()
      })
    })
    return new SentinelProcess(port, folder, sentinel)
  }

  /** It takes connections and says nothing. */
  freeze(): void {
    this.#process.kill('SIGSTOP')
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
    await rm(this.#folder, { recursive: true, force: true })
  }
}
