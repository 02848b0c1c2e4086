import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { NodeQuestions } from '#server/cluster/questions.js'
import { sidOf } from '#server/cluster/sids.js'
import { SocketCalls } from '#server/cluster/socket-calls.js'
import type { NodeAskOptions } from '#server/engine/engine.js'

describe('SocketCalls', () => {
  const call = { sid: sidOf('one', 'there'), name: 'work', data: null }
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers()
  })

  afterEach(() => clock.restore())

  /** Calls of a node whose only other node hangs: what it is asked ends with the time that it has for its answer. */
  function callsToHanging(): SocketCalls {
    const silent = { answers: new Map(), missing: new Map([['there', 'silent' as const]]) }
    const ask = (_question: string, { timeout }: NodeAskOptions) =>
      new Promise<typeof silent>((resolve) => {
        if (Number.isFinite(timeout)) setTimeout(() => resolve(silent), timeout)
      })
    const nodes = { id: 'here', ask, serve: () => {}, list: async () => ['here', 'there'] }
    const answer = async () => undefined
    const questions = new NodeQuestions(nodes, answer)
    return new SocketCalls({ node: 'here', questions, answer, limits: { callTimeout: 30_000 } })
  }

  for (const [timeout, wait] of [
    [100, 100],
    [4000, 4000],
    [undefined, 30_000],
  ] as const) {
    it(`time out after ${wait} ms where the node hangs`, async () => {
      let error: RpcError | undefined
      callsToHanging()
        .call(call, timeout === undefined ? {} : { timeout })
        .catch((cause) => {
          error = cause
        })
      await clock.tickAsync(wait - 1)
      expect(error).to.equal(undefined)
      await clock.tickAsync(2)
      expect([error?.code, RpcError.is(error)]).to.deep.equal(['timeout', true])
      await clock.tickAsync(10_000)
    })
  }

  for (const timeout of [0, Number.POSITIVE_INFINITY]) {
    it(`never time out with ${timeout}`, async () => {
      let isSettled = false
      const settle = () => {
        isSettled = true
      }
      callsToHanging().call(call, { timeout }).then(settle, settle)
      await clock.tickAsync(3_600_000)
      expect(isSettled).to.equal(false)
    })
  }

  it('are false about a socket whose node hangs, after five seconds', async () => {
    let answer: boolean | undefined
    void callsToHanging()
      .isConnected(call.sid)
      .then((isConnected) => {
        answer = isConnected
      })
    await clock.tickAsync(4999)
    expect(answer).to.equal(undefined)
    await clock.tickAsync(1)
    expect(answer).to.equal(false)
  })
})
