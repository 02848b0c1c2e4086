import { expect } from 'chai'
import type { RedisPresence } from '#redis/redis-presence.js'
import { rejection } from '../protocol/rejection.js'
import { NodeProcess } from './node-process.js'
import { RedisNode } from './redis-node.js'
import { type Admin, RedisProcess } from './redis-process.js'

const LIMIT = 100

/** What `PTTL` says of a key that never ends. */
const FOREVER = -1

const ann = { channel: 'a', sid: 's1', uid: 'ann' }
const bob = { channel: 'a', sid: 's2', uid: 'bob' }

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('RedisPresence', () => {
  let redis: RedisProcess
  let admin: Admin
  const nodes: RedisNode[] = []
  const processes: NodeProcess[] = []

  before(async () => {
    redis = await RedisProcess.start()
    admin = await redis.admin()
  })

  after(() => redis.stop())

  beforeEach(() => admin.flushAll())

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ engine }) => engine.close()))
    await Promise.all(processes.splice(0).map((node) => node.kill()))
  })

  /** Nodes that are subscribed to the channel. */
  async function start(count: number, options: object = {}) {
    const made = await Promise.all(
      Array.from({ length: count }, () => RedisNode.start({ url: redis.url, ...options })),
    )
    nodes.push(...made)
    for (const { engine } of made) await engine.broker.subscribe('a')
    return made as unknown as readonly [RedisNode, RedisNode, RedisNode]
  }

  async function startProcess(options: object): Promise<NodeProcess> {
    const node = await NodeProcess.start({ url: redis.url, ...options })
    processes.push(node)
    return node
  }

  const uids = async ({ engine }: RedisNode) =>
    (await engine.presence.members('a')).members.map(({ uid }) => uid).sort()

  describe('#enter', () => {
    it('gives who is there on all nodes, and tells every node', async () => {
      const [one, two] = await start(2)
      await one.engine.presence.enter({ ...ann, umd: '{"age":7}' }, LIMIT)
      const { members, seq, epoch } = await two.engine.presence.enter(bob, LIMIT)
      expect(members).to.have.deep.members([{ uid: 'ann', umd: '{"age":7}' }, { uid: 'bob' }])
      expect(seq).to.equal(2)
      for (const node of [one, two]) {
        await node.until(() => node.changes.length === 2)
        expect(node.changes).to.deep.equal([
          { channel: 'a', change: 'joined', uid: 'ann', umd: '{"age":7}', seq: 1, epoch },
          { channel: 'a', change: 'joined', uid: 'bob', seq: 2, epoch },
        ])
      }
    })

    it('counts the sockets of one uid as one member, whose last umd counts', async () => {
      const [one, two] = await start(2)
      await one.engine.presence.enter({ ...ann, umd: '1' }, 1)
      await one.engine.presence.enter({ ...ann, umd: '1' }, 1)
      await two.engine.presence.enter({ ...ann, sid: 'other', umd: '2' }, 1)
      expect((await one.engine.presence.members('a')).members).to.deep.equal([{ uid: 'ann', umd: '2' }])
      await one.engine.presence.leave(ann, 0)
      await two.engine.presence.leave({ ...ann, sid: 'other' }, 0)
      await two.until(() => two.changes.length === 3)
      expect(two.comings).to.deep.equal(['joined ann', 'updated ann', 'left ann'])
      expect(two.changes.at(-1)).to.include({ umd: '2', seq: 3 })
    })

    it('rejects with too_many_members at the limit', async () => {
      const [one, two] = await start(2)
      await one.engine.presence.enter(ann, 1)
      const error = await rejection(two.engine.presence.enter(bob, 1))
      expect(error.code).to.equal('too_many_members')
      expect(error.data).to.deep.equal({ field: 'members', limit: 1 })
      expect(await uids(two)).to.deep.equal(['ann'])
      await one.engine.presence.leave(ann, 0)
      expect((await two.engine.presence.enter(bob, 1)).members).to.deep.equal([{ uid: 'bob' }])
    })

    it('takes any uid and umd', async () => {
      const [one] = await start(1)
      const names = [
        'two words',
        '{a}',
        '%0020',
        '%',
        ' ',
        'line\nbreak',
        '😀',
        '\ud800',
        '\udc00',
        '__proto__',
        '*',
      ]
      for (const [at, uid] of names.entries())
        await one.engine.presence.enter(
          { channel: 'a', sid: `s ${at}`, uid, umd: `{"a": "b\\n ${at}"\n}` },
          LIMIT,
        )
      const { members } = await one.engine.presence.members('a')
      expect(members).to.have.deep.members(names.map((uid, at) => ({ uid, umd: `{"a": "b\\n ${at}"\n}` })))
      await one.until(() => one.changes.length === names.length)
      expect(one.changes.map(({ uid }) => uid)).to.deep.equal(names)
      for (const [at, uid] of names.entries())
        await one.engine.presence.leave({ channel: 'a', sid: `s ${at}`, uid }, 0)
      expect(await uids(one)).to.deep.equal([])
    })

    it('leaves nobody there that Redis answered too late', async () => {
      const [one, two] = await start(2, { commandTimeout: 1000, checkInterval: 100, lease: 3000 })
      redis.freeze()
      try {
        expect(await rejection(one.engine.presence.enter(ann, LIMIT))).to.include({
          code: 'engine_unavailable',
        })
      } finally {
        redis.wake()
      }
      await two.engine.presence.enter(bob, LIMIT).catch(() => pause(500))
      while ((await uids(two).catch(() => ['?'])).some((uid) => uid !== 'bob')) await pause(20)
    })
  })

  describe('#leave', () => {
    it('with a grace lets a member come back unnoticed, on whichever node', async () => {
      const [one, two] = await start(2)
      await one.engine.presence.enter(ann, LIMIT)
      await one.engine.presence.leave(ann, 60_000)
      expect(await uids(two)).to.deep.equal(['ann'])
      await two.engine.presence.enter({ ...ann, sid: 'new' }, LIMIT)
      await two.engine.presence.enter(bob, LIMIT)
      await one.until(() => one.changes.length === 2)
      expect(one.comings).to.deep.equal(['joined ann', 'joined bob'])
    })

    it('tells when the grace is over', async () => {
      const [one, two] = await start(2)
      await one.engine.presence.enter(ann, LIMIT)
      await one.engine.presence.leave(ann, 100)
      await two.until(() => two.changes.length === 2)
      expect(two.comings).to.deep.equal(['joined ann', 'left ann'])
      expect(await uids(one)).to.deep.equal([])
    })

    it('is not the end of who is still there with another socket when the grace is over', async () => {
      const [one, two] = await start(2)
      await one.engine.presence.enter(ann, LIMIT)
      await two.engine.presence.enter({ ...ann, sid: 'other' }, LIMIT)
      await one.engine.presence.leave(ann, 50)
      await pause(200)
      await two.engine.presence.enter(bob, LIMIT)
      await one.until(() => one.changes.length === 2)
      expect(one.comings).to.deep.equal(['joined ann', 'joined bob'])
    })

    it('that is owed takes nobody away who has come back meanwhile', async () => {
      const [one] = await start(1, { lease: 60_000 })
      const entries = Array.from({ length: 250 }, (_, index) => ({
        ...ann,
        sid: `s${index}`,
        uid: `u${index}`,
      }))
      for (const entry of entries) await one.engine.presence.enter(entry, 1000)
      await admin.configSet('maxmemory', '1')
      const left = await Promise.allSettled(entries.map((entry) => one.engine.presence.leave(entry, 0)))
      expect(left.every(({ status }) => status === 'rejected')).to.equal(true)
      await admin.configSet('maxmemory', '0')
      const restored = (one.engine.presence as RedisPresence).restore()
      const last = entries.at(-1) as typeof ann
      await one.engine.presence.enter(last, 1000)
      await restored
      expect(await uids(one)).to.deep.equal([last.uid])
      await one.engine.presence.enter(bob, 1000)
      await one.until(() => one.comings.includes('joined bob'))
      expect(one.comings.filter((coming) => coming.startsWith('left'))).to.have.length(249)
    })

    it('does no harm where nobody is', async () => {
      const [one] = await start(1)
      await one.engine.presence.leave(ann, 0)
      await one.engine.presence.leave(ann, 10)
      expect(await one.engine.presence.members('a')).to.deep.equal({ members: [], seq: 0, epoch: '' })
    })
  })

  describe('a node’s lease', () => {
    it('ends when the node is killed: its members leave, once, and those of others stay', async () => {
      const [one, two] = await start(2, { lease: 3000 })
      const other = await startProcess({ lease: 3000 })
      await other.ask('presence', 'enter', ann, LIMIT)
      await other.ask('presence', 'enter', { ...ann, sid: 'more' }, LIMIT)
      await other.ask('presence', 'enter', { channel: 'a', sid: 'c', uid: 'cid' }, LIMIT)
      await one.engine.presence.enter(bob, LIMIT)
      await one.engine.presence.enter({ channel: 'a', sid: 'c', uid: 'cid' }, LIMIT)
      await other.kill()
      for (const node of [one, two]) {
        await node.until(() => node.changes.length === 4)
        expect(node.comings).to.deep.equal(['joined ann', 'joined cid', 'joined bob', 'left ann'])
      }
      expect(await uids(two)).to.deep.equal(['bob', 'cid'])
    })

    it('ends when the node stands still for longer, and begins anew when it goes on', async () => {
      const [one] = await start(1, { lease: 3000 })
      const other = await startProcess({ lease: 3000 })
      await other.ask('presence', 'enter', ann, LIMIT)
      await one.until(() => one.changes.length === 1)
      other.signal('SIGSTOP')
      await one.until(() => one.changes.length === 2)
      other.signal('SIGCONT')
      await one.until(() => one.changes.length === 3)
      expect(one.comings).to.deep.equal(['joined ann', 'left ann', 'joined ann'])
      expect(await uids(one)).to.deep.equal(['ann'])
    })

    it('ends though no other node has members there: who is subscribed sees to it', async () => {
      const [one] = await start(1, { lease: 3000 })
      const other = await startProcess({ lease: 3000 })
      await other.ask('presence', 'enter', ann, LIMIT)
      await one.until(() => one.changes.length === 1)
      await other.kill()
      await one.until(() => one.changes.length === 2)
      expect(one.comings).to.deep.equal(['joined ann', 'left ann'])
    })

    it('is renewed as long as the node lives', async () => {
      const [one, two] = await start(2, { lease: 1000 })
      await one.engine.presence.enter(ann, LIMIT)
      await pause(2500)
      await two.engine.presence.enter(bob, LIMIT)
      await two.until(() => two.changes.length === 2)
      expect(two.comings).to.deep.equal(['joined ann', 'joined bob'])
    })

    it('is not taken for ended just after Redis was away', async () => {
      const [one, two] = await start(2, { lease: 3000 })
      await one.engine.presence.enter(ann, LIMIT)
      await two.engine.presence.enter(bob, LIMIT)
      // From now on they would take away what is over.
      await pause(3100)
      const key = 'token-socket:{a}:leases'
      const ends = (await admin.zRange(key, 0, -1)).map((value) => ({ score: 1, value }))
      // In one write: no node says anything in between.
      await Promise.all([
        admin.zAdd(key, ends),
        admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']),
      ])
      await Promise.all([one, two].map((node) => node.untilLogged('Redis is back')))
      while ((await admin.zRangeByScore(key, '-inf', 1)).length > 0) await pause(10)
      await one.engine.presence.enter({ ...bob, uid: 'cid', sid: 'c' }, LIMIT)
      for (const node of [one, two]) {
        await node.until(() => node.changes.length === 3)
        expect(node.comings).to.deep.equal(['joined ann', 'joined bob', 'joined cid'])
      }
    })

    it('is not taken for ended by what was sent while Redis stalled', async () => {
      const own = await RedisProcess.start()
      const options = { url: own.url, lease: 1800, commandTimeout: 1000, connectTimeout: 1000 }
      const [one, two] = await start(2, options)
      try {
        await one.engine.presence.enter(ann, LIMIT)
        await two.engine.presence.enter(bob, LIMIT)
        // From now on they would take away what is over.
        await pause(2000)
        own.freeze()
        await Promise.all([pause(3000), ...[one, two].map((node) => node.untilLogged('Redis is away'))])
        own.wake()
        await Promise.all([one, two].map((node) => node.untilLogged('Redis is back')))
        await pause(500)
        await two.engine.presence.enter({ ...bob, uid: 'cid', sid: 'c' }, LIMIT)
        await one.until(() => one.comings.includes('joined cid'))
        expect(one.comings).to.deep.equal(['joined ann', 'joined bob', 'joined cid'])
      } finally {
        await Promise.all(nodes.splice(0).map(({ engine }) => engine.close()))
        await own.stop()
      }
    })

    it('is not taken for ended after Redis had no memory to renew it', async () => {
      const [one, two] = await start(2, { lease: 600 })
      await one.engine.presence.enter(ann, LIMIT)
      await two.engine.presence.enter(bob, LIMIT)
      await pause(700)
      await admin.configSet('maxmemory', '1')
      await pause(900)
      await admin.configSet('maxmemory', '0')
      await pause(900)
      await two.engine.presence.enter({ ...bob, uid: 'cid', sid: 'c' }, LIMIT)
      await one.until(() => one.comings.includes('joined cid'))
      expect(one.comings).to.deep.equal(['joined ann', 'joined bob', 'joined cid'])
    })

    it('goes on for a while when the node is closed; then its members leave', async () => {
      const [one, two] = await start(2, { lease: 600 })
      await one.engine.presence.enter(ann, LIMIT)
      await one.engine.presence.enter({ ...ann, sid: 'more', uid: 'cid' }, LIMIT)
      await one.engine.presence.leave(ann, 100)
      await one.engine.close()
      await two.until(() => two.changes.length === 4)
      expect(two.comings.slice(2)).to.have.members(['left ann', 'left cid'])
    })
  })

  it('is there again after Redis has lost everything', async () => {
    const [one, two] = await start(2, { lease: 300 })
    await one.engine.presence.enter({ ...ann, umd: '7' }, LIMIT)
    await two.until(() => two.changes.length === 1)
    await admin.flushAll()
    await two.until(() => two.changes.length === 2)
    expect(two.changes[1]).to.include({ change: 'joined', uid: 'ann', umd: '7', seq: 1 })
    expect(two.changes[1]?.epoch).to.not.equal(two.changes[0]?.epoch)
    expect(await uids(two)).to.deep.equal(['ann'])
  })

  it('is there again though another comes before Redis is told what it has lost', async () => {
    const [one, two] = await start(2, { lease: 900 })
    await one.engine.presence.enter(ann, LIMIT)
    await two.until(() => two.changes.length === 1)
    await admin.flushAll()
    await one.engine.presence.enter(bob, LIMIT)
    await two.until(() => two.changes.length === 3)
    expect(two.comings).to.have.members(['joined ann', 'joined bob', 'joined ann'])
    expect(await uids(two)).to.deep.equal(['ann', 'bob'])
  })

  it('is there again without those who are refused meanwhile', async () => {
    const [one, two] = await start(2)
    await one.engine.presence.enter(ann, LIMIT)
    await admin.flushAll()
    const cid = { channel: 'a', sid: 's3', uid: 'cid' }
    const [entered, refused] = await Promise.allSettled(
      [bob, cid].map((entry) => one.engine.presence.enter(entry, 1)),
    )
    expect([entered?.status, refused?.status]).to.deep.equal(['fulfilled', 'rejected'])
    await two.until(() => two.comings.filter((coming) => coming === 'joined ann').length === 2)
    // What was sent before this has been carried out.
    await one.engine.presence.members('a')
    expect(await uids(two)).to.deep.equal(['ann', 'bob'])
  })

  it('that is told to Redis again takes nobody’s umd back', async () => {
    const [one, two] = await start(2)
    await one.engine.presence.enter({ ...ann, umd: '"old"' }, LIMIT)
    await two.engine.presence.enter({ ...ann, sid: 'later', umd: '"new"' }, LIMIT)
    await two.until(() => two.changes.length === 2)
    for (const node of [one, two]) await (node.engine.presence as RedisPresence).restore()
    expect((await two.engine.presence.members('a')).members).to.deep.equal([{ uid: 'ann', umd: '"new"' }])
    await one.engine.presence.enter(bob, LIMIT)
    await two.until(() => two.comings.includes('joined bob'))
    expect(two.comings).to.deep.equal(['joined ann', 'updated ann', 'joined bob'])
  })

  it('has the umd of a member’s latest socket after Redis has lost everything', async () => {
    const [one] = await start(1)
    await one.engine.presence.enter({ ...ann, umd: '"first"' }, LIMIT)
    await one.engine.presence.enter({ ...ann, sid: 'later', umd: '"second"' }, LIMIT)
    await one.engine.presence.enter({ ...ann, umd: '"third"' }, LIMIT)
    await admin.flushAll()
    await (one.engine.presence as RedisPresence).restore()
    expect((await one.engine.presence.members('a')).members).to.deep.equal([{ uid: 'ann', umd: '"third"' }])
  })

  it('leaves nothing in Redis for ever', async () => {
    const [one] = await start(1)
    await one.engine.presence.enter(ann, LIMIT)
    await one.engine.presence.leave(ann, 1000)
    await one.keep('a', '1', { idempotencyKey: 'k' })
    await one.engine.broker.broadcast('1')
    await one.engine.tickets.claim('c', 1000)
    await one.engine.tickets.put({ id: 't', json: '1', ttl: 1000 })
    for (const key of await admin.keys('*')) {
      // The index of tickets holds those that wait, and no more.
      if (key !== 'token-socket:{%tickets}') expect(await admin.pTTL(key), key).to.not.equal(FOREVER)
    }
    await pause(1100)
    expect(await one.engine.tickets.take('t')).to.equal(undefined)
    expect(await admin.exists('token-socket:{%tickets}')).to.equal(0)
  })

  it('has all that belongs to a channel in one hash slot, whatever its name', async () => {
    const [one] = await start(1)
    for (const name of ['a', '{a}', '}a{', '{}', 'a b', '😀*?[x]', '%007b', '\ud800x', '%control']) {
      await admin.flushAll()
      await one.keep(name, '1', { idempotencyKey: 'k{}' })
      await one.engine.presence.enter({ ...ann, channel: name }, LIMIT)
      const keys = await admin.keys('*')
      expect(keys.length).to.be.at.least(7)
      const tags = keys.map((key) => /\{(.*?)\}/.exec(key)?.[1])
      expect(new Set(tags), name).to.have.property('size', 1)
      expect(tags[0]).to.not.equal('')
      await one.engine.presence.leave({ ...ann, channel: name }, 0)
    }
  })

  it('lets a process end that has closed it', async () => {
    const node = await startProcess({})
    await node.ask('presence', 'enter', ann, LIMIT)
    await node.ask('presence', 'leave', ann, 60_000)
    await node.ask('broker', 'subscribe', 'a')
    await node.ask('engine', 'close')
    await node.ended()
  })
})
