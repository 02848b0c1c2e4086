import type { Presence, PresenceEntry, PresenceEvent, PresenceSnapshot } from '@token-socket/server'
import { MemoryPresence, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { ChannelPresence, type PresenceJoin } from '#server/channels/presence.js'
import type { ServerSocket } from '#server/socket/server-socket.js'
import { rejection } from '../../protocol/rejection.js'
import { makeSocket, type TestSocket } from '../sockets.js'

/** One turn of the event loop: whatever needs no outside help is done. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

const GRACE = 5000

describe('ChannelPresence', () => {
  let engine: MemoryPresence
  let owner: {
    presence: Presence
    policy: { hasPresence: sinon.SinonStub }
    limits: { members: number; presencesPerUser: number; presenceRate: number }
    presenceGrace: number
    failed: sinon.SinonSpy
  }
  let presence: ChannelPresence

  beforeEach(() => {
    engine = new MemoryPresence((event) => hear(event))
    owner = {
      presence: engine,
      policy: { hasPresence: sinon.stub().returns(true) },
      limits: { members: 3, presencesPerUser: 10, presenceRate: 20 },
      presenceGrace: GRACE,
      failed: sinon.spy(),
    }
    presence = new ChannelPresence(owner)
  })

  afterEach(() => {
    sinon.restore()
    engine.clear()
  })

  /** A change in a turn of its own. */
  const hear = (event: PresenceEvent) => {
    presence.hear(event)
    presence.flush()
  }

  const made = (uid: string | undefined, rest: object = {}): TestSocket =>
    makeSocket({
      identity: { claims: { uid, umd: undefined, channels: undefined, ...rest }, counts: true },
    })

  const enter = (socket: ServerSocket, isWanted = () => true) => presence.enter(socket, 'a', isWanted)

  /** A socket that was told the members. */
  const member = async (uid: string): Promise<TestSocket> => {
    const one = made(uid)
    const arrival = await enter(one.socket)
    arrival?.follow()
    return one
  }

  /** Somebody without a socket here. */
  const other = (uid: string, sid = uid): PresenceEntry => ({ channel: 'a', uid, sid })

  /** What a socket was told: `joined u`, or the members as a list. */
  const told = ({ frames }: TestSocket) =>
    (frames() as { data: { change?: string; uid?: string; members?: { uid: string }[] } }[]).map(
      ({ data: { change, uid, members } }) => members?.map((one) => one.uid) ?? `${change} ${uid}`,
    )

  const event = (seq: number, rest: Partial<PresenceEvent> = {}): PresenceEvent => ({
    channel: 'a',
    change: 'updated',
    uid: 'x',
    seq,
    epoch: 'e',
    ...rest,
  })

  /** An engine that says what the test wants. */
  const script = (snapshot: PresenceSnapshot) => {
    const scripted = {
      enter: sinon.stub().resolves(snapshot),
      leave: sinon.stub().resolves(),
      members: sinon.stub().resolves(snapshot),
    }
    owner.presence = scripted
    return scripted
  }

  describe('#enter', () => {
    it('gives who is there, with what they are', async () => {
      await engine.enter({ ...other('v'), umd: '{"x":1}' }, 3)
      const arrival = await enter(made('u', { umd: [2] }).socket)
      expect(arrival?.members).to.deep.equal([
        { uid: 'v', umd: { x: 1 } },
        { uid: 'u', umd: [2] },
      ])
    })

    it('gives nothing where the rule does not say so, also later', async () => {
      owner.policy.hasPresence.returns(Promise.resolve(false))
      const { socket } = made('u')
      expect(await enter(socket)).to.equal(undefined)
      owner.policy.hasPresence.returns(true)
      await enter(socket)
      owner.policy.hasPresence.returns(false)
      expect((await enter(socket))?.members, 'it has taken part until now').to.deep.equal([])
      expect(await enter(socket)).to.equal(undefined)
      expect((await presence.members('a')).length).to.equal(0)
    })

    it('gives no list to be told that is older than that of another entry, or of a leave', async () => {
      await engine.enter(other('v'), 3)
      const { socket } = made('u')
      const first = await enter(socket)
      await engine.leave(other('v'), 0)
      const second = await enter(socket)
      expect(first?.members).to.equal(undefined)
      expect(second?.members).to.deep.equal([{ uid: 'u' }])
      presence.leave(socket, 'a')
      expect(second?.members).to.equal(undefined)
    })

    it('enters nobody who is not wanted any more when the rule has answered', async () => {
      expect(await enter(made('u').socket, () => false)).to.equal(undefined)
      expect(await presence.members('a')).to.deep.equal([])
    })

    it('rejects with uid_required', async () => {
      expect((await rejection(enter(made(undefined, { umd: 1 }).socket))).code).to.equal('uid_required')
    })

    it('rejects with what the engine throws, such as too_many_members', async () => {
      for (const uid of ['u', 'v', 'w']) await engine.enter(other(uid), 3)
      expect((await rejection(enter(made('x').socket))).code).to.equal('too_many_members')
    })

    it('rejects nobody who has left meanwhile', async () => {
      const { socket } = made('u')
      script({ members: [], seq: 1, epoch: 'e' }).enter.rejects(new RpcError('too_many_members'))
      const entering = enter(socket)
      await Promise.resolve()
      presence.leave(socket, 'a')
      expect(await entering).to.equal(undefined)
    })

    it('asks who the socket is on this channel', async () => {
      const { socket } = made('u')
      const identity = sinon.stub(socket, 'identity').returns({ uid: 'guest', umd: 5 })
      const arrival = await enter(socket)
      expect(arrival?.members).to.deep.equal([{ uid: 'guest', umd: 5 }])
      expect(identity.args).to.deep.equal([['a']])
    })

    it('takes it for another member when it has become one', async () => {
      const watcher = await member('v')
      const { socket } = made('u')
      await enter(socket)
      sinon.stub(socket, 'identity').returns({ uid: 'guest' })
      await enter(socket)
      presence.leave(socket, 'a')
      await settled()
      expect(told(watcher)).to.deep.equal(['joined u', 'joined guest', 'left u', 'left guest'])
    })

    it('tells a legacy client nothing', async () => {
      const old = makeSocket({
        identity: { claims: { uid: 'old', umd: undefined, channels: undefined }, counts: false },
      })
      const arrival = await enter(old.socket)
      arrival?.follow()
      await member('v')
      expect(arrival?.members).to.equal(undefined)
      expect(old.frames()).to.deep.equal([])
    })
  })

  describe('#follow of an arrival', () => {
    let one: TestSocket
    let arrival: PresenceJoin | undefined

    beforeEach(async () => {
      one = made('u')
      arrival = await enter(one.socket)
    })

    it('lets the changes follow that came since, and then those that come', async () => {
      await engine.enter(other('v'), 3)
      expect(told(one)).to.deep.equal([])
      arrival?.follow()
      await engine.leave(other('v'), 0)
      expect(told(one)).to.deep.equal(['joined v', 'left v'])
    })

    it('does nothing for who has left meanwhile', async () => {
      await engine.enter(other('v'), 3)
      presence.leave(one.socket, 'a')
      arrival?.follow()
      expect(told(one)).to.deep.equal([])
    })

    it('does nothing when it has entered anew meanwhile', async () => {
      await engine.enter(other('v'), 3)
      const anew = await enter(one.socket)
      arrival?.follow()
      expect(told(one)).to.deep.equal([])
      anew?.follow()
      expect(told(one)).to.deep.equal([])
      expect(anew?.members?.map(({ uid }) => uid)).to.deep.equal(['u', 'v'])
    })

    it('tells the members anew when more came than could be held', async () => {
      for (let round = 0; round < 501; round += 1) {
        await engine.enter(other('v'), 3)
        await engine.leave(other('v'), 0)
      }
      await engine.enter(other('w'), 3)
      arrival?.follow()
      await settled()
      await engine.enter(other('v'), 3)
      expect(told(one)).to.deep.equal([['u', 'w'], 'joined v'])
    })
  })

  describe('#leave', () => {
    it('comes behind an enter that is under way', async () => {
      const calls: string[] = []
      const scripted = script({ members: [], seq: 1, epoch: 'e' })
      let goOn = (_: PresenceSnapshot) => {}
      scripted.enter.callsFake(() => {
        calls.push('enter')
        return new Promise((resolve) => {
          goOn = resolve
        })
      })
      scripted.leave.callsFake(async () => void calls.push('leave'))
      const { socket } = made('u')
      const entering = enter(socket)
      await settled()
      presence.leave(socket, 'a')
      const again = enter(socket)
      await settled()
      expect(calls).to.deep.equal(['enter'])
      goOn({ members: [], seq: 1, epoch: 'e' })
      await settled()
      expect(calls).to.deep.equal(['enter', 'leave', 'enter'])
      goOn({ members: [{ uid: 'u' }], seq: 3, epoch: 'e' })
      expect(await entering).to.equal(undefined)
      expect((await again)?.members).to.deep.equal([{ uid: 'u' }])
    })

    for (const [code, grace] of [
      [undefined, 0],
      [1000, 0],
      [1001, 0],
      [1005, 0],
      [4005, 0],
      [4502, 0],
      [4501, 0],
      [1006, GRACE],
      [1009, GRACE],
      [4000, GRACE],
      [4001, GRACE],
      [4002, GRACE],
      [4006, GRACE],
    ] as const) {
      it(`gives a grace of ${grace} ms after ${code ?? 'no close'}`, async () => {
        const leave = sinon.spy(engine, 'leave')
        const { socket } = await member('u')
        presence.leave(socket, 'a', code)
        expect(leave.args).to.deep.equal([[{ channel: 'a', sid: socket.sid, uid: 'u' }, grace]])
      })
    }

    it('leaves once, and not where it is not', async () => {
      const leave = sinon.spy(engine, 'leave')
      const { socket } = await member('u')
      presence.leave(socket, 'b')
      presence.leave(socket, 'a')
      presence.leave(socket, 'a')
      expect(leave.callCount).to.equal(1)
    })

    it('tells of an engine that fails', async () => {
      const cause = new Error('down')
      const { socket } = await member('u')
      sinon.stub(engine, 'leave').rejects(cause)
      presence.leave(socket, 'a')
      await settled()
      expect(owner.failed.args).to.deep.equal([[cause, { step: 'presence', channel: 'a' }]])
    })
  })

  describe('#hear', () => {
    const AT_5: PresenceSnapshot = { members: [{ uid: 'u' }, { uid: 'x' }], seq: 5, epoch: 'e' }

    it('tells each change once, also if it is heard again', async () => {
      script(AT_5)
      const one = await member('u')
      for (const seq of [4, 5, 6, 6, 7]) hear(event(seq, { umd: String(seq) }))
      const presences = (one.frames() as { data: { umd: number } }[]).map(({ data }) => data.umd)
      expect(presences).to.deep.equal([6, 7])
    })

    it('tells all the members anew where changes are missing, with one question', async () => {
      const scripted = script(AT_5)
      const [one, two] = [await member('u'), await member('v')]
      const arriving = made('w')
      await enter(arriving.socket)
      scripted.members.resolves({ members: [{ uid: 'y' }], seq: 8, epoch: 'e' })
      for (const seq of [7, 8, 9]) hear(event(seq))
      await settled()
      hear(event(10))
      expect(scripted.members.callCount).to.equal(1)
      for (const each of [one, two]) expect(told(each)).to.deep.equal([['y'], 'updated x', 'updated x'])
      expect(told(arriving)).to.deep.equal([])
    })

    it('tells the members anew in another epoch', async () => {
      const scripted = script(AT_5)
      const one = await member('u')
      scripted.members.resolves({ members: [{ uid: 'y' }], seq: 1, epoch: 'f' })
      hear(event(6, { epoch: 'f' }))
      await settled()
      hear(event(2, { epoch: 'f' }))
      expect(told(one)).to.deep.equal([['y'], 'updated x'])
    })

    it('does not take changes of an epoch that ended before it entered for a gap', async () => {
      const scripted = script(AT_5)
      scripted.enter.callsFake(async () => {
        for (const seq of [8, 9]) hear(event(seq, { epoch: 'old' }))
        hear(event(5))
        return AT_5
      })
      const one = await member('u')
      hear(event(6))
      await settled()
      expect(scripted.members.called).to.equal(false)
      expect(told(one)).to.deep.equal(['updated x'])
    })

    it('asks again at the next change where the engine fails, and says so', async () => {
      const cause = new Error('down')
      const scripted = script(AT_5)
      const one = await member('u')
      scripted.members.onFirstCall().rejects(cause)
      scripted.members.resolves({ members: [{ uid: 'y' }], seq: 8, epoch: 'e' })
      hear(event(7))
      await settled()
      expect(owner.failed.args).to.deep.equal([[cause, { step: 'presence', channel: 'a' }]])
      hear(event(8))
      await settled()
      expect(told(one)).to.deep.equal([['y']])
    })

    it('tells nothing to who leaves while the members are asked for', async () => {
      const scripted = script(AT_5)
      const one = await member('u')
      hear(event(7))
      presence.leave(one.socket, 'a')
      await settled()
      expect(scripted.members.callCount).to.equal(1)
      expect(told(one)).to.deep.equal([])
    })

    it('goes on with the others when one socket is closed by it', async () => {
      const [slow, fast] = [await member('u'), await member('v')]
      slow.connection.bufferedBytes = 2 ** 30
      for (const uid of ['w', 'w']) {
        slow.socket.deliver('x'.repeat(17 * 2 ** 20))
        slow.flusher.flush()
        await engine.enter({ ...other(uid), umd: '1' }, 3)
      }
      expect(slow.connection.closed).to.equal(undefined)
      slow.socket.deliver('x'.repeat(17 * 2 ** 20))
      slow.flusher.flush()
      await engine.leave(other('w'), 0)
      expect(slow.connection.closed?.code).to.equal(4002)
      expect(told(fast)).to.deep.equal(['joined w', 'left w'])
    })
  })

  describe('the limit of a user', () => {
    const names = (length: number) => Array.from({ length }, (_, at) => `c${at}`)
    const always = () => true

    beforeEach(() => {
      owner.limits.presencesPerUser = 3
      presence = new ChannelPresence(owner)
    })

    it('counts channels over all of the user’s sockets, and no other user’s', async () => {
      const [one, two, other] = [made('ann'), made('ann'), made('ben')]
      for (const channel of ['a', 'b']) await presence.enter(one.socket, channel, always)
      await presence.enter(two.socket, 'a', always)
      const error = await rejection(presence.enter(two.socket, 'b', always))
      expect(error).to.deep.include({
        code: 'too_many_members',
        data: { field: 'presencesPerUser', limit: 3 },
      })
      for (const channel of ['a', 'b']) await presence.enter(other.socket, channel, always)
      await presence.enter(one.socket, 'a', always)
      presence.leave(one.socket, 'b')
      presence.leave(one.socket, 'b')
      await presence.enter(two.socket, 'b', always)
    })

    it('gives back what was refused or left, each once', async () => {
      const refuse = sinon.stub(engine, 'enter').rejects(new RpcError('too_many_members'))
      const { socket } = made('ann')
      for (const channel of names(10)) {
        await rejection(presence.enter(socket, channel, always))
        presence.leave(socket, channel)
      }
      refuse.restore()
      for (const channel of names(3)) await presence.enter(socket, channel, always)
    })
  })

  it('keeps the umd of a socket once for all channels', async () => {
    const { socket } = made('ann', { umd: { name: 'x'.repeat(1000) } })
    const entered: unknown[] = []
    owner.presence = {
      enter: async (entry: PresenceEntry) => {
        entered.push(entry.umd)
        return { members: [], seq: 0, epoch: 'e' }
      },
    } as never
    const encode = sinon.spy(JSON, 'stringify')
    for (const channel of ['a', 'b', 'c']) await presence.enter(socket, channel, () => true)
    expect(new Set(entered)).to.have.property('size', 1)
    expect(encode.callCount).to.equal(1)
  })
})
