import { type CallContext, createTimeouts, RpcError, type RpcLimits, RpcPeer } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { turn } from './incoming-calls.js'

const limits = { timeout: 1000, callsOut: 3, callsIn: 3 } satisfies RpcLimits

describe('the context of a call', () => {
  let clock: sinon.SinonFakeTimers
  let peer: RpcPeer
  const answer = sinon.spy()
  let contexts: CallContext[]

  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: 5000, toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
    peer = new RpcPeer(limits, { threw: () => {} }, createTimeouts())
    contexts = []
    answer.resetHistory()
  })

  afterEach(() => sinon.restore())

  /** Calls a function that never answers. */
  function called({ id = '1', timeout }: { id?: string; timeout?: number } = {}): CallContext {
    const action = (...args: unknown[]) => void contexts.push(args.at(-1) as CallContext)
    Object.defineProperty(action, 'length', { value: 2 })
    peer.receive({ id, name: 'orders.pay', action, before: ['data'], after: ['socket'], timeout, answer })
    return contexts.at(-1) as CallContext
  }

  it('is the last argument, after what comes after the callback', () => {
    const action = sinon.spy((..._args: unknown[]) => 'answer')
    peer.receive({ name: 'orders.pay', action, before: ['auth', 'data'], after: ['socket'], answer })
    const [auth, data, callback, socket, context] = action.firstCall.args
    expect([auth, data, socket]).to.deep.equal(['auth', 'data', 'socket'])
    expect(callback).to.be.a('function')
    expect(context).to.include({ name: 'orders.pay', deadline: 6000 })
  })

  it('is none for a call without a name', () => {
    const action = sinon.spy((..._args: unknown[]) => 'answer')
    peer.receive({ action, before: [], answer })
    expect(action.firstCall.args.slice(1)).to.deep.equal([undefined])
  })

  it('has the call’s own time-out for its deadline', () => {
    expect(called({ timeout: 10 }).deadline).to.equal(5010)
  })

  it('has no deadline where there is no time-out', () => {
    expect(called({ timeout: 0 }).deadline).to.equal(Number.POSITIVE_INFINITY)
  })

  describe('#signal', () => {
    const ends: Readonly<Record<string, () => void>> = {
      aborted: () => peer.cancel('1', 'aborted'),
      timeout: () => clock.tick(1000),
      connection_lost: () => peer.disconnect(new RpcError('connection_lost')),
    }
    for (const [code, end] of Object.entries(ends)) {
      it(`aborts with the reason ${code}`, () => {
        const { signal } = called()
        const listener = sinon.spy()
        signal.addEventListener('abort', listener)
        expect(signal.aborted).to.equal(false)
        end()
        expect(listener.callCount).to.equal(1)
        expect(RpcError.is(signal.reason)).to.equal(true)
        expect(signal.reason).to.have.property('code', code)
      })

      it(`is aborted with the reason ${code} when it is read only later`, () => {
        const context = called()
        end()
        expect(context.signal.aborted).to.equal(true)
        expect(context.signal.reason).to.have.property('code', code)
      })
    }

    it('has the reason timeout when the caller’s own time-out fired', () => {
      const { signal } = called()
      peer.cancel('1', 'timeout')
      expect(signal.reason).to.have.property('code', 'timeout')
    })

    it('is the same signal each time', () => {
      const context = called()
      expect(context.signal).to.equal(context.signal)
    })

    it('does not abort after the answer', async () => {
      let context: CallContext | undefined
      const action = (...args: unknown[]) => {
        context = args.at(-1) as CallContext
        return 'answer'
      }
      peer.receive({ id: '1', name: 'orders.pay', action, before: [], answer })
      for (const end of Object.values(ends)) end()
      await turn()
      expect(context?.signal.aborted).to.equal(false)
      expect(answer.callCount).to.equal(1)
    })
  })
})
