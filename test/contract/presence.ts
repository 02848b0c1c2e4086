/** What every engine promises about who is on a channel. */
import type { Engine, PresenceEntry, PresenceEvent, PresenceSnapshot } from '@token-socket/server'
import { expect } from 'chai'
import { Random } from '../protocol/random.js'
import { rejection } from '../protocol/rejection.js'
import { type EngineClock, type EngineSettings, type Make, NAMES } from './engine.js'

const LIMIT = 1000

/** Milliseconds within which a dead node's sockets are gone. */
const LEASE = 15_000

/** A socket on a channel; its id tells whose it is. */
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

/** The changes that a node hears, in order. */
class Watcher {
  readonly events: PresenceEvent[] = []
  readonly engine: Engine
  #wake = () => {}

  private constructor(engine: Engine) {
    this.engine = engine
    engine.broker.listen({
      publication: () => {},
      broadcast: () => {},
      command: () => {},
      presence: (event) => {
        this.events.push(event)
        this.#wake()
      },
    })
  }

  static async on(engine: Engine, ...channels: string[]): Promise<Watcher> {
    const watcher = new Watcher(engine)
    for (const channel of channels.length > 0 ? channels : ['a']) await engine.broker.subscribe(channel)
    return watcher
  }

  /** Resolves when one has been heard that is so. */
  async until(isSo: (event: PresenceEvent) => boolean): Promise<void> {
    while (!this.events.some(isSo)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** All that was heard, as `+uid`, `-uid` and `~uid`, once somebody new, who is left out, has been heard to come. */
  async heard(channel = 'a', by: Engine = this.engine): Promise<string[]> {
    await enter(by, 'last', 'last', { channel })
    await this.until(({ uid, change }) => uid === 'last' && change === 'joined')
    const signs = { joined: '+', left: '-', updated: '~' }
    return this.events.filter(({ uid }) => uid !== 'last').map(({ change, uid }) => `${signs[change]}${uid}`)
  }

  /** Who is there by a snapshot and the changes after it. @throws if one is missing, or came twice */
  since({ members, seq, epoch }: PresenceSnapshot): string[] {
    const found = new Map(members.map(({ uid, umd }) => [uid, umd]))
    const first = this.events.findLastIndex((event) => event.epoch === epoch && event.seq <= seq) + 1
    let at = seq
    for (const event of this.events.slice(first)) {
      expect([event.seq, event.epoch]).to.deep.equal([at + 1, epoch])
      expect(found.has(event.uid)).to.equal(event.change !== 'joined')
      if (event.change === 'left') found.delete(event.uid)
      else found.set(event.uid, event.umd)
      at = event.seq
    }
    return sorted([...found].map(([uid, umd]) => ({ uid, umd })))
  }
}

const sorted = (members: PresenceSnapshot['members']) =>
  members.map(({ uid, umd }) => `${uid}: ${umd ?? ''}`).sort()

export function describePresence(make: Make, settings: EngineSettings): void {
  describe('#enter', () => {
    it('gives who is there, it included', async () => {
      const [engine] = await make(1)
      expect((await enter(engine, 'u', 'u-1', { umd: '{"x":"😀"}' })).members).to.deep.equal([
        { uid: 'u', umd: '{"x":"😀"}' },
      ])
      expect((await enter(engine, 'v')).members).to.have.deep.members([
        { uid: 'u', umd: '{"x":"😀"}' },
        { uid: 'v' },
      ])
    })

    it('is heard on a channel that is subscribed to, and on no other', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine, 'a')
      await enter(engine, 'u', 'u-1', { channel: 'b' })
      await enter(engine, 'v', 'v-1', { umd: '[1]' })
      expect(await watcher.heard()).to.deep.equal(['+v'])
      const { seq, epoch, ...rest } = watcher.events[0] as PresenceEvent
      expect(rest).to.deep.equal({ channel: 'a', change: 'joined', uid: 'v', umd: '[1]' })
      expect(seq).to.be.a('number')
      expect(epoch).to.be.a('string')
    })

    it('is not heard any more once the channel is unsubscribed from', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine, 'a')
      await engine.broker.unsubscribe('a')
      await enter(engine, 'u')
      await engine.broker.subscribe('a')
      expect(await watcher.heard()).to.deep.equal([])
    })

