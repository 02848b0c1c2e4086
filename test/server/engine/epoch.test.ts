import { expect } from 'chai'
import sinon from 'sinon'
import { isEarlier, isNext, newEpoch, POSITION_TTL } from '#server/engine/epoch.js'

describe('epochs', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers(1_700_000_000_000)
  })

  afterEach(() => sinon.restore())

  it('go on while a channel that was counted in between would still be there', () => {
    const empty = newEpoch('store')
    expect(isNext(empty, newEpoch('store'))).to.equal(true)
    clock.tick(POSITION_TTL / 2)
    expect(isNext(empty, newEpoch('store'))).to.equal(true)
    clock.tick(POSITION_TTL / 2)
    expect(isNext(empty, newEpoch('store'))).to.equal(false)
  })

  it('go on between nodes whose clocks differ', () => {
    const empty = newEpoch('store')
    clock.setSystemTime(1_700_000_000_000 - 3_000_000)
    expect(isNext(empty, newEpoch('store'))).to.equal(true)
  })

  it('do not go on in another store, or from what is no epoch', () => {
    const epoch = newEpoch('store')
    for (const other of [newEpoch('another'), 'store', 'store.', '', '.', 'store.!', `store.${epoch}`]) {
      expect(isNext(other, epoch), other).to.equal(false)
    }
  })

  it('are earlier until a channel is counted, in the same store', () => {
    const [before, begun, after] = [newEpoch('store', 1), newEpoch('store', 2), newEpoch('store', 3)]
    const earlier = [before, begun, after, newEpoch('another', 1)].map((empty) => isEarlier(empty, begun))
    expect(earlier).to.deep.equal([true, true, false, false])
  })

  it('fit the wire', () => {
    expect(newEpoch('x'.repeat(16)).length).to.be.below(64)
  })
})
