import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { MB } from '../end-to-end/memory.js'
import { EXPRESS_VERSIONS } from './applications.js'

interface Left {
  readonly before: object
  readonly after: object
  readonly grown: number
  readonly answers: readonly number[]
}

/** In a process of its own: other tests leave memory, too. It has to end by itself, since nothing is open any longer. */
async function thousandServers(version: string): Promise<Left> {
  const script = fileURLToPath(new URL('thousand-servers.ts', import.meta.url))
  const args = ['--expose-gc', '--conditions=@token-socket/source', '--import=tsx', script, version]
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = spawn(process.execPath, args, { env, timeout: 110_000 })
  const [[code], output, errors] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ])
  expect(code, errors).to.equal(0)
  return JSON.parse(output)
}

describe('a thousand servers, made and shut down on one application and one HTTP server', () => {
  for (const { name } of EXPRESS_VERSIONS) {
    it(`leave no listener, route, wrapper or memory, and the last one works (${name})`, async () => {
      const { before, after, grown, answers } = await thousandServers(name.slice(-1))
      expect(after).to.deep.equal(before)
      // 601 servers: 15 kB for each. One that is kept has more than 40.
      expect(grown / MB).to.be.lessThan(9)
      expect(answers).to.deep.equal([503, 503, 200])
    }).timeout(120_000)
  }
})
