import type { Engine, PresenceEntry, PresenceEvent, PresenceSnapshot } from '@token-socket/server/engine'
import { expect } from 'chai'
import { NAMES } from './names.js'
import { PresenceWatcher, sorted } from './presence-watcher.js'
import { Random } from './random.js'
import { rejection } from './rejection.js'
import type { EngineClock, EngineSettings, MakeNodes } from './settings.js'
import { slowIt } from './slow-case.js'

const LIMIT = 1000

/** Milliseconds after which the entries of a node that died have ended. */
const LEASE = 15_000

/** The entry of a socket on a channel. */
const entry = (uid: string, sid = `${uid}-1`, rest: Partial<PresenceEntry> = {}): PresenceEntry => ({
  channel: 'a',
  uid,
  sid,
  ...rest,
})

const enter = (engine: Engine, ...of: Parameters<typeof entry>) => engine.presence.enter(entry(...of), LIMIT)

const leave = (engine: Engine, ...of: Parameters<typeof entry>) => engine.presence.leave(entry(...of), 0)

const uids = ({ members }: PresenceSnapshot) => members.map(({ uid }) => uid)

const membersOf = async (engine: Engine, channel = 'a') => uids(await engine.presence.members(channel))

/** The cases of one node. */
export function describePresence(make: MakeNodes, settings: EngineSettings): void {
  describe('#enter', () => {
    it('returns the members, including the new one', async () => {
      const [engine] = await make(1)
      expect((await enter(engine, 'u', 'u-1', { umd: '{"x":"😀"}' })).members).to.deep.equal([
        { uid: 'u', umd: '{"x":"😀"}' },
      ])
      expect((await enter(engine, 'v')).members).to.have.deep.members([
        { uid: 'u', umd: '{"x":"😀"}' },
        { uid: 'v' },
      ])
    })

    it('is received on subscribed channels only', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine, 'a')
      await enter(engine, 'u', 'u-1', { channel: 'b' })
      await enter(engine, 'v', 'v-1', { umd: '[1]' })
      expect(await watcher.received()).to.deep.equal(['+v'])
      const { seq, epoch, ...rest } = watcher.events[0] as PresenceEvent
      expect(rest).to.deep.equal({ channel: 'a', change: 'joined', uid: 'v', umd: '[1]' })
      expect(seq).to.be.a('number')
      expect(epoch).to.be.a('string')
    })

    it('is not received after `unsubscribe`', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine, 'a')
      await engine.broker.unsubscribe('a')
      await enter(engine, 'u')
      await engine.broker.subscribe('a')
      expect(await watcher.received()).to.deep.equal([])
    })

    it('makes one member of several sockets with the same uid', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      await enter(engine, 'u', 'u-1')
      expect(uids(await enter(engine, 'u', 'u-2'))).to.deep.equal(['u'])
      expect(await watcher.received()).to.deep.equal(['+u'])
    })

    it('does nothing if the entry exists', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      await Promise.all([enter(engine, 'u'), enter(engine, 'u')])
      await enter(engine, 'u')
      await leave(engine, 'u')
      expect(await watcher.received()).to.deep.equal(['+u', '-u'])
    })

    it('reports another `umd`, also none; the last one counts', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      await enter(engine, 'u', 'u-1', { umd: '1' })
      await enter(engine, 'u', 'u-2', { umd: '1' })
      expect((await enter(engine, 'u', 'u-2', { umd: '2' })).members).to.deep.equal([{ uid: 'u', umd: '2' }])
      expect((await enter(engine, 'u', 'u-1')).members).to.deep.equal([{ uid: 'u' }])
      expect(await watcher.received()).to.deep.equal(['+u', '~u', '~u'])
      expect(watcher.events.slice(0, 3).map(({ umd }) => umd)).to.deep.equal(['1', '2', undefined])
    })

    it('rejects with too_many_members at the limit of each channel', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      const enterFew = (uid: string, rest = {}) => engine.presence.enter(entry(uid, `${uid}-1`, rest), 2)
      for (const uid of ['u', 'v']) await enterFew(uid)
      const error = await rejection(enterFew('w'))
      expect(error.code).to.equal('too_many_members')
      expect(error.data).to.deep.equal({ field: 'members', limit: 2 })
      await leave(engine, 'w')
      await enterFew('w', { channel: 'b' })
      expect(await watcher.received()).to.deep.equal(['+u', '+v'])
    })

    it('accepts more sockets of a member at the limit, and a new member after one has left', async () => {
      const [engine] = await make(1)
      for (const sid of ['u-1', 'u-2']) await engine.presence.enter(entry('u', sid), 1)
      for (const sid of ['u-1', 'u-2']) await leave(engine, 'u', sid)
      expect(uids(await engine.presence.enter(entry('v'), 1))).to.deep.equal(['v'])
    })

    it('keeps the limit for concurrent calls', async () => {
      const [engine] = await make(1)
      const entering = Array.from({ length: 20 }, (_, index) => engine.presence.enter(entry(`u${index}`), 5))
      const outcomes = await Promise.allSettled(entering)
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(5)
      expect(await membersOf(engine)).to.have.length(5)
    })

    it('keeps channels and users of all names apart', async () => {
      const [engine] = await make(1)
      for (const [name, other] of NAMES) {
        await enter(engine, name, name, { channel: name, umd: JSON.stringify(name) })
        expect(await membersOf(engine, other)).to.deep.equal(
          NAMES.some(([one]) => one === other) ? [other] : [],
        )
        await leave(engine, other, other, { channel: name })
      }
      for (const [name] of NAMES) {
        const { members } = await engine.presence.members(name)
        expect(members).to.deep.equal([{ uid: name, umd: JSON.stringify(name) }])
      }
    })
  })

  describe('#leave', () => {
    it('is received with the last socket, with the last `umd`', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      for (const sid of ['u-1', 'u-2']) await enter(engine, 'u', sid, { umd: '1' })
      await leave(engine, 'u', 'u-2')
      expect(await membersOf(engine)).to.deep.equal(['u'])
      await leave(engine, 'u', 'u-1')
      expect(await membersOf(engine)).to.deep.equal([])
      expect(await watcher.received()).to.deep.equal(['+u', '-u'])
      expect(watcher.events[1]).to.include({ channel: 'a', change: 'left', uid: 'u', umd: '1' })
    })

    it('does nothing if there is no entry', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      await leave(engine, 'u')
      await enter(engine, 'u')
      await leave(engine, 'u', 'another')
      await leave(engine, 'another', 'u-1')
      await leave(engine, 'u', 'u-1', { channel: 'b' })
      await engine.presence.leave(entry('u', 'another'), 60_000)
      expect(await membersOf(engine)).to.deep.equal(['u'])
      expect(await watcher.received()).to.deep.equal(['+u'])
    })

    it('lets a member join again', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      for (const sid of ['u-1', 'u-2']) {
        await enter(engine, 'u', sid)
        await leave(engine, 'u', sid)
      }
      expect(await watcher.received()).to.deep.equal(['+u', '-u', '+u', '-u'])
    })
  })

  describe('#members', () => {
    it('returns no members of an empty channel', async () => {
      const [engine] = await make(1)
      for (const channel of ['a', '*', '__proto__', 'constructor']) {
        expect(await membersOf(engine, channel)).to.deep.equal([])
      }
    })

    it('has a `seq` after which the changes follow, each once', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      await enter(engine, 'u')
      const snapshot = await engine.presence.members('a')
      expect(snapshot).to.deep.equal(await engine.presence.members('a'))
      await enter(engine, 'v')
      await leave(engine, 'u')
      await watcher.received()
      expect(watcher.since(snapshot)).to.deep.equal(['last: ', 'v: '])
    })
  })

  describe('as time passes', () => {
    let clock: EngineClock

    beforeEach(() => {
      clock = settings.clock()
    })

    afterEach(() => clock.restore())

    it('keeps a member for the grace period of its last socket, and no longer', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      for (const uid of ['short', 'long']) await enter(engine, uid)
      await engine.presence.leave(entry('short'), 2000)
      await engine.presence.leave(entry('long'), 60_000)
      expect(await membersOf(engine)).to.have.members(['short', 'long'])
      await clock.pass(3000)
      expect(await membersOf(engine)).to.deep.equal(['long'])
      expect(await watcher.received()).to.deep.equal(['+short', '+long', '-short'])
    })

    it('hides that a member joins again within its grace period', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      await enter(engine, 'u', 'u-1')
      await engine.presence.leave(entry('u', 'u-1'), 2000)
      await enter(engine, 'u', 'u-2')
      await clock.pass(3000)
      expect(await membersOf(engine)).to.deep.equal(['u'])
      expect(await watcher.received()).to.deep.equal(['+u'])
    })

    it('ends the grace period when the member joins again', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      await enter(engine, 'u', 'u-1')
      await engine.presence.leave(entry('u', 'u-1'), 60_000)
      await enter(engine, 'u', 'u-2')
      await leave(engine, 'u', 'u-2')
      expect(await watcher.received()).to.deep.equal(['+u', '-u'])
    })

    it('keeps a member for the longest grace period of its sockets', async () => {
      const [engine] = await make(1)
      for (const sid of ['u-1', 'u-2', 'u-3']) await enter(engine, 'u', sid)
      await engine.presence.leave(entry('u', 'u-1'), 3000)
      await engine.presence.leave(entry('u', 'u-2'), 200)
      await leave(engine, 'u', 'u-3')
      await clock.pass(1000)
      expect(await membersOf(engine)).to.deep.equal(['u'])
      await clock.pass(3000)
      expect(await membersOf(engine)).to.deep.equal([])
    })

    it('keeps a member whose other socket outlasts the grace period', async () => {
      const [engine] = await make(1)
      const watcher = await PresenceWatcher.on(engine)
      for (const sid of ['u-1', 'u-2']) await enter(engine, 'u', sid)
      await engine.presence.leave(entry('u', 'u-1'), 200)
      await clock.pass(1000)
      expect(await membersOf(engine)).to.deep.equal(['u'])
      await leave(engine, 'u', 'u-2')
      expect(await watcher.received()).to.deep.equal(['+u', '-u'])
    })
  })

  it('has snapshots and changes that agree during concurrent calls', async () => {
    const [engine] = await make(1)
    await comeAndGo([await PresenceWatcher.on(engine)])
  })
}

