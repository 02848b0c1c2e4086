import type { Engine } from '@token-socket/server/engine'
import { expect } from 'chai'
import { NAMES } from './names.js'
import { rejection } from './rejection.js'
import { describeRevocations } from './revocations.js'
import type { EngineClock, EngineSettings, MakeNodes } from './settings.js'
import { describeTicketOwners } from './ticket-owners.js'

/** The cases of one node. */
export function describeTickets(make: MakeNodes, settings: EngineSettings): void {
  describe('#take', () => {
    it('returns a ticket once', async () => {
      const [{ tickets }] = await make(1)
      await tickets.put({ id: 't', json: '{"auth":{"id":7}}', ttl: 60_000 })
      expect(await tickets.take('t')).to.equal('{"auth":{"id":7}}')
      expect(await tickets.take('t')).to.equal(undefined)
    })

    it('returns undefined for an unknown ticket', async () => {
      const [{ tickets }] = await make(1)
      for (const id of ['t', '', '*', '__proto__', 'constructor', '{t}', '😀']) {
        expect(await tickets.take(id)).to.equal(undefined)
      }
    })

    it('keeps tickets of all ids apart', async () => {
      const [{ tickets }] = await make(1)
      for (const [id] of NAMES) await tickets.put({ id: id, json: JSON.stringify(id), ttl: 60_000 })
      for (const [id] of NAMES) expect(await tickets.take(id)).to.equal(JSON.stringify(id))
    })

    it('returns a ticket to exactly one of several concurrent calls', async () => {
      const [{ tickets }] = await make(1)
      await tickets.put({ id: 't', json: '1', ttl: 60_000 })
      const taken = await Promise.all(Array.from({ length: 50 }, () => tickets.take('t')))
      expect(taken.filter((json) => json !== undefined)).to.deep.equal(['1'])
    })
  })

  describe('#put', () => {
    it('keeps large tickets unchanged', async () => {
      const [{ tickets }] = await make(1)
      const json = JSON.stringify({ text: '😀\u0000'.repeat(50_000) })
      await tickets.put({ id: 't', json: json, ttl: 60_000 })
      expect(await tickets.take('t')).to.equal(json)
    })

    it('rejects with too_many_tickets at the limit, until a ticket is taken', async () => {
      const [{ tickets }] = await make(1, { tickets: 2 })
      for (const id of ['a', 'b']) await tickets.put({ id: id, json: '1', ttl: 60_000 })
      const error = await rejection(tickets.put({ id: 'c', json: '1', ttl: 60_000 }))
      expect(error.code).to.equal('too_many_tickets')
      expect(error.data).to.deep.equal({ field: 'tickets', limit: 2 })
      expect(await tickets.take('c')).to.equal(undefined)
      expect(await tickets.take('a')).to.equal('1')
      await tickets.put({ id: 'c', json: '1', ttl: 60_000 })
    })
  })

  describe('#put with owners', () => describeTicketOwners(make, settings))

  describe('#revoke', () => describeRevocations(make, settings))

  describe('#claim', () => {
    it('is true once', async () => {
      const [{ tickets }] = await make(1)
      const claimed = await Promise.all(Array.from({ length: 50 }, () => tickets.claim('j', 60_000)))
      expect(claimed.filter(Boolean)).to.have.length(1)
      expect(await tickets.claim('j', 60_000)).to.equal(false)
    })

    it('keeps ids apart from one another and from tickets', async () => {
      const [{ tickets }] = await make(1)
      for (const [id] of NAMES) await tickets.put({ id: id, json: '1', ttl: 60_000 })
      for (const [id] of NAMES) expect(await tickets.claim(id, 60_000), id).to.equal(true)
      for (const [id] of NAMES) expect(await tickets.take(id), id).to.equal('1')
      for (const [id] of NAMES) expect(await tickets.claim(id, 60_000), id).to.equal(false)
    })
  })

  describe('as time passes', () => {
    let clock: EngineClock

    beforeEach(() => {
      clock = settings.clock()
    })

    afterEach(() => clock.restore())

    it('remembers a claimed id for its time, and no longer', async () => {
      const [{ tickets }] = await make(1)
      await tickets.claim('short', 500)
      await tickets.claim('long', 50_000)
      await clock.pass(1000)
      expect(await tickets.claim('short', 500)).to.equal(true)
      expect(await tickets.claim('long', 500)).to.equal(false)
    })

    it('keeps a ticket for its time, and no longer', async () => {
      const [{ tickets }] = await make(1)
      await tickets.put({ id: 'short', json: '1', ttl: 500 })
      await tickets.put({ id: 'long', json: '2', ttl: 60_000 })
      await clock.pass(1000)
      expect(await tickets.take('short')).to.equal(undefined)
      expect(await tickets.take('long')).to.equal('2')
    })

    it('keeps a ticket until its time is over', async () => {
      const [{ tickets }] = await make(1)
      await tickets.put({ id: 't', json: '1', ttl: 10_000 })
      await clock.pass(1000)
      expect(await tickets.take('t')).to.equal('1')
    })

    it('does not count expired tickets', async () => {
      const [{ tickets }] = await make(1, { tickets: 1 })
      await tickets.put({ id: 'a', json: '1', ttl: 500 })
      await clock.pass(1000)
      await tickets.put({ id: 'b', json: '2', ttl: 60_000 })
      expect(await tickets.take('b')).to.equal('2')
    })
  })
}

/** The cases of several nodes. */
export function describeSharedTickets(make: MakeNodes): void {
  it('returns a ticket to any node', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    await one.tickets.put({ id: 't', json: '1', ttl: 60_000 })
    expect(await two.tickets.take('t')).to.equal('1')
    expect(await one.tickets.take('t')).to.equal(undefined)
  })

  it('revokes the tickets of an owner on every node', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    await one.tickets.put({ id: 't', json: '1', ttl: 60_000, owners: [{ name: 'uid:ann', limit: 5 }] })
    await two.tickets.revoke('uid:ann', 60_000)
    expect(await one.tickets.take('t')).to.equal(undefined)
    expect(await one.tickets.revoked('uid:ann')).to.equal(await two.tickets.revoked('uid:ann'))
  })

  it('returns a ticket to exactly one of several nodes', async () => {
    const all = await make(3)
    for (let round = 0; round < 20; round += 1) {
      await all[0].tickets.put({ id: 't', json: '1', ttl: 60_000 })
      const asked = Array.from({ length: 5 }, () => all.map(({ tickets }) => tickets.take('t'))).flat()
      const taken = await Promise.all(asked)
      expect(taken.filter((json) => json !== undefined)).to.deep.equal(['1'])
    }
  })

  it('keeps a ticket when the node that stored it closes', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    await one.tickets.put({ id: 't', json: '1', ttl: 60_000 })
    await one.close()
    expect(await two.tickets.take('t')).to.equal('1')
  })
}
