import { expect } from 'chai'
import fc from 'fast-check'
import { TokenBucket } from '#server/runtime/token-bucket.js'

describe('TokenBucket', () => {
  describe('#take', () => {
    it('gives the burst at once, then says how long it takes until the next', () => {
      const bucket = new TokenBucket({ perSecond: 4, burst: 2 })
      expect([0, 0, 250, 250]).to.deep.equal([0, 1, 2, 3].map(() => bucket.take(1, 1000)))
      expect(bucket.take(1, 1249)).to.equal(1)
      expect(bucket.take(1, 1250)).to.equal(0)
      expect(bucket.take(1, 1250)).to.equal(250)
    })

    it('has a burst of one second, and at least of one', () => {
      const fast = new TokenBucket({ perSecond: 3 })
      expect([1, 2, 3, 4].map(() => fast.take(1, 0))).to.deep.equal([0, 0, 0, 334])
      const slow = new TokenBucket({ perSecond: 0.5 })
      expect([1, 2].map(() => slow.take(1, 0))).to.deep.equal([0, 2000])
    })

    it('is never fuller than the burst', () => {
      const bucket = new TokenBucket({ perSecond: 10, burst: 2 })
      expect([1, 2, 3].map(() => bucket.take(1, 1e9))).to.deep.equal([0, 0, 100])
    })

    it('takes what is larger than the burst from a full bucket, which then owes the rest', () => {
      const bucket = new TokenBucket({ perSecond: 10, burst: 10 })
      expect(bucket.take(30, 0)).to.equal(0)
      expect(bucket.take(1, 0)).to.equal(2100)
      expect(bucket.take(30, 2999)).to.equal(1)
      expect(bucket.take(30, 3000)).to.equal(0)
    })

    it('gives nothing for a clock that jumps back, and at most the burst for one that jumps ahead', () => {
      const hour = 3_600_000
      const bucket = new TokenBucket({ perSecond: 1, burst: 2 })
      expect([1, 2, 3].map(() => bucket.take(1, hour))).to.deep.equal([0, 0, 1000])
      expect(bucket.take(1, 0)).to.equal(1000)
      expect(bucket.take(1, 1000)).to.equal(0)
      expect([1, 2, 3].map(() => bucket.take(1, hour))).to.deep.equal([0, 0, 1000])
    })

    it('lets through the burst and the rate over any time, and not less for one who waits as told', () => {
      const sizes = fc.record({
        perSecond: fc.double({ min: 0.1, max: 10_000, noNaN: true }),
        burst: fc.integer({ min: 1, max: 1000 }),
      })
      fc.assert(
        fc.property(sizes, (size) => {
          const bucket = new TokenBucket(size)
          let [now, taken] = [0, 0]
          while (taken < 2000 && now < 10_000) {
            const wait = bucket.take(1, now)
            if (wait === 0) taken += 1
            now += wait
          }
          const most = size.burst + (now / 1000) * size.perSecond
          expect(taken).to.be.at.most(most + 1e-3)
          // A wait is whole milliseconds: a bucket whose burst is 1 loses what it would have regained in the rest of one.
          expect(taken).to.be.at.least(Math.floor(now / (1000 / size.perSecond + 1)))
        }),
      )
    })

    it('is exact within a hundredth over ten seconds, however often it is asked', () => {
      for (const perSecond of [7, 100, 3333]) {
        const bucket = new TokenBucket({ perSecond, burst: 5 })
        let taken = 0
        for (let now = 0; now <= 10_000; now += 0.17) if (bucket.take(1, now) === 0) taken += 1
        expect(taken).to.be.within(perSecond * 10 * 0.99, perSecond * 10 * 1.01 + 5)
      }
    })
  })

  describe('#restore', () => {
    it('gives back, never above the burst', () => {
      const bucket = new TokenBucket({ perSecond: 1, burst: 2 })
      bucket.take(1, 0)
      bucket.restore()
      bucket.restore()
      expect([1, 2, 3].map(() => bucket.take(1, 0))).to.deep.equal([0, 0, 1000])
    })
  })

  describe('#fullIn', () => {
    it('says after how long a new one would do the same', () => {
      const bucket = new TokenBucket({ perSecond: 10, burst: 2 })
      expect(bucket.fullIn(0)).to.equal(0)
      bucket.take(2, 0)
      expect([bucket.fullIn(0), bucket.fullIn(50), bucket.fullIn(200)]).to.deep.equal([200, 150, 0])
    })
  })
})