    it('makes one member of the sockets of one user', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      await enter(engine, 'u', 'u-1')
      expect(uids(await enter(engine, 'u', 'u-2'))).to.deep.equal(['u'])
      expect(await watcher.heard()).to.deep.equal(['+u'])
    })

    it('does no harm where it is there already', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      await Promise.all([enter(engine, 'u'), enter(engine, 'u')])
      await enter(engine, 'u')
      await leave(engine, 'u')
      expect(await watcher.heard()).to.deep.equal(['+u', '-u'])
    })

    it('tells of another umd, also of none; the last counts', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      await enter(engine, 'u', 'u-1', { umd: '1' })
      await enter(engine, 'u', 'u-2', { umd: '1' })
      expect((await enter(engine, 'u', 'u-2', { umd: '2' })).members).to.deep.equal([{ uid: 'u', umd: '2' }])
      expect((await enter(engine, 'u', 'u-1')).members).to.deep.equal([{ uid: 'u' }])
      expect(await watcher.heard()).to.deep.equal(['+u', '~u', '~u'])
      expect(watcher.events.slice(0, 3).map(({ umd }) => umd)).to.deep.equal(['1', '2', undefined])
    })

    it('rejects with too_many_members at the limit, each channel by itself', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      const enterFew = (uid: string, rest = {}) => engine.presence.enter(entry(uid, `${uid}-1`, rest), 2)
      for (const uid of ['u', 'v']) await enterFew(uid)
      const error = await rejection(enterFew('w'))
      expect(error.code).to.equal('too_many_members')
      expect(error.data).to.deep.equal({ field: 'members', limit: 2 })
      await leave(engine, 'w')
      await enterFew('w', { channel: 'b' })
      expect(await watcher.heard()).to.deep.equal(['+u', '+v'])
    })

    it('takes more sockets of a member at the limit, and another member in the place of one that has left', async () => {
      const [engine] = await make(1)
      for (const sid of ['u-1', 'u-2']) await engine.presence.enter(entry('u', sid), 1)
      for (const sid of ['u-1', 'u-2']) await leave(engine, 'u', sid)
      expect(uids(await engine.presence.enter(entry('v'), 1))).to.deep.equal(['v'])
    })

    it('lets no more in than the limit when all come at once', async () => {
      const [engine] = await make(1)
      const entering = Array.from({ length: 20 }, (_, index) => engine.presence.enter(entry(`u${index}`), 5))
      const outcomes = await Promise.allSettled(entering)
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(5)
      expect(await membersOf(engine)).to.have.length(5)
    })

    it('keeps channels and users apart, whatever their names', async () => {
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
    it('is heard with the last socket, with what was known of the member', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      for (const sid of ['u-1', 'u-2']) await enter(engine, 'u', sid, { umd: '1' })
      await leave(engine, 'u', 'u-2')
      expect(await membersOf(engine)).to.deep.equal(['u'])
      await leave(engine, 'u', 'u-1')
      expect(await membersOf(engine)).to.deep.equal([])
      expect(await watcher.heard()).to.deep.equal(['+u', '-u'])
      expect(watcher.events[1]).to.include({ channel: 'a', change: 'left', uid: 'u', umd: '1' })
    })

    it('does no harm where it is not there', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      await leave(engine, 'u')
      await enter(engine, 'u')
      await leave(engine, 'u', 'another')
      await leave(engine, 'another', 'u-1')
      await leave(engine, 'u', 'u-1', { channel: 'b' })
      await engine.presence.leave(entry('u', 'another'), 60_000)
      expect(await membersOf(engine)).to.deep.equal(['u'])
      expect(await watcher.heard()).to.deep.equal(['+u'])
    })

    it('lets a member come back', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      for (const sid of ['u-1', 'u-2']) {
        await enter(engine, 'u', sid)
        await leave(engine, 'u', sid)
      }
      expect(await watcher.heard()).to.deep.equal(['+u', '-u', '+u', '-u'])
    })
  })

  describe('#members', () => {
    it('gives nobody where nobody is', async () => {
      const [engine] = await make(1)
      for (const channel of ['a', '*', '__proto__', 'constructor']) {
        expect(await membersOf(engine, channel)).to.deep.equal([])
      }
    })

    it('has a place after which the changes follow, each once', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      await enter(engine, 'u')
      const snapshot = await engine.presence.members('a')
      expect(snapshot).to.deep.equal(await engine.presence.members('a'))
      await enter(engine, 'v')
      await leave(engine, 'u')
      await watcher.heard()
      expect(watcher.since(snapshot)).to.deep.equal(['last: ', 'v: '])
    })
  })

  describe('as time passes', () => {
    let clock: EngineClock

    beforeEach(() => {
      clock = settings.clock()
    })

    afterEach(() => clock.restore())

    it('keeps a member for the grace of its last socket, and no longer', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      for (const uid of ['short', 'long']) await enter(engine, uid)
      await engine.presence.leave(entry('short'), 2000)
      await engine.presence.leave(entry('long'), 60_000)
      expect(await membersOf(engine)).to.have.members(['short', 'long'])
      await clock.pass(3000)
      expect(await membersOf(engine)).to.deep.equal(['long'])
      expect(await watcher.heard()).to.deep.equal(['+short', '+long', '-short'])
    })

    it('lets a member come back within the grace, unnoticed, and for good', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      await enter(engine, 'u', 'u-1')
      await engine.presence.leave(entry('u', 'u-1'), 2000)
      await enter(engine, 'u', 'u-2')
      await clock.pass(3000)
      expect(await membersOf(engine)).to.deep.equal(['u'])
      expect(await watcher.heard()).to.deep.equal(['+u'])
    })

    it('lets a member that came back leave at once', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      await enter(engine, 'u', 'u-1')
      await engine.presence.leave(entry('u', 'u-1'), 60_000)
      await enter(engine, 'u', 'u-2')
      await leave(engine, 'u', 'u-2')
      expect(await watcher.heard()).to.deep.equal(['+u', '-u'])
    })

    it('keeps a member for the longest grace of its sockets, however the others leave', async () => {
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

    it('leaves a member alone whose other socket outlasts the grace', async () => {
      const [engine] = await make(1)
      const watcher = await Watcher.on(engine)
      for (const sid of ['u-1', 'u-2']) await enter(engine, 'u', sid)
      await engine.presence.leave(entry('u', 'u-1'), 200)
      await clock.pass(1000)
      expect(await membersOf(engine)).to.deep.equal(['u'])
      await leave(engine, 'u', 'u-2')
      expect(await watcher.heard()).to.deep.equal(['+u', '-u'])
    })
  })

  it('has snapshots and changes that agree, whoever comes and goes meanwhile', async () => {
    const [engine] = await make(1)
    await comeAndGo([await Watcher.on(engine)])
  })
}

