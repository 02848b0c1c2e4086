import { expect } from 'chai'
import * as reasons from '../../packages/client/src/reason-texts.js'
import * as shortReasons from '../../packages/client/src/short-reason-texts.js'

describe('the reasons in scripts whose bytes count', () => {
  it('have the names of those in all builds, and no texts', () => {
    expect(Object.keys(shortReasons)).to.have.members(Object.keys(reasons))
    const texts = Object.values(shortReasons).map((text) => (text ? text(1006, '') : text))
    expect(texts.filter((text) => text !== undefined)).to.deep.equal([])
  })
})
