import { startTimer } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'

describe('startTimer', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers()
  })

  afterEach(() => sinon.restore())

  it('runs once, when the time has come', () => {
    const run = sinon.spy()
    startTimer(100, run)
    clock.tick(99)
    expect(run.called).to.equal(false)
    clock.tick(1000)
    expect(run.callCount).to.equal(1)
  })

  it('runs no more after its undo', () => {
    const run = sinon.spy()
    startTimer(100, run)()
    clock.tick(1000)
    expect(run.called).to.equal(false)
  })

  it('does not run at once when the time is longer than a timer can wait', () => {
    const run = sinon.spy()
    startTimer(Number.POSITIVE_INFINITY, run)
    clock.tick(1_000_000_000)
    expect(run.called).to.equal(false)
  })
})