/** The cases of several nodes. */
export function describeSharedPresence(make: MakeNodes, settings: EngineSettings): void {
  it('is the same on every node', async () => {
    const [one, two, three] = (await make(3)) as unknown as readonly [Engine, Engine, Engine]
    const watcher = await PresenceWatcher.on(three)
    await enter(one, 'u')
    expect(uids(await enter(two, 'v'))).to.have.members(['u', 'v'])
    await leave(one, 'u')
    expect(await membersOf(three)).to.deep.equal(['v'])
    expect(await watcher.received('a', two)).to.deep.equal(['+u', '+v', '-u'])
  })

  it('makes one member of sockets on several nodes, which leaves with the last', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    const watcher = await PresenceWatcher.on(one)
    await enter(one, 'u', 'u-1')
    await enter(two, 'u', 'u-2', { umd: '1' })
    await leave(one, 'u', 'u-1')
    expect(await membersOf(one)).to.deep.equal(['u'])
    await leave(two, 'u', 'u-2')
    expect(await watcher.received('a', two)).to.deep.equal(['+u', '~u', '-u'])
  })

  it('hides that a member joins again on another node', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    const watcher = await PresenceWatcher.on(one)
    await enter(one, 'u', 'u-1')
    await one.presence.leave(entry('u', 'u-1'), 60_000)
    await enter(two, 'u', 'u-2')
    expect(await watcher.received()).to.deep.equal(['+u'])
    await leave(two, 'u', 'u-2')
    expect(await membersOf(one)).to.deep.equal(['last'])
  })

  it('keeps the limit over all nodes', async () => {
    const nodes = await make(3)
    const entering = Array.from({ length: 12 }, (_, index) =>
      nodes.map((node) => node.presence.enter(entry(`u${index % 8}`, `${nodes.indexOf(node)}-${index}`), 5)),
    )
    await Promise.allSettled(entering.flat())
    expect(await membersOf(nodes[0])).to.have.length(5)
  })

  it('has snapshots and changes that agree on every node', async () => {
    const nodes = await make(3)
    await comeAndGo(await Promise.all(nodes.map((node) => PresenceWatcher.on(node))))
  })

  const { kill } = settings
  if (!kill) return
  slowIt('removes the members of a node that dies, and no others', 10 * LEASE, async () => {
    const clock = settings.clock()
    try {
      const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
      const watcher = await PresenceWatcher.on(two)
      for (const uid of ['u', 'both']) await enter(one, uid, `${uid}-1`)
      for (const uid of ['v', 'both']) await enter(two, uid, `${uid}-2`)
      kill(one)
      await clock.pass(LEASE)
      expect(await membersOf(two)).to.have.members(['v', 'both'])
      expect(await watcher.received()).to.deep.equal(['+u', '+both', '+v', '-u'])
    } finally {
      clock.restore()
    }
  })
}

