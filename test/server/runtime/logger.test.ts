import { format } from 'node:util'
import type { Logger } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { consoleLogger } from '#server/runtime/logger.js'

describe('consoleLogger', () => {
  const levels = ['debug', 'info', 'warn', 'error'] as const
  let printed: Record<(typeof levels)[number], sinon.SinonStub>

  beforeEach(() => {
    printed = Object.fromEntries(levels.map((level) => [level, sinon.stub(console, level)])) as typeof printed
  })

  afterEach(() => sinon.restore())

  /** Logs on every level, and lists the levels that were printed. */
  function levelsPrinted(logger: Logger): string[] {
    for (const level of levels) logger[level]({ sid: 's' }, `${level} text`)
    const seen = levels.filter((level) => printed[level].called)
    sinon.restore()
    return seen
  }

  it('prints warnings and errors', () => {
    expect(levelsPrinted(consoleLogger(false))).to.deep.equal(['warn', 'error'])
  })

  it('prints every level with `debug`', () => {
    expect(levelsPrinted(consoleLogger(true))).to.deep.equal([...levels])
  })

  it('prints the text with the library’s name, and the details after it', () => {
    consoleLogger(false).error({ sid: 's' }, 'it broke')
    const { args } = printed.error.firstCall
    sinon.restore()
    expect(args).to.deep.equal(['TokenSocket: it broke', { sid: 's' }])
  })

  it('prints what a text has from the network as it is', () => {
    consoleLogger(false).error({ sid: 's' }, 'POST /%o/%s/%c%d')
    const { args } = printed.error.firstCall
    sinon.restore()
    expect(format(...args)).to.equal("TokenSocket: POST /%o/%s/%c%d { sid: 's' }")
  })
})
