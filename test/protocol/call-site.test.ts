import { execFileSync } from 'node:child_process'
import { createTimeouts, PendingCalls, RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { rejection } from './rejection.js'

const SCRIPT = `
import { createTimeouts, PendingCalls, RpcError } from '@token-socket/protocol'
const calls = new PendingCalls({ timeout: 0, callsOut: 1 }, createTimeouts())
function theApplication() { return { ...calls.open() } }
const { id, answer } = theApplication()
setImmediate(() => calls.reject(id, new RpcError('forbidden', 'No')))
answer.catch((error) => console.log(error.stack))
`

/** The stack of a call's error in a process of its own. */
function stackIn(mode: string): string {
  const sources = ['--conditions=@token-socket/source', '--import=tsx']
  return execFileSync(process.execPath, [...sources, '--input-type=module', '--eval', SCRIPT], {
    env: { ...process.env, NODE_ENV: mode },
    encoding: 'utf8',
  })
}

describe('the stack of a call’s error', () => {
  it('shows where the application made the call', async () => {
    const calls = new PendingCalls({ timeout: 0, callsOut: 10 }, createTimeouts())
    // In Bun a function that returns what a call returns is not in the stack of that call.
    const theApplication = () => ({ ...calls.open() })
    const { id, answer } = theApplication()
    await new Promise(setImmediate)
    calls.reject(id, new RpcError('forbidden', 'No'))
    const { stack } = await rejection(answer)
    expect(stack).to.match(/^RpcError: No\n/)
    expect(stack).to.include('theApplication').and.include('call-site.test.ts')
  })

  it('shows that of each call where several fail together', async () => {
    const calls = new PendingCalls({ timeout: 0, callsOut: 10 }, createTimeouts())
    const one = () => ({ ...calls.open() })
    const other = () => ({ ...calls.open() })
    const answers = [one(), other()].map(({ answer }) => rejection(answer))
    calls.rejectAll(new RpcError('connection_lost'))
    const [first, second] = await Promise.all(answers)
    expect(first?.stack)
      .to.match(/ one /)
      .and.not.match(/ other /)
    expect(second?.stack)
      .to.match(/ other /)
      .and.not.match(/ one /)
  })

  it('does not where Node runs in production, as it takes its time', () => {
    expect(stackIn('development')).to.include('theApplication')
    expect(stackIn('production')).to.include('RpcError: No').and.not.include('theApplication')
  })
})
