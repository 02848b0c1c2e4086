import { expect } from 'chai'
import sinon, { type SinonFakeTimers } from 'sinon'
import type { AuthorizationOrder } from '#server/authentication/authorization-order.js'
import { HeldRevocations } from '#server/authentication/held-revocations.js'
import { type OrderedSocket, orderedSource } from '#server/authentication/ordered-source.js'
import type { AuthorizationSource } from '#server/claims/authorization.js'
import { readClaims } from '#server/claims/claims.js'

const NOW = 1_800_000_000_000

describe('orderedSource', () => {
  let clock: SinonFakeTimers
  let held: HeldRevocations
  let made = 0

  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: NOW })
    held = new HeldRevocations({ revocations: 100 })
  })

  afterEach(() => clock.restore())

  const give = (order: Omit<AuthorizationOrder, 'id' | 'at'>, at = NOW) =>
    held.add({ id: String(++made), at, ...order }, 60_000, Promise.resolve(0))

  const guest = (uid?: string) => ({ ...(uid && { uid }), role: 'guest' })

  /** A token of before, with the role `admin`. */
  function tokenOf(more: Partial<AuthorizationSource> = {}, uid: string | undefined = 'ann') {
    const auth = { ...(uid && { uid }), role: 'admin' }
    return { auth, claims: readClaims(auth), session: 's', issuedAt: NOW - 1, ...more }
  }

  const roleOf = ({ auth }: AuthorizationSource) => (auth as { readonly role: string }).role
  const judge = (token: AuthorizationSource, socket?: OrderedSocket) => orderedSource(token, held, socket)

  it('leaves a token alone that no order is about', () => {
    give({ type: 'reauthorize', who: { uid: 'bob' }, auth: guest('bob') })
    give({ type: 'refresh', who: { session: 't' } })
    give({ type: 'refresh', who: { sid: 'another' } })
    const token = tokenOf()
    expect(judge(token, { sid: 'one' })).to.equal(token)
  })

  for (const who of [{ uid: 'ann' }, { session: 's' }, { sid: 'one' }] as const)
    it(`puts the auth of a later \`reauthorize\` in its place: by ${Object.keys(who)[0]}`, () => {
      give({ type: 'reauthorize', who, auth: { ...guest('ann'), umd: 1 } })
      const judged = judge(tokenOf(), { sid: 'one' })
      expect([roleOf(judged), judged.claims?.umd]).to.deep.equal(['guest', 1])
      expect(judged).to.include({ session: 's', issuedAt: NOW - 1 })
      expect(roleOf(judge(tokenOf({ issuedAt: NOW }), { sid: 'one' }))).to.equal('guest')
      expect(roleOf(judge(tokenOf({ issuedAt: undefined }), { sid: 'one' }))).to.equal('guest')
      expect(roleOf(judge(tokenOf({ issuedAt: NOW + 1 }), { sid: 'one' }))).to.equal('admin')
    })

  it('takes the session of the open socket for a token that names none', () => {
    give({ type: 'reauthorize', who: { session: 's' }, auth: guest('ann') })
    const token = tokenOf({ session: undefined })
    expect(roleOf(judge(token, { sid: 'one', session: 's' }))).to.equal('guest')
    expect(roleOf(judge(token))).to.equal('admin')
  })

  it('takes the latest of several, and none of another user', () => {
    give({ type: 'reauthorize', who: { session: 's' }, auth: { uid: 'ann', role: 'second' } }, NOW + 2)
    give({ type: 'reauthorize', who: { uid: 'ann' }, auth: { uid: 'ann', role: 'first' } }, NOW + 1)
    expect(roleOf(judge(tokenOf()))).to.equal('second')
    give({ type: 'reauthorize', who: { session: 's' }, auth: guest('bob') }, NOW + 3)
    expect(roleOf(judge(tokenOf()))).to.equal('first')
  })

  it('ends a token by a later `refresh`, when that was given', () => {
    clock.tick(10_000)
    give({ type: 'refresh', who: { uid: 'ann' } })
    expect(judge(tokenOf()).expiresAt).to.equal(performance.now() - 10_000)
    expect(judge(tokenOf({ expiresAt: 1 })).expiresAt).to.equal(performance.now() - 10_000)
    expect(judge(tokenOf({ expiresAt: performance.now() - 20_000 })).expiresAt).to.equal(
      performance.now() - 20_000,
    )
    expect(judge(tokenOf({ issuedAt: NOW + 1 })).expiresAt).to.equal(undefined)
  })

  it('takes no order for later than ten seconds after it has learned it', () => {
    give({ type: 'refresh', who: { uid: 'ann' } }, NOW + 3_600_000)
    expect(judge(tokenOf({ issuedAt: NOW + 10_000 })).expiresAt).to.equal(performance.now())
    expect(judge(tokenOf({ issuedAt: NOW + 10_001 })).expiresAt).to.equal(undefined)
  })
})
