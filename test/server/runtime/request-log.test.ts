import { ERRORS } from '@token-socket/protocol'
import { expect } from 'chai'
import { RequestLog } from '#server/runtime/request-log.js'
import { RecordedLog } from '../recorded-log.js'

const CALL = { sid: 's1', uid: 'ann', type: 'call', function: 'orders.lst' }

describe('RequestLog', () => {
  let recorded: RecordedLog
  let log: RequestLog

  beforeEach(() => {
    recorded = new RecordedLog()
    log = new RequestLog(recorded, recorded, false)
  })

  it('writes a refusal as a debug line, with who, what, and why', () => {
    log.answered(CALL, { error: 'Function not found', code: 'not_found' })
    expect(recorded.lines).to.deep.equal([
      {
        level: 'debug',
        message: 'a request was refused',
        details: { ...CALL, code: 'not_found', reason: 'Function not found' },
      },
    ])
  })

  it('takes the message of an error that is an object', () => {
    log.answered(CALL, { error: { message: 'Sold out', code: 'sold_out' }, code: 'sold_out' })
    expect(recorded.lines[0]?.details).to.include({ code: 'sold_out', reason: 'Sold out' })
  })

  it('writes limits that were reached as info lines', () => {
    const limits = Object.keys(ERRORS).filter((code) => code.startsWith('too_'))
    for (const code of limits) log.answered(CALL, { error: 'x', code })
    expect(recorded.of('info').map(({ details }) => details.code)).to.deep.equal(limits)
  })

  it('cuts long names', () => {
    const long = 'x'.repeat(5000)
    log.answered({ ...CALL, function: long }, { error: long, code: 'not_found' })
    const details = recorded.lines[0]?.details ?? {}
    expect(details.function).to.have.length(129)
    expect(details.reason).to.have.length(129)
  })

  it('writes no refusal, but limits, where debug lines are not written', () => {
    const quiet = Object.assign(new RecordedLog(), { isLevelEnabled: (level: string) => level !== 'debug' })
    const { writes } = {
      writes: (code: string) => new RequestLog(quiet, quiet, false).writes({ error: 'x', code }),
    }
    expect([writes('not_found'), writes('forbidden'), writes('too_many_calls')]).to.deep.equal([
      false,
      false,
      true,
    ])
  })
})
