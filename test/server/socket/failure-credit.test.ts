import { expect } from 'chai'
import fc from 'fast-check'
import { FailureCredit } from '#server/socket/failure-credit.js'

const PERIOD = 30_000

describe('FailureCredit', () => {
  it('counts the last 1,000 once, for a period at least and two at most; later ones are late, others unasked', () => {
    const step = fc.record({
      wait: fc.constantFrom(0, 1, 10_000, 29_999, 30_000, 59_999, 60_000, 10 ** 7),
      adds: fc.constantFrom(0, 1, 3, 999, 1000, 1500),
      takes: fc.constantFrom(0, 1, 5, 1001, 3000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const credit = new FailureCredit(PERIOD)
        const sent: number[] = []
        let now = 0
        let open = 0
        for (const { wait, adds, takes } of steps) {
          now += wait
          for (let count = 0; count < adds; count += 1) credit.add(now)
          for (let count = 0; count < adds; count += 1) sent.push(now)
          open += adds
          const recent = sent.filter((time) => now - time < 2 * PERIOD).length
          const answers = { counts: 0, late: 0, unasked: 0 }
          for (let count = 0; count < takes; count += 1) answers[credit.take(now)] += 1
          expect(answers.counts).to.be.within(Math.min(takes, adds, 1000), Math.min(recent, 1000))
          expect(answers.counts + answers.late).to.equal(Math.min(takes, open))
          open -= answers.counts + answers.late
        }
      }),
    )
  })
})
