/** The emitter of the script-tag files beside EventEmitter3, whose methods it promises. */
import { expect } from 'chai'
import { EventEmitter } from 'eventemitter3'
import { EventEmitter as SlimEmitter } from '../../scripts/slim-emitter.mjs'

const ROUNDS = 1000
const STEPS = 25

type Method = (...args: unknown[]) => unknown
type Emitter = Readonly<Record<string, unknown>>

const symbol = Symbol('event')
const events = ['a', 'b', '7', '', symbol, '__proto__', 'toString']
const listeners = [() => 1, () => 2, () => 3]
const contexts = [undefined, null, {}, {}]
const methods = [
  'on',
  'addListener',
  'once',
  'off',
  'removeListener',
  'removeAllListeners',
  'listeners',
  'listenerCount',
]

/** Numbers that look random and are the same for a seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** What a call gives; of an emitter, that it is this one, and of an error, its text. */
function outcomeOf(emitter: Emitter, method: string, args: readonly unknown[]): unknown {
  try {
    const result = (emitter[method] as Method).apply(emitter, [...args])
    return result === emitter ? 'itself' : result
  } catch (error) {
    return String(error)
  }
}

/** What `emit` reads: each event's listeners, with what they are called on. */
function keptIn(emitter: Emitter): unknown {
  const kept = emitter._events as Readonly<Record<PropertyKey, object>>
  return Reflect.ownKeys(kept).map((event) => [
    event,
    [kept[event]].flat().map((one) => {
      const { context, ...rest } = one as { readonly context: unknown }
      return { ...rest, context: context === emitter ? 'itself' : context }
    }),
  ])
}

describe('the emitter of the client’s scripts', () => {
  it(`does what EventEmitter3 does, in ${ROUNDS} rounds of ${STEPS} calls`, () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const below = numbers(round)
      const one = <Value>(values: readonly Value[]) => values[below(values.length)]
      const pair = [new EventEmitter(), new SlimEmitter()] as unknown as readonly [Emitter, Emitter]
      for (let step = 0; step < STEPS; step += 1) {
        const method = one(methods) ?? ''
        const args = [
          one(events),
          one([...listeners, undefined]),
          one(contexts),
          one([true, false, undefined]),
        ]
        const call = args.slice(0, 1 + below(4))
        const where = `round ${round}, step ${step}: ${method}`
        const [expected, actual] = pair.map((emitter) => outcomeOf(emitter, method, call))
        expect(actual, where).to.deep.equal(expected)
        const [before, now] = pair.map(keptIn)
        expect(now, where).to.deep.equal(before)
      }
    }
  })

  it('has every method of EventEmitter3 but emit', () => {
    const inherited = (of: object) =>
      Reflect.ownKeys(of).filter((name) => name !== 'constructor' && name !== 'emit')
    expect(inherited(SlimEmitter.prototype)).to.have.members(inherited(EventEmitter.prototype))
  })

  it('leaves a list that is gone through as it is when a listener is taken away', () => {
    const emitter = new SlimEmitter()
    const [first, second] = [() => {}, () => {}]
    emitter.on('a', first, undefined)
    emitter.on('a', second, undefined)
    const list = emitter._events.a as readonly unknown[]
    emitter.removeListener('a', first, undefined, undefined)
    expect(list).to.have.length(2)
  })
})
