/** The parts that minified scripts have in the place of others: what they share with those, and what they do without. */
import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { type SinonFakeTimers, useFakeTimers } from 'sinon'
import * as abortWith from '#protocol/abort-with.js'
import * as callAround from '#protocol/call-around.js'
import * as callContext from '#protocol/call-context.js'
import * as callHooks from '#protocol/call-hooks.js'
import * as callOptions from '#protocol/call-options.js'
import * as callSite from '#protocol/call-site.js'
import type { Outcome } from '#protocol/messages.js'
import * as shortAbortWith from '#protocol/short-abort-with.js'
import * as shortCallAround from '#protocol/short-call-around.js'
import * as shortCallContext from '#protocol/short-call-context.js'
import * as shortCallHooks from '#protocol/short-call-hooks.js'
import * as shortCallOptions from '#protocol/short-call-options.js'
import * as shortCallSite from '#protocol/short-call-site.js'
import * as shortTimer from '#protocol/short-timeout.js'
import * as timer from '#protocol/timeout.js'

const FORMS: Readonly<Record<string, readonly [full: object, short: object]>> = {
  'abort-with': [abortWith, shortAbortWith],
  'call-around': [callAround, shortCallAround],
  'call-context': [callContext, shortCallContext],
  'call-hooks': [callHooks, shortCallHooks],
  'call-options': [callOptions, shortCallOptions],
  'call-site': [callSite, shortCallSite],
  timer: [timer, shortTimer],
}

describe('the short form', () => {
  let clock: SinonFakeTimers

  beforeEach(() => {
    clock = useFakeTimers({ now: 1000 })
  })

  afterEach(() => clock.restore())

  for (const [name, [full, short]] of Object.entries(FORMS)) {
    it(`of ${name} exports what the full one does`, () => {
      expect(Object.keys(short)).to.have.members(Object.keys(full))
    })
  }

  for (const { RunningContext } of [callContext, shortCallContext]) {
    it(`of a call’s context is the same to a function (${RunningContext === callContext.RunningContext ? 'full' : 'short'})`, () => {
      const context = new RunningContext('orders.pay', 500)
      expect([context.name, context.deadline, context.signal.aborted]).to.deep.equal([
        'orders.pay',
        1500,
        false,
      ])
      RunningContext.abort(context as never, 'timeout')
      expect(context.signal.aborted).to.equal(true)
      expect(RpcError.is(context.signal.reason)).to.equal(true)
      expect(context.signal.reason).to.have.property('code', 'timeout')
      expect(new RunningContext('a', 0).deadline).to.equal(Number.POSITIVE_INFINITY)
    })
  }

  it('of the hooks watches nothing, and takes what is thrown after the end for a stop', () => {
    const { isAbortError, ...hooks } = shortCallHooks
    expect(Object.values(hooks).map((hook) => (hook as () => unknown)())).to.deep.equal(
      Object.values(hooks).map(() => undefined),
    )
    expect(isAbortError()).to.equal(true)
  })

  it('of what runs around a call runs its function, and gives its answer', async () => {
    const outcomes: Outcome[] = []
    const answered = (_run: unknown, outcome: Outcome) => void outcomes.push(outcome)
    const receiver = { answered, threw: () => {} }
    const call = { action: undefined, before: [1], answer() {} }
    shortCallAround.runCall((data) => [data], { call, context: undefined } as never, receiver as never)
    expect(outcomes).to.deep.equal([{ data: [1] }])
  })

  it('of a call’s options refuses what would leave the call open, and nothing else', () => {
    const { checkCallOptions, checkTimeout, gaveUp } = shortCallOptions
    const refused = (check: () => void) => {
      try {
        check()
        return undefined
      } catch (error) {
        return error as RpcError
      }
    }
    expect(refused(() => checkCallOptions({}, '5'))).to.include({ code: 'bad_option' })
    expect(refused(() => checkCallOptions({ signal: {} as AbortSignal }, 5))).to.include({
      code: 'bad_option',
    })
    expect(refused(() => checkCallOptions({ signal: new AbortController().signal }, -1))).to.equal(undefined)
    expect(refused(() => checkTimeout())).to.equal(undefined)
    const cause = new Error('why')
    expect(gaveUp('aborted', 'a.b', cause)).to.include({ code: 'aborted', data: undefined, cause })
  })

  it('of a call’s site is none, and leaves an error as it is', () => {
    expect(shortCallSite.callSite()).to.equal(undefined)
    expect(shortCallSite.showCallSite()).to.equal(undefined)
  })

  it('of a timer calls once, can be undone, and waits no longer than a timer can', () => {
    let calls = 0
    const call = () => {
      calls += 1
    }
    shortTimer.startTimeout(10, call)
    shortTimer.startTimeout(10, call)()
    shortTimer.startTimeout(Number.POSITIVE_INFINITY, call)
    clock.tick(10)
    expect(calls).to.equal(1)
    clock.tick(shortTimer.MAX_TIMEOUT)
    expect(calls).to.equal(2)
  })
})
