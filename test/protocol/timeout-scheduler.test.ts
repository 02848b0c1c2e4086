import { TimeoutScheduler } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { collectGarbage } from '../garbage.js'
import { inNodeOnly } from '../only-in.js'
import { Random } from './random.js'

describe('TimeoutScheduler', () => {
  let clock: sinon.SinonFakeTimers
  let expired: string[]
  let deadlines: TimeoutScheduler<string>

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    expired = []
    deadlines = new TimeoutScheduler((key) => expired.push(key))
  })

  afterEach(() => sinon.restore())

  it('loses none that is due where the callback of another throws', () => {
    const fails = new TimeoutScheduler<string>((key) => {
      expired.push(key)
      if (key !== 'c') throw new Error(key)
    })
    for (const key of ['a', 'b', 'c']) fails.set(key, 100)
    expect(() => clock.tick(100)).to.throw('a')
    expect(() => clock.tick(1)).to.throw('b')
    clock.tick(1)
    expect(expired).to.deep.equal(['a', 'b', 'c'])
    expect(clock.countTimers()).to.equal(0)
  })

  describe('#set', () => {
    it('calls back for the key when its time has come, once', () => {
      deadlines.set('a', 100)
      clock.tick(99)
      expect(expired).to.deep.equal([])
      clock.tick(1)
      expect(expired).to.deep.equal(['a'])
      clock.tick(10_000)
      expect(expired).to.deep.equal(['a'])
    })

    it('calls back for each key at its own time, whatever the order in which they were set', () => {
      deadlines.set('late', 300)
      deadlines.set('early', 100)
      deadlines.set('middle', 200)
      clock.tick(100)
      expect(expired).to.deep.equal(['early'])
      clock.tick(100)
      expect(expired).to.deep.equal(['early', 'middle'])
      clock.tick(100)
      expect(expired).to.deep.equal(['early', 'middle', 'late'])
    })

    it('moves a deadline to a later time', () => {
      deadlines.set('a', 100)
      clock.tick(50)
      deadlines.set('a', 100)
      clock.tick(99)
      expect(expired).to.deep.equal([])
      clock.tick(1)
      expect(expired).to.deep.equal(['a'])
    })

    it('moves a deadline to an earlier time', () => {
      deadlines.set('a', 1_000)
      deadlines.set('a', 10)
      clock.tick(10)
      expect(expired).to.deep.equal(['a'])
      clock.tick(1_000)
      expect(expired).to.deep.equal(['a'])
    })

    it('calls back soon when the time has passed already', () => {
      deadlines.set('a', -5)
      expect(expired).to.deep.equal([])
      clock.tick(1)
      expect(expired).to.deep.equal(['a'])
    })

    it('never calls back before the time when a wait is no whole number', () => {
      deadlines.set('a', 0.5)
      clock.tick(1)
      expect(expired).to.deep.equal(['a'])
    })

    for (const never of [0, Number.POSITIVE_INFINITY, Number.NaN]) {
      it(`sets no deadline for ${never}`, () => {
        deadlines.set('a', never)
        expect(clock.countTimers()).to.equal(0)
      })

      it(`takes a deadline away for ${never}`, () => {
        deadlines.set('a', 100)
        deadlines.set('a', never)
        deadlines.set('b', 200)
        clock.tick(1_000)
        expect(expired).to.deep.equal(['b'])
        expect(clock.countTimers()).to.equal(0)
      })
    }

    it('waits longer than a timer can', () => {
      const wait = 2 ** 31 + 1_000
      const timers = sinon.spy(globalThis, 'setTimeout')
      deadlines.set('a', wait)
      expect(timers.firstCall.args[1]).to.equal(2 ** 31 - 1)
      timers.restore()
      clock.tick(wait - 1)
      expect(expired).to.deep.equal([])
      clock.tick(1)
      expect(expired).to.deep.equal(['a'])
    })

    it('lets the callback set a deadline again', () => {
      const again = new TimeoutScheduler<string>((key) => {
        expired.push(key)
        if (expired.length < 3) again.set(key, 100)
      })
      again.set('a', 100)
      clock.tick(1_000)
      expect(expired).to.deep.equal(['a', 'a', 'a'])
    })

    it('uses one timer for many keys', () => {
      for (let key = 0; key < 100; key += 1) deadlines.set(`${key}`, 1_000 - key)
      expect(clock.countTimers()).to.equal(1)
    })

    it('manages more keys than a function can have arguments', () => {
      const counts = { expired: 0 }
      const many = new TimeoutScheduler<number>(() => {
        counts.expired += 1
      })
      many.set(-1, 10)
      for (let key = 0; key < 300_000; key += 1) many.set(key, 100)
      clock.tick(10)
      expect(counts.expired).to.equal(1)
      clock.tick(90)
      expect(counts.expired).to.equal(300_001)
    })

    it('works with timers that are numbers, as in browsers', () => {
      const { setTimeout: fake } = globalThis
      const numbers = sinon.stub(globalThis, 'setTimeout').callsFake(((act: () => void, wait: number) => {
        return Number(fake(act, wait))
      }) as typeof setTimeout)
      try {
        deadlines.set('a', 100)
        expect(numbers.returnValues).to.have.length(1)
        expect(numbers.returnValues[0]).to.be.a('number')
        clock.tick(100)
        expect(expired).to.deep.equal(['a'])
      } finally {
        numbers.restore()
      }
    })

    inNodeOnly('it names the timers that keep it alive').it('does not keep the process alive', () => {
      clock.restore()
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
      const before = timers()
      const control = setTimeout(() => {}, 60_000)
      expect(timers()).to.equal(before + 1)
      clearTimeout(control)
      deadlines.set('a', 60_000)
      expect(timers()).to.equal(before)
      deadlines.clear()
    })
  })

  describe('#delete', () => {
    it('takes a deadline away, and leaves the others', () => {
      deadlines.set('a', 100)
      deadlines.set('b', 200)
      deadlines.delete('a')
      clock.tick(200)
      expect(expired).to.deep.equal(['b'])
    })

    it('ignores a key that has none', () => {
      deadlines.set('a', 100)
      deadlines.delete('b')
      clock.tick(100)
      expect(expired).to.deep.equal(['a'])
    })

    it('leaves no timer behind for longer than the last deadline', () => {
      deadlines.set('a', 100)
      deadlines.delete('a')
      clock.tick(100)
      expect(clock.countTimers()).to.equal(0)
      expect(expired).to.deep.equal([])
    })
  })

  for (const seed of [1, 2, 3, 4, 5]) {
    it(`does what a list of all deadlines would do, and keeps nothing in the end (seed ${seed})`, () => {
      const random = new Random(seed)
      const model = new Map<string, { time: number; order: number }>()
      const expected: string[] = []
      let now = 0
      const wait = () => random.pick([1, 5, 5, 100, 1 + random.number(300), (1 + random.number(1e6)) / 1e4])
      const advance = (by: number) => {
        now += by
        const due = [...model].filter(([, { time }]) => time <= now)
        due.sort(([, left], [, right]) => left.time - right.time || left.order - right.order)
        for (const [key] of due) {
          expected.push(key)
          model.delete(key)
        }
        clock.tick(by)
      }
      for (let step = 0; step < 2_000; step += 1) {
        const key = `${random.number(60)}`
        const next = wait()
        // The time of a fake clock is whole milliseconds: at each of them it looks at once at what is due.
        const what = random.number(4)
        if (what === 0) deadlines.delete(key)
        else if (what < 3) deadlines.set(key, next)
        if (what < 3) model.delete(key)
        if (what === 1 || what === 2) model.set(key, { time: now + next, order: step })
        if (what === 3) for (let ms = random.number(20); ms > 0; ms -= 1) advance(1)
        expect(deadlines.size).to.equal(model.size)
      }
      for (const key of [...model.keys()].slice(0, 20)) {
        deadlines.delete(key)
        model.delete(key)
      }
      while (model.size > 0) advance(1)
      expect(expired).to.deep.equal(expected)
      expect(deadlines.size).to.equal(0)
      clock.tick(1_000)
      expect(clock.countTimers()).to.equal(0)
    })
  }

  it('keeps nothing for deadlines that were taken away, however different their waits were', () => {
    const used = () => {
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const run = (from: number) => {
      for (let wait = from; wait < from + 50_000; wait += 1) {
        deadlines.set('a', wait)
        deadlines.delete('a')
      }
    }
    deadlines.set('stays', 1_000)
    run(1_000)
    const before = used()
    run(100_000)
    // A wait that were kept would take 244 bytes, together 12 MB.
    expect(used() - before).to.be.below(2_000_000)
  })

  describe('#clear', () => {
    it('takes all deadlines and the timer away', () => {
      deadlines.set('a', 100)
      deadlines.set('b', 200)
      deadlines.clear()
      expect(clock.countTimers()).to.equal(0)
      clock.tick(1_000)
      expect(expired).to.deep.equal([])
    })

    it('can be called when there are none', () => {
      deadlines.clear()
      expect(clock.countTimers()).to.equal(0)
    })

    it('leaves it usable', () => {
      deadlines.set('a', 100)
      deadlines.clear()
      deadlines.set('b', 200)
      clock.tick(200)
      expect(expired).to.deep.equal(['b'])
    })
  })
})
