import { MemoryPresence, type PresenceEvent } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { rejection } from '../../protocol/rejection.js'

describe('MemoryPresence', () => {
  const entry = { channel: 'a', uid: 'u', sid: '1' }
  let events: PresenceEvent[]
  let presence: MemoryPresence

  beforeEach(() => {
    events = []
    presence = new MemoryPresence((event) => events.push(event))
  })

  afterEach(() => {
    presence.clear()
    sinon.restore()
  })

  it('tells of a change before the call that made it resolves', async () => {
    const entering = presence.enter(entry, 10)
    expect(events).to.have.length(1)
    await entering
  })

  it('begins another epoch when the channel was empty: it keeps nothing of it', async () => {
    const first = await presence.enter(entry, 10)
    await presence.leave(entry, 0)
    const second = await presence.enter(entry, 10)
    expect(events.map(({ seq }) => seq)).to.deep.equal([1, 2, 1])
    expect(second.epoch).to.not.equal(first.epoch)
  })

  it('keeps nothing of a channel on which it refused the first', async () => {
    await presence.enter(entry, 0).catch(() => {})
    expect((await presence.members('a')).seq).to.equal(0)
    expect(events).to.deep.equal([])
  })

  it('bounds the members of all channels, and counts those that stay for their grace', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    presence = new MemoryPresence(() => {}, 3)
    const at = (channel: string, uid: string, sid = uid) => ({ channel, uid, sid })
    for (const channel of ['a', 'b', 'c']) await presence.enter(at(channel, 'ann'), 10)
    await presence.enter(at('a', 'ann', 'another socket'), 10)
    const error = await rejection(presence.enter(at('d', 'ann'), 10))
    expect(error).to.deep.include({ code: 'too_many_members', data: { field: 'presences', limit: 3 } })
    await presence.leave(at('b', 'ann'), 1000)
    expect((await rejection(presence.enter(at('d', 'ann'), 10))).code).to.equal('too_many_members')
    clock.tick(1000)
    await presence.enter(at('d', 'ben'), 10)
    expect(presence.size).to.equal(3)
    for (const one of [at('a', 'ann'), at('a', 'ann', 'another socket'), at('c', 'ann'), at('d', 'ben')])
      await presence.leave(one, 0)
    expect(presence.size).to.equal(0)
  })

  it('has one timer for all graces, which does not keep the process alive', async () => {
    const setTimeout = sinon.spy(globalThis, 'setTimeout')
    for (const uid of ['u', 'v', 'w']) await presence.enter({ ...entry, uid }, 10)
    for (const uid of ['u', 'v', 'w']) await presence.leave({ ...entry, uid }, 60_000)
    expect(setTimeout.callCount).to.equal(1)
    expect((setTimeout.firstCall.returnValue as unknown as NodeJS.Timeout).hasRef()).to.equal(false)
  })

  describe('#clear', () => {
    it('forgets everybody, tells nobody, and leaves no timer', async () => {
      const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      await presence.enter(entry, 10)
      await presence.leave(entry, 60_000)
      presence.clear()
      expect(clock.countTimers()).to.equal(0)
      expect((await presence.members('a')).members).to.deep.equal([])
      expect(events.map(({ change }) => change)).to.deep.equal(['joined'])
    })
  })
})
