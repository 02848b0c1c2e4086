import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import manifest from '../../package.json' with { type: 'json' }
import { ELSEWHERE } from './expectations.js'
import { services } from './services.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('npm run sockjs-test-server', () => {
  let child: ChildProcess

  /** Runs the command that npm would, on a port. */
  function run(port: number): ChildProcess {
    const [program, ...args] = manifest.scripts['sockjs-test-server'].split(' ')
    expect(program).to.equal('node')
    const env = { ...process.env, PORT: String(port) }
    child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    return child
  }

  afterEach(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill()
    await exit
  })

  it('serves every service of the published suite, to every origin', async () => {
    const { stdout } = run(0)
    const lines = createInterface({ input: stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
    for (const path of Object.keys(services)) {
      const { value: url } = await lines.next()
      expect(new URL(url).pathname).to.equal(path)
      const answer = await fetch(`${url}/info`, { headers: { Origin: ELSEWHERE } })
      expect(answer.status).to.equal(200)
      expect(answer.headers.get('access-control-allow-origin')).to.equal(ELSEWHERE)
    }
  })

  it('says which port is taken', async () => {
    const other = createServer().listen(0, 'localhost')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { stderr } = run(port)
    const end = once(child, 'close')
    let said = ''
    stderr?.on('data', (text) => {
      said += text
    })
    const [code] = await end
    other.close()
    expect(code).to.equal(1)
    expect(said).to.include(`Port ${port} cannot be had`)
  })
})
