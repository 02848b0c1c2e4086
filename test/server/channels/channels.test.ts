import { type BrokerListener, MemoryEngine, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { Channels } from '#server/channels/channels.js'
import type { ChannelsOwner } from '#server/channels/channels-owner.js'
import { Hub } from '#server/channels/hub.js'
import { Policy } from '#server/channels/policy.js'
import { PositionProofs } from '#server/channels/position-proofs.js'
import { readClaims } from '#server/claims/claims.js'
import type { ChannelRequest } from '#server/socket/server-socket.js'
import { rejection } from '../../protocol/rejection.js'
import { makeSocket, type TestSocket } from '../sockets.js'

const LIMITS: ChannelsOwner['limits'] = {
  members: 3,
  subscriptions: 3,
  subscriptionsPerUser: 5,
  channelsPerUser: 100,
  publication: 1000,
  historyPage: 1024 * 1024,
  publicationRate: 100,
  publicationBytes: 10_000,
  broadcastRate: 2,
  presencesPerUser: 10,
  presenceRate: 20,
}

/** What a test changes of the channels' owner. */
type ChannelsChanges = Partial<Omit<ChannelsOwner, 'limits'>> & {
  readonly limits?: Partial<ChannelsOwner['limits']>
}

describe('Channels', () => {
  let hub: Hub
  let engine: MemoryEngine
  let broker: MemoryEngine['broker']
  let decide: sinon.SinonStub
  let redeem: sinon.SinonStub
  let failed: sinon.SinonSpy
  let channels: Channels

  beforeEach(() => {
    hub = new Hub(() => {})
    engine = new MemoryEngine()
    broker = engine.broker
    decide = sinon.stub().resolves(undefined)
    redeem = sinon.stub().resolves(undefined)
    failed = sinon.spy()
    channels = make()
  })

  // What it keeps has a timer, which would be counted by tests to come.
  afterEach(() => engine.close())

  function make(changes: ChannelsChanges = {}): Channels {
    return new Channels({
      hub,
      broker,
      history: engine.history,
      presence: engine.presence,
      presenceGrace: 5000,
      redeem,
      policy: new Policy({ channels: {}, timeout: 1000, failed }),
      failed,
      proofs: new PositionProofs([Buffer.from('secret')]),
      vetoes: { decide },
      ...changes,
      limits: { ...LIMITS, ...changes.limits },
    })
  }

  /** A socket of the hub that goes when its connection does. */
  function member(identity: object = {}): TestSocket {
    const made = makeSocket({ identity, channels: { forget: (...how) => channels.forget(...how) } })
    hub.add(made.socket)
    return made
  }

  const notice = (command: string, channel: string) => ({ internal: true, command, data: { channel } })

  describe('the limit of a user', () => {
    const of = (uid: string) => member({ claims: readClaims({ uid }) })

    it('counts the subscriptions of all sockets of the user, and of no other user', async () => {
      const [one, two, other] = [of('ann'), of('ann'), of('ben')]
      for (const channel of ['a', 'b', 'c']) await channels.subscribe(one.socket, channel)
      for (const channel of ['a', 'b']) await channels.subscribe(two.socket, channel)
      const error = await rejection(channels.subscribe(two.socket, 'c'))
      expect(error).to.deep.include({
        code: 'too_many_subscriptions',
        data: { field: 'subscriptionsPerUser', limit: 5 },
      })
      await channels.subscribe(two.socket, 'b')
      await channels.subscribe(other.socket, 'c')
      channels.unsubscribe(one.socket, 'a')
      channels.unsubscribe(one.socket, 'a')
      await channels.subscribe(two.socket, 'c')
      one.client.close(1000, '')
      for (const channel of ['x', 'y', 'z']) {
        channels.unsubscribe(two.socket, 'a')
        channels.unsubscribe(two.socket, 'b')
        await channels.subscribe(of('ann').socket, channel)
      }
      expect(hub.subscriptionsOf(two.socket)).to.equal(4)
    })
  })

  describe('#subscribe', () => {
    it('puts the socket on the channel and tells it so', async () => {
      const { socket, frames } = member()
      await channels.subscribe(socket, 'a')
      expect(hub.on('a')).to.deep.equal([socket])
      expect(socket.channels).to.deep.equal(['a'])
      expect(frames()).to.deep.equal([notice('subscribe', 'a')])
    })

    it('says so before the first publication', async () => {
      const { socket, frames } = member()
      await channels.subscribe(socket, 'a')
      await channels.publish('a', 1)
      expect(frames()).to.deep.equal([notice('subscribe', 'a'), { channel: 'a', message: 1 }])
    })

    it('tells it again when it is on the channel already, and asks the broker once', async () => {
      const subscribe = sinon.spy(broker, 'subscribe')
      const { socket, frames } = member()
      await channels.subscribe(socket, 'a')
      await channels.subscribe(socket, 'a')
      await channels.publish('a', 1)
      expect(frames()).to.deep.equal([
        notice('subscribe', 'a'),
        notice('subscribe', 'a'),
        { channel: 'a', message: 1 },
      ])
      expect(subscribe.callCount).to.equal(1)
    })

    it('counts two subscriptions at once as one', async () => {
      const unsubscribe = sinon.spy(broker, 'unsubscribe')
      const { socket } = member()
      await Promise.all([channels.subscribe(socket, 'a'), channels.subscribe(socket, 'a')])
      channels.unsubscribe(socket, 'a')
      expect(unsubscribe.callCount).to.equal(1)
    })

    it('refuses one channel more than the limit, and lets go of it', async () => {
      const { socket } = member()
      const [subscribe, unsubscribe] = [sinon.spy(broker, 'subscribe'), sinon.spy(broker, 'unsubscribe')]
      for (const channel of ['a', 'b', 'c']) await channels.subscribe(socket, channel)
      const error = await rejection(channels.subscribe(socket, 'd'))
      expect(error.code).to.equal('too_many_subscriptions')
      expect(error.data).to.deep.equal({ field: 'subscriptions', limit: 3 })
      expect(socket.channels).to.deep.equal(['a', 'b', 'c'])
      expect(hub.channels).to.deep.equal(['a', 'b', 'c'])
      expect(subscribe.calledWith('d')).to.equal(unsubscribe.calledWith('d'))
    })

    it('refuses it however many are asked for at once', async () => {
      const { socket } = member()
      const outcomes = await Promise.allSettled(
        ['a', 'b', 'c', 'd', 'e'].map((channel) => channels.subscribe(socket, channel)),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(3)
      expect(socket.channels).to.have.length(3)
    })

    it('does not count a channel that the socket has', async () => {
      channels = make({ limits: { subscriptions: 1 } })
      const { socket } = member()
      await Promise.all([channels.subscribe(socket, 'a'), channels.subscribe(socket, 'a')])
      await channels.subscribe(socket, 'a')
      expect(socket.channels).to.deep.equal(['a'])
    })

    it('makes room again by unsubscribing', async () => {
      const { socket } = member()
      for (const channel of ['a', 'b', 'c']) await channels.subscribe(socket, channel)
      channels.unsubscribe(socket, 'a')
      await channels.subscribe(socket, 'd')
      expect(socket.channels).to.deep.equal(['b', 'c', 'd'])
    })

    it('leaves nothing behind when the socket goes meanwhile', async () => {
      const unsubscribe = sinon.spy(broker, 'unsubscribe')
      const { socket, client, frames } = member()
      const promise = channels.subscribe(socket, 'a')
      client.close(1000, '')
      await promise
      expect(hub.channels).to.deep.equal([])
      expect(socket.channels).to.deep.equal([])
      expect(unsubscribe.args).to.deep.equal([['a']])
      expect(frames()).to.deep.equal([])
    })

    it('rejects with what the broker throws, and puts nobody on the channel', async () => {
      const cause = new Error('down')
      const subscribe = sinon.stub(broker, 'subscribe').rejects(cause)
      const { socket, frames } = member()
      expect(await channels.subscribe(socket, 'a').catch((error) => error)).to.equal(cause)
      expect(hub.channels).to.deep.equal([])
      expect(frames()).to.deep.equal([])
      subscribe.restore()
      await channels.subscribe(socket, 'a')
      expect(hub.on('a')).to.deep.equal([socket])
    })

    it('puts nobody on the channel when what it keeps cannot be read', async () => {
      const unsubscribe = sinon.spy(broker, 'unsubscribe')
      const cause = new Error('down')
      sinon.stub(engine.history, 'read').rejects(cause)
      const { socket, frames } = member()
      expect(await channels.subscribe(socket, 'a').catch((error) => error)).to.equal(cause)
      expect(hub.channels).to.deep.equal([])
      expect(socket.channels).to.deep.equal([])
      expect(unsubscribe.args).to.deep.equal([['a']])
      expect(frames()).to.deep.equal([])
    })

    it('is undone by an unsubscribe that comes meanwhile', async () => {
      const { socket, frames } = member()
      const promise = channels.subscribe(socket, 'a')
      channels.unsubscribe(socket, 'a')
      await promise
      expect(socket.channels).to.deep.equal([])
      expect(hub.channels).to.deep.equal([])
      expect(frames().at(-1)).to.deep.equal(notice('unsubscribe', 'a'))
    })
  })

  describe('#subscribe on a channel with presence', () => {
    const rules = { a: { subscribe: true, presence: true } }
    const member = (uid: string) => {
      const made = makeSocket({ identity: { claims: { uid, umd: undefined, channels: undefined } } })
      hub.add(made.socket)
      return made
    }

    beforeEach(() => {
      channels = make({
        limits: { members: 1 },
        policy: new Policy({ channels: rules, timeout: 1000, failed }),
      })
    })

    it('tells who is there, with what else it tells', async () => {
      const { socket, frames } = member('u')
      await channels.publish('a', 1, { store: 1000 })
      await channels.subscribe(socket, 'a')
      expect(frames()).to.have.length(1)
      expect(frames()[0]).to.have.nested.property('data.offset', 1)
      expect(frames()[0]).to.have.deep.nested.property('data.members', [{ uid: 'u' }])
      expect(await channels.members('a')).to.deep.equal([{ uid: 'u' }])
    })

    it('lets go of the channel where it is full', async () => {
      const unsubscribe = sinon.spy(broker, 'unsubscribe')
      await engine.presence.enter({ channel: 'a', uid: 'u', sid: 'u' }, 1)
      const { socket, frames } = member('v')
      expect((await rejection(channels.subscribe(socket, 'a'))).code).to.equal('too_many_members')
      expect([hub.channels, socket.channels, frames()]).to.deep.equal([[], [], []])
      expect(unsubscribe.args).to.deep.equal([['a']])
    })

    for (const from of [undefined, { epoch: 'e', offset: 1 }]) {
      it(`takes a socket off that may not be there any more when it asks again${from ? ' from a place' : ''}`, async () => {
        const { socket, frames } = member('u')
        await channels.subscribe(socket, 'a')
        await engine.presence.leave({ channel: 'a', uid: 'u', sid: socket.sid }, 0)
        await engine.presence.enter({ channel: 'a', uid: 'v', sid: 'v' }, 1)
        const error = await rejection(channels.subscribe(socket, 'a', { from }))
        expect(error.code).to.equal('too_many_members')
        expect(hub.channels).to.deep.equal([])
        expect(frames().at(-1)).to.deep.equal(notice('unsubscribe', 'a'))
      })
    }

    for (const rule of ['throws', 'takes too long'] as const) {
      it(`takes no part in it where the rule ${rule}, and says so`, async () => {
        const presence = () => {
          if (rule === 'throws') throw new Error('no')
          return new Promise<boolean>(() => {})
        }
        const late = (question: object) => failed(undefined, question)
        const policy = new Policy({
          channels: { a: { subscribe: true, presence } },
          timeout: 5,
          failed,
          late,
        })
        channels = make({ policy })
        const { socket, frames } = member('u')
        await channels.subscribe(socket, 'a')
        expect(frames()).to.deep.equal([notice('subscribe', 'a')])
        expect(failed.args.map(([, details]) => details)).to.deep.equal([
          { sid: socket.sid, channel: 'a', rule: 'a' },
        ])
      })
    }
  })

  describe('an unsubscribe of the server’s own while a client subscribes', () => {
    const ask = { type: 'subscribe', id: '1', channel: 'a' } as const

    for (const [who, take] of [
      ['unsubscribe', (socket: TestSocket['socket']) => channels.unsubscribe(socket, 'a')],
      ['unsubscribeAll', () => channels.unsubscribeAll('a')],
    ] as const) {
      it(`by ${who} is what the answer says, while the broker is asked`, async () => {
        const { socket } = member()
        sinon.stub(broker, 'subscribe').callsFake(async () => take(socket))
        const { error } = await channels.request(socket, ask)
        expect(error).to.have.property('code', 'aborted')
        expect(hub.has(socket, 'a')).to.equal(false)
      })

      it(`by ${who} is what the answer says, while the listeners are asked, though they allow it`, async () => {
        const { socket } = member()
        decide.callsFake(async () => {
          await take(socket)
        })
        const { error } = await channels.request(socket, ask)
        expect(error).to.have.property('code', 'aborted')
        expect(hub.has(socket, 'a')).to.equal(false)
        decide.resolves(undefined)
        expect(await channels.request(socket, ask)).to.deep.equal({ data: undefined })
      })

      it(`by ${who} is what the answer says, while the token is looked at`, async () => {
        const { socket } = member()
        redeem.callsFake(async () => {
          await take(socket)
        })
        const { error } = await channels.request(socket, { ...ask, token: 'TOKEN' })
        expect(error).to.have.property('code', 'aborted')
        expect(hub.has(socket, 'a')).to.equal(false)
      })

      it(`by ${who} is what the answer says, while the history is read`, async () => {
        const { socket } = member()
        const read = engine.history.read.bind(engine.history)
        sinon.stub(engine.history, 'read').callsFake(async (...args) => {
          await take(socket)
          return read(...args)
        })
        const { error } = await channels.request(socket, ask)
        expect(error).to.have.property('code', 'aborted')
        expect(hub.has(socket, 'a')).to.equal(false)
      })
    }

    it('is not what the answer says to another socket', async () => {
      const [one, other] = [member(), member()]
      let go = () => {}
      sinon.stub(broker, 'subscribe').returns(new Promise((resolve) => (go = resolve)))
      const answers = [one, other].map(({ socket }) => channels.request(socket, ask))
      await Promise.resolve()
      await Promise.resolve()
      await new Promise(setImmediate)
      channels.unsubscribe(one.socket, 'a')
      go()
      const [first, second] = await Promise.all(answers)
      expect(first).to.have.nested.property('error.code', 'aborted')
      expect(second).to.deep.equal({ data: undefined })
    })
  })

  it('tells a socket that was subscribed twice at once when that comes to nothing', async () => {
    const { socket, frames } = member()
    let fail = (_cause: Error) => {}
    sinon.stub(engine.history, 'read').returns(new Promise((_, reject) => (fail = reject)))
    const first = channels.subscribe(socket, 'a')
    await new Promise(setImmediate)
    await channels.subscribe(socket, 'a')
    fail(new RpcError('engine_unavailable'))
    expect(await rejection(first)).to.have.property('code', 'engine_unavailable')
    expect(frames().map((frame) => (frame as { command: string }).command)).to.deep.equal([
      'subscribe',
      'unsubscribe',
    ])
  })

  describe('#unsubscribe', () => {
    it('takes the socket off the channel and tells it so', async () => {
      const { socket, frames } = member()
      await channels.subscribe(socket, 'a')
      channels.unsubscribe(socket, 'a')
      await channels.publish('a', 1)
      expect(hub.channels).to.deep.equal([])
      expect(socket.channels).to.deep.equal([])
      expect(frames()).to.deep.equal([notice('subscribe', 'a'), notice('unsubscribe', 'a')])
    })

    it('tells it so even if it was not on the channel, and lets go of nothing', async () => {
      const [one, two] = [member(), member()]
      await channels.subscribe(one.socket, 'a')
      channels.unsubscribe(two.socket, 'a')
      await channels.publish('a', 1)
      expect(two.frames()).to.deep.equal([notice('unsubscribe', 'a')])
      expect(one.frames()).to.have.length(2)
    })

    it('lets the broker go with the last socket', async () => {
      const unsubscribe = sinon.spy(broker, 'unsubscribe')
      const [one, two] = [member(), member()]
      for (const { socket } of [one, two]) await channels.subscribe(socket, 'a')
      channels.unsubscribe(one.socket, 'a')
      expect(unsubscribe.called).to.equal(false)
      channels.unsubscribe(two.socket, 'a')
      expect(unsubscribe.args).to.deep.equal([['a']])
    })

    it('tells of a broker that fails', async () => {
      const cause = new Error('down')
      const { socket } = member()
      await channels.subscribe(socket, 'a')
      sinon.stub(broker, 'unsubscribe').rejects(cause)
      channels.unsubscribe(socket, 'a')
      await new Promise<void>((resolve) => setImmediate(resolve))
      expect(failed.args).to.deep.equal([[cause, { step: 'unsubscribe' }]])
    })
  })

  describe('#publish', () => {
    it('reaches each socket on the channel, in order', async () => {
      const [one, two] = [member(), member()]
      for (const { socket } of [one, two]) await channels.subscribe(socket, 'a')
      await Promise.all([1, 2, 3].map((message) => channels.publish('a', message)))
      for (const { frames } of [one, two]) {
        expect(frames().slice(1)).to.deep.equal([1, 2, 3].map((message) => ({ channel: 'a', message })))
      }
    })

    it('publishes undefined as null', async () => {
      const { socket, frames } = member()
      await channels.subscribe(socket, 'a')
      await channels.publish('a', undefined)
      expect(frames().at(-1)).to.deep.equal({ channel: 'a', message: null })
    })

    it('rejects with unserializable', async () => {
      expect((await rejection(channels.publish('a', 1n))).code).to.equal('unserializable')
    })

    it('rejects with what the broker throws', async () => {
      const cause = new Error('down')
      sinon.stub(broker, 'publish').rejects(cause)
      expect(await channels.publish('a', 1).catch((error) => error)).to.equal(cause)
    })
  })

  describe('#broadcast', () => {
    it('reaches every channel', async () => {
      const [one, two] = [member(), member()]
      await channels.subscribe(one.socket, 'a')
      await channels.subscribe(two.socket, 'b')
      await channels.broadcast({ x: 1 })
      expect(one.frames().at(-1)).to.deep.equal({ channel: 'a', message: { x: 1 } })
      expect(two.frames().at(-1)).to.deep.equal({ channel: 'b', message: { x: 1 } })
    })

    it('rejects with unserializable', async () => {
      expect((await rejection(channels.broadcast(1n))).code).to.equal('unserializable')
    })
  })

  describe('#unsubscribeAll', () => {
    it('takes every socket off the channel and tells it so', async () => {
      const [one, two, other] = [member(), member(), member()]
      for (const { socket } of [one, two]) await channels.subscribe(socket, 'a')
      await channels.subscribe(other.socket, 'b')
      await channels.unsubscribeAll('a')
      expect(hub.channels).to.deep.equal(['b'])
      expect(one.frames().at(-1)).to.deep.equal(notice('unsubscribe', 'a'))
      expect(two.frames().at(-1)).to.deep.equal(notice('unsubscribe', 'a'))
      expect(other.frames()).to.have.length(1)
    })

    it('goes by way of the broker, to every node', async () => {
      const command = sinon.spy(broker, 'command')
      await channels.unsubscribeAll('a')
      expect(command.args).to.deep.equal([[{ type: 'unsubscribeAll', channel: 'a' }]])
    })
  })

  it('asks slow claims of requests to subscribe for 8 ms in a turn', async () => {
    let now = 0
    const clock = sinon.stub(performance, 'now').callsFake(() => now)
    try {
      const { socket } = member({
        claims: readClaims({ uid: 'ann', channels: { '*': { subscribe: true } } }),
      })
      const asked = new Set<string>()
      sinon.stub(socket.grants, 'subscribe').callsFake((channel) => {
        if (!asked.has(channel)) now += 3
        asked.add(channel)
        return false
      })
      const requests = Array.from({ length: 20 }, (_, index) =>
        channels.request(socket, { type: 'subscribe', id: `${index}`, channel: `c${index}` }),
      )
      expect(asked.size).to.equal(3)
      for (let before = asked.size; asked.size < 20; before = asked.size) {
        await new Promise((resolve) => setImmediate(resolve))
        expect(asked.size - before).to.be.within(0, 6)
      }
      for (const { error } of await Promise.all(requests)) expect(error).to.include({ code: 'forbidden' })
    } finally {
      clock.restore()
    }
  })

  describe('#forget', () => {
    it('takes a socket off all its channels, and lets the broker go', async () => {
      const unsubscribe = sinon.spy(broker, 'unsubscribe')
      const { socket, frames } = member()
      for (const channel of ['a', 'b']) await channels.subscribe(socket, channel)
      frames()
      channels.forget(socket, 1000)
      expect(hub.sockets).to.deep.equal([])
      expect(unsubscribe.args).to.deep.equal([['a'], ['b']])
    })

    describe('with many channels', () => {
      const names = Array.from({ length: 1200 }, (_, index) => `c${index}`)
      let gone: TestSocket[]
      let left: sinon.SinonSpy
      let unsubscribe: sinon.SinonSpy

      beforeEach(async () => {
        left = sinon.spy(engine.presence, 'leave')
        unsubscribe = sinon.spy(broker, 'unsubscribe')
        const policy = new Policy({ channels: { '*': { presence: true } }, timeout: 1000, failed })
        const many = { subscriptions: 5000, subscriptionsPerUser: 3000, presencesPerUser: 3000 }
        channels = make({ policy, limits: { ...many, presenceRate: 5000 } })
        gone = [of('ann'), of('ann')]
        for (const { socket } of gone) for (const name of names) await channels.subscribe(socket, name)
      })

      const of = (uid: string) => member({ claims: readClaims({ uid }) })

      it('leaves 500 in a turn, in order', async () => {
        for (const { client } of gone) client.close(1006, '')
        const turns = [left.callCount]
        while (left.callCount < 2 * names.length) {
          await new Promise((resolve) => setImmediate(resolve))
          turns.push(left.callCount)
        }
        const each = turns.map((count, index) => count - (turns[index - 1] ?? 0))
        expect(Math.max(...each)).to.be.within(1, 1000)
        expect(each[0]).to.equal(500)
        const sids = gone.flatMap(({ socket }) => names.map((channel) => `${socket.sid} ${channel}`))
        expect(left.args.map(([{ sid, channel }]) => `${sid} ${channel}`)).to.deep.equal(sids)
        expect(unsubscribe.args.flat()).to.deep.equal(names)
      })

      it('is on none of them at once', async () => {
        const other = of('ben')
        const last = names.at(-1) as string
        await channels.subscribe(other.socket, last)
        const sent = () => gone.map(({ frames }) => frames().length)
        const before = sent()
        const heard: unknown[] = []
        hub.filter = (socket, _channel, message) => heard.push(socket.subject) && message
        for (const { client } of gone) client.close(1006, '')
        expect(hub.channels).to.deep.equal([last])
        expect(hub.on(last)).to.deep.equal([other.socket])
        for (const { socket } of gone) {
          expect(socket.channels).to.deep.equal([])
          expect(hub.has(socket, last)).to.equal(false)
          expect(hub.subscriptionsOf(socket)).to.equal(0)
        }
        await channels.publish(last, 1)
        expect(heard).to.deep.equal([other.socket.subject])
        expect(sent()).to.deep.equal(before)
      })

      it('counts nothing for the user who comes back at once', async () => {
        for (const { client } of gone) client.close(1006, '')
        const back = of('ann')
        for (const name of names) await channels.subscribe(back.socket, name)
        const again = of('ann')
        for (const name of names) await channels.subscribe(again.socket, name)
        expect(hub.subscriptionsOf(back.socket)).to.equal(2400)
      })

      it('a drop meanwhile does not release a channel twice', async () => {
        const last = names.at(-1) as string
        const other = of('ben')
        await channels.subscribe(other.socket, last)
        for (const { socket, client } of gone) {
          client.close(1006, '')
          channels.unsubscribe(socket, last)
        }
        channels.close()
        expect(left.callCount).to.equal(2 * names.length)
        expect(unsubscribe.args.flat()).to.not.include(last)
      })

      it('does the rest at once when the server closes, and what comes later', () => {
        gone[0]?.client.close(1006, '')
        channels.close()
        expect(left.callCount).to.equal(names.length)
        gone[1]?.client.close(1006, '')
        expect(left.callCount).to.equal(2 * names.length)
      })
    })
  })

  for (const method of ['subscribe', 'publish', 'unsubscribeAll', 'members'] as const) {
    describe(`#${method}`, () => {
      const call = (channel: unknown) =>
        method === 'subscribe'
          ? channels.subscribe(member().socket, channel as string)
          : channels[method](channel as string, 1)

      for (const channel of ['', undefined, null, 5, {}, ['a']]) {
        it(`rejects with bad_message for the channel ${JSON.stringify(channel)}`, async () => {
          const error = await rejection(call(channel))
          expect(error.code).to.equal('bad_message')
          expect(error.data).to.deep.equal({ field: 'channel' })
        })
      }

      it('rejects with too_long for a name of 257 characters, and takes one of 256', async () => {
        const error = await rejection(call('x'.repeat(257)))
        expect(error.code).to.equal('too_long')
        expect(error.data).to.deep.equal({ field: 'channel', limit: 256 })
        await call('x'.repeat(256))
      })
    })
  }

  describe('#request', () => {
    const requests: [ChannelRequest, told: object][] = [
      [{ type: 'subscribe', id: '1', channel: 'a' }, { channel: 'a' }],
      [{ type: 'unsubscribe', id: '1', channel: 'a' }, { channel: 'a' }],
      [
        { type: 'publish', id: '1', channel: 'a', data: { x: 1 } },
        { channel: 'a', data: { x: 1 } },
      ],
      [{ type: 'broadcast', id: '1', data: 5 }, { data: 5 }],
    ]
    for (const [request, told] of requests) {
      it(`asks the ${request.type} listeners, and tells them ${Object.keys(told).join(' and ')}`, async () => {
        const { socket } = member()
        expect(await channels.request(socket, request)).to.not.have.property('error')
        expect(decide.args).to.deep.equal([[request.type, socket, told]])
      })

      it(`does not ${request.type} when they refuse`, async () => {
        const { socket, frames } = member()
        await channels.subscribe(socket, 'b')
        const refusal = { error: new RpcError('forbidden') }
        decide.resolves(refusal)
        expect(await channels.request(socket, request)).to.deep.equal({ ...refusal, by: 'listener' })
        expect(frames()).to.have.length(1)
        expect(hub.channels).to.deep.equal(['b'])
      })

      it(`does not ${request.type} when the socket is gone by the time they answer`, async () => {
        const { socket, client } = member()
        const other = member()
        for (const channel of ['a', 'b']) await channels.subscribe(other.socket, channel)
        other.frames()
        const sent = other.connection.sent.length
        decide.callsFake(async () => client.close(1000, ''))
        expect(await channels.request(socket, request)).to.not.have.property('error')
        expect(other.frames()).to.have.length(sent)
        expect(hub.on('a')).to.deep.equal([other.socket])
      })
    }

    it('subscribes a few in each turn of the event loop when many ask at once, in the order of their asking', async () => {
      const sockets = Array.from({ length: 300 }, () => member().socket)
      const answers = sockets.map((socket) =>
        channels.request(socket, { type: 'subscribe', id: '1', channel: 'a' }),
      )
      const counts = [0]
      while (counts.at(-1) !== 300) {
        await new Promise((resolve) => setImmediate(resolve))
        counts.push(hub.on('a').length)
      }
      expect(Math.max(...counts.map((count, index) => count - (counts[index - 1] ?? 0)))).to.be.below(70)
      expect(hub.on('a')).to.deep.equal(sockets)
      expect(await Promise.all(answers)).to.deep.equal(sockets.map(() => ({ data: undefined })))
    })

    const withToken = { type: 'subscribe', id: '1', channel: 'a', token: 'TOKEN' } as const

    it('gives the socket what its token says before anybody is asked', async () => {
      const { socket } = member()
      await channels.request(socket, withToken)
      expect(redeem.args).to.deep.equal([[socket, 'a', 'TOKEN']])
      expect(redeem.calledBefore(decide)).to.equal(true)
      expect(hub.on('a')).to.deep.equal([socket])
    })

    it('does not subscribe with a bad token, and asks nobody', async () => {
      const { socket, frames } = member()
      redeem.rejects(new RpcError('invalid_token'))
      const { error } = await channels.request(socket, withToken)
      expect(error).to.have.property('code', 'invalid_token')
      expect(decide.called).to.equal(false)
      expect(frames()).to.deep.equal([])
    })

    it('asks nobody about a socket that is gone when its token was looked at', async () => {
      const { socket, client } = member()
      redeem.callsFake(async () => client.close(1000, ''))
      expect(await channels.request(socket, withToken)).to.not.have.property('error')
      expect(decide.called).to.equal(false)
      expect(hub.channels).to.deep.equal([])
    })

    it('looks at no token of any other request', async () => {
      const { socket } = member()
      for (const [request] of requests) await channels.request(socket, request)
      expect(redeem.called).to.equal(false)
    })

    it('asks nobody about a socket that is gone', async () => {
      const { socket, client } = member()
      client.close(1000, '')
      for (const [request] of requests)
        expect(await channels.request(socket, request)).to.not.have.property('error')
      expect(decide.called).to.equal(false)
    })

    it('refuses broadcasts beyond the rate of a socket, on top of that of publications', async () => {
      const spy = sinon.spy(broker, 'broadcast')
      const { socket } = member()
      const broadcast = () => channels.request(socket, { type: 'broadcast', id: '1', data: 1 })
      const answers = await Promise.all(Array.from({ length: 10 }, broadcast))
      const refused = answers.filter(({ error }) => error)
      expect(refused[0]).to.have.deep.nested.property('error.data.field', 'broadcastRate')
      expect(spy.callCount).to.equal(10 - refused.length)
      expect(spy.callCount).to.be.within(1, 4)
      await channels.broadcast(1)
      expect(
        (await channels.request(member().socket, { type: 'broadcast', id: '1', data: 1 })).error,
      ).to.equal(undefined)
    })

    it('subscribes, publishes, broadcasts and unsubscribes', async () => {
      const { socket, frames } = member()
      await channels.request(socket, { type: 'subscribe', id: '1', channel: 'a' })
      await channels.request(socket, { type: 'publish', id: '2', channel: 'a', data: 1 })
      await channels.request(socket, { type: 'broadcast', id: '3', data: 2 })
      await channels.request(socket, { type: 'unsubscribe', id: '4', channel: 'a' })
      expect(frames()).to.deep.equal([
        notice('subscribe', 'a'),
        { channel: 'a', message: 1 },
        { channel: 'a', message: 2 },
        notice('unsubscribe', 'a'),
      ])
    })

    it('gives an RpcError as the reason, and rejects with anything else', async () => {
      channels = make({ limits: { subscriptions: 1 } })
      const { socket } = member()
      await channels.subscribe(socket, 'a')
      const refusal = await channels.request(socket, { type: 'subscribe', id: '1', channel: 'b' })
      expect(refusal?.error).to.have.property('code', 'too_many_subscriptions')
      const cause = new Error('down')
      sinon.stub(broker, 'publish').rejects(cause)
      const request = { type: 'publish', id: '2', channel: 'a', data: 1 } as const
      expect(await channels.request(socket, request).catch((error) => error)).to.equal(cause)
    })
  })

  it('hears the publications, broadcasts and orders of other nodes', async () => {
    const heard: { listener?: BrokerListener } = {}
    sinon.stub(broker, 'listen').callsFake((listener) => {
      heard.listener = listener
    })
    channels = make()
    const { socket, frames } = member()
    await channels.subscribe(socket, 'a')
    heard.listener?.publication({ channel: 'a', json: '1', id: '1' })
    heard.listener?.broadcast('2')
    heard.listener?.command({ type: 'unsubscribeAll', channel: 'a' })
    heard.listener?.publication({ channel: 'a', json: '3', id: '3' })
    expect(frames()).to.deep.equal([
      notice('subscribe', 'a'),
      { channel: 'a', message: 1 },
      { channel: 'a', message: 2 },
      notice('unsubscribe', 'a'),
    ])
  })
})
