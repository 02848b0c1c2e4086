import { expect } from 'chai'
import { TurnThrottle } from '#server/runtime/turn-throttle.js'

/** The event loop goes round: what was to be done in this turn is done, timers and new events too. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('TurnThrottle', () => {
  let passed: number[]
  let throttle: TurnThrottle

  beforeEach(() => {
    passed = []
    throttle = new TurnThrottle()
  })

  const come = (from: number, to: number) => {
    for (let index = from; index < to; index += 1) throttle.run(() => passed.push(index))
  }

  describe('#pass', () => {
    it('lets a few through at once', () => {
      come(0, 5)
      expect(passed).to.deep.equal([0, 1, 2, 3, 4])
    })

    it('lets many through in the order of their coming, some in each turn of the event loop', async () => {
      come(0, 1000)
      const turns = [passed.length]
      while (passed.length < 1000) {
        await turn()
        turns.push(passed.length)
      }
      expect(passed).to.deep.equal(Array.from({ length: 1000 }, (_, index) => index))
      const each = turns.map((now, index) => now - (turns[index - 1] ?? 0))
      expect(Math.max(...each)).to.be.below(100)
    })

    it('lets one more through after 8 ms of work in a turn, and the others later', async () => {
      let now = 0
      throttle = new TurnThrottle(32, () => now)
      for (let index = 0; index < 20; index += 1)
        throttle.run(() => {
          now += 3
          passed.push(index)
        })
      expect(passed).to.deep.equal([0, 1, 2])
      for (let before = 3; passed.length < 20; before = passed.length) {
        await turn()
        expect(passed.length - before).to.be.at.most(6)
      }
      expect(passed).to.deep.equal(Array.from({ length: 20 }, (_, index) => index))
    })

    it('lets nobody overtake those who wait', async () => {
      come(0, 100)
      await turn()
      come(100, 101)
      expect(passed).to.not.include(100)
      while (passed.length < 101) await turn()
      expect(passed.at(-1)).to.equal(100)
    })

    it('counts in a turn those that it lets through in it, whether they have waited or not', async () => {
      come(0, 40)
      const inOneTurn = passed.length
      await turn()
      come(40, 200)
      expect(passed.length).to.equal(2 * inOneTurn)
      while (passed.length < 200) await turn()
    })

    it('lets the others through when one throws', async () => {
      come(0, 40)
      throttle.run(() => {
        throw new Error('of one of them')
      })
      come(40, 60)
      const listeners = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      const thrown = new Promise((resolve) => process.once('uncaughtException', resolve))
      while (passed.length < 60) await turn()
      for (const listener of listeners) process.on('uncaughtException', listener)
      expect(await thrown).to.have.property('message', 'of one of them')
    })

    it('keeps nothing running while nobody comes', async () => {
      come(0, 100)
      while (passed.length < 100) await turn()
      await turn()
      await turn()
      expect(process.getActiveResourcesInfo()).to.not.include('Immediate')
    })
  })
})
