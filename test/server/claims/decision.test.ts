import { expect } from 'chai'
import { type Decision, mergeDecisions } from '#server/claims/decision.js'

describe('mergeVerdicts', () => {
  const cases: [verdicts: Decision[], merged: Decision][] = [
    [[], undefined],
    [[undefined, undefined], undefined],
    [[true], true],
    [[undefined, true], true],
    [[true, true], true],
    [[false], false],
    [[true, false], false],
    [[false, true], false],
    [[undefined, false, undefined], false],
    [[true, undefined, true, true, false, true], false],
  ]
  for (const [verdicts, merged] of cases) {
    it(`gives ${merged} for [${verdicts.join(', ')}]`, () => {
      expect(mergeDecisions(verdicts)).to.equal(merged)
    })
  }
})
