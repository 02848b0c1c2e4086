import { expect } from 'chai'
import { revoke } from './revoke.js'

describe('orders while a node is stopped and Redis restarts', function () {
  this.timeout(240_000)

  for (const order of ['revoke', 'reauthorize'] as const)
    it(`take a channel from every socket, and lose nothing of before: ${order}`, async () => {
      const report = await revoke({ order, sockets: 30, nodes: 3, stopped: 3000, rate: 20 })
      console.log(`        ${JSON.stringify(report)}`)
      expect(report.faults).to.deep.equal([])
      // A generous bound: other processes may have the machine.
      for (const { p99, isStopped } of report.nodes) if (!isStopped) expect(p99).to.be.below(10_000)
    })
})
