import { decodeError, encodeError, RpcError, type WireError, wireError } from '@token-socket/protocol'
import { expect } from 'chai'
import { isTimeout, timeoutOutcome } from '#server/socket/call-timeout.js'

describe('timeoutOutcome', () => {
  const told = (asked: number | undefined, givesHints: boolean, limit = 1000) => {
    const outcome = timeoutOutcome({ name: 'reports.year', limit, asked, givesHints })
    const { code, message, data } = decodeError(outcome as WireError)
    return { code, message, data }
  }
  const plain = {
    code: 'timeout',
    message: 'Timed out: reports.year (limit 1000 ms)',
    data: { function: 'reports.year', limit: 1000 },
  }

  for (const [what, asked, hinted] of [
    ['no time', undefined, undefined],
    ['less', 500, undefined],
    ['as much', 1000, undefined],
    ['more', 120_000, '120000 ms'],
    ['as long as it takes', 0, 'no limit'],
  ] as const)
    it(`says how long the call had whose client asked for ${what}`, () => {
      expect(told(asked, false)).to.deep.equal(plain)
      if (!hinted) return expect(told(asked, true)).to.deep.equal(plain)
      const hint = `the client asked for ${hinted}: see the option \`functions\` of the server`
      return expect(told(asked, true)).to.deep.equal({
        code: 'timeout',
        message: `${plain.message}: ${hint}`,
        data: { ...plain.data, hint },
      })
    })
})

describe('isTimeout', () => {
  it('knows the time-out of a call, and not what a function fails with', () => {
    expect(isTimeout(wireError('timeout', { function: 'a' }), 'a')).to.equal(true)
    expect(isTimeout(wireError('timeout', { function: 'b' }), 'a')).to.equal(false)
    expect(isTimeout(encodeError(new RpcError('timeout')), 'a')).to.equal(false)
    expect(isTimeout(wireError('not_found', { function: 'a' }), 'a')).to.equal(false)
    expect(isTimeout({ data: { code: 'timeout' } }, 'a')).to.equal(false)
  })
})
