import {
  type Action,
  createTimeouts,
  encodeServerMessage,
  type Outcome,
  RpcError,
  type RpcLimits,
  RpcPeer,
} from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { type Callback, incoming, received, throwIt, turn, waiting } from './incoming-calls.js'
import { thrownBy } from './rejection.js'

const limits: RpcLimits = { timeout: 1_000, callsOut: 3, callsIn: 3 }
const internal = { error: 'Internal error', code: 'internal' }
const timedOut = { error: 'Timed out', code: 'timeout' }

describe('RpcPeer, answering', () => {
  let clock: sinon.SinonFakeTimers
  let onerror: sinon.SinonSpy
  let peer: RpcPeer

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onerror = sinon.spy()
    peer = new RpcPeer(limits, { threw: onerror }, createTimeouts())
  })

  afterEach(() => sinon.restore())

  describe('#receive', () => {
    it('calls the function with what comes before, the callback, and what comes after', () => {
      const action = sinon.stub().returns(1)
      peer.receive({ action, before: ['auth', 'data'], after: ['socket'], answer: () => {} })
      const [auth, data, callback, socket, context] = action.firstCall.args
      expect([auth, data, socket, context]).to.deep.equal(['auth', 'data', 'socket', undefined])
      expect(callback).to.be.a('function')
    })

    it('answers with a time-out where running the function threw', () => {
      const answers: Outcome[] = []
      const call = {
        action: () => 1,
        before: [],
        answer: (outcome: Outcome) => void answers.push(outcome),
        around: undefined,
      }
      const around = sinon.stub(call, 'around').get(() => {
        around.get(() => undefined)
        throw new Error('broken')
      })
      expect(() => peer.receive(call)).to.throw('broken')
      clock.tick(limits.timeout)
      expect(answers).to.deep.equal([timedOut])
    })

    it('calls the function on no object', () => {
      const action = sinon.stub().returns(1)
      received(peer, action)
      expect(action.firstCall.thisValue).to.equal(undefined)
    })

    it('answers not_found when there is no function', () => {
      expect(received(peer, undefined)).to.deep.equal([{ error: 'Function not found', code: 'not_found' }])
    })

    describe('answers with what a function', () => {
      for (const [title, action, outcome] of [
        ['calls back', (_data: unknown, callback: Callback) => callback(null, 1), { data: 1 }],
        ['calls back without data', (_data: unknown, callback: Callback) => callback(), { data: undefined }],
        [
          'calls back with a falsy error',
          (_data: unknown, callback: Callback) => callback('', 1),
          { data: 1 },
        ],
        ['returns', (data: unknown) => data, { data: 'data' }],
        ['returns without declaring a callback', () => {}, { data: undefined }],
        ['returns, though it declares the callback', (_data: unknown, _callback: Callback) => 1, { data: 1 }],
        [
          'returns as null, though it declares the callback',
          (_data: unknown, _callback: Callback) => null,
          { data: null },
        ],
        ['calls back and returns', backAndReturn, { data: 'called back' }],
        ['calls back twice', backTwice, { data: 'first' }],
        [
          'calls back with a text as error',
          back('Sold out'),
          { error: 'Sold out', code: 'application_error' },
        ],
        [
          'calls back with an object as error',
          back({ status: 402 }),
          { error: { status: 402 }, code: 'application_error' },
        ],
        [
          'calls back with an Error',
          back(Object.assign(new Error('no'), { status: 402 })),
          { error: { message: 'no', status: 402 }, code: 'application_error' },
        ],
        [
          'calls back with an RpcError',
          back(new RpcError('sold_out', 'Sold out', { left: 0 })),
          { error: { message: 'Sold out', code: 'sold_out', data: { left: 0 } }, code: 'sold_out' },
        ],
        [
          'throws as an RpcError',
          () => throwIt(new RpcError('forbidden')),
          { error: 'Forbidden', code: 'forbidden' },
        ],
        ['throws, only that it failed', () => throwIt(new Error('secret')), internal],
        ['throws, though it declares the callback', throwAtOnce, internal],
        ['throws that is no Error, only that it failed', () => throwIt('secret'), internal],
        ['calls back before it throws', backAndThrow, { data: 'called back' }],
        ['has as its `then`, when that throws', () => thenThrows(), internal],
      ] as const) {
        it(title, () => expect(received(peer, action)).to.deep.equal([outcome]))
      }

      for (const [title, action, outcome] of [
        ['resolves', async (data: unknown) => data, { data: 'data' }],
        ['resolves without data, when it declares no callback', async () => {}, { data: undefined }],
        ['resolves, though it declares the callback', resolveWith(1), { data: 1 }],
        ['resolves as null, though it declares the callback', resolveWith(null), { data: null }],
        [
          'rejects as an RpcError',
          () => Promise.reject(new RpcError('forbidden')),
          { error: 'Forbidden', code: 'forbidden' },
        ],
        ['rejects, only that it failed', () => Promise.reject(new Error('secret')), internal],
        ['rejects, though it declares the callback', rejectAtOnce, internal],
        ['calls back before it resolves', backAndResolve, { data: 'called back' }],
        ['calls back before it rejects', backAndReject, { data: 'called back' }],
        ['gives as a thenable of another library', thenable('then'), { data: 'then' }],
      ] as const) {
        it(title, async () => {
          const answers = received(peer, action)
          await turn()
          expect(answers).to.deep.equal([outcome])
        })
      }
    })

    it('answers when the promise of a function that declares the callback resolves with undefined', async () => {
      const calls: Callback[] = []
      const answers = received(peer, async (_data: unknown, callback: Callback) => {
        calls.push(callback)
      })
      await turn()
      expect(answers).to.deep.equal([{ data: undefined }])
      calls[0]?.(null, 'later')
      expect(answers).to.deep.equal([{ data: undefined }])
    })

    it('takes the callback of an async function that calls it before its promise resolves', async () => {
      const answers = received(peer, async (_data: unknown, callback: Callback) => {
        await turn()
        callback(null, 'in time')
      })
      await turn()
      await turn()
      expect(answers).to.deep.equal([{ data: 'in time' }])
    })

    it('names the function in the errors that are about it', () => {
      const answers: unknown[] = []
      const answer = (outcome: unknown) => answers.push(outcome)
      peer.receive({ action: undefined, name: 'orders.lst', before: [], answer })
      const about = { function: 'orders.lst' }
      expect(answers).to.deep.equal([{ error: 'Function not found', code: 'not_found', about }])
    })

    it('tells `onerror` the name of the function that threw', async () => {
      const cause = new Error('secret')
      peer.receive({ action: () => throwIt(cause), name: 'orders.pay', before: [], answer: () => {} })
      expect(onerror.args).to.deep.equal([[cause, 'orders.pay']])
    })

    it('answers timeout for a function that never does, and ignores what it says later', async () => {
      const { answers, callback } = waiting(peer)
      clock.tick(999)
      expect(answers).to.deep.equal([])
      clock.tick(1)
      expect(answers).to.deep.equal([timedOut])
      callback(null, 'late')
      expect(answers).to.have.length(1)
    })

    it('answers timeout for a promise that never settles', () => {
      const answers = received(peer, () => new Promise(() => {}))
      clock.tick(1_000)
      expect(answers).to.deep.equal([timedOut])
    })

    for (const timeout of [0, Number.POSITIVE_INFINITY]) {
      it(`waits for ever when the limit’s time is ${timeout}`, () => {
        peer = new RpcPeer({ ...limits, timeout }, { threw: onerror }, createTimeouts())
        const { answers, callback } = waiting(peer)
        clock.tick(1e12)
        callback(null, 'late')
        expect(answers).to.deep.equal([{ data: 'late' }])
      })
    }

    it('takes the deadline away with the answer', () => {
      const { answers } = waiting(peer)
      clock.tick(500)
      waiting(peer).callback(null, 1)
      clock.tick(500)
      expect(answers).to.deep.equal([timedOut])
      expect(clock.countTimers()).to.equal(0)
    })

    it('sets no deadline for a call that is answered at once', () => {
      received(peer, () => 1)
      expect(clock.countTimers()).to.equal(0)
    })

    describe('tells `onerror`', () => {
      for (const [title, action] of [
        ['what a function throws', (cause: unknown) => throwIt(cause)],
        ['what a promise rejects with', (cause: unknown) => Promise.reject(cause)],
      ] as const) {
        it(title, async () => {
          const cause = new Error('secret')
          received(peer, () => action(cause))
          await turn()
          expect(onerror.args).to.deep.equal([[cause, undefined]])
        })

        it(`not ${title} when it is an RpcError: that is an answer`, async () => {
          received(peer, () => action(new RpcError('forbidden')))
          await turn()
          expect(onerror.called).to.equal(false)
        })
      }

      it('what a function throws after it has called back', () => {
        received(peer, backAndThrow)
        expect(onerror.callCount).to.equal(1)
      })

      it('nothing of errors that are called back', () => {
        received(peer, back(new Error('no')))
        expect(onerror.called).to.equal(false)
      })

      it('only when the call is answered already, so that an `onerror` that throws harms no caller', () => {
        const cause = new Error('secret')
        peer = new RpcPeer(limits, { threw: (error) => throwIt(error) }, createTimeouts())
        const answers: Outcome[] = []
        const act = () => peer.receive(incoming(() => throwIt(cause), answers))
        expect(thrownBy(act)).to.equal(cause)
        expect(answers).to.deep.equal([internal])
      })
    })

    describe('when the outcome cannot be encoded', () => {
      const circular: { self?: unknown } = {}
      circular.self = circular
      const refusesError = (outcome: Outcome, answers: Outcome[]) => {
        if ('data' in outcome) throw new Error('secret')
        answers.push(outcome)
      }

      for (const [title, action] of [
        ['a function returns circular data', () => circular],
        ['a function returns a BigInt', () => 1n],
        ['a promise resolves with circular data', async () => circular],
        ['a function calls back with a BigInt', (_data: unknown, callback: Callback) => callback(null, 1n)],
        ['a function calls back with a circular error', back(Object.assign(new Error('no'), circular))],
        [
          'a function throws an RpcError with circular data',
          () => throwIt(new RpcError('mine', 'Mine', circular)),
        ],
      ] as const) {
        it(`answers unserializable when ${title}`, async () => {
          const answers: string[] = []
          peer.receive({
            action,
            before: ['data'],
            answer: (outcome) =>
              answers.push(encodeServerMessage({ type: 'answer', id: '1', rpc: 'a', outcome })),
          })
          await turn()
          expect(answers).to.deep.equal([
            '{"rpc":"a","uuid":"1","error":"Not serializable as JSON","code":"unserializable"}',
          ])
          expect(onerror.callCount).to.equal(1)
          expect(onerror.firstCall.args[0]).to.have.property('code', 'unserializable')
        })
      }

      it('answers the code alone of an RpcError that `answer` throws: its data may be what cannot be encoded', () => {
        const answers: Outcome[] = []
        peer.receive({
          action: () => 1,
          before: [],
          answer: (outcome) =>
            'data' in outcome ? throwIt(new RpcError('too_long', 'Mine', circular)) : answers.push(outcome),
        })
        expect(answers).to.deep.equal([{ error: 'Too long', code: 'too_long' }])
      })

      it('answers internal when `answer` throws anything else', () => {
        const answers: Outcome[] = []
        peer.receive({ action: () => 1, before: [], answer: (outcome) => refusesError(outcome, answers) })
        expect(answers).to.deep.equal([internal])
        expect(onerror.firstCall.args[0]).to.have.property('message', 'secret')
      })

      it('answers internal when an error that is called back cannot be read', () => {
        const { answers, callback } = waiting(peer)
        const cause = new Error('secret')
        const unreadable = Object.defineProperty(new Error('no'), 'details', {
          enumerable: true,
          get: () => throwIt(cause),
        })
        expect(() => callback(unreadable)).not.to.throw()
        expect(answers).to.deep.equal([internal])
        expect(onerror.args).to.deep.equal([[cause, undefined]])
      })
    })

    describe('honors the limit of `callsIn`', () => {
      it('answers too_many_calls at it, and does not call the function', () => {
        for (let call = 0; call < limits.callsIn; call += 1) waiting(peer)
        const action = sinon.spy()
        expect(received(peer, action)).to.deep.equal([
          {
            error: {
              message: 'Too many calls in flight: calls (limit 3)',
              code: 'too_many_calls',
              data: { field: 'calls', limit: 3 },
            },
            code: 'too_many_calls',
          },
        ])
        expect(action.called).to.equal(false)
      })

      it('takes calls again when one is answered', () => {
        const [first] = [waiting(peer), waiting(peer), waiting(peer)]
        first.callback(null, 1)
        expect(received(peer, () => 2)).to.deep.equal([{ data: 2 }])
      })

      it('takes calls again when one has timed out', () => {
        for (let call = 0; call < limits.callsIn; call += 1) waiting(peer)
        clock.tick(1_000)
        expect(received(peer, () => 2)).to.deep.equal([{ data: 2 }])
      })

      it('does not count calls that are answered at once', () => {
        for (let call = 0; call < 10; call += 1)
          expect(received(peer, () => call)).to.deep.equal([{ data: call }])
      })
    })

    describe('honors the limit of `callBytes`', () => {
      beforeEach(() => {
        peer = new RpcPeer({ ...limits, callsIn: 10, callBytes: 100 }, { threw: onerror }, createTimeouts())
      })

      /** A call of this many bytes that runs until its callback is called. */
      function call(bytes: number) {
        const answers: Outcome[] = []
        let callback: Callback = () => {}
        const action = (_data: unknown, given: Callback) => {
          callback = given
        }
        peer.receive({ ...incoming(action, answers), bytes })
        return { answers, callback: (...args: Parameters<Callback>) => callback(...args) }
      }
      const isRefused = ({ answers }: ReturnType<typeof call>) =>
        answers.some((answer) => 'code' in answer && answer.code === 'too_many_calls')

      it('answers too_many_calls, naming it, to a call that does not fit beside those that run', () => {
        call(60)
        expect(call(41).answers).to.deep.equal([
          {
            error: {
              message: 'Too many calls in flight: callBytes (limit 100)',
              code: 'too_many_calls',
              data: { field: 'callBytes', limit: 100 },
            },
            code: 'too_many_calls',
          },
        ])
        expect([isRefused(call(40)), isRefused(call(1))]).to.deep.equal([false, true])
      })

      it('takes a larger call when no other runs', () => {
        const large = call(1000)
        expect([isRefused(large), isRefused(call(1))]).to.deep.equal([false, true])
        large.callback(null, 1)
        expect(isRefused(call(1000))).to.equal(false)
      })

      it('gives each call’s bytes back once, however it ends', () => {
        for (let round = 0; round < 3; round += 1) {
          const calls = [call(40), call(40)] as const
          calls[0].callback(null, 1)
          calls[0].callback(null, 2)
          clock.tick(1_000)
          calls[1].callback(null, 1)
        }
        call(60)
        expect([isRefused(call(41)), isRefused(call(40))]).to.deep.equal([true, false])
      })

      it('counts nothing of a connection that is gone', () => {
        const gone = call(60)
        peer.disconnect(new RpcError('connection_lost'))
        call(60)
        gone.callback(null, 1)
        expect([isRefused(call(41)), isRefused(call(40))]).to.deep.equal([true, false])
      })
    })
  })
})

