import { ERRORS, isPassing, REPEATABLE, retryOf } from '@token-socket/protocol'
import { expect } from 'chai'

/** Of the library's own codes, those that say nothing about the user. */
const PASSING = [
  'connection_lost',
  'engine_unavailable',
  'identity_changed',
  'internal',
  'invalid_token',
  'nested_failed',
  'rate_limited',
  'timeout',
  'token_failed',
  'too_many_calls',
  'too_many_channels',
  'too_many_members',
  'too_many_messages',
  'too_many_revocations',
  'too_many_sockets',
  'too_many_subscriptions',
  'too_many_tickets',
  'transport_failed',
  'url_failed',
  'veto_timeout',
]

describe('isPassing', () => {
  it('has what may be over at the next sign-in, and of no other code of the library', () => {
    expect(Object.keys(ERRORS).filter(isPassing)).to.deep.equal(PASSING)
  })

  for (const code of ['forbidden', 'banned', 'application_error', '', 'timeouts', 'my_internal'])
    it(`is false of ${JSON.stringify(code)}`, () => expect(isPassing(code)).to.equal(false))
})

describe('REPEATABLE', () => {
  it('has what ends without a change by the user', () => {
    const codes = Object.keys(ERRORS).filter((code) => REPEATABLE.test(code))
    expect(codes).to.deep.equal([
      ...['engine_unavailable', 'rate_limited', 'timeout', 'too_many_calls', 'too_many_messages'],
    ])
    for (const code of codes) expect(retryOf(code), code).not.to.equal('never')
  })
})

describe('retryOf', () => {
  it('says something about every code, and `never` of what refuses the user', () => {
    const codes = Object.keys(ERRORS)
    for (const code of codes.filter(isPassing)) expect(retryOf(code), code).not.to.equal('never')
    const others = codes.filter((code) => !isPassing(code) && retryOf(code) !== 'never')
    expect(others).to.deep.equal(['aborted', 'queue_full', 'shutting_down'])
  })

  for (const [code, advice] of Object.entries({
    timeout: 'unknown',
    connection_lost: 'unknown',
    too_many_calls: 'later',
    forbidden: 'never',
    too_large: 'never',
    aborted: 'unknown',
    sold_out: 'never',
  }))
    it(`is ${advice} for ${code}`, () => expect(retryOf(code)).to.equal(advice))
})
