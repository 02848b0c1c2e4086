import { type ChannelRuleTable, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { change, JudgedChannels, mayRead, TIMEOUT } from './judged-channels.js'
import type { TestSocket } from './sockets.js'

/** Whether a promise has resolved. */
function watch(promise: Promise<unknown>): { readonly isDone: boolean } {
  const state = { isDone: false }
  promise.then(() => {
    state.isDone = true
  })
  return state
}

const later = <T>(ms: number, answer: () => T) =>
  new Promise<T>((resolve) => setTimeout(() => resolve(answer()), ms))

const forever = () => new Promise<never>(() => {})

/** Its client reads nothing: what waits for that waits for ever. */
function stopReading({ socket }: TestSocket): void {
  for (let task = 0; task < 8; task += 1) void socket.bulk.run(forever)
}

describe('Reauthorization, whatever the client does', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })

  afterEach(() => clock.restore())

  describe('with tokens for channels', () => {
    /** A rule that takes its time, and a socket that is on the channel and banned from it. */
    const banned = async () => {
      let isBanned = false
      const rule = sinon.spy(() => later(300, () => !isBanned))
      const world = new JudgedChannels({ secret: { subscribe: rule }, '*': { subscribe: true } })
      const one = world.member({ uid: 'eve' })
      const joined = world.subscribe(one, 'secret')
      await clock.tickAsync(300)
      expect(await joined).to.deep.equal({ data: undefined })
      isBanned = true
      rule.resetHistory()
      return { world, one, rule }
    }

    const token = (name: string) => JSON.stringify({ channels: { [name]: { subscribe: true } } })

    for (const [what, name] of [
      ['another channel', () => 'other'],
      ['ever other channels', (index: number) => `other-${index}`],
    ] as const) {
      it(`is not asked again for the sake of ${what}`, async () => {
        const { world, one, rule } = await banned()
        const done = watch(change(one, { uid: 'eve' }))
        for (let index = 0; index < 6; index += 1) {
          await world.subscribe(one, name(index), { token: token(name(index)) })
          await clock.tickAsync(50)
        }
        expect([done.isDone, one.socket.isOn('secret'), rule.callCount]).to.deep.equal([true, false, 1])
      })
    }

    it('is asked again once for a token of the channel itself, and not for the same words', async () => {
      const { world, one, rule } = await banned()
      const done = watch(change(one, { uid: 'eve' }))
      for (let index = 0; index < 12; index += 1) {
        void world.subscribe(one, 'secret', { token: token('secret') })
        await clock.tickAsync(50)
      }
      expect([done.isDone, one.socket.isOn('secret')]).to.deep.equal([true, false])
      // Twelve are the client's own requests.
      expect(rule.callCount - 12).to.equal(2)
    })

    it('ends within vetoTimeout, also with ever new words about the channel', async () => {
      const { world, one } = await banned()
      const done = watch(change(one, { uid: 'eve' }))
      for (let index = 0; index < TIMEOUT / 50; index += 1) {
        const pattern = `#regex:^secret|${index}$`
        const words = { channels: { [pattern]: { subscribe: true } } }
        void world.subscribe(one, 'secret', { token: JSON.stringify(words) })
        await clock.tickAsync(50)
      }
      expect([done.isDone, one.socket.isOn('secret')]).to.deep.equal([true, false])
    })
  })

  it('decides nothing about a subscription that began after the one that it was about', async () => {
    let answer: Promise<boolean> | boolean = true
    const world = new JudgedChannels({ room: { subscribe: () => answer } })
    const one = world.member()
    await world.subscribe(one, 'room')
    answer = forever()
    const first = watch(change(one, { uid: 'ann' }))
    world.channels.unsubscribe(one.socket, 'room', 'client')
    answer = true
    await change(one, { uid: 'ann' })
    await world.subscribe(one, 'room')
    await clock.tickAsync(TIMEOUT * 2)
    expect([first.isDone, one.socket.isOn('room')]).to.deep.equal([true, true])
  })

  describe('with full claims', () => {
    /** Fills the limits of claims by tokens of channels. */
    const fill = async (world: JudgedChannels, one: TestSocket, limit: 'channels' | 'program') => {
      const bring = async (names: string[]) => {
        const token = JSON.stringify(mayRead(...names))
        return (await world.subscribe(one, 'room', { token })).error as RpcError | undefined
      }
      const nameOf = (index: number) =>
        limit === 'channels' ? `room-${index}` : `#regex:^room-${index}-x{400}$`
      if (limit === 'channels') await bring(Array.from({ length: 990 }, (_, index) => nameOf(1000 + index)))
      let error: RpcError | undefined
      for (let index = 0; !error && index < 20; index += 1) error = await bring([nameOf(index)])
      expect(error).to.include({ code: 'bad_claims' })
    }

    for (const limit of ['channels', 'program'] as const) {
      it(`takes effect all the same: what tokens have added is dropped (${limit})`, async () => {
        const world = new JudgedChannels()
        const one = world.member()
        await world.subscribe(one, 'secret')
        await world.subscribe(one, 'room-0', { token: JSON.stringify(mayRead('room-0')) })
        await fill(world, one, limit)
        const lesser = {
          uid: 'ann',
          channels: { public: { subscribe: true }, '#regex:^(y{450})$': { subscribe: true } },
        }
        await change(one, lesser)
        expect(one.socket.authorization.version).to.equal(2)
        expect(one.socket.channels).to.deep.equal([])
        expect(world.log.write.calledOnceWith('dropped rights')).to.equal(true)
        await world.subscribe(one, 'public')
        await world.subscribe(one, 'room-0', { token: JSON.stringify(mayRead('room-0')) })
        expect(one.socket.channels).to.have.members(['public', 'room-0'])
      })
    }

    it('drops nothing that fits', async () => {
      const world = new JudgedChannels()
      const one = world.member()
      await world.subscribe(one, 'room', { token: JSON.stringify(mayRead('room')) })
      await change(one, mayRead('x'))
      expect(one.socket.channels).to.deep.equal(['room'])
      expect(world.log.write.called).to.equal(false)
    })
  })

  describe('with a token whose rights a middleware takes back', () => {
    it('ends what those rights have let it on, and kept it on, meanwhile', async () => {
      const held: ((answer: object) => void)[] = []
      const aroundRequest = async (_socket: unknown, request: never, next: (request: never) => unknown) => {
        const answer = await next(request)
        const { token } = request as { readonly token?: string }
        return token === undefined ? answer : new Promise((answered) => held.push(answered))
      }
      const middleware = { has: (type: string) => type === 'subscribe', aroundRequest } as never
      const world = new JudgedChannels({}, { middleware })
      const one = world.member(mayRead('a', 'mine'))
      for (const name of ['a', 'mine']) await world.subscribe(one, name)
      const asked = world.subscribe(one, 'a', { token: JSON.stringify(mayRead('a', 'b')) })
      while (held.length === 0) await new Promise(setImmediate)
      await world.subscribe(one, 'b')
      await change(one, mayRead('mine'))
      expect(one.socket.channels).to.have.members(['a', 'mine', 'b'])
      held[0]?.({ error: new RpcError('forbidden') })
      expect((await asked).error).to.include({ code: 'forbidden' })
      expect(one.socket.channels).to.deep.equal(['mine'])
    })
  })

  describe('with changes that overlap', () => {
    it('ends what no change allows, each promise in its own time', async () => {
      let isBanned = false
      const world = new JudgedChannels({ secret: { subscribe: () => later(500, () => !isBanned) } })
      const one = world.member({ uid: 'eve' })
      const joined = world.subscribe(one, 'secret')
      await clock.tickAsync(500)
      await joined
      isBanned = true
      const changes = []
      for (let index = 0; index < 8; index += 1) {
        changes.push(watch(change(one, { uid: 'eve', umd: index })))
        await clock.tickAsync(400)
        const elapsed = 400 * (index + 1)
        expect(one.socket.isOn('secret'), `after ${elapsed}`).to.equal(elapsed < TIMEOUT)
      }
      expect(changes.every(({ isDone }) => isDone)).to.equal(true)
    })

    it('does not end what each of them allows, however long they go on', async () => {
      const world = new JudgedChannels({ news: { subscribe: () => later(500, () => true) } })
      const one = world.member({ uid: 'ann' })
      const joined = world.subscribe(one, 'news')
      await clock.tickAsync(500)
      await joined
      const changes = []
      for (let index = 0; index < 20; index += 1) {
        changes.push(watch(change(one, { uid: 'ann', umd: index })))
        await clock.tickAsync(100)
        expect(changes.filter(({ isDone }) => isDone)).to.have.lengthOf(Math.max(0, index - 3))
      }
      await clock.tickAsync(500)
      expect([one.socket.isOn('news'), changes.every(({ isDone }) => isDone)]).to.deep.equal([true, true])
    })

    it('leaves a refusal by an older one to the later one', async () => {
      const world = new JudgedChannels()
      const one = world.member()
      await world.subscribe(one, 'a')
      world.decide.onSecondCall().callsFake(() => later(100, () => ({ error: new RpcError('forbidden') })))
      world.decide.onThirdCall().callsFake(() => later(500, () => undefined))
      const changes = [watch(change(one, mayRead('*'))), watch(change(one, mayRead('*')))]
      await clock.tickAsync(400)
      expect(changes.map(({ isDone }) => isDone)).to.deep.equal([false, false])
      await clock.tickAsync(100)
      expect([one.socket.channels, ...changes.map(({ isDone }) => isDone)]).to.deep.equal([['a'], true, true])
    })

    it('gives a rule and the listeners vetoTimeout together', async () => {
      const world = new JudgedChannels({ a: { subscribe: () => later(TIMEOUT - 100, () => true) } })
      const one = world.member({ uid: 'ann' })
      const joined = world.subscribe(one, 'a')
      await clock.tickAsync(TIMEOUT)
      await joined
      world.decide.callsFake(() => later(TIMEOUT - 100, () => undefined))
      const done = watch(change(one, { uid: 'ann' }))
      await clock.tickAsync(TIMEOUT)
      expect([done.isDone, one.socket.isOn('a')]).to.deep.equal([true, false])
    })

    it('waits for publications of each in its own time', async () => {
      const world = new JudgedChannels()
      sinon.stub(world.engine.broker, 'publish').callsFake(forever)
      const one = world.member({ uid: 'ann' })
      const changes = []
      for (let index = 0; index < 5; index += 1) {
        void world.channels.request(one.socket, { type: 'publish', id: '1', channel: 'a', data: 1 })
        await clock.tickAsync(1)
        changes.push(watch(change(one, { uid: 'ann' })))
        await clock.tickAsync(300)
        expect(changes[index - 3]?.isDone ?? true).to.equal(true)
        expect(changes[index]?.isDone).to.equal(false)
      }
    })
  })

  describe('with a client that does not read', () => {
    const RULES: ChannelRuleTable = { room: { subscribe: true, publish: true, presence: true } }

    it('shows the others the new `umd` at once, and the client the members once it reads', async () => {
      const world = new JudgedChannels(RULES)
      const [eve, ben] = [world.member({ uid: 'eve', umd: 'admin' }), world.member({ uid: 'ben' })]
      for (const one of [eve, ben]) await world.subscribe(one, 'room')
      const tasks: (() => void)[] = []
      for (let task = 0; task < 8; task += 1)
        void eve.socket.bulk.run(() => new Promise<void>((end) => tasks.push(end)))
      const members = sinon.spy(world.engine.presence, 'members')
      for (const umd of ['guest', 'stranger']) await change(eve, { uid: 'eve', umd })
      await clock.tickAsync(0)
      await new Promise(setImmediate)
      expect(JSON.stringify(ben.frames().at(-1))).to.include('"stranger"')
      expect(JSON.stringify(eve.frames().at(-1))).to.not.include('members')
      for (const end of tasks) end()
      await clock.tickAsync(0)
      // However often it changed, its list is read once.
      expect(members.callCount).to.equal(1)
      const lists = eve.frames().filter((frame) => JSON.stringify(frame).includes('"members"'))
      expect(lists).to.have.lengthOf(2)
      expect(JSON.stringify(lists[1])).to.include('"stranger"')
      await world.subscribe(world.member({ uid: 'cid' }), 'room')
      await new Promise(setImmediate)
      expect(JSON.stringify(eve.frames().at(-1)))
        .to.include('"joined"')
        .and.to.include('"cid"')
    })

    it('empties its list when presence is lost while its first subscription is not told', async () => {
      const answers = [forever(), true, false]
      const presence = () => answers.shift() ?? false
      const world = new JudgedChannels({ room: { subscribe: true, presence } })
      const one = world.member({ uid: 'ann' })
      void world.subscribe(one, 'room')
      await clock.tickAsync(0)
      await world.channels.subscribe(one.socket, 'room')
      await change(one, { uid: 'ann' })
      const lists = one.frames().filter((frame) => JSON.stringify(frame).includes('"members"'))
      expect(JSON.stringify(lists[0])).to.include('"ann"')
      expect(JSON.stringify(lists.at(-1))).to.include('"members":[]')
    })

    it('does not wait for it, nor for its recovery, its requests or its automatic subscriptions', async () => {
      const world = new JudgedChannels({ ...RULES, '*': { subscribe: true, history: { ttl: 60_000 } } })
      const one = world.member({ uid: 'ann' })
      await world.subscribe(one, 'room')
      stopReading(one)
      void world.subscribe(one, 'recovering', { from: { epoch: 'e', offset: 0 } })
      await clock.tickAsync(0)
      expect(one.socket.isOn('recovering')).to.equal(true)
      world.decide.withArgs('subscribe', sinon.match.any, { channel: 'auto' }).callsFake(forever)
      void world.subscribe(one, 'auto')
      void one.socket.inOrder('auto', forever)
      const channels = { auto: { subscribe: true, autoSubscribe: true } }
      const done = watch(change(one, { uid: 'ann', umd: 1, channels } as never))
      await clock.tickAsync(0)
      expect(done.isDone).to.equal(true)
    })

    it('bounds what a presence function, or the engine, takes', async () => {
      let answer: () => boolean | Promise<boolean> = () => true
      const world = new JudgedChannels({ room: { subscribe: true, presence: () => answer() } })
      const one = world.member({ uid: 'ann', umd: 1 } as never)
      await world.subscribe(one, 'room')
      const enter = sinon.stub(world.engine.presence, 'enter').callsFake(forever)
      const slow = watch(change(one, { uid: 'ann', umd: 2 } as never))
      await clock.tickAsync(TIMEOUT - 1)
      expect(slow.isDone).to.equal(false)
      await clock.tickAsync(1)
      expect(slow.isDone).to.equal(true)
      enter.restore()
      answer = () => later(400, () => false)
      const changes = []
      for (let index = 0; index < 5; index += 1) {
        changes.push(watch(change(one, { uid: 'ann', umd: 3 + index } as never)))
        await clock.tickAsync(300)
      }
      expect(changes.slice(0, 2).every(({ isDone }) => isDone)).to.equal(true)
      expect(JSON.stringify(one.frames())).to.include('"members":[]')
      expect(one.socket.isOn('room')).to.equal(true)
    })

    it('shows a new `umd` while changes go on and a function decides slowly', async () => {
      const world = new JudgedChannels({
        room: { subscribe: true, presence: () => later(500, () => true) },
      })
      const one = world.member({ uid: 'ann', umd: 0 } as never)
      const joined = world.subscribe(one, 'room')
      await clock.tickAsync(500)
      await joined
      for (let umd = 1; umd <= 5; umd += 1) {
        void change(one, { uid: 'ann', umd } as never)
        await clock.tickAsync(400)
      }
      const { members } = await world.engine.presence.members('room')
      expect(Number(members[0]?.umd)).to.be.at.least(3)
    })
  })
})
