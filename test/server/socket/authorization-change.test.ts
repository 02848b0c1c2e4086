import { expect } from 'chai'
import { Authorization, type AuthorizationSource } from '#server/claims/authorization.js'
import { readClaims } from '#server/claims/claims.js'
import { changeOf } from '#server/socket/authorization-change.js'
import { thrownBy } from '../../protocol/rejection.js'

/** What a token gives. @param uid of its claims, if it has one */
const source = (uid?: string, session?: string): AuthorizationSource => ({
  auth: {},
  claims: readClaims({ uid }),
  session,
})

describe('#changeOf', () => {
  for (const [what, present, given] of [
    ['the same uid, whatever the session', source('ann', 's'), source('ann', 'other')],
    ['the same session, without a uid', source(undefined, 's'), source(undefined, 's')],
    ['no session, of a user without a uid: it stays the known one', source(undefined, 's'), source()],
    ['neither, where neither is known: nothing says whose it is', source(), source()],
  ] as const)
    it(`takes ${what}`, () => {
      const changed = changeOf(Authorization.of(present), given)
      expect([changed.version, changed.session]).to.deep.equal([2, given.session ?? present.session])
    })

  for (const [what, present, given] of [
    ['another uid', source('ann', 's'), source('bob', 's')],
    ['no uid, of a user who has one', source('ann', 's'), source(undefined, 's')],
    ['a uid, of a user without one', source(undefined, 's'), source('ann', 's')],
    ['another session, of a user without a uid', source(undefined, 's'), source(undefined, 'other')],
    ['a session, where none is known', source(), source(undefined, 's')],
  ] as const)
    it(`refuses ${what}`, () => {
      const error = thrownBy(() => changeOf(Authorization.of(present), given))
      expect(error).to.include({ code: 'identity_changed' })
    })
})