/** Sockets join and leave concurrently on every node. Each takes a snapshot when it joins. */
async function comeAndGo(watchers: readonly PresenceWatcher[]): Promise<void> {
  const seed = Math.floor(Math.random() * 2 ** 32)
  console.log(`        seed ${seed}`)
  const random = new Random(seed)
  const snapshots: PresenceSnapshot[] = []
  const socket = async (index: number) => {
    const { presence } = (watchers[index % watchers.length] as PresenceWatcher).engine
    const own = entry(`u${random.number(8)}`, `s${index}`)
    for (let round = random.number(6); round >= 0; round -= 1) {
      const umd = random.pick([undefined, '1', '2'])
      snapshots.push(await presence.enter({ ...own, umd }, LIMIT))
      if (round > 0 || random.number(2) === 0) await presence.leave(own, 0)
    }
  }
  const [{ engine }] = watchers as readonly [PresenceWatcher, ...PresenceWatcher[]]
  await enter(engine, 'always')
  await Promise.all(Array.from({ length: 30 }, (_, index) => socket(index)))
  for (const watcher of watchers) await watcher.received()
  const end = await engine.presence.members('a')
  for (const watcher of watchers) {
    for (const snapshot of snapshots) expect(watcher.since(snapshot)).to.deep.equal(sorted(end.members))
  }
}
