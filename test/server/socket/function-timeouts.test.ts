import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { type FunctionRules, FunctionTimeouts } from '#server/socket/function-timeouts.js'
import { thrownBy } from '../../protocol/rejection.js'

const RULES: FunctionRules = {
  'reports.*': { timeout: 300_000 },
  'reports.year': { timeout: 600_000 },
  '*.quick': { timeout: 1000 },
  'endless.*': { timeout: Number.POSITIVE_INFINITY },
  'plain.*': {},
}

describe('FunctionTimeouts', () => {
  const timeouts = new FunctionTimeouts(RULES, 30_000)

  for (const [name, asked, expected] of [
    ['orders.pay', undefined, 30_000],
    ['orders.pay', 10, 10],
    ['orders.pay', 60_000, 30_000],
    ['orders.pay', 0, 30_000],
    ['reports.month', undefined, 30_000],
    ['reports.month', 120_000, 120_000],
    ['reports.month', 1e9, 300_000],
    ['reports.month', 0, 300_000],
    ['reports.year', 1e9, 600_000],
    ['orders.quick', undefined, 1000],
    ['orders.quick', 10, 10],
    ['orders.quick', 5000, 1000],
    // The first of two patterns.
    ['reports.quick', 1e9, 300_000],
    ['endless.wait', 0, Number.POSITIVE_INFINITY],
    ['endless.wait', 1e9, 1e9],
    ['endless.wait', undefined, 30_000],
    ['plain.one', 1e9, 30_000],
    ['__proto__', 1e9, 30_000],
    ['constructor', undefined, 30_000],
  ] as const) {
    it(`gives a call of ${name} that asks for ${asked} ms ${expected} ms`, () => {
      expect(timeouts.of(name, asked)).to.equal(expected)
    })
  }

  for (const [field, rules] of [
    ['functions', []],
    ['functions', null],
    ['functions', 5],
    ['functions[""]', { '': { timeout: 5 } }],
    ['functions["a"]', { a: 5 }],
    ['functions["a"]', { a: null }],
    ['functions["a"].timeout', { a: { timeout: 0 } }],
    ['functions["a"].timeout', { a: { timeout: -1 } }],
    ['functions["a"].timeout', { a: { timeout: '5' } }],
    ['functions["a"].timeout', { a: { timeout: Number.NaN } }],
    ['functions["a"].timeOut', { a: { timeOut: 5 } }],
    ['functions["#regex:("]', { '#regex:(': { timeout: 5 } }],
  ] as const) {
    it(`refuses ${JSON.stringify(rules)} with bad_option, which names ${field}`, () => {
      const error = thrownBy(() => new FunctionTimeouts(rules as never, 30_000)) as RpcError
      expect(RpcError.is(error)).to.equal(true)
      expect(error.code).to.equal('bad_option')
      expect((error.data as { field: string }).field).to.equal(field)
    })
  }

  it('takes what is undefined for left out', () => {
    const one = new FunctionTimeouts({ a: undefined, b: { timeout: undefined } } as never, 30_000)
    expect([one.longest('a'), one.longest('b')]).to.deep.equal([30_000, 30_000])
  })
})
