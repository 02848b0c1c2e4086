import { expect } from 'chai'
import { PollingSession, PollingSessions } from '#server/transports/polling-sessions.js'
import { type SessionHolder, SessionOwner } from '#server/transports/session-binding.js'

describe('PollingSessions', () => {
  let sessions: PollingSessions
  const me: SessionHolder = { origin: '', address: '192.0.2.1', cookie: undefined }
  const you: SessionHolder = { origin: '', address: '192.0.2.2', cookie: undefined }

  /** Opens a session, or joins it. */
  const claim = (session: string, holder: SessionHolder) =>
    sessions.claim(session, holder, () => new PollingSession(new SessionOwner(holder, undefined), '::1'))

  beforeEach(() => {
    sessions = new PollingSessions()
  })

  describe('#claim', () => {
    it('opens a session that nobody holds', () => {
      expect(claim('s', me)).to.be.an.instanceof(PollingSession)
      expect(sessions.has('s')).to.equal(true)
      expect(sessions.size).to.equal(1)
    })

    it('joins one’s own session', () => {
      claim('s', me)
      expect(claim('s', me)).to.be.an.instanceof(PollingSession)
      expect(sessions.size).to.equal(1)
    })

    it('refuses a session that somebody else holds, and leaves it theirs', () => {
      claim('s', me)
      expect(claim('s', you)).to.equal(undefined)
      expect(sessions.of('s', me)).to.be.an.instanceof(PollingSession)
      expect(sessions.of('s', you)).to.equal(undefined)
    })

    for (const name of ['__proto__', 'constructor', 'toString']) {
      it(`takes ${name} for a name like any other`, () => {
        expect(sessions.has(name)).to.equal(false)
        expect(sessions.of(name, me)).to.equal(undefined)
        expect(claim(name, me)).to.be.an.instanceof(PollingSession)
        expect(claim(name, you)).to.equal(undefined)
      })
    }
  })

  describe('#of', () => {
    it('knows no holder of a session that is not there', () => {
      expect(sessions.of('s', me)).to.equal(undefined)
    })
  })

  describe('#release', () => {
    it('frees a session for whoever comes next', () => {
      claim('s', me)
      sessions.release('s')
      expect(sessions.size).to.equal(0)
      expect(claim('s', you)).to.be.an.instanceof(PollingSession)
    })

    it('does nothing to others', () => {
      claim('s', me)
      sessions.release('t')
      expect(sessions.of('s', me)).to.be.an.instanceof(PollingSession)
    })
  })
})
