import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { checkMaxParts, MAX_PARTS, refuseParts } from '#contract/server/value-size.js'

describe('#refuseParts', () => {
  it('counts items of lists and fields of objects, at every depth', () => {
    const value = { a: [1, 2, { b: 'x' }], c: { d: null } }
    expect(refuseParts(value, 7)).to.equal(undefined)
    expect(refuseParts(value, 6)).to.deep.equal({
      issues: [{ path: [], message: 'must have at most 6 parts' }],
    })
  })

  it('lets what has no parts through', () => {
    for (const value of [undefined, null, 'a text', 1, true, [], {}])
      expect(refuseParts(value, 1)).to.equal(undefined)
  })

  it('looks at no more than the limit', () => {
    let read = 0
    const list = Array.from({ length: 1000 }, () =>
      Object.defineProperty({}, 'a', {
        enumerable: true,
        get() {
          read += 1
          return read
        },
      }),
    )
    expect(refuseParts(list, 999)).to.have.property('issues')
    expect(read).to.equal(0)
    expect(refuseParts([list, list], 1500)).to.have.property('issues')
    expect(read).to.be.at.most(502)
  })

  it('counts nothing for Infinity', () => {
    expect(refuseParts(Array(MAX_PARTS + 1).fill(0), Number.POSITIVE_INFINITY)).to.equal(undefined)
  })
})

describe('#checkMaxParts', () => {
  it('takes numbers of at least 1', () => {
    for (const maxParts of [1, MAX_PARTS, Number.POSITIVE_INFINITY]) checkMaxParts(maxParts)
    for (const wrong of [0, -1, Number.NaN, '5', null])
      expect(() => checkMaxParts(wrong)).to.throw(RpcError, 'maxParts has to be a number of at least 1')
  })
})