export function describeSharedPresence(make: Make, settings: EngineSettings): void {
  it('is the same on every node', async () => {
    const [one, two, three] = (await make(3)) as unknown as readonly [Engine, Engine, Engine]
    const watcher = await Watcher.on(three)
    await enter(one, 'u')
    expect(uids(await enter(two, 'v'))).to.have.members(['u', 'v'])
    await leave(one, 'u')
    expect(await membersOf(three)).to.deep.equal(['v'])
    expect(await watcher.heard('a', two)).to.deep.equal(['+u', '+v', '-u'])
  })

  it('makes one member of a user’s sockets on several nodes, which leaves with the last', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    const watcher = await Watcher.on(one)
    await enter(one, 'u', 'u-1')
    await enter(two, 'u', 'u-2', { umd: '1' })
    await leave(one, 'u', 'u-1')
    expect(await membersOf(one)).to.deep.equal(['u'])
    await leave(two, 'u', 'u-2')
    expect(await watcher.heard('a', two)).to.deep.equal(['+u', '~u', '-u'])
  })

  it('lets a member come back by another node, unnoticed', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    const watcher = await Watcher.on(one)
    await enter(one, 'u', 'u-1')
    await one.presence.leave(entry('u', 'u-1'), 60_000)
    await enter(two, 'u', 'u-2')
    expect(await watcher.heard()).to.deep.equal(['+u'])
    await leave(two, 'u', 'u-2')
    expect(await membersOf(one)).to.deep.equal(['last'])
  })

  it('holds to the limit over all nodes', async () => {
    const nodes = await make(3)
    const entering = Array.from({ length: 12 }, (_, index) =>
      nodes.map((node) => node.presence.enter(entry(`u${index % 8}`, `${nodes.indexOf(node)}-${index}`), 5)),
    )
    await Promise.allSettled(entering.flat())
    expect(await membersOf(nodes[0])).to.have.length(5)
  })

  it('has snapshots and changes that agree on every node', async () => {
    const nodes = await make(3)
    await comeAndGo(await Promise.all(nodes.map((node) => Watcher.on(node))))
  })

  const { kill } = settings
  if (!kill) return
  it('lets the members of a node that dies go, and no others', async function () {
    this.timeout(10 * LEASE)
    const clock = settings.clock()
    try {
      const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
      const watcher = await Watcher.on(two)
      for (const uid of ['u', 'both']) await enter(one, uid, `${uid}-1`)
      for (const uid of ['v', 'both']) await enter(two, uid, `${uid}-2`)
      kill(one)
      await clock.pass(LEASE)
      expect(await membersOf(two)).to.have.members(['v', 'both'])
      expect(await watcher.heard()).to.deep.equal(['+u', '+both', '+v', '-u'])
    } finally {
      clock.restore()
    }
  })
}

/** Many sockets of some users come and go at once, by every node; each looks at who is there when it comes. */
async function comeAndGo(watchers: readonly Watcher[]): Promise<void> {
  const seed = Math.floor(Math.random() * 2 ** 32)
  console.log(`        seed ${seed}`)
  const random = new Random(seed)
  const snapshots: PresenceSnapshot[] = []
  const socket = async (index: number) => {
    const { presence } = (watchers[index % watchers.length] as Watcher).engine
    const own = entry(`u${random.number(8)}`, `s${index}`)
    for (let round = random.number(6); round >= 0; round -= 1) {
      const umd = random.pick([undefined, '1', '2'])
      snapshots.push(await presence.enter({ ...own, umd }, LIMIT))
      if (round > 0 || random.number(2) === 0) await presence.leave(own, 0)
    }
  }
  const [{ engine }] = watchers as readonly [Watcher, ...Watcher[]]
  await enter(engine, 'always')
  await Promise.all(Array.from({ length: 30 }, (_, index) => socket(index)))
  for (const watcher of watchers) await watcher.heard()
  const end = await engine.presence.members('a')
  for (const watcher of watchers) {
    for (const snapshot of snapshots) expect(watcher.since(snapshot)).to.deep.equal(sorted(end.members))
  }
}
