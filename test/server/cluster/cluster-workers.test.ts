import { expect } from 'chai'
import sinon from 'sinon'
import { warnOfLoneWorker } from '#server/cluster/cluster-workers.js'

describe('warnOfLoneWorker', () => {
  const rows: readonly [title: string, shared: boolean, isWorker: boolean | undefined, lines: number][] = [
    ['warns a worker with an engine of its own', false, true, 1],
    ['is silent where the engine is shared', true, true, 0],
    ['is silent where the process is no worker', false, false, 0],
    ['is silent in this process, which no cluster started', false, undefined, 0],
  ]
  for (const [title, shared, isWorker, lines] of rows) {
    it(title, () => {
      const warn = sinon.fake()
      warnOfLoneWorker({ warn }, { shared }, isWorker)
      expect(warn.callCount).to.equal(lines)
      if (lines > 0) expect(warn.firstCall.args[0]).to.include({ option: 'engine' })
    })
  }
})
