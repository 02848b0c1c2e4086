import { expect } from 'chai'
import * as reasons from '#client/runtime/reason-texts.js'
import * as shortReasons from '#client/runtime/short-reason-texts.js'

describe('the text of a connection that was closed', () => {
  it('does not say what SockJS calls permanent, since the client tries again', () => {
    expect(reasons.closedText(1006, 'permanent')).to.match(/code 1006, a request failed;/)
    expect(reasons.closedText(1006, 'permanent', 'http://x')).to.equal(
      'The connection to http://x was closed: code 1006, a request failed',
    )
    expect(reasons.closedText(4001, 'Closed by the server')).to.include('code 4001, Closed by the server;')
  })
})

describe('the reasons in scripts whose bytes count', () => {
  it('have the names of those in all builds, and no texts', () => {
    expect(Object.keys(shortReasons)).to.have.members(Object.keys(reasons))
    const texts = Object.values(shortReasons).map((text) => (text ? text(1006, '') : text))
    expect(texts.filter((text) => text !== undefined)).to.deep.equal([])
  })
})
