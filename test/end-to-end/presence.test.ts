import { type Engine, MemoryEngine, type Presence } from '@token-socket/server'
import { expect } from 'chai'
import { Random } from '../protocol/random.js'
import { deferred, type Site, type SiteOptions, turn, until, useSites } from './fixture.js'
import { Guest } from './guest.js'

/** An engine whose presence is changed. */
function engineWith(change: (own: Presence) => Partial<Presence>): Engine {
  const engine = new MemoryEngine()
  const { broker, history, tickets, nodes } = engine
  const own: Presence = {
    enter: (...how) => engine.presence.enter(...how),
    leave: (...how) => engine.presence.leave(...how),
    members: (channel) => engine.presence.members(channel),
  }
  const presence = { ...own, ...change(own) }
  return {
    name: 'test',
    shared: false,
    broker,
    history,
    tickets,
    presence,
    nodes,
    close: () => engine.close(),
  }
}

describe('presence', () => {
  const startSite = useSites()

  /** Who somebody is stands in the query of the token request. */
  const start = (options: SiteOptions = {}) =>
    startSite({
      authentication: (request: { query: Record<string, unknown> }) => {
        const { uid, umd } = request.query
        return {
          ...(uid !== undefined && { uid }),
          ...(umd !== undefined && { umd: JSON.parse(String(umd)) }),
        }
      },
      channels: {
        '*': { subscribe: true, publish: true },
        'room*': { presence: true },
        'room-kept': { history: { size: 10, ttl: 60_000 } },
      },
      ...options,
    })

  /** A guest on a channel. */
  const enter = async (site: Site, uid: string, channel = 'room') => {
    const guest = await Guest.of(site, `uid=${uid}`)
    await guest.subscribe(channel)
    return guest
  }

  const uids = async (site: Site, channel = 'room') =>
    (await site.sockets.members(channel)).map(({ uid }) => uid)

  const untilThereAre = async (count: number, site: Site) => {
    while ((await uids(site)).length !== count) await turn()
  }

  /** The changes that a guest has heard, once it has heard a newcomer. */
  const heardBy = async (guest: Guest, site: Site) => {
    await enter(site, 'last')
    await guest.told('joined last')
    return guest.changes.filter((change) => !change.endsWith(' last'))
  }

  it('tells a newcomer who is there, before the answer and it included, and the others of it', async () => {
    const site = await start()
    const ann = await Guest.of(site, `uid=ann&umd=${encodeURIComponent('{"name":"Ann"}')}`)
    await ann.subscribe('room')
    const bob = await enter(site, 'bob')
    const members = [{ uid: 'ann', umd: { name: 'Ann' } }, { uid: 'bob' }]
    expect(bob.notices('subscribe')).to.deep.equal([{ channel: 'room', members }])
    expect(bob.frames.map(({ command, rpc }) => command ?? rpc)).to.deep.equal([
      'auth',
      'subscribe',
      '_subscribe',
    ])
    await ann.told('joined bob')
    expect(ann.notices('subscribe')[0]?.members).to.deep.equal(members.slice(0, 1))
    expect(ann.notices('presence')).to.deep.equal([{ channel: 'room', change: 'joined', uid: 'bob' }])
    expect(await site.sockets.members('room')).to.deep.equal(members)
    expect(bob.changes).to.deep.equal([])
  })

  it('is told with the place on a channel that keeps its publications', async () => {
    const site = await start()
    const { offset, epoch } = await site.sockets.publish('room-kept', 1)
    const ann = await enter(site, 'ann', 'room-kept')
    const told = { channel: 'room-kept', offset, epoch, members: [{ uid: 'ann' }] }
    expect(ann.notices('subscribe')).to.deep.equal([told])
    const from = { channel: 'room-kept', offset: 0, epoch }
    await ann.ask({ rpc: '_subscribe', req: from })
    expect(ann.notices('subscribe')[1]).to.deep.equal({ ...told, offset: 0, recovered: true })
    expect(ann.changes).to.deep.equal([])
  })

  it('is not told of channels without it', async () => {
    const site = await start()
    const ann = await enter(site, 'ann', 'quiet')
    await enter(site, 'bob', 'quiet')
    await ann.ask({ rpc: '_ping', req: {} })
    expect(ann.notices('subscribe')).to.deep.equal([{ channel: 'quiet' }])
    expect(ann.changes).to.deep.equal([])
    expect(await site.sockets.members('quiet')).to.deep.equal([])
  })

  it('is for those for whom the rule says so', async () => {
    const site = await start({
      channels: {
        room: { subscribe: true, presence: (socket) => (socket.auth as { uid: string }).uid !== 'spy' },
      },
    })
    const ann = await enter(site, 'ann')
    const spy = await enter(site, 'spy')
    expect(spy.notices('subscribe')).to.deep.equal([{ channel: 'room' }])
    expect(await heardBy(ann, site)).to.deep.equal([])
    expect(spy.changes).to.deep.equal([])
  })

  it('makes one member of two sockets of one uid, which leaves with the last', async () => {
    const site = await start()
    const ann = await enter(site, 'ann')
    const [one, two] = [await enter(site, 'bob'), await enter(site, 'bob')]
    expect(await uids(site)).to.deep.equal(['ann', 'bob'])
    await one.close(1000)
    expect(await uids(site)).to.deep.equal(['ann', 'bob'])
    await two.unsubscribe('room')
    expect(await heardBy(ann, site)).to.deep.equal(['joined bob', 'left bob'])
  })

  it('tells of another umd', async () => {
    const site = await start()
    const ann = await enter(site, 'ann')
    const [one, two] = [await Guest.of(site, 'uid=bob&umd=1'), await Guest.of(site, 'uid=bob&umd=2')]
    await one.subscribe('room')
    await two.subscribe('room')
    await ann.told('updated bob')
    expect(ann.notices('presence').at(-1)).to.deep.equal({
      channel: 'room',
      change: 'updated',
      uid: 'bob',
      umd: 2,
    })
    expect(await heardBy(ann, site)).to.deep.equal(['joined bob', 'updated bob'])
    expect(one.changes.slice(0, 1)).to.deep.equal(['updated bob'])
    expect(ann.membersOf('room')).to.deep.equal(await site.sockets.members('room'))
  })

  it('tells the members again to whoever subscribes again', async () => {
    const site = await start()
    const ann = await enter(site, 'ann')
    await enter(site, 'bob')
    await ann.subscribe('room')
    expect(ann.notices('subscribe').map(({ members }) => members?.map(({ uid }) => uid))).to.deep.equal([
      ['ann'],
      ['ann', 'bob'],
    ])
    expect(await heardBy(ann, site)).to.deep.equal(['joined bob'])
  })

  describe('leaves at once', () => {
    for (const code of [1000, 1001, 4005, undefined]) {
      it(`when the client closes with ${code ?? 'no code'}`, async () => {
        const site = await start({ presenceGrace: 60_000 })
        const [ann, bob] = [await enter(site, 'ann'), await enter(site, 'bob')]
        await bob.close(code)
        await ann.told('left bob')
        expect(await uids(site)).to.deep.equal(['ann'])
      })
    }

    it('when the server sends a client away for good', async () => {
      const site = await start({ presenceGrace: 60_000 })
      const ann = await enter(site, 'ann')
      await enter(site, 'bob')
      site.sockets.sockets()[1]?.end({ reconnect: false })
      await ann.told('left bob')
    })

    it('when it unsubscribes, or the server unsubscribes it', async () => {
      const site = await start({ presenceGrace: 60_000 })
      const [ann, bob] = [await enter(site, 'ann'), await enter(site, 'bob')]
      await bob.unsubscribe('room')
      await ann.told('left bob')
      expect(bob.changes).to.deep.equal([])
      await bob.subscribe('room')
      site.sockets.sockets()[1]?.unsubscribe('room')
      expect(await heardBy(ann, site)).to.deep.equal(['joined bob', 'left bob', 'joined bob', 'left bob'])
    })

    it('when everybody is unsubscribed', async () => {
      const site = await start({ presenceGrace: 60_000 })
      const guests = [await enter(site, 'ann'), await enter(site, 'bob')]
      await site.sockets.unsubscribeAll('room')
      for (const guest of guests) await guest.find(({ command }) => command === 'unsubscribe')
      await untilThereAre(0, site)
    })

    it('without a grace, whatever happened', async () => {
      const site = await start({ presenceGrace: 0 })
      const [ann, bob] = [await enter(site, 'ann'), await enter(site, 'bob')]
      bob.cut()
      await ann.told('left bob')
    })
  })

  describe('after a loss', () => {
    it('leaves when the grace is over', async () => {
      const site = await start({ presenceGrace: 2000 })
      const [ann, bob] = [await enter(site, 'ann'), await enter(site, 'bob')]
      bob.cut()
      await until(() => site.sockets.sockets().length === 1)
      expect(await uids(site)).to.deep.equal(['ann', 'bob'])
      await ann.told('left bob')
      expect(await uids(site)).to.deep.equal(['ann'])
    })

    it('comes back within the grace, and nobody is told', async () => {
      const site = await start({ presenceGrace: 60_000 })
      const [ann, bob] = [await enter(site, 'ann'), await enter(site, 'bob')]
      bob.cut()
      await until(() => site.sockets.sockets().length === 1)
      const back = await enter(site, 'bob')
      expect(back.notices('subscribe')[0]?.members).to.deep.equal([{ uid: 'ann' }, { uid: 'bob' }])
      expect(await heardBy(ann, site)).to.deep.equal(['joined bob'])
    })

    it('comes back where the channel is full, as its place is kept', async () => {
      const site = await start({ presenceGrace: 60_000, limits: { members: 2 } })
      const [, bob] = [await enter(site, 'ann'), await enter(site, 'bob')]
      bob.cut()
      await until(() => site.sockets.sockets().length === 1)
      const carl = await Guest.of(site, 'uid=carl')
      expect(await carl.subscribe('room')).to.have.property('code', 'too_many_members')
      const back = await Guest.of(site, 'uid=bob')
      expect(await back.subscribe('room')).to.not.have.property('error')
    })

    it('is given time too where the server has closed, and wants it back', async () => {
      const site = await start({ presenceGrace: 60_000 })
      const ann = await enter(site, 'ann')
      await enter(site, 'bob')
      site.sockets.sockets()[1]?.end()
      await until(() => site.sockets.sockets().length === 1)
      expect(await heardBy(ann, site)).to.deep.equal(['joined bob'])
    })
  })

  describe('refuses', () => {
    it('one member more than the limit, and leaves it off the channel', async () => {
      const site = await start({ limits: { members: 1 } })
      const ann = await enter(site, 'ann')
      const bob = await Guest.of(site, 'uid=bob')
      const answer = await bob.subscribe('room')
      expect(answer).to.include({ code: 'too_many_members' })
      expect(answer).to.have.nested.property('error.data').that.deep.equals({ field: 'members', limit: 1 })
      expect(await bob.subscribe('quiet')).to.not.have.property('error')
      await site.sockets.publish('room', 'for members')
      await ann.find(({ message }) => message === 'for members')
      await bob.ask({ rpc: '_ping', req: {} })
      expect(bob.notices('subscribe')).to.deep.equal([{ channel: 'quiet' }])
      expect(bob.frames.filter(({ message }) => message)).to.deep.equal([])
      expect(site.sockets.channelSockets('room')).to.have.length(1)
      expect(site.sockets.sockets()[1]?.channels).to.deep.equal(['quiet'])
      await ann.unsubscribe('room')
      expect(await bob.subscribe('room')).to.not.have.property('error')
    })

    it('a socket without a uid', async () => {
      const site = await start()
      const nobody = await Guest.of(site, 'umd=1')
      expect(await nobody.subscribe('room')).to.include({ code: 'uid_required' })
      expect(await nobody.subscribe('quiet')).to.not.have.property('error')
      expect(site.sockets.channels()).to.deep.equal(['quiet'])
      expect(await uids(site)).to.deep.equal([])
    })
  })

  it('shows legacy clients to the others, and tells them nothing', async () => {
    const site = await start()
    const old = await Guest.old(site, 'uid=old')
    await old.subscribe('room')
    const ann = await enter(site, 'ann')
    expect(ann.notices('subscribe')[0]?.members).to.deep.equal([{ uid: 'old' }, { uid: 'ann' }])
    await ann.close(1000)
    await untilThereAre(1, site)
    await site.sockets.publish('room', 'news')
    await old.find(({ message }) => message === 'news')
    expect(old.notices('subscribe')).to.deep.equal([{ channel: 'room' }])
    expect(old.changes).to.deep.equal([])
  })

  describe('a subscriber that is gone while it enters', () => {
    /** A site whose engine takes until it is told to go on. */
    const startSlow = async (options: SiteOptions = {}) => {
      const [asked, goOn] = [deferred(), deferred()]
      const engine = engineWith(({ enter: own }) => ({
        enter: async (entry, limit) => {
          if (entry.uid !== 'slow') return own(entry, limit)
          asked.resolve()
          await goOn.promise
          return own(entry, limit)
        },
      }))
      const site = await start({ engine, presenceGrace: 100, ...options })
      const ann = await enter(site, 'ann')
      const slow = await Guest.of(site, 'uid=slow')
      const answer = slow.subscribe('room')
      await asked.promise
      return { site, ann, slow, answer, goOn }
    }

    it('leaves nothing behind by unsubscribing', async () => {
      const { site, ann, slow, answer, goOn } = await startSlow()
      site.sockets.sockets()[1]?.unsubscribe('room')
      goOn.resolve()
      await answer
      // Who comes and goes in one turn was never there, to others.
      expect(await heardBy(ann, site)).to.deep.equal([])
      expect(await uids(site)).to.deep.equal(['ann', 'last'])
      expect(slow.notices('subscribe')).to.deep.equal([])
      expect(slow.changes).to.deep.equal([])
    })

    it('leaves nothing behind by closing', async () => {
      const { site, ann, slow, goOn } = await startSlow()
      await slow.close(1000)
      await until(() => site.sockets.sockets().length === 1)
      goOn.resolve()
      expect(await heardBy(ann, site)).to.deep.equal([])
      expect(await uids(site)).to.deep.equal(['ann', 'last'])
    })

    it('leaves nothing behind by a loss, after its grace', async () => {
      const { site, ann, slow, goOn } = await startSlow()
      slow.cut()
      await until(() => site.sockets.sockets().length === 1)
      goOn.resolve()
      await ann.told('left slow')
      expect(ann.changes).to.deep.equal(['joined slow', 'left slow'])
    })

    it('is not told what is published before it is in, and then all', async () => {
      const { site, slow, answer, goOn } = await startSlow()
      await site.sockets.publish('room', 'meanwhile')
      await enter(site, 'bob')
      await slow.ask({ rpc: '_ping', req: {} })
      expect(slow.notices('subscribe')).to.deep.equal([])
      expect(slow.frames.filter(({ message }) => message)).to.deep.equal([])
      goOn.resolve()
      await answer
      expect(slow.notices('subscribe')[0]?.members?.map(({ uid }) => uid)).to.deep.equal([
        'ann',
        'bob',
        'slow',
      ])
      expect(slow.changes).to.deep.equal([])
      expect(slow.frames.filter(({ message }) => message)).to.have.length(1)
    })
  })

  it('goes on when the engine fails while somebody leaves, and says so', async () => {
    const cause = new Error('down')
    const engine = engineWith(({ leave: own }) => ({
      leave: async (entry, grace) => {
        if (entry.uid === 'bob') throw cause
        return own(entry, grace)
      },
    }))
    const site = await start({ engine })
    const ann = await enter(site, 'ann')
    for (const leave of ['unsubscribe', 'close'] as const) {
      const bob = await enter(site, 'bob')
      await (leave === 'close' ? bob.close(1000) : bob.unsubscribe('room'))
    }
    await until(() => site.failures.length === 2)
    expect(site.failures).to.deep.equal([
      { cause, details: { step: 'presence', channel: 'room' } },
      { cause, details: { step: 'presence', channel: 'room' } },
    ])
    expect(await heardBy(ann, site)).to.deep.equal(['joined bob'])
  })

  it('takes the socket off the channel when the engine fails while it enters', async () => {
    const engine = engineWith(({ enter: own }) => ({
      enter: async (entry, limit) => {
        if (entry.uid === 'bob') throw new Error('down')
        return own(entry, limit)
      },
    }))
    const site = await start({ engine })
    await enter(site, 'ann')
    const bob = await Guest.of(site, 'uid=bob')
    expect(await bob.subscribe('room')).to.include({ code: 'internal' })
    expect(site.sockets.channelSockets('room')).to.have.length(1)
    expect(bob.notices('subscribe')).to.deep.equal([])
  })

  it('gives every observer the same members as the server, whoever comes and goes at once', async function () {
    this.timeout(120_000)
    const seed = Math.floor(Math.random() * 2 ** 32)
    console.log(`    seed ${seed}`)
    const random = new Random(seed)
    const site = await start({ presenceGrace: 50 })
    const guests = await Promise.all(
      Array.from({ length: 50 }, (_, index) => Guest.of(site, `uid=u${index % 20}&umd=${index}`)),
    )
    const staying: Guest[] = []
    const comeAndGo = async (guest: Guest) => {
      for (let round = random.number(5); round >= 0; round -= 1) {
        await guest.subscribe('room')
        for (let turns = random.number(5); turns > 0; turns -= 1) await turn()
        if (round > 0) await guest.unsubscribe('room')
      }
      const end = random.number(4)
      if (end === 0) guest.cut()
      else if (end === 1) await guest.close(random.pick([1000, 4005]))
      else staying.push(guest)
    }
    await Promise.all(guests.map(comeAndGo))
    await until(() => site.sockets.sockets().length === staying.length)
    const observer = await Guest.of(site, 'uid=observer')
    await observer.subscribe('room')
    const present = new Set(
      site.sockets.channelSockets('room').map(({ auth }) => (auth as { uid: string }).uid),
    )
    await untilThereAre(present.size, site)
    const fence = await enter(site, 'fence')
    for (const guest of [...staying, observer]) await guest.told('joined fence')
    const members = byUid(await site.sockets.members('room'))
    expect(members.map(({ uid }) => uid)).to.have.members([...present, 'fence'])
    for (const guest of [...staying, observer, fence])
      expect(byUid(guest.membersOf('room'))).to.deep.equal(members)
  })
})

const byUid = <T extends { readonly uid: string }>(members: readonly T[]) =>
  [...members].sort((left, right) => (left.uid < right.uid ? -1 : 1))
