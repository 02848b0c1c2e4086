import { expect } from 'chai'
import sinon from 'sinon'
import { limitTime } from '#client/runtime/time-limit.js'
import { errorOf } from '../waiting.js'

describe('limitTime', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers()
  })

  afterEach(() => sinon.restore())

  it('resolves as what it runs, and leaves no timer', async () => {
    expect(await limitTime([100], new AbortController().signal, async () => 7)).to.equal(7)
    expect(clock.countTimers()).to.equal(0)
  })

  it('rejects with `timeout` when the time is up, and aborts the signal', async () => {
    let inner: AbortSignal | undefined
    const done = limitTime([100], new AbortController().signal, (signal) => {
      inner = signal
      return new Promise(() => {})
    })
    clock.tick(100)
    expect(await errorOf(done)).to.have.property('code', 'timeout')
    expect(inner?.aborted).to.equal(true)
  })

  it('rejects with the outer signal’s reason', async () => {
    const outer = new AbortController()
    const done = limitTime([100], outer.signal, () => new Promise(() => {}))
    outer.abort(new Error('enough'))
    expect(await errorOf(done)).to.have.property('message', 'enough')
  })

  it('rejects if the outer signal is aborted already', async () => {
    const done = limitTime([100], AbortSignal.abort(new Error('enough')), () => new Promise(() => {}))
    expect(await errorOf(done)).to.have.property('message', 'enough')
  })
})
