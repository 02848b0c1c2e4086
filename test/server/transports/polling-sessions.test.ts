import { expect } from 'chai'
import { PollingSessions } from '../../../packages/server/src/transports/polling-sessions.js'

describe('PollingSessions', () => {
  let sessions: PollingSessions

  beforeEach(() => {
    sessions = new PollingSessions()
  })

  describe('#claim', () => {
    it('opens a session that nobody holds', () => {
      expect(sessions.claim('s', 'me')).to.equal(true)
      expect(sessions.has('s')).to.equal(true)
      expect(sessions.size).to.equal(1)
    })

    it('joins one’s own session', () => {
      sessions.claim('s', 'me')
      expect(sessions.claim('s', 'me')).to.equal(true)
      expect(sessions.size).to.equal(1)
    })

    it('refuses a session that somebody else holds, and leaves it theirs', () => {
      sessions.claim('s', 'me')
      expect(sessions.claim('s', 'you')).to.equal(false)
      expect(sessions.belongs('s', 'me')).to.equal(true)
      expect(sessions.belongs('s', 'you')).to.equal(false)
    })

    for (const name of ['__proto__', 'constructor', 'toString']) {
      it(`takes ${name} for a name like any other`, () => {
        expect(sessions.has(name)).to.equal(false)
        expect(sessions.belongs(name, 'me')).to.equal(false)
        expect(sessions.claim(name, 'me')).to.equal(true)
        expect(sessions.claim(name, 'you')).to.equal(false)
      })
    }
  })

  describe('#belongs', () => {
    it('knows no holder of a session that is not there', () => {
      expect(sessions.belongs('s', 'me')).to.equal(false)
    })
  })

  describe('#release', () => {
    it('frees a session for whoever comes next', () => {
      sessions.claim('s', 'me')
      sessions.release('s')
      expect(sessions.size).to.equal(0)
      expect(sessions.claim('s', 'you')).to.equal(true)
    })

    it('does nothing to others', () => {
      sessions.claim('s', 'me')
      sessions.release('t')
      expect(sessions.belongs('s', 'me')).to.equal(true)
    })
  })
})
