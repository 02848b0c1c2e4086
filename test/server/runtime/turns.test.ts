import { expect } from 'chai'
import sinon from 'sinon'
import { Turns } from '#server/runtime/turns.js'
import { fakeTurns } from '../../fake-turns.js'

describe('Turns', () => {
  let clock: sinon.SinonFakeTimers
  let turns: Turns

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate'] })
    fakeTurns()
    turns = new Turns()
  })

  afterEach(() => sinon.restore())

  describe('.time', () => {
    it('stands still until the turn is over', () => {
      const { time } = turns
      sinon.stub(performance, 'now').returns(time + 5)
      expect([turns.time, turns.now()]).to.deep.equal([time, time + 5])
      clock.next()
      expect(turns.time).to.equal(time + 5)
    })

    it('asks for one timer in a turn, and for none when it is not read', () => {
      const times = [turns.time, turns.time]
      turns.defer(() => {})
      expect(clock.countTimers()).to.equal(1)
      clock.next()
      expect([times.length, clock.countTimers()]).to.deep.equal([2, 0])
    })

    it('is of the next turn already for what runs at the end', () => {
      const { time } = turns
      sinon.stub(performance, 'now').returns(time + 5)
      let seen = 0
      turns.defer(() => {
        seen = turns.time
      })
      clock.next()
      expect(seen).to.equal(time + 5)
    })
  })

  describe('#defer', () => {
    it('runs all in order when the turn ends, and what they defer a turn later', () => {
      const log: string[] = []
      turns.defer(() => {
        log.push('a')
        turns.defer(() => log.push('c'))
      })
      turns.defer(() => log.push('b'))
      expect(log).to.deep.equal([])
      clock.next()
      expect(log).to.deep.equal(['a', 'b'])
      clock.next()
      expect(log).to.deep.equal(['a', 'b', 'c'])
    })

    it('runs the others though one throws', () => {
      const log: string[] = []
      turns.defer(() => log.push('a'))
      turns.defer(() => {
        throw new Error('no')
      })
      turns.defer(() => log.push('b'))
      turns.defer(() => log.push('c'))
      expect(() => clock.next()).to.throw('no')
      clock.runAll()
      expect(log).to.deep.equal(['a', 'b', 'c'])
    })
  })
})
