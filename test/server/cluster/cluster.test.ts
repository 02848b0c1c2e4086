/** The cluster on nodes in memory, whose answers a test decides. */
import type { NodeAskOptions, Nodes } from '@token-socket/server'
import { expect } from 'chai'
import { JoiningSockets } from '#server/authentication/joining-sockets.js'
import { Hub } from '#server/channels/hub.js'
import { Cluster, sidOf } from '#server/cluster.js'
import type { Development } from '#server/development/development.js'
import { rejection } from '../../protocol/rejection.js'
import { makeSocket } from '../sockets.js'

/** What a node was asked, and how. */
interface Asked extends NodeAskOptions {
  readonly type: string
  /** Of a question to close connections. */
  readonly sids?: readonly string[]
}

describe('Cluster', () => {
  let asked: Asked[]
  let hub: Hub
  let answers: Map<string, unknown>
  let hangs: boolean

  function make(development?: Pick<Development, 'checkData'>): Cluster {
    const nodes: Nodes = {
      id: 'own',
      serve: () => {},
      list: async () => ['own', ...answers.keys()],
      ask: async (question, options) => {
        const { type, sids } = JSON.parse(question) as Asked
        asked.push({ type, ...(sids && { sids }), ...options })
        if (hangs) return new Promise(() => {})
        const texts = [...answers].map(([node, answer]) => [node, JSON.stringify(answer)] as const)
        return { answers: new Map(texts), missing: new Map([['dead', 'silent' as const]]) }
      },
    }
    return new Cluster({
      nodes,
      hub,
      joining: new JoiningSockets(),
      channels: {
        beginAll: () => ({ add: () => {}, fill: () => {} }) as never,
        subscribeAll: async () => ({ count: 1, failed: 1, reasons: ['too_many_subscriptions', 'internal'] }),
        unsubscribable: () => [],
        checkPresence: () => {},
        wants: () => false,
      },
      tickets: { revoke: async () => {}, revoked: async () => undefined },
      revocations: { add: async () => {} },
      authorizations: {} as never,
      limits: { authData: 1000, callTimeout: 1234 },
      development,
      failed: () => {},
    })
  }

  beforeEach(() => {
    asked = []
    hub = new Hub(() => {})
    answers = new Map()
    hangs = false
  })

  it('waits for what takes long as long as a call may take, and for all else five seconds', async () => {
    const cluster = make()
    await cluster.subscribe({ uid: 'ann' }, 'a')
    await cluster.unsubscribe({ uid: 'ann' }, 'a')
    await cluster.disconnect({ where: 'all' })
    await cluster.count({ uid: 'ann' })
    await cluster.sockets()
    await cluster.emit('a')
    expect(asked.map(({ type, timeout }) => [type, timeout])).to.deep.equal([
      ['subscribeSockets', 1234],
      ['unsubscribeSockets', 1234],
      ['disconnectSockets', 1234],
      ['countSockets', 5000],
      ['listSockets', 5000],
      ['emit', 5000],
    ])
  })

  it('fails what waits with `shutting_down` when it is closed, and withdraws the calls at their targets', async () => {
    const cluster = make()
    hangs = true
    const sid = sidOf('1', 'dead')
    const questions: Promise<unknown>[] = [
      cluster.rpc(sid, 'a', 1, { timeout: 0 }),
      cluster.rpc(sid, 'a', 1),
      cluster.subscribe({ where: 'all' }, 'a'),
      cluster.subscribe(sid, 'a'),
      cluster.count({ uid: 'ann' }),
      cluster.sockets(),
      cluster.isConnected(sid),
      cluster.disconnect({ where: 'all' }),
      cluster.disconnect({ uid: 'ann' }),
      cluster.emit('a'),
    ]
    const codes = Promise.all(questions.map((question) => rejection(question).then(({ code }) => code)))
    await new Promise(setImmediate)
    const before = asked.length
    cluster.close()
    expect(await codes).to.deep.equal(questions.map(() => 'shutting_down'))
    const late = asked.slice(before)
    expect(late.map(({ type, node }) => [type, node])).to.deep.equal([
      ['cancel', 'dead'],
      ['cancel', 'dead'],
    ])
  })

  it('adds up what the nodes say, and names each reason once', async () => {
    const outcome = { count: 2, failed: 3, reasons: ['too_many_subscriptions'] }
    answers = new Map([
      ['one', outcome],
      ['two', outcome],
    ])
    expect(await make().subscribe({ uid: 'ann' }, 'a')).to.deep.equal({
      count: 5,
      failed: 7,
      reasons: ['too_many_subscriptions', 'internal'],
      missing: ['dead'],
    })
  })

  it('asks about one socket its node only, and no node about its own', async () => {
    const cluster = make()
    const { socket } = makeSocket({ identity: { sid: 'a.own' } })
    hub.add(socket)
    expect(await cluster.count({ sid: 'a.own' })).to.deep.equal({ count: 1, missing: [] })
    expect(await cluster.count({ where: { sid: 'a.own', uid: 'ann' } })).to.deep.equal({
      count: 0,
      missing: [],
    })
    expect(await cluster.count({ sid: 'none' })).to.deep.equal({ count: 0, missing: [] })
    expect(asked).to.deep.equal([])
    answers.set('other', 1)
    expect(await cluster.count({ sid: 'a.other' })).to.deep.equal({ count: 1, missing: [] })
    expect(asked.map(({ node }) => node)).to.deep.equal(['other'])
  })

  it('counts messages to other nodes while they are under way, and no longer', async () => {
    const cluster = make()
    answers.set('other', { data: true })
    for (let count = 0; count < 10_001; count += 1)
      expect(await cluster.sendTo('a.other', 1), String(count)).to.equal(true)
    hangs = true
    const under = Array.from({ length: 10_000 }, () => rejection(cluster.sendTo('a.other', 1)))
    expect(await rejection(cluster.sendTo('a.other', 1))).to.include({ code: 'too_many_calls' })
    cluster.close()
    for (const { code } of await Promise.all(under)) expect(code).to.equal('shutting_down')
  })

  it('closes each connection once, however often it is named', async () => {
    answers.set('other', 1)
    const ids = ['a.other', 'b.other', 'a.other']
    expect(await make().closeAll(ids)).to.deep.equal({ count: 1, missing: [] })
    expect(asked.map(({ sids }) => sids)).to.deep.equal([['a.other', 'b.other']])
  })

  it('checks in development what goes to another node, once', async () => {
    const checked: unknown[] = []
    const cluster = make({ checkData: (...sent) => checked.push(sent) })
    answers.set('other', { data: 1 })
    await cluster.rpc('a.other', 'call', [1]).catch(() => {})
    await cluster.notify('a.other', 'note', [2]).catch(() => {})
    await cluster.emit('event', [3])
    expect(checked).to.deep.equal([
      ['call', 'call', [1]],
      ['notification', 'note', [2]],
      ['event', 'event', [3]],
    ])
    // A socket of this node checks for itself.
    hub.add(makeSocket({ identity: { sid: 'a.own' } }).socket)
    await cluster.rpc('a.own', 'call', [1], { timeout: 1 }).catch(() => {})
    await cluster.notify('a.own', 'note', [2]).catch(() => {})
    expect(checked).to.have.length(3)
  })

  it('asks no node where anything is wrong', async () => {
    const cluster = make()
    for (const ask of [
      () => cluster.subscribe({ uid: 'ann' }, ''),
      () => cluster.unsubscribe({ where: {} } as never, 'a'),
      () => cluster.disconnect({ uid: 'ann', session: 's' } as never),
      () => cluster.sockets({ uid: 'ann' }, { limit: 0 }),
      () => cluster.emit(''),
    ])
      expect((await rejection(ask())).code).to.equal('bad_message')
    expect(asked).to.deep.equal([])
  })

  describe('a name that is too long', () => {
    const LONG = 'x'.repeat(300)
    const CALLS: Readonly<
      Record<string, readonly [(cluster: Cluster, sid: string) => Promise<unknown>, string]>
    > = {
      'of an action that is called': [(cluster, sid) => cluster.rpc(sid, LONG), 'name'],
      'of an action that is notified': [(cluster, sid) => cluster.notify(sid, LONG), 'name'],
      'of a channel, for one socket': [(cluster, sid) => cluster.subscribe(sid, LONG), 'channel'],
      'of a channel, off one socket': [(cluster, sid) => cluster.unsubscribe(sid, LONG), 'channel'],
      'of a channel, for a user': [(cluster) => cluster.subscribe({ uid: 'ann' }, LONG), 'channel'],
      'of a channel, off a user': [(cluster) => cluster.unsubscribe({ uid: 'ann' }, LONG), 'channel'],
      'of a channel that is counted': [(cluster) => cluster.count(LONG), 'channel'],
      'of a selector': [(cluster) => cluster.count({ channel: LONG }), 'channel'],
      'of a condition': [(cluster) => cluster.sockets({ where: { channel: LONG } }), 'where.channel'],
      'of an event': [(cluster) => cluster.emit(LONG), 'event'],
    }

    for (const [what, [ask, field]] of Object.entries(CALLS)) {
      it(`fails at once, and no node is asked: ${what}`, async () => {
        const cluster = make()
        hub.add(makeSocket({ identity: { sid: 'a.own' } }).socket)
        for (const sid of ['a.own', 'a.other']) {
          const { code, data } = await rejection(ask(cluster, sid))
          expect({ code, ...(data as object) }).to.include({ code: 'too_long', field })
        }
        expect(asked).to.deep.equal([])
      })
    }
  })
})
