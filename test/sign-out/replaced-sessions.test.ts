import { expect } from 'chai'
import { useFakeTimers } from 'sinon'
import { ReplacedSessions } from '#sign-out/replaced-sessions.js'

describe('ReplacedSessions', () => {
  it('knows a session once, for a second', () => {
    const clock = useFakeTimers({ toFake: ['performance'] })
    try {
      const sessions = new ReplacedSessions()
      sessions.add('a')
      expect([sessions.take('a'), sessions.take('a'), sessions.take('b')]).to.deep.equal([true, false, false])
      sessions.add('a')
      clock.tick(1000)
      expect(sessions.take('a')).to.equal(false)
      for (const sid of ['a', 'b']) sessions.add(sid)
      clock.tick(1000)
      sessions.add('c')
      expect(sessions.size).to.equal(1)
    } finally {
      clock.restore()
    }
  })

  it('knows 10,000 at most, the youngest', () => {
    const sessions = new ReplacedSessions()
    for (let index = 0; index <= 10_000; index += 1) sessions.add(String(index))
    expect(sessions.size).to.equal(10_000)
    expect([sessions.take('0'), sessions.take('10000')]).to.deep.equal([false, true])
  })
})
