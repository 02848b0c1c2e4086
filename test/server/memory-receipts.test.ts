import { expect } from 'chai'
import { MemoryReceipts } from '#server/engine/memory-receipts.js'

const RECEIPT = { id: '01J00000000000000000000000' }

describe('MemoryReceipts', () => {
  let receipts: MemoryReceipts

  afterEach(() => receipts.clear())

  it('forgets the oldest of all over its limit, and then knows one more key of its owner', () => {
    receipts = new MemoryReceipts(2)
    for (const key of ['a', 'b', 'c'])
      receipts.put('room', { idempotencyKey: key, keyOwner: `owner ${key}` }, RECEIPT)
    const known = ['a', 'b', 'c'].map((idempotencyKey) => receipts.get('room', { idempotencyKey }))
    expect(known).to.deep.equal([undefined, RECEIPT, RECEIPT])
    receipts.put('room', { idempotencyKey: 'a', keyOwner: 'owner a' }, RECEIPT)
    expect(receipts.get('room', { idempotencyKey: 'a' })).to.equal(RECEIPT)
  })

  it('forgets the oldest in the same time, however many went before', function () {
    this.timeout(8000)
    const limit = 100_000
    receipts = new MemoryReceipts(limit)
    for (let at = 0; at < 3 * limit; at += 1) receipts.put('room', { idempotencyKey: `k${at}` }, RECEIPT)
    expect(receipts.get('room', { idempotencyKey: `k${2 * limit - 1}` })).to.equal(undefined)
    expect(receipts.get('room', { idempotencyKey: `k${2 * limit}` })).to.equal(RECEIPT)
  })
})
