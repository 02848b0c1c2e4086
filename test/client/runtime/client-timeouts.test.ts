import { expect } from 'chai'
import sinon from 'sinon'
import { ClientTimeouts } from '#client/runtime/client-timeouts.js'

describe('Timers', () => {
  let clock: sinon.SinonFakeTimers
  let timers: ClientTimeouts
  const expire = sinon.spy()

  beforeEach(() => {
    clock = sinon.useFakeTimers()
    timers = new ClientTimeouts()
    expire.resetHistory()
  })

  afterEach(() => sinon.restore())

  it('#set calls back once, when its time has come', () => {
    timers.set(expire, 1000)
    clock.tick(999)
    expect(expire.called).to.equal(false)
    clock.tick(100_000)
    expect(expire.calledOnce).to.equal(true)
  })

  it('#set moves what was set before', () => {
    timers.set(expire, 1000)
    timers.set(expire, 5000)
    clock.tick(4999)
    expect(expire.called).to.equal(false)
    clock.tick(1)
    expect(expire.calledOnce).to.equal(true)
  })

  for (const never of [0, Number.POSITIVE_INFINITY, Number.NaN]) {
    it(`#set to ${never} is never, and takes away what was set`, () => {
      timers.set(expire, 1000)
      timers.set(expire, never)
      expect(clock.countTimers()).to.equal(0)
    })
  }

  it('#delete takes it away', () => {
    timers.set(expire, 1000)
    timers.delete(expire)
    timers.delete(expire)
    expect(clock.countTimers()).to.equal(0)
  })
})
