import { type CallOptions, RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import type { Operation } from '#contract/operations.js'
import { procedure } from '#contract/procedure.js'
import type { Schema } from '#contract/schema.js'
import type { CallTarget } from '#contract/server/call-target.js'
import { clientCall } from '#contract/server/client-call.js'
import { sendingOrder } from '#contract/server/sending-order.js'

/** A schema that takes everything, after a number of milliseconds. */
function slow(ms: number): Schema {
  const validate = (value: unknown) =>
    new Promise<{ value: unknown }>((resolve) => setTimeout(resolve, ms, { value }))
  return { '~standard': { version: 1, vendor: 'slow', validate } }
}

describe('a call of a client by the server', () => {
  let clock: sinon.SinonFakeTimers
  /** The options that calls went out with. */
  let sent: (CallOptions | undefined)[]

  beforeEach(() => {
    clock = sinon.useFakeTimers()
    sent = []
  })
  afterEach(() => clock.restore())

  const target: CallTarget = {
    callTimeout: 1000,
    order: sendingOrder({}),
    rpc: async (_name, data, options) => {
      sent.push(options)
      return data
    },
    notify: async () => {},
    failed: () => {},
  }

  const call = (schemas: { input?: Schema; output: Schema }, options?: CallOptions) => {
    const operation: Operation = { name: 'ask', path: ['ask'], procedure: procedure(schemas) }
    return clientCall(operation, { checkSent: true, maxParts: 1000 })(target, 1, options)
  }

  /** The code that a call fails with when its time has passed, and when it did. */
  const failure = async (calling: Promise<unknown>) => {
    let at: number | undefined
    const failed = calling.catch((error: RpcError) => {
      at = Date.now()
      return error.code
    })
    await clock.tickAsync(5000)
    return [await failed, at]
  }

  it('goes out with what its input’s check left of its time-out', async () => {
    const calling = call({ input: slow(60), output: slow(1) }, { timeout: 100 })
    await clock.tickAsync(70)
    expect(sent).to.deep.equal([{ timeout: 40 }])
    expect(await calling).to.equal(1)
  })

  it('goes out with its time-out as it is where nothing had to be waited for', async () => {
    const calling = call({ output: slow(1) }, { timeout: 100 })
    await clock.tickAsync(1)
    expect(sent).to.deep.equal([{ timeout: 100 }])
    expect(await calling).to.equal(undefined)
  })

  it('goes out without a time-out if it was given none', async () => {
    const calling = call({ input: slow(60), output: slow(1) })
    await clock.tickAsync(70)
    expect(sent).to.deep.equal([undefined])
    expect(await calling).to.equal(1)
  })

  it('has one time-out for all that it waits for', async () => {
    expect(await failure(call({ input: slow(60), output: slow(60) }, { timeout: 100 }))).to.deep.equal([
      'timeout',
      100,
    ])
  })

  for (const options of [{ timeout: -1 }, { timeout: Number.NaN }, { timeout: '5' }, { signal: {} }, null, 5])
    it(`refuses the options ${JSON.stringify(options)} before anything is checked`, async () => {
      const calling = call({ input: slow(60), output: slow(1) }, options as never)
      expect(await failure(calling)).to.deep.equal(['bad_option', 0])
      expect(sent).to.deep.equal([])
    })

  it('fails by an RpcError', async () => {
    const error: unknown = await call({ output: slow(1) }, 5 as never).catch((cause: unknown) => cause)
    expect(RpcError.is(error)).to.equal(true)
  })
})
