import { expect } from 'chai'
import { SessionKey, SetupError } from '#server/authentication/session-key.js'
import { thrownBy } from '../protocol/rejection.js'
import { RecordedLog } from './recorded-log.js'

describe('SessionKey', () => {
  const make = (warns = true) => {
    const log = new RecordedLog()
    return { log, key: new SessionKey('auth', { log, warns }) }
  }

  describe('#isSignedIn', () => {
    for (const [session, isSignedIn] of [
      [{ auth: true }, true],
      [{ auth: { id: 7 } }, true],
      [{ auth: 0 }, false],
      [{}, false],
      [{ cookie: {} }, false],
      [Object.create({ auth: true }), false],
    ] as const) {
      it(`is ${isSignedIn} for ${JSON.stringify(session)}`, () => {
        expect(make().key.isSignedIn({ session })).to.equal(isSignedIn)
      })
    }

    for (const request of [{}, { session: undefined }, { session: null }, { session: 'id' }]) {
      it(`throws a SetupError that names the option and the key for ${JSON.stringify(request)}`, () => {
        const error = thrownBy(() => make().key.isSignedIn(request)) as SetupError
        expect(error).to.be.instanceOf(SetupError)
        expect(error.message).to.match(/^req\.session is not there: mount the session middleware before/)
        expect(error.details).to.deep.equal({ option: 'authentication', key: 'auth' })
      })
    }

    it('warns of a session that has values elsewhere, with their names and not the values', () => {
      const { log, key } = make()
      key.isSignedIn({ session: { cookie: {}, user: 'ann-secret', cart: [] } })
      const [line] = log.of('warn')
      expect(line?.message).to.match(
        /^a session has values, but none under the key that `authentication` names/,
      )
      expect(line?.details).to.deep.equal({ option: 'authentication', key: 'auth', found: 'user, cart' })
    })

    for (const [what, sessions] of [
      ['has nothing but its cookie', [{ cookie: {} }]],
      ['has a value under the key', [{ auth: 1, user: 1 }]],
      ['has an empty value there only', [{ auth: null }]],
      ['comes after one with a value under the key', [{ auth: 1 }, { user: 1 }]],
    ] as const) {
      it(`does not warn of a session that ${what}`, () => {
        const { log, key } = make()
        for (const session of sessions) key.isSignedIn({ session })
        expect(log.lines).to.deep.equal([])
      })
    }

    it('warns of none if it is not to', () => {
      const { log, key } = make(false)
      key.isSignedIn({ session: { user: 1 } })
      expect(log.lines).to.deep.equal([])
    })
  })
})
