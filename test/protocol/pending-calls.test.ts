import { getEventListeners } from 'node:events'
import { createTimeouts, PendingCalls, RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { rejection, thrownBy } from './rejection.js'

describe('PendingCalls', () => {
  let clock: sinon.SinonFakeTimers
  let calls: PendingCalls

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    calls = new PendingCalls({ timeout: 1_000, callsOut: 3 }, createTimeouts())
  })

  afterEach(() => sinon.restore())

  describe('#open', () => {
    it('gives each request an id of its own, also after others have settled', async () => {
      const ids = new Set<string>()
      for (let round = 0; round < 100; round += 1) {
        const { id, answer } = calls.open()
        ids.add(id)
        calls.resolve(id, round)
        expect(await answer).to.equal(round)
      }
      expect(ids.size).to.equal(100)
    })

    it('gives ids of digits only, so that its owner can have ids of its own that begin with a letter', () => {
      for (let round = 0; round < 2_000; round += 1) {
        const { id } = calls.open()
        expect(id).to.match(/^[0-9]{1,64}$/)
        calls.resolve(id, round)
      }
    })

    it('makes the request wait', () => {
      const { id } = calls.open()
      expect(calls.has(id)).to.equal(true)
      expect(calls.size).to.equal(1)
    })

    it('throws too_many_calls at the limit, and takes requests again when one has settled', () => {
      const { id } = calls.open()
      calls.open()
      calls.open()
      const error = thrownBy(() => calls.open())
      expect(error).to.be.instanceOf(RpcError).with.property('code', 'too_many_calls')
      expect((error as RpcError).data).to.deep.equal({ field: 'calls', limit: 3 })
      calls.resolve(id, 1)
      expect(calls.open().id).to.be.a('string')
    })

    describe('honors the `timeout` option', () => {
      it('fails with timeout when the time of the constructor is over', async () => {
        const { id, answer } = calls.open()
        clock.tick(999)
        expect(calls.has(id)).to.equal(true)
        clock.tick(1)
        expect(calls.has(id)).to.equal(false)
        expect(await rejection(answer)).to.include({ code: 'timeout', message: 'Timed out' })
      })

      it('names the function where there is one', async () => {
        const { answer } = calls.open({}, 'reports.year')
        clock.tick(1000)
        const { code, message, data } = await rejection(answer)
        expect([code, message]).to.deep.equal(['timeout', 'Timed out: reports.year'])
        expect(data).to.deep.equal({ function: 'reports.year' })
      })

      it('fails with timeout when its own time is over', async () => {
        const { answer } = calls.open({ timeout: 10 })
        clock.tick(10)
        expect(await rejection(answer)).to.have.property('code', 'timeout')
      })

      for (const timeout of [0, Number.POSITIVE_INFINITY]) {
        it(`waits for ever when it is ${timeout}`, () => {
          const { id } = calls.open({ timeout })
          clock.tick(1e12)
          expect(calls.has(id)).to.equal(true)
          expect(clock.countTimers()).to.equal(0)
        })

        it(`waits for ever when the constructor’s is ${timeout}`, () => {
          const patient = new PendingCalls({ timeout, callsOut: 1 }, createTimeouts())
          const { id } = patient.open()
          clock.tick(1e12)
          expect(patient.has(id)).to.equal(true)
        })
      }
    })

    describe('honors the `signal` option', () => {
      it('throws aborted when it is aborted already, and opens no request', () => {
        const error = thrownBy(() => calls.open({ signal: AbortSignal.abort() }))
        expect(error).to.be.instanceOf(RpcError).with.property('code', 'aborted')
        expect(calls.size).to.equal(0)
      })

      it('fails with aborted when it is aborted', async () => {
        const controller = new AbortController()
        const { id, answer } = calls.open({ signal: controller.signal })
        controller.abort()
        expect(calls.has(id)).to.equal(false)
        expect(await rejection(answer)).to.have.property('code', 'aborted')
      })

      it('fails every request that has it', async () => {
        const controller = new AbortController()
        const answers = [1, 2].map(() => calls.open({ signal: controller.signal }).answer)
        const other = calls.open()
        controller.abort()
        for (const answer of answers) expect(await rejection(answer)).to.have.property('code', 'aborted')
        expect(calls.has(other.id)).to.equal(true)
      })

      for (const field of ['addEventListener', 'removeEventListener']) {
        it(`refuses a signal without ${field}, and keeps nothing of the call`, () => {
          const signal = { aborted: false, addEventListener: () => {}, removeEventListener: () => {} }
          delete signal[field as keyof typeof signal]
          const error = thrownBy(() => calls.open({ signal: signal as never }))
          expect(error).to.deep.include({ code: 'bad_option', data: { field: 'signal' } })
          expect(calls.size).to.equal(0)
        })
      }
      it('names the function where there is one', async () => {
        const controller = new AbortController()
        const { answer } = calls.open({ signal: controller.signal }, 'reports.year')
        controller.abort()
        for (const { message, data } of [
          await rejection(answer),
          thrownBy(() => calls.open({ signal: controller.signal }, 'reports.year')) as RpcError,
        ]) {
          expect(message).to.equal('Aborted: reports.year')
          expect(data).to.deep.equal({ function: 'reports.year' })
        }
      })

      it('fails with the signal’s reason as its cause', async () => {
        const controller = new AbortController()
        const reason = new Error('the user went away')
        const { answer } = calls.open({ signal: controller.signal })
        controller.abort(reason)
        expect(await rejection(answer)).to.have.property('cause', reason)
        expect(thrownBy(() => calls.open({ signal: controller.signal }))).to.have.property('cause', reason)
      })

      it('has one listener on it for many requests, of many owners', () => {
        const { signal } = new AbortController()
        const many = Array.from({ length: 20 }, () => {
          const owner = new PendingCalls({ timeout: 1_000, callsOut: 1 }, createTimeouts())
          owner.open({ signal }).answer.catch(() => {})
          return owner
        })
        expect(getEventListeners(signal, 'abort')).to.have.length(1)
        for (const owner of many) owner.rejectAll(new RpcError('connection_lost'))
        expect(getEventListeners(signal, 'abort')).to.have.length(0)
      })

      it('ignores an abort after the answer', async () => {
        const controller = new AbortController()
        const { id, answer } = calls.open({ signal: controller.signal })
        calls.resolve(id, 'data')
        controller.abort()
        expect(await answer).to.equal('data')
      })

      for (const [how, settle] of [
        ['resolved', (id: string) => calls.resolve(id, 1)],
        ['rejected', (id: string) => calls.reject(id, new RpcError('forbidden'))],
        ['timed out', () => clock.tick(1_000)],
        ['disconnected', () => calls.rejectAll(new RpcError('connection_lost'))],
      ] as const) {
        it(`leaves no listener on it once the request is ${how}`, () => {
          const { signal } = new AbortController()
          const { id, answer } = calls.open({ signal })
          answer.catch(() => {})
          expect(getEventListeners(signal, 'abort')).to.have.length(1)
          settle(id)
          expect(calls.has(id)).to.equal(false)
          expect(getEventListeners(signal, 'abort')).to.have.length(0)
        })
      }
    })
  })

  describe('#resolve', () => {
    it('settles the request with the answer', async () => {
      const { id, answer } = calls.open()
      calls.resolve(id, { data: 1 })
      expect(await answer).to.deep.equal({ data: 1 })
      expect(calls.has(id)).to.equal(false)
      expect(calls.size).to.equal(0)
    })

    it('takes the deadline away with the request', async () => {
      const [short, long] = [calls.open({ timeout: 10 }), calls.open()]
      calls.resolve(long.id, 1)
      clock.tick(10)
      expect((await rejection(short.answer)).code).to.equal('timeout')
      expect(clock.countTimers()).to.equal(0)
    })

    it('ignores unknown ids, and names that objects inherit', () => {
      const { id } = calls.open()
      for (const unknown of ['', 'unknown', '__proto__', 'toString']) calls.resolve(unknown, 1)
      expect(calls.has(id)).to.equal(true)
    })

    it('ignores a second answer', async () => {
      const { id, answer } = calls.open()
      calls.resolve(id, 'first')
      calls.resolve(id, 'second')
      calls.reject(id, new RpcError('forbidden'))
      expect(await answer).to.equal('first')
    })

    it('ignores an answer that comes after the time-out', async () => {
      const { id, answer } = calls.open()
      clock.tick(1_000)
      calls.resolve(id, 'late')
      expect(await rejection(answer)).to.have.property('code', 'timeout')
    })
  })

  describe('#reject', () => {
    it('settles the request with the error', async () => {
      const { id, answer } = calls.open()
      const error = new RpcError('forbidden')
      calls.reject(id, error)
      expect(await rejection(answer)).to.equal(error)
      expect(calls.size).to.equal(0)
    })

    it('ignores unknown ids', () => {
      calls.open()
      calls.reject('unknown', new RpcError('forbidden'))
      expect(calls.size).to.equal(1)
    })
  })

  describe('#rejectAll', () => {
    it('fails every request, each with an error of its own', async () => {
      const answers = [calls.open(), calls.open({ timeout: 0 })].map(({ answer }) => answer)
      const cause = new Error('cut')
      calls.rejectAll(new RpcError('connection_lost', 'Lost', { code: 1006 }, cause))
      const errors = await Promise.all(answers.map(rejection))
      for (const error of errors) {
        expect(error).to.deep.include({
          code: 'connection_lost',
          message: 'Lost',
          data: { code: 1006 },
          cause,
        })
      }
      expect(new Set(errors).size).to.equal(2)
      expect(calls.size).to.equal(0)
    })

    it('fails only those that `which` picks; the others keep their time-outs', async () => {
      const [first, second] = [calls.open(), calls.open()]
      calls.rejectAll(new RpcError('connection_lost'), (id) => id === first.id)
      expect(await rejection(first.answer)).to.have.property('code', 'connection_lost')
      expect(calls.has(second.id)).to.equal(true)
      clock.tick(1_000)
      expect(await rejection(second.answer)).to.have.property('code', 'timeout')
    })

    it('leaves no timer when no request is left', () => {
      for (const { answer } of [calls.open(), calls.open()]) answer.catch(() => {})
      expect(clock.countTimers()).to.equal(1)
      calls.rejectAll(new RpcError('connection_lost'))
      expect(clock.countTimers()).to.equal(0)
    })

    it('leaves it usable', async () => {
      calls.rejectAll(new RpcError('connection_lost'))
      const { answer } = calls.open()
      clock.tick(1_000)
      expect(await rejection(answer)).to.have.property('code', 'timeout')
    })
  })
})
