import { expect } from 'chai'
import { safeLogger } from '#server/runtime/safe-logger.js'
import { RecordedLog } from '../recorded-log.js'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

function loggerOf(write: () => unknown) {
  return { debug: write, info: write, warn: write, error: write } as never
}

describe('safeLogger', () => {
  it('writes what it is given, with the logger as `this`', () => {
    const recorded = new RecordedLog()
    for (const level of LEVELS) safeLogger(recorded)[level]({ a: 1 }, level)
    expect(recorded.lines).to.deep.equal(
      LEVELS.map((level) => ({ level, details: { a: 1 }, message: level })),
    )
  })

  it('writes each text as one line, whatever it names', () => {
    const recorded = new RecordedLog()
    for (const level of LEVELS)
      safeLogger(recorded)[level]({}, 'a\nb\r\u001b[31mc\u0085d\u2028e\u2029f\u0000')
    for (const { message } of recorded.lines)
      expect(message).to.equal('a\\u000ab\\u000d\\u001b[31mc\\u0085d\\u2028e\\u2029f\\u0000')
  })

  it('drops what the logger throws or rejects with', async () => {
    const stray: unknown[] = []
    const note = (cause: unknown) => stray.push(cause)
    process.on('unhandledRejection', note)
    const throwing = loggerOf(() => {
      throw new Error('disk full')
    })
    const rejecting = loggerOf(() => Promise.reject(new Error('disk full')))
    for (const level of LEVELS) {
      safeLogger(throwing)[level]({}, 'text')
      safeLogger(rejecting)[level]({}, 'text')
    }
    await new Promise((resolve) => setImmediate(resolve))
    process.removeListener('unhandledRejection', note)
    expect(stray).to.deep.equal([])
  })

  it('asks the logger which levels it writes; one that does not say writes all', () => {
    const quiet = Object.assign(new RecordedLog(), { isLevelEnabled: (level: string) => level === 'error' })
    expect(safeLogger(quiet).isLevelEnabled?.('debug')).to.equal(false)
    expect(safeLogger(quiet).isLevelEnabled?.('error')).to.equal(true)
    expect(safeLogger(new RecordedLog()).isLevelEnabled?.('debug')).to.equal(true)
  })
})
