import type { Member } from '@token-socket/protocol'
import { expect } from 'chai'
import { Channel, type ChannelOwner, type ChannelSocket } from '#client/channels/channel.js'

const LINK = {}

describe('Channel#members', () => {
  let channel: Channel

  beforeEach(() => {
    channel = new Channel('room', { uid: 'me' } as ChannelSocket, {} as ChannelOwner)
  })

  const enter = (members: readonly Member[]) =>
    channel.entered({ type: 'subscribed', channel: 'room', members, uid: 'self' } as never, LINK)
  const change = (how: 'joined' | 'left' | 'updated', member: Member) =>
    channel.changed({ type: 'presence', channel: 'room', change: how, ...member })

  it('is the same array until a change, and another one after it', () => {
    enter([{ uid: 'ann' }])
    const before = channel.members
    expect(channel.members).to.equal(before)
    change('joined', { uid: 'bob' })
    expect(before).to.deep.equal([{ uid: 'ann' }])
    expect(channel.members).to.deep.equal([{ uid: 'ann' }, { uid: 'bob' }])
    change('updated', { uid: 'ann', umd: 1 })
    expect(channel.members).to.deep.equal([{ uid: 'ann', umd: 1 }, { uid: 'bob' }])
    change('left', { uid: 'ann' })
    expect(channel.members).to.deep.equal([{ uid: 'bob' }])
    channel.left()
    expect(channel.members).to.deep.equal([])
    expect(channel.members).to.equal(channel.members)
  })

  it('tells how a new list differs, and has the new one by then', () => {
    enter([{ uid: 'ann' }, { uid: 'bob' }, { uid: 'cid' }])
    const told: unknown[] = []
    for (const event of ['joined', 'left', 'updated'] as const)
      channel.on(event, ({ uid }) => told.push([event, uid, channel.members.length]))
    enter([{ uid: 'bob', umd: 1 }, { uid: 'cid' }, { uid: 'dan' }, { uid: 'eve' }])
    expect(told).to.deep.equal([
      ['updated', 'bob', 4],
      ['joined', 'dan', 4],
      ['joined', 'eve', 4],
      ['left', 'ann', 4],
    ])
  })

  it('is empty by the time that `unsubscribed` and `revoked` tell, as is who this socket is there', () => {
    const told: unknown[] = []
    const tell = () => told.push([channel.members, channel.uid])
    channel.on('unsubscribed', tell)
    channel.on('revoked', tell)
    for (const reason of ['client', 'server', 'revoked', undefined] as const) {
      enter([{ uid: 'ann' }])
      expect(channel.members).to.deep.equal([{ uid: 'ann' }])
      channel.left(reason)
    }
    expect(told).to.deep.equal(Array(5).fill([[], 'me']))
  })

  it('looks at none of the others when one comes, changes or goes', () => {
    let looks = 0
    const counted = (uid: string): Member => ({
      get uid() {
        looks += 1
        return uid
      },
    })
    enter(Array.from({ length: 100 }, (_, at) => counted(`m${at}`)))
    looks = 0
    for (const how of ['joined', 'updated', 'left'] as const) change(how, { uid: 'ann' })
    expect(looks).to.equal(0)
  })
})