function back(error: unknown): Action {
  return (_data: unknown, callback: Callback) => callback(error, 'not sent')
}

function backAndReturn(_data: unknown, callback: Callback): string {
  callback(null, 'called back')
  return 'returned'
}

function backTwice(_data: unknown, callback: Callback): void {
  callback(null, 'first')
  callback('second')
}

function backAndThrow(_data: unknown, callback: Callback): never {
  callback(null, 'called back')
  throw new Error('secret')
}

async function backAndResolve(_data: unknown, callback: Callback): Promise<string> {
  callback(null, 'called back')
  return 'resolved'
}

async function backAndReject(_data: unknown, callback: Callback): Promise<never> {
  callback(null, 'called back')
  throw new Error('secret')
}

function throwAtOnce(_data: unknown, _callback: Callback): never {
  throw new Error('secret')
}

async function rejectAtOnce(_data: unknown, _callback: Callback): Promise<never> {
  throw new Error('secret')
}

function resolveWith(data: unknown): Action {
  return async (_data: unknown, _callback: Callback) => data
}

function thenable(data: unknown): Action {
  return () => Object.defineProperty({}, 'then', { value: (done: (data: unknown) => void) => done(data) })
}

function thenThrows(): object {
  return Object.defineProperty({}, 'then', { get: () => throwIt(new Error('secret')) })
}
