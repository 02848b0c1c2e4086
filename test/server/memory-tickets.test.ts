import { expect } from 'chai'
import sinon from 'sinon'
import { MemoryTickets } from '#server/engine/memory-tickets.js'
import { rejection } from '../protocol/rejection.js'

describe('MemoryTickets', () => {
  let tickets: MemoryTickets

  beforeEach(() => {
    tickets = new MemoryTickets({ tickets: 100, ticketBytes: 400 })
  })
  afterEach(() => tickets.clear())

  const put = (id: string, bytes: number, ...owners: readonly string[]) =>
    tickets.put({
      id,
      json: 'x'.repeat(bytes),
      ttl: 60_000,
      owners: owners.map((name) => ({ name, limit: 10 })),
    })

  it('gives one owner a quarter of the bytes, and lets its oldest go beyond that', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await put(id, 40, 'ann')
    await put('x', 100, 'ben')
    expect(tickets.size).to.deep.equal({ tickets: 3, owners: 2, bytes: 180 })
    expect([await tickets.take('b'), (await tickets.take('c'))?.length]).to.deep.equal([undefined, 40])
  })

  it('refuses one that no owner could keep', async () => {
    const error = await rejection(put('a', 101, 'ann'))
    expect(error).to.deep.include({ code: 'too_many_tickets', data: { field: 'ticketBytes', limit: 100 } })
    expect(tickets.size.tickets).to.equal(0)
  })

  it('refuses one for which there is no room in all', async () => {
    for (const owner of ['a', 'b', 'c', 'd']) await put(owner, 100, owner)
    const error = await rejection(put('e', 1, 'e'))
    expect(error).to.deep.include({ code: 'too_many_tickets', data: { field: 'ticketBytes', limit: 400 } })
    await put('f', 100, 'a')
    expect(tickets.size).to.deep.equal({ tickets: 4, owners: 4, bytes: 400 })
  })

  it('keeps nothing of what was taken, put again, or is over', async () => {
    for (const owner of ['ann', 'ben', '__proto__']) await put(owner, 10, owner, 'an address')
    await put('ann', 20, 'eve')
    expect(tickets.size).to.deep.equal({ tickets: 3, owners: 4, bytes: 40 })
    for (const id of ['ann', 'ben', '__proto__', 'ben']) await tickets.take(id)
    expect(tickets.size).to.deep.equal({ tickets: 0, owners: 0, bytes: 0 })
  })

  it('forgets the revocation that is the oldest, over its limit, and knows one that came again as a young one', async () => {
    const evicted: string[] = []
    tickets = new MemoryTickets({ tickets: 2, ticketBytes: 400 }, (limit) => evicted.push(limit))
    for (const owner of ['a', 'b', 'a', 'c']) await tickets.revoke(owner, 60_000)
    const known = await Promise.all(['a', 'b', 'c'].map((owner) => tickets.revoked(owner)))
    expect(known.map((time) => time !== undefined)).to.deep.equal([true, false, true])
    expect(evicted).to.deep.equal(['tickets'])
  })

  it('never looks for the oldest revocation among those that are gone', async () => {
    tickets = new MemoryTickets({ tickets: 10, ticketBytes: 400 })
    const keys = sinon.spy(Map.prototype, 'keys')
    const entries = sinon.spy(Map.prototype, 'entries')
    try {
      for (let at = 0; at < 1000; at += 1) await tickets.revoke(`${at}`, 60_000)
      // An iterator that begins at the front passes all that was deleted there.
      expect(keys.callCount + entries.callCount).to.be.below(20)
    } finally {
      keys.restore()
      entries.restore()
    }
  })
})
