import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { decide, type VetoCallback, type VetoListener } from '#server/claims/vetoes.js'

const socket = { sid: 's' }
const data = { channel: 'a' }

describe('decide', () => {
  let clock: sinon.SinonFakeTimers
  let onerror: sinon.SinonSpy
  let onwrong: sinon.SinonSpy

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onerror = sinon.spy()
    onwrong = sinon.spy()
  })

  afterEach(() => sinon.restore())

  function ask(listeners: readonly VetoListener[], emptyMeansYes = false) {
    return decide(listeners, [socket, data], { timeout: 5000, emptyMeansYes, onerror, onwrong })
  }

  /** `yes`, or the code of the error, or what else was refused with. */
  async function verdict(listeners: readonly VetoListener[], emptyMeansYes = false): Promise<unknown> {
    const asked = ask(listeners, emptyMeansYes)
    await clock.tickAsync(5000)
    const refusal = await asked
    if (!refusal) return 'yes'
    return RpcError.is(refusal.error) ? refusal.error.code : refusal.error
  }

  type Answer = (callback: VetoCallback) => unknown
  const byCallback =
    (answer: Answer): VetoListener =>
    (_socket: unknown, _data: unknown, callback: VetoCallback) =>
      answer(callback)

  /** Answers, then returns a value. */
  const returning =
    (answer: (callback: VetoCallback) => void, value: unknown): Answer =>
    (callback) => {
      answer(callback)
      return value
    }

  it('says yes when nobody listens', async () => {
    expect(await verdict([])).to.equal('yes')
  })

  it('gives each listener the arguments and a callback', async () => {
    const listener = sinon.spy((..._args: unknown[]) => true)
    await ask([listener, listener])
    expect(listener.callCount).to.equal(2)
    for (const args of listener.args) {
      expect(args.slice(0, 2)).to.deep.equal([socket, data])
      expect(args[2]).to.be.a('function')
    }
  })

  const failure = new Error('no')
  const yes: VetoCallback = () => {}
  const bound = (answer: Answer, ...args: unknown[]) => answer(args[2] as VetoCallback)
  /** Listeners that hide whether they take the callback. */
  const hidden: [what: string, wrap: (answer: Answer) => VetoListener][] = [
    ['with three parameters', byCallback],
    [
      'with rest parameters',
      (answer) =>
        (...args) =>
          answer(args[2] as VetoCallback),
    ],
    [
      'with a default parameter',
      (answer) =>
        (_s: unknown, _d: unknown, callback: unknown = yes) =>
          answer(callback as VetoCallback),
    ],
    ['that is bound to its callback’s place', (answer) => bound.bind(undefined, answer) as VetoListener],
  ]
  const rows: [what: string, answer: Answer, verdict: unknown][] = [
    ['it returns true', () => true, 'yes'],
    ['it returns false', () => false, 'forbidden'],
    ['it returns nothing', () => {}, 'veto_timeout'],
    ['it returns null', () => null, 'veto_timeout'],
    ['it returns 0', () => 0, 'veto_timeout'],
    ['it returns 1', () => 1, 'veto_timeout'],
    ["it returns 'yes'", () => 'yes', 'veto_timeout'],
    ['it returns an object', () => ({ allowed: true }), 'veto_timeout'],
    ['it resolves true', async () => true, 'yes'],
    ['it resolves false', async () => false, 'forbidden'],
    ['it resolves nothing', async () => {}, 'forbidden'],
    ['it resolves 1', async () => 1, 'forbidden'],
    ["it resolves 'yes'", async () => 'yes', 'forbidden'],
    ['callback(null, true)', (callback) => callback(null, true), 'yes'],
    ['callback(undefined, 1)', (callback) => callback(undefined, 1), 'yes'],
    ['callback(null, false)', (callback) => callback(null, false), 'forbidden'],
    ['callback(null, null)', (callback) => callback(null, null), 'forbidden'],
    ['callback(null)', (callback) => callback(null), 'forbidden'],
    ['callback()', (callback) => callback(), 'forbidden'],
    ['callback(error)', (callback) => callback(failure), failure],
    ['callback(error, true)', (callback) => callback('text', true), 'text'],
    ['callback, later', (callback) => void setImmediate(() => callback(null, true)), 'yes'],
    [
      'callback, later, and it returns a number',
      returning((callback) => void setImmediate(() => callback(null, true)), 1),
      'yes',
    ],
    ['callback, and it resolves nothing', async (callback) => callback(null, true), 'yes'],
    [
      'callback, after it has resolved nothing',
      async (callback) => void setImmediate(() => callback(null, true)),
      'forbidden',
    ],
    [
      'callback(null, true), and it returns false',
      returning((callback) => callback(null, true), false),
      'yes',
    ],
    [
      'callback(null, false), and it returns true',
      returning((callback) => callback(null, false), true),
      'forbidden',
    ],
  ]
  for (const [how, wrap] of hidden) {
    describe(`asks a listener ${how}, and`, () => {
      for (const [what, answer, expected] of rows) {
        it(`${expected === 'yes' ? 'allows' : 'refuses'}: ${what}`, async () => {
          expect(await verdict([wrap(answer)])).to.equal(expected)
          expect(onerror.called).to.equal(false)
        })
      }
    })
  }

  describe('reports an answer that is neither true nor false', () => {
    const wrong: [what: string, listener: VetoListener, answer: unknown][] = [
      ['returns nothing', () => {}, undefined],
      ["returns 'yes'", () => 'yes', 'yes'],
      ['returns null', () => null, null],
      ['resolves nothing', async () => {}, undefined],
      ['resolves 1, though it declares the callback', byCallback(async () => 1), 1],
    ]
    for (const [what, listener, answer] of wrong) {
      it(`of a listener that ${what}, at once`, async () => {
        void ask([listener])
        await new Promise<void>((resolve) => setImmediate(resolve))
        expect(onwrong.args).to.deep.equal([[answer]])
        clock.tick(5000)
      })
    }

    it('of no listener that answers, or may still call back', async () => {
      const listeners = [
        () => true,
        async () => true,
        byCallback((callback) => callback(null, true)),
        byCallback(async (callback) => callback(null, true)),
        byCallback(returning((callback) => void setImmediate(() => callback(null, true)), 1)),
      ]
      expect(await verdict(listeners)).to.equal('yes')
      expect(await verdict([() => false, async () => false])).to.equal('forbidden')
      expect(onwrong.called).to.equal(false)
    })
  })

  for (const [what, answer, expected] of [
    ['callback()', (callback) => callback(), 'yes'],
    ['callback(null)', (callback) => callback(null), 'yes'],
    ['callback(null, true)', (callback) => callback(null, true), 'yes'],
    ['callback(null, false)', (callback) => callback(null, false), 'forbidden'],
    ['callback(null, null)', (callback) => callback(null, null), 'forbidden'],
    ['callback(error)', (callback) => callback(failure), failure],
  ] as [string, Answer, unknown][]) {
    it(`says ${expected === 'yes' ? 'yes' : 'no'} on ${what} with \`emptyMeansYes\``, async () => {
      expect(await verdict([byCallback(answer)], true)).to.equal(expected)
    })
  }

  describe('where a yes is needed', () => {
    const rows: [what: string, listeners: VetoListener[], verdict: unknown][] = [
      ['nobody listens', [], 'forbidden'],
      ['a listener returns true', [() => true], 'yes'],
      ['one returns true, another false', [() => true, () => false], 'forbidden'],
      ['callback(null, true)', [byCallback((callback) => callback(null, true))], 'yes'],
      ['callback(error, true)', [byCallback((callback) => callback(failure, true))], failure],
    ]
    for (const [what, listeners, expected] of rows) {
      it(`says ${expected === 'yes' ? 'yes' : 'no'} on: ${what}`, async () => {
        const refusal = await decide(listeners, [socket, data], { timeout: 5000, needsYes: true, onerror })
        const error = refusal?.error
        expect(refusal ? (RpcError.is(error) ? error.code : error) : 'yes').to.equal(expected)
      })
    }
  })

  describe('when a listener throws', () => {
    const throwers: [string, VetoListener][] = [
      [
        'at once',
        () => {
          throw failure
        },
      ],
      ['by rejecting', () => Promise.reject(failure)],
      [
        'though it declares the callback',
        byCallback(() => {
          throw failure
        }),
      ],
    ]
    for (const [how, listener] of throwers) {
      it(`says no and tells the cause to onerror only (${how})`, async () => {
        expect(await verdict([listener])).to.equal('forbidden')
        expect(onerror.args).to.deep.equal([[failure]])
      })
    }

    it('tells onerror what it throws after it has called back; the first answer of a promise stays', async () => {
      const thrower = byCallback((callback) => {
        callback(null, true)
        throw failure
      })
      expect(await verdict([thrower])).to.equal('forbidden')
      const rejecter = byCallback(async (callback) => {
        callback(null, true)
        throw failure
      })
      expect(await verdict([rejecter])).to.equal('yes')
      expect(onerror.args).to.deep.equal([[failure], [failure]])
    })

    it('says no with the very error if it is an RpcError, and nothing to onerror: it was meant', async () => {
      const refused = new RpcError('sold_out', 'Sold out')
      expect(await ask([() => Promise.reject(refused)])).to.deep.equal({ error: refused })
      expect(onerror.called).to.equal(false)
    })
  })

  describe('with several listeners', () => {
    const yes = byCallback((callback) => callback(null, true))
    const no = byCallback((callback) => callback(null, false))
    const never = byCallback(() => {})

    it('says yes only when all do', async () => {
      expect(await verdict([yes, yes, () => true])).to.equal('yes')
      expect(await verdict([yes, no, yes])).to.equal('forbidden')
      expect(await verdict([yes, yes, () => false])).to.equal('forbidden')
    })

    it('says no at the first no, without waiting for the others', async () => {
      clock.reset()
      expect(await verdict([never, no])).to.equal('forbidden')
      expect(clock.countTimers()).to.equal(0)
    })

    it('asks all of them at once', async () => {
      const second = sinon.spy()
      const refusal = ask([never, second])
      expect(second.callCount).to.equal(1)
      clock.tick(5000)
      await refusal
    })

    it('counts a listener that calls back twice once', async () => {
      const twice = byCallback((callback) => {
        callback(null, true)
        callback(null, true)
      })
      let settled = false
      const refusal = ask([twice, never]).then((outcome) => {
        settled = true
        return outcome
      })
      await Promise.resolve()
      await new Promise<void>((resolve) => setImmediate(resolve))
      expect(settled).to.equal(false)
      clock.tick(5000)
      expect(await refusal).to.have.property('error')
    })

    it('keeps to the first answer of a listener that changes its mind', async () => {
      const fickle = byCallback((callback) => {
        callback(null, false)
        callback(null, true)
      })
      expect(await verdict([fickle])).to.equal('forbidden')
    })
  })

  describe('when a listener does not answer', () => {
    const never = byCallback(() => {})

    it('says no after the time-out, with its name and limit', async () => {
      const settled = sinon.spy()
      const refusal = ask([never])
      void refusal.then(settled)
      await clock.tickAsync(4999)
      expect(settled.callCount).to.equal(0)
      clock.tick(1)
      const error = (await refusal)?.error as RpcError
      expect(error.code).to.equal('veto_timeout')
      expect(error.data).to.deep.equal({ field: 'vetoTimeout', limit: 5000 })
    })

    it('tells the server of it, once, and of no listener that answers', async () => {
      const ontimeout = sinon.spy()
      const options = { timeout: 5000, onerror() {}, ontimeout }
      const answers = byCallback((callback) => callback(null, true))
      expect(await decide([answers], [{}, {}], options)).to.equal(undefined)
      const refusal = decide([never, never], [{}, {}], options)
      await clock.tickAsync(5000)
      await refusal
      expect(ontimeout.callCount).to.equal(1)
    })

    it('does not change its mind when the answer comes late', async () => {
      let late: VetoCallback = () => {}
      const refusal = ask([
        byCallback((callback) => {
          late = callback
        }),
      ])
      clock.tick(5000)
      late(null, true)
      expect((await refusal)?.error).to.have.property('code', 'veto_timeout')
    })

    it('leaves no timer when it answers', async () => {
      clock.reset()
      await ask([() => true])
      expect(clock.countTimers()).to.equal(0)
    })
  })
})
