import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { inNodeOnly } from '../only-in.js'

/** Bytes that an authenticated connection may take more than one of bare `ws`: 1,950 with Node 20. */
const MORE = 2400

interface Measured {
  readonly bare: number
  readonly ours: number
}

/** In a process of its own: other tests leave memory, too. */
async function idleSockets(): Promise<Measured> {
  const script = fileURLToPath(new URL('idle-sockets.ts', import.meta.url))
  const args = ['--expose-gc', '--conditions=@token-socket/source', '--import=tsx', script]
  const { NODE_V8_COVERAGE: _, ...env } = process.env
  const child = spawn(process.execPath, args, { env: { ...env, NODE_ENV: 'production' }, timeout: 110_000 })
  const [[code], output, errors] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ])
  expect(code, errors).to.equal(0)
  return JSON.parse(output)
}

describe('a thousand idle connections', () => {
  inNodeOnly('V8’s objects have these sizes').it(
    'keep little more than those of `ws`, and nothing of their sign-ins',
    async () => {
      const { bare, ours } = await idleSockets()
      expect(bare).to.be.within(1000, 10_000)
      expect(ours - bare).to.be.lessThan(MORE)
    },
  )
})
