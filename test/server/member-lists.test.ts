import { expect } from 'chai'
import { MemberLists } from '#server/channels/member-lists.js'
import type { PresenceSnapshot } from '#server/engine/engine.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A list of members with 4 kB each. */
const snapshotOf = (count: number, seq = 1): PresenceSnapshot => ({
  members: Array.from({ length: count }, (_, index) => ({ uid: `u${index}`, umd: `"${'x'.repeat(4000)}"` })),
  seq,
  epoch: 'e',
})

describe('MemberLists', () => {
  /** Asks for lists. @returns how many could be made in each turn until all are */
  async function askFor(lists: MemberLists, snapshots: readonly PresenceSnapshot[]): Promise<number[]> {
    const order: number[] = []
    for (const [index, snapshot] of snapshots.entries()) {
      const waiting = lists.turn(snapshot)
      if (waiting) void waiting.then(() => order.push(index))
      else order.push(index)
    }
    const each = [order.length]
    for (let before = order.length; order.length < snapshots.length; before = order.length) {
      await turn()
      each.push(order.length - before)
    }
    expect(order).to.deep.equal(snapshots.map((_, index) => index))
    return each.filter((count) => count > 0)
  }

  it('makes small lists at once', async () => {
    expect(await askFor(new MemberLists(), Array(1000).fill(snapshotOf(0)))).to.deep.equal([1000])
  })

  it('makes about 1 MiB of lists in a turn, in order', async () => {
    const each = await askFor(new MemberLists(), Array(12).fill(snapshotOf(60)))
    expect(Math.max(...each)).to.be.at.most(8)
    expect(each[0]).to.equal(4)
  })

  it('makes a list that is larger than that alone', async () => {
    const each = await askFor(new MemberLists(), Array(4).fill(snapshotOf(400)))
    expect(each[0]).to.equal(1)
    expect(Math.max(...each)).to.be.at.most(2)
  })

  it('makes a list of the same members once in a turn', async () => {
    const lists = new MemberLists()
    const list = lists.make('a', snapshotOf(2))
    expect(list.map(({ uid }) => uid)).to.deep.equal(['u0', 'u1'])
    expect(lists.make('a', snapshotOf(2))).to.equal(list)
    expect(lists.make('b', snapshotOf(2))).to.not.equal(list)
    expect(lists.make('a', snapshotOf(3, 2))).to.have.length(3)
    expect(lists.make('a', { ...snapshotOf(1, 2), epoch: 'f' })).to.have.length(1)
    const before = lists.make('a', snapshotOf(2))
    await turn()
    expect(lists.make('a', snapshotOf(2))).to.not.equal(before)
  })
})
