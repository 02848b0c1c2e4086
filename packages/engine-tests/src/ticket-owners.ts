import type { Engine } from '@token-socket/server/engine'
import { expect } from 'chai'
import { NAMES } from './names.js'
import { rejection } from './rejection.js'
import type { EngineSettings, MakeNodes } from './settings.js'

/** The cases of tickets with owners. */
export function describeTicketOwners(make: MakeNodes, settings: EngineSettings): void {
  const ticket = (id: string, ...owners: readonly string[]) => ({
    id,
    json: `"${id}"`,
    ttl: 60_000,
    owners: owners.map((name) => ({ name, limit: 2 })),
  })
  /** Takes tickets. @returns the ids of those that existed */
  const taken = async ({ tickets }: Engine, ids: string) => {
    const found = await Promise.all([...ids].map((id) => tickets.take(id)))
    return found.map((json, at) => (json === `"${ids[at]}"` ? ids[at] : '-')).join('')
  }

  it('removes the oldest ticket of an owner with too many, and none of others', async () => {
    const [engine] = await make(1)
    for (const id of 'abcd') await engine.tickets.put(ticket(id, 'u:ann'))
    for (const id of 'xy') await engine.tickets.put(ticket(id, 'u:ben'))
    expect(await taken(engine, 'abcdxy')).to.equal('--cdxy')
  })

  it('keeps room for other owners', async () => {
    const [engine] = await make(1, { tickets: 3 })
    for (const id of 'abcdefg') await engine.tickets.put(ticket(id, 'u:ann'))
    await engine.tickets.put(ticket('x', 'u:ben'))
    expect((await rejection(engine.tickets.put(ticket('y', 'u:eve')))).code).to.equal('too_many_tickets')
    await engine.tickets.put(ticket('h', 'u:ann'))
    expect(await taken(engine, 'fghxy')).to.equal('-ghx-')
  })

  it('counts a ticket for each of its owners, until it is taken', async () => {
    const [engine] = await make(1)
    await engine.tickets.put(ticket('a', 'u:ann', 'a:1'))
    await engine.tickets.put(ticket('b', 'u:ben', 'a:1'))
    expect(await taken(engine, 'a')).to.equal('a')
    for (const [id, uid] of ['c', 'd'].map((id, at) => [id, ['u:ann', 'u:eve'][at] ?? ''] as const))
      await engine.tickets.put(ticket(id, uid, 'a:1'))
    expect(await taken(engine, 'bcd')).to.equal('-cd')
    for (const id of 'ef') await engine.tickets.put(ticket(id, 'u:ann', 'a:2'))
    expect(await taken(engine, 'ef')).to.equal('ef')
  })

  it('keeps owners apart from one another and from tickets', async () => {
    const [engine] = await make(1)
    const names = [...new Set(NAMES.flat())]
    const owned = (owner: string, at: number) => ({ ...ticket(owner, owner), json: `${at}` })
    for (const [at, name] of names.entries()) await engine.tickets.put(owned(name, at))
    for (const [at, name] of names.entries()) expect(await engine.tickets.take(name), name).to.equal(`${at}`)
  })

  it('does not count expired tickets', async () => {
    const clock = settings.clock()
    try {
      const [engine] = await make(1)
      await engine.tickets.put({ ...ticket('a', 'u:ann'), ttl: 500 })
      await engine.tickets.put(ticket('b', 'u:ann'))
      await clock.pass(1000)
      await engine.tickets.put(ticket('c', 'u:ann'))
      expect(await taken(engine, 'abc')).to.equal('-bc')
    } finally {
      clock.restore()
    }
  })
}
