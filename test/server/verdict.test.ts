import { expect } from 'chai'
import { mergeVerdicts, type Verdict } from '#server/claims/decision.js'

describe('mergeVerdicts', () => {
  const cases: [verdicts: Verdict[], merged: Verdict][] = [
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
      expect(mergeVerdicts(verdicts)).to.equal(merged)
    })
  }
})
