import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { classOf, codeOf, refusalOf, shortError } from '#server/runtime/thrown-values.js'

const fail = () => {
  throw new Error('a trap')
}
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** Values, and their code, their class, and the code of the refusal that a client gets. */
const VALUES: Readonly<Record<string, readonly [unknown, code: string, kind: string, refusal: string]>> = {
  'an RpcError of the library': [new RpcError('timeout'), 'timeout', 'timeout', 'timeout'],
  'an RpcError of a client': [new RpcError('mine'), 'mine', 'application_error', 'mine'],
  'an error': [new TypeError('x'), 'TypeError', 'TypeError', 'application_error'],
  'an error with a sentence for a name': [
    Object.assign(new Error('x'), { name: 'What went wrong' }),
    'What went wrong',
    'Error',
    'application_error',
  ],
  'a text': ['no', 'string', 'string', 'application_error'],
  undefined: [undefined, 'undefined', 'undefined', 'application_error'],
  'a revoked proxy': [revoked(), 'unreadable', 'unreadable', 'internal'],
  'an error whose name throws': [
    Object.defineProperty(new Error('x'), 'name', { get: fail }),
    'unreadable',
    'unreadable',
    'application_error',
  ],
  'an RpcError whose code throws': [
    Object.defineProperty(new RpcError('x'), 'code', { get: fail }),
    'unreadable',
    'application_error',
    'internal',
  ],
}

describe('a value that was thrown', () => {
  for (const [what, [value, code, kind, refusal]] of Object.entries(VALUES)) {
    it(`has a code, a class and a refusal: ${what}`, () => {
      expect([codeOf(value), classOf(value)]).to.deep.equal([code, kind])
      expect(refusalOf(value).code).to.equal(refusal)
    })
  }

  it('is logged as it is, if it is no RpcError', () => {
    for (const value of [undefined, 'x'.repeat(5000), new Error('x')])
      expect(shortError(value)).to.equal(value)
  })

  it('is logged as a cut copy, if it is an RpcError that is long', () => {
    const short = shortError(new RpcError('x', 'y'.repeat(5000), 'z'.repeat(5000))) as RpcError
    expect(short.message.length).to.be.below(1000)
    expect(short.data).to.equal(undefined)
  })

  it('is logged as `internal`, if it is an RpcError that cannot be read', () => {
    const value = Object.defineProperty(new RpcError('x'), 'code', { get: fail })
    expect(shortError(value)).to.include({ code: 'internal', message: 'An error that cannot be read' })
  })
})
