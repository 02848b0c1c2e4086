import { expect } from 'chai'
import { PollingSession, PollingSessions } from '../../../packages/server/src/transports/polling-sessions.js'

describe('PollingSessions', () => {
  let sessions: PollingSessions

  beforeEach(() => {
    sessions = new PollingSessions()
  })

  describe('#claim', () => {
    it('opens a session that nobody holds', () => {
      expect(sessions.claim('s', 'me', '::1')).to.be.an.instanceof(PollingSession)
      expect(sessions.has('s')).to.equal(true)
      expect(sessions.size).to.equal(1)
    })

    it('joins one’s own session', () => {
      sessions.claim('s', 'me', '::1')
      expect(sessions.claim('s', 'me', '::1')).to.be.an.instanceof(PollingSession)
      expect(sessions.size).to.equal(1)
    })

    it('refuses a session that somebody else holds, and leaves it theirs', () => {
      sessions.claim('s', 'me', '::1')
      expect(sessions.claim('s', 'you', '::1')).to.equal(undefined)
      expect(sessions.of('s', 'me')).to.be.an.instanceof(PollingSession)
      expect(sessions.of('s', 'you')).to.equal(undefined)
    })

    for (const name of ['__proto__', 'constructor', 'toString']) {
      it(`takes ${name} for a name like any other`, () => {
        expect(sessions.has(name)).to.equal(false)
        expect(sessions.of(name, 'me')).to.equal(undefined)
        expect(sessions.claim(name, 'me', '::1')).to.be.an.instanceof(PollingSession)
        expect(sessions.claim(name, 'you', '::1')).to.equal(undefined)
      })
    }
  })

  describe('#of', () => {
    it('knows no holder of a session that is not there', () => {
      expect(sessions.of('s', 'me')).to.equal(undefined)
    })
  })

  describe('#release', () => {
    it('frees a session for whoever comes next', () => {
      sessions.claim('s', 'me', '::1')
      sessions.release('s')
      expect(sessions.size).to.equal(0)
      expect(sessions.claim('s', 'you', '::1')).to.be.an.instanceof(PollingSession)
    })

    it('does nothing to others', () => {
      sessions.claim('s', 'me', '::1')
      sessions.release('t')
      expect(sessions.of('s', 'me')).to.be.an.instanceof(PollingSession)
    })
  })
})
