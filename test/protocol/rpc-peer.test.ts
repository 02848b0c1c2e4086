import { getEventListeners } from 'node:events'
import { createTimeouts, RpcError, type RpcLimits, RpcPeer } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { received, throwIt, turn, waiting } from './incoming-calls.js'
import { rejection } from './rejection.js'

const limits = { timeout: 1_000, callsOut: 3, callsIn: 3 } satisfies RpcLimits

describe('RpcPeer', () => {
  let clock: sinon.SinonFakeTimers
  let onerror: sinon.SinonSpy
  let peer: RpcPeer

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onerror = sinon.spy()
    peer = new RpcPeer(limits, { threw: onerror }, createTimeouts())
  })

  afterEach(() => sinon.restore())

  describe('#request', () => {
    it('sends at once, with an id that is pending', () => {
      const send = sinon.spy((id: string) => expect(peer.isPending(id)).to.equal(true))
      peer.request(send)
      expect(send.callCount).to.equal(1)
      expect(send.firstCall.args).to.have.length(1)
    })

    it('gives each request an id of its own', () => {
      const send = sinon.spy()
      for (let call = 0; call < limits.callsOut; call += 1) peer.request(send)
      expect(new Set(send.args.flat()).size).to.equal(limits.callsOut)
    })

    it('rejects with too_many_calls at the limit of `callsOut`, and sends nothing', async () => {
      const ids: string[] = []
      for (let call = 0; call < limits.callsOut; call += 1) peer.request((id) => ids.push(id))
      const send = sinon.spy()
      const error = await rejection(peer.request(send))
      expect(error.code).to.equal('too_many_calls')
      expect(error.data).to.deep.equal({ field: 'calls', limit: limits.callsOut })
      expect(send.called).to.equal(false)
      peer.settle(ids[0] ?? '', { data: 1 })
      peer.request(send)
      expect(send.callCount).to.equal(1)
    })

    it('rejects with the RpcError that `send` throws', async () => {
      const error = new RpcError('unserializable')
      expect(await rejection(peer.request(() => throwIt(error)))).to.equal(error)
    })

    it('rejects with internal, and the cause, when `send` throws anything else', async () => {
      const cause = new Error('no')
      let sent = ''
      const error = await rejection(
        peer.request((id) => {
          sent = id
          throw cause
        }),
      )
      expect(error).to.include({ code: 'internal', cause })
      expect(peer.isPending(sent)).to.equal(false)
    })

    describe('honors the `timeout` option', () => {
      it('rejects with timeout after the limit’s time when there is none', async () => {
        const { promise, id } = requested()
        clock.tick(999)
        expect(peer.isPending(id)).to.equal(true)
        clock.tick(1)
        expect(peer.isPending(id)).to.equal(false)
        expect((await rejection(promise)).code).to.equal('timeout')
      })

      it('rejects with timeout after its own time', async () => {
        const { promise } = requested({ timeout: 5 })
        clock.tick(5)
        expect((await rejection(promise)).code).to.equal('timeout')
      })

      for (const timeout of [0, Number.POSITIVE_INFINITY]) {
        it(`waits for ever when it is ${timeout}`, async () => {
          const { promise, id } = requested({ timeout })
          clock.tick(1e12)
          peer.settle(id, { data: 'late' })
          expect(await promise).to.equal('late')
        })
      }
    })

    describe('honors the `signal` option', () => {
      it('rejects with aborted, and sends nothing, when it is aborted already', async () => {
        const send = sinon.spy()
        const error = await rejection(peer.request(send, { signal: AbortSignal.abort() }))
        expect(error.code).to.equal('aborted')
        expect(send.called).to.equal(false)
      })

      it('rejects with aborted when it is aborted while the call waits', async () => {
        const controller = new AbortController()
        const { promise, id } = requested({ signal: controller.signal })
        controller.abort()
        expect(peer.isPending(id)).to.equal(false)
        expect((await rejection(promise)).code).to.equal('aborted')
      })

      it('rejects with aborted when it is aborted while `send` runs', async () => {
        const controller = new AbortController()
        const promise = peer.request(() => controller.abort(), { signal: controller.signal })
        expect((await rejection(promise)).code).to.equal('aborted')
      })

      it('ignores an abort when the answer came first', async () => {
        const controller = new AbortController()
        const { promise, id } = requested({ signal: controller.signal })
        peer.settle(id, { data: 1 })
        controller.abort()
        expect(await promise).to.equal(1)
      })

      it('ignores an answer when the abort came first', async () => {
        const controller = new AbortController()
        const { promise, id } = requested({ signal: controller.signal })
        controller.abort()
        peer.settle(id, { data: 1 })
        expect((await rejection(promise)).code).to.equal('aborted')
      })

      it('leaves no listener on it', () => {
        const { signal } = new AbortController()
        const settled = requested({ signal })
        requested({ signal })
        peer.request(() => throwIt(new RpcError('unserializable')), { signal })
        // One for all of them.
        expect(getEventListeners(signal, 'abort')).to.have.length(1)
        peer.settle(settled.id, { data: 1 })
        expect(getEventListeners(signal, 'abort')).to.have.length(1)
        peer.disconnect(new RpcError('connection_lost'))
        expect(getEventListeners(signal, 'abort')).to.have.length(0)
      })
    })

    it('makes no unhandledRejection of a promise that nobody looks at', async () => {
      const unhandled = sinon.spy()
      process.on('unhandledRejection', unhandled)
      try {
        peer.request(() => throwIt(new RpcError('unserializable')))
        peer.request(() => {}, { signal: AbortSignal.abort() })
        peer.request(() => {})
        clock.tick(1_000)
        peer.request(() => {})
        peer.disconnect(new RpcError('connection_lost'))
        await turn()
        expect(unhandled.args).to.deep.equal([])
      } finally {
        process.off('unhandledRejection', unhandled)
      }
    })
  })

  describe('#settle', () => {
    for (const data of [{ a: 1 }, null, undefined, 0, '']) {
      it(`resolves the call with ${JSON.stringify(data)}`, async () => {
        const { promise, id } = requested()
        peer.settle(id, { data })
        expect(await promise).to.deep.equal(data)
        expect(peer.isPending(id)).to.equal(false)
      })
    }

    it('rejects the call with the error that was sent', async () => {
      const { promise, id } = requested()
      peer.settle(id, { error: { message: 'Sold out', code: 'sold_out', data: [0] }, code: 'sold_out' })
      const error = await rejection(promise)
      expect([error.code, error.message, error.data]).to.deep.equal(['sold_out', 'Sold out', [0]])
    })

    it('rejects the call with the legacy pair’s error, which has no code', async () => {
      const { promise, id } = requested()
      peer.settle(id, { error: 'Forbidden' })
      expect(await rejection(promise)).to.include({ code: 'forbidden', message: 'Forbidden' })
    })

    it('ignores unknown ids', () => {
      const { id } = requested()
      for (const unknown of ['', 'unknown', '__proto__', 'constructor']) peer.settle(unknown, { data: 1 })
      expect(peer.isPending(id)).to.equal(true)
    })

    it('ignores a second answer', async () => {
      const { promise, id } = requested()
      peer.settle(id, { data: 'first' })
      peer.settle(id, { error: 'second' })
      expect(await promise).to.equal('first')
    })

    it('ignores an answer that comes after the time-out', async () => {
      const { promise, id } = requested()
      clock.tick(1_000)
      peer.settle(id, { data: 'late' })
      expect((await rejection(promise)).code).to.equal('timeout')
    })

    it('leaves no deadline: the answer stands', async () => {
      const { promise, id } = requested()
      peer.settle(id, { data: 1 })
      clock.tick(10_000)
      expect(await promise).to.equal(1)
      expect(clock.countTimers()).to.equal(0)
    })
  })

  describe('#disconnect', () => {
    it('rejects all our calls with the error', async () => {
      const promises = [requested(), requested({ timeout: 0 })].map(({ promise }) => promise)
      peer.disconnect(new RpcError('connection_lost'))
      for (const promise of promises) expect((await rejection(promise)).code).to.equal('connection_lost')
    })

    it('rejects only the calls that `which` picks', async () => {
      const [sent, queued] = [requested(), requested()]
      peer.disconnect(new RpcError('connection_lost'), (id) => id === sent.id)
      expect((await rejection(sent.promise)).code).to.equal('connection_lost')
      expect(peer.isPending(queued.id)).to.equal(true)
      peer.settle(queued.id, { data: 1 })
      expect(await queued.promise).to.equal(1)
    })

    it('leaves their time-outs to the calls that `which` does not pick', async () => {
      const { promise } = requested()
      peer.disconnect(new RpcError('connection_lost'), () => false)
      clock.tick(1_000)
      expect((await rejection(promise)).code).to.equal('timeout')
    })

    it('answers no call any more that came before it', async () => {
      const { answers, callback } = waiting(peer)
      const resolving = received(peer, async () => 1)
      peer.disconnect(new RpcError('connection_lost'))
      callback(null, 'late')
      clock.tick(1_000)
      await turn()
      expect([...answers, ...resolving]).to.deep.equal([])
    })

    it('still tells `onerror` what functions throw after it', async () => {
      const cause = new Error('secret')
      received(peer, async () => throwIt(cause))
      peer.disconnect(new RpcError('connection_lost'))
      await turn()
      expect(onerror.args).to.deep.equal([[cause, undefined]])
    })

    it('takes calls again after it, which old functions do not answer', () => {
      const old = [waiting(peer), waiting(peer), waiting(peer)]
      peer.disconnect(new RpcError('connection_lost'))
      const fresh = waiting(peer)
      for (const { callback } of old) callback(null, 'old')
      expect(fresh.answers).to.deep.equal([])
      fresh.callback(null, 'fresh')
      expect(fresh.answers).to.deep.equal([{ data: 'fresh' }])
    })

    it('takes its own time-outs only from those that it shares', async () => {
      const shared = createTimeouts()
      const one = new RpcPeer(limits, { threw: onerror }, shared)
      const other = new RpcPeer(limits, { threw: onerror }, shared)
      const [gone, late] = [one.request(() => {}), other.request(() => {})]
      expect(clock.countTimers()).to.equal(1)
      one.disconnect(new RpcError('connection_lost'))
      clock.tick(limits.timeout)
      expect((await rejection(gone)).code).to.equal('connection_lost')
      expect((await rejection(late)).code).to.equal('timeout')
    })

    it('leaves no timer', () => {
      requested()
      waiting(peer)
      expect(clock.countTimers()).to.equal(1)
      peer.disconnect(new RpcError('connection_lost'))
      expect(clock.countTimers()).to.equal(0)
    })
  })

  describe('#isPending', () => {
    it('is false for ids that never were', () => {
      for (const id of ['', 'unknown', 'constructor', '__proto__']) expect(peer.isPending(id)).to.equal(false)
    })
  })

  /** A request that waits. */
  function requested(options?: Parameters<RpcPeer['request']>[1]): { promise: Promise<unknown>; id: string } {
    let id = ''
    const promise = peer.request((given) => {
      id = given
    }, options)
    return { promise, id }
  }
})
