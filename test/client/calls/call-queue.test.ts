import { expect } from 'chai'
import { CallQueue } from '#client/calls/call-queue.js'

describe('CallQueue', () => {
  const call = { text: '{}', message: { type: 'ping', id: '1' } } as const

  it('gives the calls out oldest first, once', () => {
    const queue = new CallQueue(10, () => true)
    queue.add('2', call)
    queue.add('1', call)
    expect([queue.takeNext(), queue.takeNext()].map((entry) => entry?.[0])).to.deep.equal(['2', '1'])
    expect(queue.takeNext()).to.equal(undefined)
    expect(queue.size).to.equal(0)
  })

  it('throws `queue_full` above its limit', () => {
    const queue = new CallQueue(1, () => true)
    queue.add('1', call)
    expect(() => queue.add('2', call))
      .to.throw()
      .with.property('code', 'queue_full')
    expect(queue.has('2')).to.equal(false)
  })

  it('forgets calls that have settled', () => {
    const pending = new Set(['1', '2', '3'])
    const queue = new CallQueue(2, (id) => pending.has(id))
    queue.add('1', call)
    queue.add('2', call)
    pending.delete('1')
    queue.add('3', call)
    pending.delete('2')
    expect([queue.takeNext(), queue.takeNext()].map((entry) => entry?.[0])).to.deep.equal(['3', undefined])
  })
})
