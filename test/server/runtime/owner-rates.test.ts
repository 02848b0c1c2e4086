import { expect } from 'chai'
import { OwnerRates } from '#server/runtime/owner-rates.js'

describe('OwnerRates', () => {
  it('counts each owner for itself', () => {
    const rates = new OwnerRates(2)
    expect(['a', 'a', 'a', 'b'].map((owner) => rates.take(owner, 0))).to.deep.equal([0, 0, 500, 0])
    expect(rates.take('a', 500)).to.equal(0)
  })

  it('counts nothing, and knows no owner, without a limit', () => {
    const rates = new OwnerRates(Number.POSITIVE_INFINITY)
    expect([rates.take('a'), rates.size]).to.deep.equal([0, 0])
  })

  it('forgets owners whose bucket is full again', () => {
    const rates = new OwnerRates(10)
    for (let index = 0; index < 100_000; index += 1) {
      expect(rates.take(`owner-${index}`, index)).to.equal(0)
      expect(rates.size).to.be.at.most(1001)
    }
  })

  it('remembers those that are not full, however many there are', () => {
    const rates = new OwnerRates(1)
    for (let index = 0; index < 5000; index += 1) rates.take(`owner-${index}`, 0)
    for (let index = 0; index < 5000; index += 1) expect(rates.take(`owner-${index}`, 0)).to.equal(1000)
  })
})
