import { expect } from 'chai'
import { AverageDuration } from '#server/runtime/average-duration.js'

describe('AverageDuration', () => {
  it('is 0 first, and then the first duration', () => {
    const average = new AverageDuration()
    expect(average.ms).to.equal(0)
    average.add(80)
    expect(average.ms).to.equal(80)
  })

  it('follows what comes later, an eighth at a time', () => {
    const average = new AverageDuration()
    for (const ms of [80, 0]) average.add(ms)
    expect(average.ms).to.equal(70)
    for (let count = 0; count < 100; count += 1) average.add(10)
    expect(average.ms).to.be.closeTo(10, 0.01)
  })
})
