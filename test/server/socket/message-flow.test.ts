import { connectionPair } from '@token-socket/protocol/testing'
import { expect } from 'chai'
import sinon from 'sinon'
import type { BufferedConnection } from '#server/socket/buffered-connection.js'
import { MessageFlow } from '#server/socket/message-flow.js'

/** The flow of a socket whose reader is far behind. */
function flowBehind(): MessageFlow {
  const { left: connection } = connectionPair()
  const behind = Object.assign(connection, { bufferedBytes: 10_000_000 }) as unknown as BufferedConnection
  const flusher = { schedule: sinon.fake(), watch: sinon.fake(), unwatch: sinon.fake() }
  const limits = { outbox: 1_000_000, readTimeout: 1000, message: 100_000 }
  const socket = { handle: sinon.fake(), slow: sinon.fake(), disconnected: sinon.fake() }
  return new MessageFlow(behind, { flusher, limits } as never, socket as never)
}

describe('MessageFlow', () => {
  for (const [when, touch] of [
    ['before', (flow: MessageFlow) => flow.bulk],
    ['only after', () => undefined],
  ] as const)
    it(`runs bulk at once after the end of its connection, also if bulk was used ${when} it`, async () => {
      const flow = flowBehind()
      touch(flow)
      flow.end()
      const run = sinon.fake.resolves('done')
      void flow.bulk.run(run)
      await new Promise(setImmediate)
      expect(run.callCount).to.equal(1)
    })
})
