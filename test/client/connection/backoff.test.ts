import { expect } from 'chai'
import sinon from 'sinon'
import { Backoff } from '#client/connection/backoff.js'

describe('Backoff', () => {
  afterEach(() => sinon.restore())

  it('#next is anywhere below a bound that doubles from 100 ms to 20 s', () => {
    sinon.stub(Math, 'random').returns(0.5)
    const backoff = new Backoff()
    const delays = Array.from({ length: 10 }, () => backoff.next())
    expect(delays).to.deep.equal([50, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  })

  it('#reset starts over', () => {
    sinon.stub(Math, 'random').returns(0.5)
    const backoff = new Backoff()
    for (let times = 0; times < 5; times += 1) backoff.next()
    backoff.reset()
    expect(backoff.next()).to.equal(50)
  })
})
