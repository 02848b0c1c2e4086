import { CLOSE_CODES, isAuthorizationOver, shouldReconnect } from '@token-socket/protocol'
import { expect } from 'chai'

describe('close-codes', () => {
  describe('CLOSE_CODES', () => {
    const all = Object.values(CLOSE_CODES)

    it('has a code of its own for each name', () => {
      expect(new Set(all.map(({ code }) => code))).to.have.property('size', all.length)
    })

    for (const [name, { code, reason }] of Object.entries(CLOSE_CODES)) {
      it(`${name} is in the range for applications, 4000 to 4999`, () =>
        expect(code).to.be.within(4000, 4999))

      it(`${name} has a reason that fits into a close frame`, () => {
        expect(Buffer.byteLength(reason)).to.be.within(1, 123)
      })
    }
  })

  it('says by which codes an authorisation is over', () => {
    const over = Object.entries(CLOSE_CODES).filter(([, { code }]) => isAuthorizationOver(code))
    expect(over.map(([name]) => name)).to.deep.equal(['expired', 'revoked'])
  })

  describe('#shouldReconnect', () => {
    for (const code of [1000, 1001, 1002, 1006, 2000, 2010, 3000, 3999, 4000, 4001, 4499, 5000]) {
      it(`comes back after ${code}`, () => expect(shouldReconnect(code)).to.equal(true))
    }

    for (const code of [4500, 4501, 4502, 4999]) {
      it(`stays away after ${code}`, () => expect(shouldReconnect(code)).to.equal(false))
    }

    for (const [name, comesBack] of Object.entries({
      shutting_down: true,
      closed_by_server: true,
      slow_consumer: true,
      auth_timeout: true,
      invalid_token: true,
      going_away: true,
      ping_timeout: true,
      too_many_messages: true,
      auth_failed: true,
      expired: true,
      revoked: true,
      rate_limited: true,
      auth_refused: false,
      auth_required: false,
      too_large: false,
      disconnected: false,
      bad_messages: false,
    } satisfies Record<keyof typeof CLOSE_CODES, boolean>)) {
      it(`${comesBack ? 'comes back after' : 'stays away after'} ${name}`, () => {
        expect(shouldReconnect(CLOSE_CODES[name as keyof typeof CLOSE_CODES].code)).to.equal(comesBack)
      })
    }
  })
})
