/** What the cluster does with several sockets at once, on one node or on two that share an engine. */
import { CLOSE_CODES, RpcError, type SocketInfo, type SocketSelector } from '@token-socket/server'
import { expect } from 'chai'
import { rejection } from '../protocol/rejection.js'
import { deferred, type Site, type SiteOptions, sessions, signIn, turn, until } from './fixture.js'

const SECRET = 'of the tests, 32 bytes long or more'

/** Values that mean no socket, and must do no harm. */
const ODD = ['__proto__', 'constructor', 'x'.repeat(10_240), '😀', '\u0000', '*', '"']

/**
 * Tests of what `cluster` does by selectors.
 * @param start makes two sites on one engine, or one site twice
 */
export function describeSelectedSockets(
  start: (options: SiteOptions) => Promise<readonly [Site, Site]>,
): void {
  let here: Site
  let there: Site

  const cluster = () => here.sockets.cluster
  const all = () => [...new Set([here, there])].flatMap(({ sockets }) => sockets.sockets())
  const withChannels = async (uid: string, ...channels: readonly string[]) => {
    const made = [await connect(here, uid), await connect(there, uid)] as const
    for (const { socket } of made) for (const channel of channels) await socket.subscribe(channel)
    return made
  }

  async function open(options: SiteOptions = {}): Promise<void> {
    const authentication = ({ query }: { query: Record<string, unknown> }) => ({
      uid: query.uid,
      secret: 'never shown',
      ...(query.auto !== undefined && { channels: { [String(query.auto)]: { autoSubscribe: true } } }),
    })
    ;[here, there] = await start({ authentication, secret: SECRET, ...options })
  }

  async function connect(site: Site, uid: string, query: object = {}) {
    const client = await site.ready({ authentication: { uid, ...query }, reconnect: false })
    const socket = site.sockets.sockets().find(({ sid }) => sid === client.sid)
    if (!socket) throw new Error('the server has no such socket')
    return { client, socket }
  }

  describe('#count and #isConnected', () => {
    it('take any selector', async () => {
      await open()
      const [one, two] = await withChannels('ann', 'news')
      await connect(there, 'bob')
      one.socket.data.device = 'phone'
      const { sid, transport, ip } = two.socket
      const table: readonly (readonly [SocketSelector, number])[] = [
        [{ uid: 'ann' }, 2],
        [{ uid: 'bob' }, 1],
        [{ sid }, 1],
        [{ channel: 'news' }, 2],
        [{ where: 'all' }, 3],
        [{ where: { transport } }, 3],
        [{ where: { ip: String(ip), uid: 'bob' } }, 1],
        [{ where: { data: { device: 'phone' } } }, 1],
        [{ where: { uid: 'bob', channel: 'news' } }, 0],
        [{ session: 'none' }, 0],
        ...ODD.map((uid) => [{ uid }, 0] as const),
        ...ODD.map((value) => [{ where: { data: Object.fromEntries([[value, value]]) } }, 0] as const),
      ]
      for (const [who, count] of table) {
        expect(await cluster().count(who), JSON.stringify(who).slice(0, 80)).to.deep.equal({
          count,
          missing: [],
        })
        expect(await cluster().isConnected(who)).to.equal(count > 0)
      }
      expect((await cluster().count()).count).to.equal(3)
      expect((await cluster().count('news')).count).to.equal(2)
    })
  })

  describe('#unsubscribe', () => {
    it('takes one user off one channel, on every node', async () => {
      await open()
      const anns = await withChannels('ann', 'news', 'chat')
      const [bob] = await withChannels('bob', 'news')
      expect(await cluster().unsubscribe({ uid: 'ann' }, 'news')).to.deep.equal({ count: 2, missing: [] })
      for (const { socket } of anns) expect(socket.channels).to.deep.equal(['chat'])
      for (const { client } of anns) await until(() => client.channels().join() === 'chat')
      expect(bob.socket.channels).to.deep.equal(['news'])
      expect(await cluster().unsubscribe({ uid: 'ann' }, 'news')).to.deep.equal({ count: 0, missing: [] })
      for (const uid of ODD) expect((await cluster().unsubscribe({ uid }, 'chat')).count).to.equal(0)
    })

    for (const [name, who] of [
      ['a user', { uid: 'ann' }],
      ['all', { where: 'all' }],
    ] as const)
      it(`of ${name} wins over a subscription that was decided before and ends after`, async () => {
        const asked: (() => void)[] = []
        const subscribe = () => new Promise<boolean>((resolve) => asked.push(() => resolve(true)))
        await open({ channels: { news: { subscribe } } })
        const anns = await Promise.all([connect(here, 'ann'), connect(there, 'ann')])
        const answers = anns.map(({ client }) => rejection(client.subscribe('news')))
        await until(() => asked.length === 2)
        expect((await cluster().unsubscribe(who, 'news')).count).to.equal(2)
        for (const go of asked) go()
        for (const answer of answers) expect((await answer).code).to.equal('aborted')
        for (const { socket } of anns) expect(socket.channels).to.deep.equal([])
      })

    it('takes the channel from those that are signing in', async () => {
      await open()
      const held = deferred()
      const asked: string[] = []
      for (const { sockets } of new Set([here, there]))
        sockets.on('authentication', async ({ uid }) => {
          asked.push(String(uid))
          await held.promise
          return true
        })
      const joining = [
        connect(here, 'ann', { auto: 'news' }),
        connect(there, 'ann', { auto: 'news' }),
        connect(there, 'bob', { auto: 'news' }),
      ]
      await until(() => asked.length === 3)
      expect((await cluster().unsubscribe({ uid: 'ann' }, 'news')).count).to.equal(0)
      held.resolve()
      const [one, two, bob] = await Promise.all(joining)
      await until(() => bob?.socket.channels.length === 1)
      for (let left = 5; left > 0; left -= 1) await turn()
      expect([one, two].map((made) => made?.socket.channels)).to.deep.equal([[], []])
    })
  })

  it('are not subscribed, once they are let in, to what all were unsubscribed from meanwhile', async () => {
    await open()
    // The order reaches another node later than a question does.
    if (here !== there) return
    const held = deferred()
    let asked = 0
    here.sockets.on('authentication', async () => {
      asked += 1
      await held.promise
      return true
    })
    const joining = [connect(here, 'ann', { auto: 'news' }), connect(here, 'bob')]
    await until(() => asked === 2)
    await cluster().subscribe({ uid: 'bob' }, 'news')
    await here.sockets.unsubscribeAll('news')
    held.resolve()
    const both = await Promise.all(joining)
    for (let left = 5; left > 0; left -= 1) await turn()
    expect(both.map(({ socket }) => socket.channels)).to.deep.equal([[], []])
  })

  describe('#subscribe', () => {
    it('subscribes one user, on every node', async () => {
      await open()
      const anns = await withChannels('ann')
      const bob = await connect(there, 'bob')
      await anns[0].socket.subscribe('news')
      const done = { count: 2, failed: 0, reasons: [], missing: [] }
      expect(await cluster().subscribe({ uid: 'ann' }, 'news')).to.deep.equal(done)
      const heard: unknown[] = []
      for (const { client } of [...anns, bob]) client.on('message', (_channel, data) => heard.push(data))
      await here.sockets.publish('news', 'hello')
      await until(() => heard.length === 2)
      expect(bob.socket.channels).to.deep.equal([])
      for (const uid of ODD) expect((await cluster().subscribe({ uid }, 'news')).count).to.equal(0)
    })

    it('subscribes the sockets of one channel to another', async () => {
      await open()
      await withChannels('ann', 'room')
      await connect(here, 'bob')
      expect((await cluster().subscribe({ channel: 'room' }, 'news')).count).to.equal(2)
      expect(all().filter(({ channels }) => channels.includes('news'))).to.have.length(2)
    })

    it('says how many failed, and why; the others are subscribed', async () => {
      await open({ limits: { subscriptions: 1 } })
      const [full] = await withChannels('ann')
      await full.socket.subscribe('other')
      expect(await cluster().subscribe({ uid: 'ann' }, 'news')).to.deep.equal({
        count: 1,
        failed: 1,
        reasons: ['too_many_subscriptions'],
        missing: [],
      })
    })

    it('reaches those that are signing in, once they are let in', async () => {
      await open()
      const held = deferred()
      let asked = 0
      for (const { sockets } of new Set([here, there]))
        sockets.on('authentication', async () => {
          asked += 1
          await held.promise
          return true
        })
      const joining = ['ann', 'bob'].map((uid) => connect(there, uid))
      await until(() => asked === 2)
      expect((await cluster().subscribe({ uid: 'ann' }, 'news')).count).to.equal(0)
      held.resolve()
      const [ann, bob] = await Promise.all(joining)
      await until(() => ann?.socket.channels.length === 1)
      expect(bob?.socket.channels).to.deep.equal([])
    })

    it('loses to an unsubscribe that comes while it is under way', async () => {
      await open()
      const made = []
      for (let left = 40; left > 0; left -= 1) made.push(connect(left % 2 ? here : there, 'ann'))
      await Promise.all(made)
      const subscribing = cluster().subscribe({ uid: 'ann' }, 'news')
      const { count } = await cluster().unsubscribe({ uid: 'ann' }, 'news')
      await subscribing
      expect(count).to.equal(40)
      expect(all().flatMap(({ channels }) => channels)).to.deep.equal([])
    })
  })

  describe('#disconnect', () => {
    it('closes one device of a user', async () => {
      await open()
      const made = [...(await withChannels('ann')), ...(await withChannels('ann'))]
      for (const [index, { socket }] of made.entries()) socket.data.device = index < 2 ? 'phone' : 'laptop'
      const who = { where: { uid: 'ann', data: { device: 'phone' } } }
      expect(await cluster().disconnect(who, { reconnect: false })).to.deep.equal({ count: 2, missing: [] })
      await until(() => all().length === 2)
      expect(all().map(({ data }) => data.device)).to.deep.equal(['laptop', 'laptop'])
      for (const { client } of made.slice(0, 2)) await until(() => client.state === 'failed')
    })

    it('closes those on a channel, and all', async () => {
      await open()
      await withChannels('ann', 'news')
      await withChannels('bob')
      expect((await cluster().disconnect({ channel: 'news' })).count).to.equal(2)
      await until(() => all().length === 2)
      expect((await cluster().disconnect({ where: 'all' })).count).to.equal(2)
      await until(() => all().length === 0)
    })

    it('closes those that are signing in, by what is known of them then', async () => {
      await open()
      const held = deferred()
      let asked = 0
      for (const { sockets } of new Set([here, there]))
        sockets.on('authentication', async (socket, auth) => {
          asked += 1
          await held.promise
          const { uid } = auth as { readonly uid: string }
          socket.data.device = uid === 'ann' ? 'phone' : 'laptop'
          return true
        })
      const peers = await Promise.all(
        (['ann', 'bob'] as const).map(async (uid) => {
          const response = await there.askToken({}, `?uid=${uid}`)
          const { token } = (await response.json()) as { token: string }
          const peer = await there.peer()
          peer.send({ rpc: 'auth', token, uuid: 'auth', version: 1 })
          return peer
        }),
      )
      await until(() => asked === 2)
      await cluster().disconnect({ where: { data: { device: 'phone' } } }, { reconnect: false })
      held.resolve()
      expect((await peers[0]?.closed)?.code).to.equal(CLOSE_CODES.disconnected.code)
      await peers[1]?.find(({ resp }) => resp === 'success')
      expect(all().map(({ uid }) => uid)).to.deep.equal(['bob'])
    })
  })

  describe('#sockets', () => {
    it('gives the sockets of all nodes, in pages', async () => {
      await open()
      await withChannels('ann', 'news')
      await withChannels('bob')
      await connect(there, 'bob')
      const sids = all()
        .map(({ sid }) => sid)
        .sort()
      for (const limit of [1, 2, 5, 100]) {
        const found: SocketInfo[] = []
        for await (const { sockets, missing } of cluster().socketPages(undefined, { limit })) {
          expect(sockets.length).to.be.within(1, limit)
          expect(missing).to.deep.equal([])
          found.push(...sockets)
        }
        expect(found.map(({ sid }) => sid)).to.deep.equal(sids)
      }
      const { sockets, next } = await cluster().sockets({ channel: 'news' })
      expect(sockets.map(({ uid, channels, channelCount }) => [uid, channels, channelCount])).to.deep.equal([
        ['ann', ['news'], 1],
        ['ann', ['news'], 1],
      ])
      expect(next).to.equal(undefined)
      expect(JSON.stringify(sockets)).not.to.include('secret')
      expect((await cluster().sockets({ uid: '__proto__' })).sockets).to.deep.equal([])
    })

    it('gives each socket’s session by a name that selectors take', async () => {
      await open({ authentication: 'auth', prepare: sessions })
      for (const [site, name] of [
        [here, 'ann'],
        [there, 'bob'],
      ] as const)
        await site.ready({ headers: await signIn(site, name), reconnect: false })
      const [one, two] = (await cluster().sockets()).sockets
      expect(one?.session).to.match(/^sha256:/)
      expect(one?.session).not.to.equal(two?.session)
      expect((await cluster().disconnect({ session: String(one?.session) })).count).to.equal(1)
      await until(() => all().length === 1)
      expect(all().map(({ sid }) => sid)).to.deep.equal([two?.sid])
    })
  })

  it('does nothing at all by a selector, a channel or a page that is wrong', async () => {
    await open()
    await withChannels('ann', 'news')
    const wrong = [
      {},
      { where: {} },
      { uid: '' },
      { uid: 'ann', sid: 'x' },
      { where: { uid: 'ann', x: 1 } },
      { uid: 'x'.repeat(70_000) },
    ]
    for (const who of wrong as never[])
      for (const ask of [
        () => cluster().count(who),
        () => cluster().isConnected(who),
        () => cluster().sockets(who),
        () => cluster().subscribe(who, 'chat'),
        () => cluster().unsubscribe(who, 'news'),
        () => cluster().disconnect(who),
        () => cluster().rpc(who, 'echo'),
      ])
        expect((await rejection(ask())).code).to.be.oneOf(['bad_message', 'too_large'])
    for (const channel of ['', 7, 'x'.repeat(257)] as never[])
      for (const ask of [
        () => cluster().subscribe({ uid: 'ann' }, channel),
        () => cluster().unsubscribe({ uid: 'ann' }, channel),
      ])
        expect((await rejection(ask())).data).to.have.property('field', 'channel')
    expect((await rejection(cluster().sockets(undefined, { after: 'x' }))).data).to.deep.equal({
      field: 'after',
    })
    expect(all().map(({ channels }) => channels)).to.deep.equal([['news'], ['news']])
  })

  describe('#rpc', () => {
    it('takes the selector of one socket, and of no more', async () => {
      await open()
      const { socket } = await connect(there, 'ann')
      expect((await rejection(cluster().rpc({ sid: socket.sid }, 'nothing'))).code).to.equal('not_found')
      const { code, data } = await rejection(cluster().rpc({ uid: 'ann' } as never, 'nothing'))
      expect([code, data]).to.deep.equal(['bad_message', { field: 'sid' }])
    })
  })

  describe('#emit', () => {
    it('reaches every other node’s listeners once, and not its own', async () => {
      await open()
      const calls: unknown[] = []
      here.sockets.cluster.on('cache', () => calls.push('own'))
      const isOne = here === there
      if (!isOne) there.sockets.cluster.on('cache', (data, { node }) => calls.push([data, node]))
      const count = isOne ? 0 : 1
      expect(await cluster().emit('cache', { key: '😀' })).to.deep.equal({ count, missing: [] })
      expect(await cluster().emit('another')).to.deep.equal({ count, missing: [] })
      expect(calls).to.deep.equal(isOne ? [] : [[{ key: '😀' }, cluster().node]])
    })

    it('brings what a listener throws to its node’s error event', async () => {
      await open()
      if (here === there) return
      there.sockets.cluster.on('cache', () => {
        throw new RpcError('sold_out')
      })
      expect((await cluster().emit('cache')).count).to.equal(1)
      await until(() => there.failures.length === 1)
      expect(there.failures[0]?.details).to.include({ step: 'cluster', event: 'cache', node: cluster().node })
    })

    it('refuses names and data that are wrong', async () => {
      await open()
      for (const [event, data, code] of [
        ['', 1, 'bad_message'],
        [7, 1, 'bad_message'],
        ['x'.repeat(129), 1, 'too_long'],
        ['a', 1n, 'unserializable'],
        ['a', 'x'.repeat(2 ** 20), 'too_large'],
      ] as const)
        expect((await rejection(cluster().emit(event as never, data))).code).to.equal(code)
    })
  })
}
