import { RpcError } from '@token-socket/protocol'
import type { ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { BulkSubscriptions } from '#server/channels/bulk-subscriptions.js'
import { PendingSubscriptions } from '#server/channels/pending-subscriptions.js'
import { turn, until } from '../end-to-end/fixture.js'
import { makeSocket } from './sockets.js'

describe('BulkSubscriptions', () => {
  let pending: PendingSubscriptions
  let on: Set<ServerSocket>
  let beginning: Set<ServerSocket>
  let failures: unknown[]
  let kept: ServerSocket[]
  let subscribe: (socket: ServerSocket) => Promise<void>
  let bulks: BulkSubscriptions

  beforeEach(() => {
    pending = new PendingSubscriptions()
    on = new Set()
    beginning = new Set()
    failures = []
    kept = []
    subscribe = async (socket) => void on.add(socket)
    bulks = new BulkSubscriptions({
      has: (socket) => on.has(socket),
      isBeginning: (socket) => beginning.has(socket),
      subscribe: (socket) => subscribe(socket),
      keep: (socket) => void kept.push(socket),
      failed: (cause) => failures.push(cause),
    })
  })

  const run = (sockets: readonly ServerSocket[], channel: string) => {
    const group = pending.beginAll(channel)
    for (const socket of sockets) group.add(socket)
    group.fill()
    return bulks.run(group, channel)
  }

  const sockets = (count: number) => Array.from({ length: count }, () => makeSocket().socket)

  it('subscribes them all, and counts those that were there before', async () => {
    const all = sockets(100)
    for (const socket of all.slice(0, 3)) on.add(socket)
    let calls = 0
    subscribe = async (socket) => {
      calls += 1
      on.add(socket)
    }
    expect(await run(all, 'a')).to.deep.equal({ count: 100, failed: 0, reasons: [] })
    expect([calls, on.size, pending.size]).to.deep.equal([97, 100, 0])
    expect(kept).to.deep.equal(all.slice(0, 3))
    expect(await run([], 'a')).to.deep.equal({ count: 0, failed: 0, reasons: [] })
    expect(pending.size).to.equal(0)
  })

  it('subscribes those, too, whose own subscription may still fail', async () => {
    const all = sockets(3)
    for (const socket of all) on.add(socket)
    beginning.add(all[1] as ServerSocket)
    const asked: ServerSocket[] = []
    subscribe = async (socket) => void asked.push(socket)
    expect(await run(all, 'a')).to.deep.equal({ count: 3, failed: 0, reasons: [] })
    expect(asked).to.deep.equal([all[1]])
  })

  it('takes a few in each turn, also where several bulks run', async () => {
    let inTurn = 0
    let most = 0
    subscribe = async (socket) => {
      inTurn += 1
      most = Math.max(most, inTurn)
      on.add(socket)
    }
    let isDone = false
    const look = () => {
      inTurn = 0
      if (!isDone) setImmediate(look)
    }
    setImmediate(look)
    await Promise.all([run(sockets(300), 'a'), run(sockets(300), 'b')])
    isDone = true
    expect(on.size).to.equal(600)
    expect(most).to.be.at.most(64)
  })

  it('has a few under way at once', async () => {
    const waiting: (() => void)[] = []
    subscribe = (socket) =>
      new Promise((resolve) => {
        on.add(socket)
        waiting.push(resolve)
      })
    const done = run(sockets(100), 'a')
    await until(() => waiting.length === 32)
    for (let left = 5; left > 0; left -= 1) await turn()
    expect(waiting).to.have.length(32)
    while (on.size < 100) {
      for (const go of waiting.splice(0)) go()
      await turn()
    }
    for (const go of waiting.splice(0)) go()
    expect((await done).count).to.equal(100)
  })

  it('counts those that fail, with the reasons, and goes on', async () => {
    const all = sockets(10)
    subscribe = async (socket) => {
      const index = all.indexOf(socket)
      if (index % 3 === 0) throw new RpcError('too_many_subscriptions')
      if (index === 4) throw new Error('of the test')
      on.add(socket)
    }
    const { reasons, ...counts } = await run(all, 'a')
    expect(counts).to.deep.equal({ count: 5, failed: 5 })
    expect(reasons).to.have.members(['too_many_subscriptions', 'internal'])
    expect(failures).to.have.length(1)
  })

  it('leaves out what the server unsubscribes before its turn, and what is gone', async () => {
    const all = sockets(200)
    const [kicked, gone] = [all[150] as ServerSocket, all[199] as ServerSocket]
    const done = run(all, 'a')
    expect(pending.has(kicked, 'a')).to.equal(true)
    expect(pending.on('a')).to.include(kicked)
    pending.cancel(kicked, 'b')
    expect(pending.has(kicked, 'a')).to.equal(true)
    pending.cancel(kicked, 'a')
    gone.disconnected(1006)
    expect(pending.has(kicked, 'a')).to.equal(false)
    expect(await done).to.deep.equal({ count: 198, failed: 0, reasons: [] })
    expect([on.has(kicked), on.has(gone), pending.size]).to.deep.equal([false, false, 0])
  })

  it('does not count one that was unsubscribed while it subscribed', async () => {
    subscribe = async () => {}
    expect(await run(sockets(3), 'a')).to.deep.equal({ count: 0, failed: 0, reasons: [] })
  })

  it('never finds what was unsubscribed while it looked for sockets', async () => {
    const all = sockets(10)
    const [direct, barred, later] = all as [ServerSocket, ServerSocket, ServerSocket]
    const group = pending.beginAll('a')
    pending.cancel(direct, 'a')
    pending.bar('a', (socket) => socket === barred)
    pending.bar('b', () => true)
    for (const socket of all) group.add(socket)
    group.fill()
    pending.bar('a', () => true)
    pending.cancel(later, 'a')
    expect((await bulks.run(group, 'a')).count).to.equal(7)
    expect([direct, barred, later].filter((socket) => on.has(socket))).to.deep.equal([])
    expect(pending.size).to.equal(0)
  })
})
