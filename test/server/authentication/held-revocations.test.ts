import { expect } from 'chai'
import sinon, { type SinonFakeTimers } from 'sinon'
import type { AuthorizationOrder } from '#server/authentication/authorization-order.js'
import { readOrder } from '#server/authentication/authorization-order.js'
import { HeldRevocations } from '#server/authentication/held-revocations.js'

describe('HeldRevocations', () => {
  let clock: SinonFakeTimers
  let held: HeldRevocations
  let made = 0

  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: 1_000_000 })
    held = new HeldRevocations({ revocations: 3 })
  })

  afterEach(() => clock.restore())

  const order = (
    who: AuthorizationOrder['who'],
    more: Partial<AuthorizationOrder> = {},
  ): AuthorizationOrder => ({
    id: String(++made),
    type: 'revoke',
    who,
    at: 1_000_000,
    ...more,
  })

  const add = (one: AuthorizationOrder, ttl = 60_000) => held.add(one, ttl, Promise.resolve(1))

  it('refuses what is of before, by user, session, token and moment', () => {
    add(order({ uid: 'u' }))
    add(order({ session: 's' }))
    add(order({ jti: 'j' }))
    add(order({ issuedBefore: 500_000 }))
    const before = { issuedAt: 1_000_000 }
    const after = { issuedAt: 1_000_001 }
    expect(held.refuses({ uid: 'u', ...before })).to.equal(true)
    expect(held.refuses({ uid: 'u' })).to.equal(true)
    expect(held.refuses({ uid: 'u', ...after })).to.equal(false)
    expect(held.refuses({ session: 's', ...before })).to.equal(true)
    expect(held.refuses({ session: 's', ...after })).to.equal(false)
    expect(held.refuses({ jti: 'j', ...after })).to.equal(true)
    expect(held.refuses({ uid: 'v', session: 't', jti: 'k', issuedAt: 500_000 })).to.equal(false)
    expect(held.refuses({ uid: 'v', issuedAt: 499_999 })).to.equal(true)
    expect(held.refuses({})).to.equal(true)
  })

  it('takes no name of one kind for that of another, and none from a prototype', () => {
    add(order({ uid: 'a' }))
    expect(held.refuses({ session: 'a', jti: 'a', issuedAt: 0 })).to.equal(false)
    for (const name of ['__proto__', 'constructor', 'toString'])
      expect(held.refuses({ uid: name, session: name, jti: name })).to.equal(false)
  })

  it('keeps the latest of a user, and forgets each in its time', () => {
    add(order({ uid: 'u' }, { at: 900_000 }), 30_000)
    add(order({ uid: 'u' }), 60_000)
    add(order({ uid: 'u' }, { at: 800_000 }), 60_000)
    expect(held.refuses({ uid: 'u', issuedAt: 950_000 })).to.equal(true)
    clock.tick(40_000)
    expect([...held].map(({ order: { at } }) => at)).to.deep.equal([1_000_000, 800_000])
    expect(held.refuses({ uid: 'u', issuedAt: 950_000 })).to.equal(true)
    clock.tick(40_000)
    expect(held.refuses({ uid: 'u', issuedAt: 950_000 })).to.equal(false)
    expect(held.size).to.equal(0)
  })

  it('forgets whatever the clock of the day says', () => {
    add(order({ uid: 'u' }))
    clock.setSystemTime(1_000_000 + 3_600_000)
    clock.tick(20_000)
    expect(held.refuses({ uid: 'u', issuedAt: 1 })).to.equal(true)
    clock.setSystemTime(1_000_000 - 3_600_000)
    clock.tick(60_000)
    expect(held.refuses({ uid: 'u', issuedAt: 1 })).to.equal(false)
  })

  it('has room for as many as its limit, again once one is over, and for as many bytes', () => {
    const refused = (one: AuthorizationOrder) => {
      return held.refusalOf(one)?.code
    }
    for (const uid of ['a', 'b', 'c']) {
      expect(refused(order({ uid }))).to.equal(undefined)
      add(order({ uid }))
    }
    expect(refused(order({ uid: 'd' }))).to.equal('too_many_revocations')
    clock.tick(61_000)
    expect(refused(order({ uid: 'd' }))).to.equal(undefined)
    const auth = { text: 'a'.repeat(200_000) }
    add(order({ uid: 'a' }, { type: 'reauthorize', auth }))
    expect(refused(order({ uid: 'b' }, { type: 'reauthorize', auth }))).to.equal('too_many_revocations')
    expect(refused(order({ uid: 'b' }))).to.equal(undefined)
  })

  it('has room of their own for orders about sessions, and always for a moment', () => {
    for (const session of ['a', 'b', 'c']) add(order({ session }))
    expect(held.refusalOf(order({ session: 'd' }))).to.include({ code: 'too_many_revocations' })
    for (const uid of ['a', 'b', 'c']) {
      expect(held.refusalOf(order({ uid }))).to.equal(undefined)
      add(order({ uid }))
    }
    expect(held.refusalOf(order({ uid: 'd' }))).to.include({ code: 'too_many_revocations' })
    const all = order({ issuedBefore: 1_000_001 })
    expect(held.refusalOf(all)).to.equal(undefined)
    add(all)
    // It says what they said.
    expect(held.size).to.equal(1)
    expect(held.refuses({ uid: 'a', session: 'a', issuedAt: 1_000_000 })).to.equal(true)
    for (const one of [order({ uid: 'd' }), order({ session: 'd' })])
      expect(held.refusalOf(one)).to.equal(undefined)
  })

  it('keeps what a moment does not cover: tokens, later orders, and what is over later', () => {
    held = new HeldRevocations({ revocations: 10 })
    add(order({ jti: 'j' }))
    add(order({ uid: 'later' }, { at: 1_000_001 }))
    add(order({ uid: 'longer' }, { at: 900_000 }), 120_000)
    add(order({ uid: 'covered' }, { at: 900_000 }))
    add(order({ uid: 'ann' }, { type: 'reauthorize', at: 900_000 }))
    add(order({ issuedBefore: 1_000_000 }))
    expect(held.size).to.equal(5)
    expect(held.refuses({ jti: 'j', issuedAt: 2_000_000 })).to.equal(true)
    expect(held.refuses({ uid: 'later', issuedAt: 1_000_001 })).to.equal(true)
    clock.tick(80_000)
    expect(held.refuses({ uid: 'longer', issuedAt: 900_000 })).to.equal(true)
    expect(held.refuses({ uid: 'covered', issuedAt: 900_000 })).to.equal(false)
  })

  it('holds each moment until its own end', () => {
    const refused = () => [940_000, 945_000].map((issuedAt) => held.refuses({ issuedAt }))
    add(order({ issuedBefore: 950_000 }), 20_000)
    clock.tick(15_000)
    add(order({ issuedBefore: 942_000 }), 20_000)
    expect(refused()).to.deep.equal([true, true])
    clock.tick(11_000)
    expect(refused()).to.deep.equal([true, false])
    add(order({ issuedBefore: 930_000 }), 1000)
    expect(held.size).to.equal(1)
    expect(refused()).to.deep.equal([true, false])
    clock.tick(20_000)
    expect(refused()).to.deep.equal([false, false])
    expect(held.size).to.equal(0)
  })

  it('knows of a socket whether a later order about it, by any name, was done', () => {
    add(order({ sid: 'one' }, { type: 'reauthorize', at: 1_000_010 }))
    const earlier = order({ uid: 'u' }, { type: 'reauthorize', at: 1_000_005 })
    expect(held.isReplaced(earlier, { sid: 'one', uid: 'u' })).to.equal(true)
    expect(held.isReplaced(earlier, { sid: 'two', uid: 'u' })).to.equal(false)
    expect(held.isReplaced({ ...earlier, at: 1_000_020 }, { sid: 'one', uid: 'u' })).to.equal(false)
    expect(held.isReplaced({ ...earlier, type: 'revoke' }, { sid: 'one', uid: 'u' })).to.equal(false)
  })

  it('knows which of two new authorisations is the later one', () => {
    add(order({ uid: 'u' }, { type: 'reauthorize' }))
    const other = (at: number) => order({ uid: 'u' }, { type: 'reauthorize', at })
    expect(held.isOutdated(other(999_999))).to.equal(true)
    expect(held.isOutdated(other(1_000_001))).to.equal(false)
    expect(held.isOutdated(order({ uid: 'v' }, { type: 'reauthorize', at: 1 }))).to.equal(false)
    expect(held.isOutdated(order({ uid: 'u' }, { at: 1 }))).to.equal(false)
    expect(held.refuses({ uid: 'u' })).to.equal(false)
  })
})

describe('readOrder', () => {
  const good = { id: 'a', type: 'revoke', who: { uid: 'u' }, at: 1 }

  it('reads what is one', () => {
    expect(readOrder(good)).to.deep.equal(good)
  })

  it('takes nothing else', () => {
    const wrong: readonly unknown[] = [
      undefined,
      null,
      'text',
      [],
      {},
      { ...good, id: 5 },
      { ...good, type: 'destroy' },
      { ...good, at: '1' },
      { ...good, who: undefined },
      { ...good, who: {} },
      { ...good, who: { uid: 5 } },
      { ...good, who: { where: 'all' } },
      { ...good, who: { uid: 'u', sid: 's' } },
      { ...good, who: { issuedBefore: 'now' } },
    ]
    for (const value of wrong) expect(readOrder(value), JSON.stringify(value)).to.equal(undefined)
  })
})
