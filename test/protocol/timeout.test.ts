import { startTimeout } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { memoryInUse } from '../garbage.js'

describe('startTimeout', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers()
  })

  afterEach(() => sinon.restore())

  it('runs once, when the time has come', () => {
    const run = sinon.spy()
    startTimeout(100, run)
    clock.tick(99)
    expect(run.called).to.equal(false)
    clock.tick(1000)
    expect(run.callCount).to.equal(1)
  })

  it('runs no more after its undo', () => {
    const run = sinon.spy()
    startTimeout(100, run)()
    clock.tick(1000)
    expect(run.called).to.equal(false)
  })

  it('does not run at once when the time is longer than a timer can wait', () => {
    const run = sinon.spy()
    startTimeout(Number.POSITIVE_INFINITY, run)
    clock.tick(1_000_000_000)
    expect(run.called).to.equal(false)
  })

  it('leaves nothing of a wait behind once its timer is stopped', () => {
    sinon.restore()
    const round = () => {
      for (let wait = 100_000; wait < 120_000; wait += 1) startTimeout(wait, () => {})()
      return memoryInUse()
    }
    const before = round()
    for (let wait = 200_000; wait < 220_000; wait += 1) startTimeout(wait, () => {})()
    // Node kept about 150 bytes for each.
    expect((memoryInUse() - before) / 20_000).to.be.below(50)
  })
})
