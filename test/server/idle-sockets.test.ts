import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { inNodeOnly } from '../only-in.js'

/** Bytes that a connection may take more than one of bare `ws`. With Node 20 they are 1,950 and 2,700. */
const MORE = { idle: 2400, takingPart: 3200 }

interface Measured {
  readonly bare: number
  /** An authenticated one. */
  readonly idle: number
  /** One that has called a function, too, and is subscribed to a channel. */
  readonly takingPart: number
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

/** The least of up to three measurements: what is not collected yet only adds to one. */
async function leastMemory(): Promise<Measured> {
  let least = await idleSockets()
  for (let more = 2; more > 0 && !isLittle(least); more -= 1) {
    const { bare, idle, takingPart } = await idleSockets()
    least = {
      bare: Math.min(bare, least.bare),
      idle: Math.min(idle, least.idle),
      takingPart: Math.min(takingPart, least.takingPart),
    }
  }
  return least
}

function isLittle({ bare, idle, takingPart }: Measured): boolean {
  return idle - bare < MORE.idle && takingPart - bare < MORE.takingPart
}

describe('a thousand idle connections', () => {
  inNodeOnly('V8’s objects have these sizes').it(
    'keep little more than those of `ws`, and nothing of their sign-ins',
    async () => {
      const { bare, idle, takingPart } = await leastMemory()
      expect(bare).to.be.within(1000, 10_000)
      expect(idle - bare).to.be.lessThan(MORE.idle)
      expect(takingPart - bare).to.be.lessThan(MORE.takingPart)
    },
  )
})
