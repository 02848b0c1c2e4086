import { expect } from 'chai'
import sinon from 'sinon'
import { EventIds, firstIdAt, receiptOf, timeOf } from '#server/engine/event-ids.js'

const LATER = '01HP8BH1V5Q3T7ZJ0S5M3X4N2B'

describe('EventIds', () => {
  afterEach(() => sinon.restore())

  it('#next increases within a millisecond', () => {
    sinon.useFakeTimers(1_700_000_000_000)
    const ids = new EventIds()
    const made = Array.from({ length: 1000 }, () => ids.next())
    expect([...new Set(made)].sort()).to.deep.equal(made)
    expect(timeOf(made[0] ?? '')).to.equal(1_700_000_000_000)
  })

  it('#next increases when the clock jumps back', () => {
    const clock = sinon.useFakeTimers(1_700_000_000_000)
    const ids = new EventIds()
    const first = ids.next()
    clock.setSystemTime(1_600_000_000_000)
    const second = ids.next()
    expect(second > first).to.equal(true)
    expect(timeOf(second)).to.equal(1_700_000_000_000)
  })

  it('#next works at the beginning of time', () => {
    sinon.useFakeTimers(0)
    expect(timeOf(new EventIds().next())).to.equal(1)
  })

  it('#raise goes above an id that another process made', () => {
    sinon.useFakeTimers(1)
    const ids = new EventIds()
    ids.raise(LATER)
    expect(ids.next() > LATER).to.equal(true)
  })

  it('firstIdAt is below all ids of its time, and above all before', () => {
    const clock = sinon.useFakeTimers(1_700_000_000_000)
    const before = new EventIds().next()
    clock.tick(1)
    const start = firstIdAt(Date.now())
    expect(before < start).to.equal(true)
    expect(start < new EventIds().next()).to.equal(true)
    expect(firstIdAt(-5) <= firstIdAt(0)).to.equal(true)
  })

  it('receiptOf has a place only if the publication is kept', () => {
    const publication = { id: LATER, channel: 'c', json: '1' }
    expect(receiptOf(publication)).to.deep.equal({ id: LATER })
    expect(receiptOf({ ...publication, epoch: 'e', offset: 3 })).to.deep.equal({
      id: LATER,
      epoch: 'e',
      offset: 3,
    })
  })
})
