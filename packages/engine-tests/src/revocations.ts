import { expect } from 'chai'
import { NAMES } from './names.js'
import type { EngineSettings, MakeNodes } from './settings.js'

/** The cases of revoked owners. */
export function describeRevocations(make: MakeNodes, settings: EngineSettings): void {
  const ticket = (id: string, age: number, ...owners: readonly string[]) => ({
    id,
    json: `"${id}"`,
    ttl: 60_000,
    age,
    owners: owners.map((name) => ({ name, limit: 100 })),
  })

  it('revokes the earlier tickets of an owner, and no others', async () => {
    const [{ tickets }] = await make(1)
    await tickets.put(ticket('one', 0, 'uid:ann', 'address:1'))
    await tickets.put(ticket('two', 0, 'address:1', 'uid:ann'))
    await tickets.put(ticket('other', 0, 'uid:ben', 'address:1'))
    await tickets.put(ticket('none', 0))
    await tickets.revoke('uid:ann', 60_000)
    await tickets.put(ticket('asked before', 1000, 'uid:ann'))
    await tickets.put(ticket('asked after', 0, 'uid:ann'))
    const ids = ['one', 'two', 'asked before', 'asked after', 'other', 'none']
    const taken = await Promise.all(ids.map((id) => tickets.take(id)))
    expect(taken).to.deep.equal([undefined, undefined, undefined, '"asked after"', '"other"', '"none"'])
  })

  it('counts from the last call', async () => {
    const [{ tickets }] = await make(1)
    await tickets.revoke('uid:ann', 60_000)
    await tickets.put(ticket('t', 0, 'uid:ann'))
    await tickets.revoke('uid:ann', 60_000)
    expect(await tickets.take('t')).to.equal(undefined)
  })

  it('records when that was', async () => {
    const [{ tickets }] = await make(1)
    expect(await tickets.revoked('uid:ann')).to.equal(undefined)
    const before = Date.now()
    await tickets.revoke('uid:ann', 60_000)
    expect(await tickets.revoked('uid:ann')).to.be.within(before - 1, Date.now() + 1)
    expect(await tickets.revoked('uid:ben')).to.equal(undefined)
  })

  it('keeps owners apart from one another and from tickets', async () => {
    const [{ tickets }] = await make(1)
    for (const [id, other] of NAMES) {
      await tickets.put(ticket(id, 0, id))
      await tickets.put(ticket(other, 0, other))
      await tickets.revoke(id, 60_000)
      const taken = [await tickets.take(id), await tickets.take(other)]
      expect(taken, id).to.deep.equal([undefined, `"${other}"`])
    }
  })

  it('is remembered for its time, and no longer', async () => {
    const clock = settings.clock()
    try {
      const [{ tickets }] = await make(1)
      await tickets.revoke('uid:short', 500)
      await tickets.revoke('uid:long', 50_000)
      await clock.pass(1000)
      expect(await tickets.revoked('uid:short')).to.equal(undefined)
      expect(await tickets.revoked('uid:long')).to.be.a('number')
    } finally {
      clock.restore()
    }
  })
}
