import { expect } from 'chai'
import sinon from 'sinon'
import { Rate } from '#server/socket/rate.js'

describe('Rate', () => {
  afterEach(() => sinon.restore())

  describe('#count', () => {
    it('counts on within a second, and anew in the next', () => {
      const clock = sinon.useFakeTimers({ toFake: ['performance'] })
      const rate = new Rate()
      expect([rate.count(), rate.count()]).to.deep.equal([1, 2])
      clock.tick(999)
      expect(rate.count()).to.equal(3)
      clock.tick(1)
      expect([rate.count(), rate.count()]).to.deep.equal([1, 2])
    })

    it('counts in another period', () => {
      const clock = sinon.useFakeTimers({ toFake: ['performance'] })
      const rate = new Rate(60_000)
      rate.count()
      clock.tick(59_999)
      expect(rate.count()).to.equal(2)
      clock.tick(1)
      expect(rate.count()).to.equal(1)
    })

    it('counts by the time that it is given', () => {
      const rate = new Rate()
      expect([rate.count(5), rate.count(1004), rate.count(1005)]).to.deep.equal([1, 2, 1])
    })

    it('takes one back, and never goes below none', () => {
      const rate = new Rate()
      rate.uncount()
      expect(rate.count()).to.equal(1)
      rate.uncount()
      expect(rate.count()).to.equal(1)
    })

    it('begins the next second with the first that comes in it', () => {
      const clock = sinon.useFakeTimers({ toFake: ['performance'] })
      const rate = new Rate()
      rate.count()
      clock.tick(1500)
      rate.count()
      clock.tick(999)
      expect(rate.count()).to.equal(2)
    })
  })
})
