import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { Failures } from '#server/runtime/failures.js'
import { ThrottledLog } from '#server/runtime/throttled-log.js'
import { RecordedLog } from '../recorded-log.js'

/** Values that throw when they are looked at. */
const UNREADABLE: Readonly<Record<string, () => unknown>> = {
  'a revoked Proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  'an error whose code, name and message throw': () =>
    Object.defineProperties(
      new Error('x'),
      Object.fromEntries(['code', 'name', 'message'].map((name) => [name, { get: refuseToRead }])),
    ),
  'an RpcError whose code and data throw': () =>
    Object.defineProperties(new RpcError('x'), { code: { get: refuseToRead }, data: { get: refuseToRead } }),
}

function refuseToRead(): never {
  throw new Error('unreadable')
}

describe('Failures', () => {
  let recorded: RecordedLog
  let log: ThrottledLog
  let failures: Failures
  const listener = sinon.spy()

  beforeEach(() => {
    sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    listener.resetHistory()
    recorded = new RecordedLog()
    log = new ThrottledLog(recorded)
    failures = new Failures(log, listener)
  })

  afterEach(() => {
    log.close()
    sinon.restore()
  })

  for (const [what, make] of Object.entries(UNREADABLE)) {
    it(`reports ${what} as any other`, () => {
      const cause = make()
      failures.report(cause, { event: 'connected' })
      expect(recorded.of('error')).to.have.length(1)
      expect(listener.firstCall.args[0] === cause).to.equal(true)
    })
  }

  it('lets no codes of clients choose the kinds', () => {
    for (let id = 0; id < 10_000; id += 1) failures.report(new RpcError(`mine-${id}`), { event: 'connected' })
    expect(recorded.lines).to.have.length(1)
    for (const cause of [new RpcError('timeout'), new TypeError('x')])
      failures.report(cause, { event: 'connected' })
    expect(recorded.lines).to.have.length(3)
  })

  it('lets no names of classes choose more than a few kinds, which hide no other failure', () => {
    for (let id = 0; id < 10_000; id += 1)
      failures.report(Object.assign(new Error('x'), { name: `E${id}` }), { event: 'connected' })
    const before = recorded.lines.length
    expect(before).to.be.below(30)
    failures.report(new TypeError('a real one'), { function: 'pay' })
    expect(recorded.lines).to.have.length(before + 1)
  })

  it('lets no names that middleware was called with choose the kinds', () => {
    for (let id = 0; id < 10_000; id += 1)
      failures.report(new TypeError('x'), { middleware: 'call', function: `made-up-${id}` })
    failures.report(new TypeError('x'), { middleware: 'publish' })
    expect(recorded.lines).to.have.length(2)
  })

  it('cuts the code, the text and the data of an RpcError, which a client may have sent', () => {
    const long = 'x'.repeat(300_000)
    failures.report(new RpcError(long, long, { long }), { event: 'connected' })
    const [line] = recorded.lines
    const err = line?.details.err as RpcError
    expect(RpcError.is(err)).to.equal(true)
    expect(`${err.code}${err.message}${err.stack}`.length).to.be.below(5000)
    expect(err.data).to.equal(undefined)
    expect((listener.firstCall.args[0] as RpcError).code).to.have.length(300_000)
  })

  it('leaves other errors as they are', () => {
    const [own, other] = [new RpcError('timeout', 'Timed out', { field: 'x' }), new Error('x')]
    failures.report(own, { event: 'connected' })
    failures.report(other, { event: 'connected' })
    expect(recorded.lines.map(({ details }) => details.err)).to.deep.equal([own, other])
  })
})
