import { expect } from 'chai'
import { OwnerCounts } from '#server/runtime/owner-counts.js'

describe('OwnerCounts', () => {
  it('counts for each owner, and forgets owners that have nothing', () => {
    const counts = new OwnerCounts()
    counts.add('a')
    counts.add('a', 4)
    counts.add('__proto__', 2)
    expect([counts.of('a'), counts.of('__proto__'), counts.of('b'), counts.size]).to.deep.equal([5, 2, 0, 2])
    counts.remove('a', 4)
    expect(counts.of('a')).to.equal(1)
    counts.remove('a')
    counts.remove('__proto__', 2)
    expect([counts.of('a'), counts.size]).to.deep.equal([0, 0])
  })
})
