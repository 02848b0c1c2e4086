import { expect } from 'chai'
import sinon from 'sinon'
import { Suggestions } from '#server/development/suggestions.js'

describe('Suggestions', () => {
  let clock: sinon.SinonFakeTimers
  let searched: string[]
  let cost: number
  let suggestions: Suggestions

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['performance'] })
    searched = []
    cost = 0
    suggestions = new Suggestions((wrong) => {
      searched.push(wrong)
      clock.tick(cost)
      return wrong === 'none' ? undefined : `${wrong}!`
    })
  })

  afterEach(() => sinon.restore())

  it('searches once for each name in a second', () => {
    for (const wrong of ['a', 'none', 'a', 'none'])
      expect(suggestions.for(wrong)).to.equal(wrong === 'none' ? undefined : 'a!')
    expect(searched).to.deep.equal(['a', 'none'])
    clock.tick(1000)
    suggestions.for('a')
    expect(searched).to.deep.equal(['a', 'none', 'a'])
  })

  it('spends at most 20 ms of a second, and one search', () => {
    cost = 9
    for (let id = 0; id < 1000; id += 1) suggestions.for(`${id}`)
    expect(searched).to.have.length(3)
    expect(suggestions.for('0')).to.equal('0!')
    clock.tick(1000)
    expect(suggestions.for('5')).to.equal('5!')
  })

  it('remembers 100 names', () => {
    for (let id = 0; id < 300; id += 1) suggestions.for(`${id}`)
    for (let id = 0; id < 300; id += 1) suggestions.for(`${id}`)
    expect(searched).to.have.length(500)
  })
})
