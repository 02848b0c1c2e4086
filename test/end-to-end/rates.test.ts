import { expect } from 'chai'
import { TRANSPORTS } from '../rates/flooder.js'
import { type FloodResult, flood } from '../rates/floods.js'
import { MESSAGES, PER_SECOND, PUBLICATIONS } from '../rates/kinds.js'
import { floodTokens, TOKEN_FLOODS } from '../rates/token-floods.js'

/** Seconds; `npm run rates` takes ten, and holds what passes to 5 %. */
const SECONDS = 2

const TOLERANCE = 0.1

function check(results: readonly FloodResult[]): void {
  for (const { transport, sent, passed, limit, lost } of results) {
    expect(sent, transport).to.be.above(limit)
    expect(passed, transport).to.be.closeTo(limit, limit * TOLERANCE)
    expect(lost, transport).to.equal(0)
  }
}

describe('floods of messages', () => {
  for (const kind of MESSAGES) {
    it(`pass what the limit allows, by each transport: ${kind.name}`, async () => {
      check(await flood(kind, SECONDS))
    })
  }

  it('that go on are closed as rate_limited, by each transport', async () => {
    const limits = { messagesPerSecond: PER_SECOND, messagesBurst: 10, rateRefusals: 50 }
    const transports = [...TRANSPORTS, 'raw'] as const
    const kind = { name: 'persistent', limits, nodes: 1, connections: 1, transports }
    for (const { transport, passed, lost } of await flood(kind, SECONDS)) {
      expect(lost, transport).to.equal(1)
      expect(passed, transport).to.be.within(10, PER_SECOND)
    }
  })
})

describe('floods of publications', () => {
  for (const kind of PUBLICATIONS.filter(({ isLong }) => !isLong)) {
    it(`pass what the limit allows, by each transport: ${kind.name}`, async () => {
      check(await flood(kind, SECONDS))
    })
  }
})

describe('floods of token requests', () => {
  for (const kind of TOKEN_FLOODS) {
    it(`pass what ${kind.name} allows, by each user or address, and are told when to come again`, async () => {
      check(await floodTokens(kind, SECONDS))
    })
  }
})
