import type { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon, { type SinonFakeTimers } from 'sinon'
import type { AuthorizationOrder } from '../../../packages/server/src/authentication/authorization-order.js'
import { readOrder } from '../../../packages/server/src/authentication/authorization-order.js'
import { HeldRevocations } from '../../../packages/server/src/authentication/held-revocations.js'

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
      try {
        held.checkRoom(one)
        return undefined
      } catch (error) {
        return (error as RpcError).code
      }
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
