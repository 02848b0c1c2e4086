import { expect } from 'chai'
import { FLOODS, flood, PER_SECOND } from '../rates/floods.js'

/** Seconds; `npm run rates` takes ten, and holds what passes to 5 %. */
const SECONDS = 2

const TOLERANCE = 0.1

describe('floods of messages', () => {
  for (const kind of FLOODS) {
    it(`pass what the limit allows, by each transport: ${kind.name}`, async () => {
      for (const { transport, sent, passed, limit, lost } of await flood(kind, SECONDS)) {
        expect(sent, transport).to.be.above(limit)
        expect(passed, transport).to.be.closeTo(limit, limit * TOLERANCE)
        expect(lost, transport).to.equal(0)
      }
    })
  }

  it('that go on are closed as rate_limited, by each transport', async () => {
    const limits = { messagesPerSecond: PER_SECOND, messagesBurst: 10, rateRefusals: 50 }
    const kind = { name: 'persistent', limits, nodes: 1, connections: 1 }
    for (const { transport, passed, lost } of await flood(kind, SECONDS)) {
      expect(lost, transport).to.equal(1)
      expect(passed, transport).to.be.within(10, PER_SECOND)
    }
  })
})
