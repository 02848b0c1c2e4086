import { CLOSE_CODES } from '@token-socket/protocol'
import { expect } from 'chai'
import { ClosingLog, closingOf } from '#server/socket/closings.js'
import type { DisconnectReason } from '#server/socket/disconnect-reasons.js'
import { RecordedLog } from '../recorded-log.js'

const SOCKET = { sid: 's1', uid: 'ann', transport: 'websocket', ms: 5 }

describe('ClosingLog', () => {
  let recorded: RecordedLog
  let log: ClosingLog

  beforeEach(() => {
    recorded = new RecordedLog()
    log = new ClosingLog(recorded, recorded)
  })

  describe('#socket', () => {
    const reasons = [...new Set([...Object.keys(CLOSE_CODES), 'client_closed', 'connection_lost'])]
    for (const reason of reasons as DisconnectReason[]) {
      it(`writes one line at debug for ${reason}`, () => {
        log.socket({ ...SOCKET, code: 4000, reason })
        expect(recorded.of('debug').map(({ details }) => details)).to.deep.equal([
          { ...SOCKET, code: 4000, reason },
        ])
      })
    }

    it('counts at info what neither side wanted, by reason', () => {
      const kinds: string[] = []
      const throttled = { write: (kind: string) => kinds.push(kind) }
      const counted = new ClosingLog(recorded, throttled as never)
      for (const reason of ['client_closed', 'closed_by_server', 'disconnected', 'shutting_down'] as const)
        counted.socket({ ...SOCKET, code: 1000, reason })
      expect(kinds).to.deep.equal([])
      for (const reason of ['connection_lost', 'too_large', 'slow_consumer'] as const)
        counted.socket({ ...SOCKET, code: 1006, reason })
      expect(kinds).to.deep.equal(['socket connection_lost', 'socket too_large', 'socket slow_consumer'])
    })

    it('cuts the text that a client has chosen', () => {
      log.socket({ ...SOCKET, code: 4999, reason: 'client_closed', text: 'x'.repeat(1000) })
      expect(recorded.lines[0]?.details.text).to.have.length(129)
    })

    it('makes nothing where the level is not written', () => {
      const silent = Object.assign(new RecordedLog(), { isLevelEnabled: () => false })
      new ClosingLog(silent, silent).socket({ ...SOCKET, code: 1000, reason: 'client_closed' })
      expect(silent.lines).to.deep.equal([])
    })
  })

  describe('#stranger', () => {
    it('writes by kinds, which are codes', () => {
      const kinds: string[] = []
      const throttled = { write: (kind: string) => kinds.push(kind) }
      const { code, reason } = CLOSE_CODES.auth_timeout
      new ClosingLog(recorded, throttled).stranger({ transport: 'websocket', code, reason })
      expect(kinds).to.deep.equal(['connection 4003'])
    })
  })
})

describe('closingOf', () => {
  const socket = { ...SOCKET, created: Date.now() }

  it('has the reason in one word, and the text only if the client chose it', () => {
    const { code, reason: text } = CLOSE_CODES.slow_consumer
    const closing = closingOf(socket, { code, text, byPeer: false })
    expect(closing).to.include({
      sid: 's1',
      uid: 'ann',
      transport: 'websocket',
      code,
      reason: 'slow_consumer',
    })
    expect(closing).not.to.have.property('text')
    const byClient = closingOf(socket, { code, text, byPeer: true })
    expect(byClient).to.include({ code, reason: 'client_closed', text })
    expect(closingOf(socket, { code: 1000, text: '', byPeer: true })).not.to.have.property('text')
  })
})
