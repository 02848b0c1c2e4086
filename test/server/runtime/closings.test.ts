import { CLOSE_CODES } from '@token-socket/protocol'
import { expect } from 'chai'
import { ClosingLog } from '../../../packages/server/src/runtime/closings.js'
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
    for (const [name, { code, reason }] of Object.entries(CLOSE_CODES)) {
      it(`writes one line at debug with the name of ${code}`, () => {
        log.socket({ ...SOCKET, code, reason })
        expect(recorded.of('debug')).to.have.length(1)
        expect(recorded.of('debug')[0]?.details).to.deep.equal({ ...SOCKET, code, reason: name })
      })
    }

    it('counts at info what neither side wanted, by codes that are few', () => {
      const kinds = new Set<string>()
      const throttled = { write: (kind: string) => kinds.add(kind) }
      const counted = new ClosingLog(recorded, throttled as never)
      for (const code of [1000, 1001, 1005, 4000, 4001, 4005, 4502])
        counted.socket({ ...SOCKET, code, reason: '' })
      expect([...kinds]).to.deep.equal([])
      for (const code of [1006, 4501]) counted.socket({ ...SOCKET, code, reason: '' })
      for (let code = 4503; code < 5000; code += 1) counted.socket({ ...SOCKET, code, reason: '' })
      expect([...kinds]).to.include.members(['socket 1006', 'socket 4501', 'socket other'])
      expect(kinds.size).to.be.below(20)
      expect(recorded.of('info')).to.deep.equal([])
      log.socket({ ...SOCKET, code: 1006, reason: '' })
      expect(recorded.of('info')).to.have.length(1)
    })

    it('cuts the reason that a client has chosen', () => {
      log.socket({ ...SOCKET, code: 4999, reason: 'x'.repeat(1000) })
      expect(recorded.lines[0]?.details.reason).to.have.length(129)
    })

    it('makes nothing where the level is not written', () => {
      const silent = Object.assign(new RecordedLog(), { isLevelEnabled: () => false })
      new ClosingLog(silent, silent).socket({ ...SOCKET, code: 1000, reason: '' })
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
