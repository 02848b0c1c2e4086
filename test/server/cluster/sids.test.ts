import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { nodeOf, sidOf } from '#server/cluster/sids.js'

describe('the id of a socket', () => {
  it('has its node', () => {
    for (const node of ['a', 'a-b_C', 'n'.repeat(64)])
      expect(nodeOf(sidOf(randomUUID(), node))).to.equal(node)
  })

  it('is short and plain: others are of no node, and no node is asked about them', () => {
    const wrong = [
      '',
      'a',
      '.a',
      'a.',
      `${'a'.repeat(65)}.node`,
      `a.${'n'.repeat(65)}`,
      'a\u0000.node',
      'a.b.node',
    ]
    for (const sid of wrong) expect(nodeOf(sid)).to.equal(undefined)
  })
})
