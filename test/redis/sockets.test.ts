/** The sockets of all nodes, as each node's server reaches them: two servers on one Redis. */
import { type CallContext, RpcError, type TokenSocket } from '@token-socket/client'
import { RedisEngine } from '@token-socket/redis'
import { expect } from 'chai'
import { next, Site, until } from '../end-to-end/fixture.js'
import { rejection } from '../protocol/rejection.js'
import { NodeProcess } from './node-process.js'
import { RedisProcess } from './redis-process.js'

const ACTIONS = {
  echo: (data: unknown) => data,
  fail: () => {
    throw new RpcError('sold_out', 'Sold out', { left: 0 })
  },
  long: () => 'x'.repeat(1024 * 1024),
  hang: (_data: unknown, _callback: unknown) => {},
  left: (_data: unknown, _callback: unknown, call: CallContext) => call.deadline - Date.now(),
}

describe('the sockets of all nodes', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  let here: Site
  let there: Site

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  beforeEach(async () => {
    ;[here, there] = await Promise.all([start(), start()])
  })

  afterEach(() => Promise.all([here.stop(), there.stop()]))

  async function start(): Promise<Site> {
    const engine = new RedisEngine({ url: redis.url, lease: 3000 })
    await engine.ready()
    const authentication = ({ query }: { query: Record<string, unknown> }) => ({ uid: query.name ?? 'ann' })
    const limits = { message: 2 * 1024 * 1024 }
    return Site.start({ engine, authentication, secret: 'of the tests, 32 bytes long or more', limits })
  }

  const connect = async (site: Site, name = 'ann') => {
    const { client, socket } = await site.pair({ authentication: { name } }, ACTIONS)
    return { client, sid: socket.sid }
  }
  const closed = (client: TokenSocket) => next(client, 'disconnect')

  it('give up what a node called that shuts down, at their clients', async () => {
    const signals: AbortSignal[] = []
    const hang = (_data: unknown, _callback: unknown, { signal }: CallContext) => void signals.push(signal)
    const { client, socket } = await there.pair({ authentication: { name: 'ann' } }, { hang })
    const call = rejection(here.sockets.cluster.rpc(socket.sid, 'hang', 1, { timeout: 0 }))
    await until(() => signals.length > 0)
    await here.sockets.shutdown()
    expect((await call).code).to.equal('shutting_down')
    await until(() => signals[0]?.aborted)
    client.end()
  })

  for (const [where, site] of [
    ['this node', () => here],
    ['another node', () => there],
  ] as const) {
    describe(`of ${where}`, () => {
      it('are notified, and a failure is an event of their own node', async () => {
        const seen: unknown[] = []
        const { client, socket } = await site().pair(
          {},
          { ...ACTIONS, toast: (data: unknown) => void seen.push(data) },
        )
        const { cluster } = here.sockets
        await cluster.notify(socket.sid, 'toast', { x: [1, '😀'] })
        await cluster.notify(socket.sid, 'fail')
        await until(() => site().failures.length === 1)
        expect(seen).to.deep.equal([{ x: [1, '😀'] }])
        const [{ cause, details } = { cause: undefined, details: {} }] = site().failures
        expect(cause).to.include({ code: 'sold_out', message: 'Sold out' })
        expect(details).to.include({ sid: socket.sid, function: 'fail', step: 'notification' })
        const large = 'x'.repeat(1024 * 1024)
        if (site() !== here)
          expect((await rejection(cluster.notify(socket.sid, 'toast', large))).code).to.equal('too_large')
        await client.end()
        await until(() => site().sockets.sockets().length === 0)
        expect((await rejection(cluster.notify(socket.sid, 'toast'))).code).to.equal('not_connected')
      })

      it('are called, and answer', async () => {
        const { sid } = await connect(site())
        expect(await here.sockets.cluster.rpc(sid, 'echo', { x: [1, '😀'] })).to.deep.equal({ x: [1, '😀'] })
      })

      for (const timeout of [20_000, 100_000])
        it(`have the time that the server waits: ${timeout} ms`, async () => {
          const { sid } = await connect(site())
          const left = await here.sockets.cluster.rpc(sid, 'left', 1, { timeout })
          expect(left).to.be.within(timeout - 10_000, timeout)
        })

      it('are called, and answer with an error of their own', async () => {
        const { sid } = await connect(site())
        const error = await rejection(here.sockets.cluster.rpc(sid, 'fail'))
        expect([error.code, error.message, error.data]).to.deep.equal(['sold_out', 'Sold out', { left: 0 }])
        expect((await rejection(here.sockets.cluster.rpc(sid, 'nothing'))).code).to.equal('not_found')
      })

      it('stop what they do when the caller gives up, or its time is over', async () => {
        const ends: unknown[] = []
        const { client, socket } = await site().pair(
          {},
          {
            wait: (_data: unknown, _callback: unknown, call: CallContext) =>
              call.signal.addEventListener('abort', () => ends.push(call.signal.reason.code)),
          },
        )
        const { cluster } = here.sockets
        const controller = new AbortController()
        const aborted = rejection(cluster.rpc(socket.sid, 'wait', 1, { signal: controller.signal }))
        await until(() => ends.length === 0 && client.state === 'ready')
        await cluster.rpc(socket.sid, 'nothing').catch(() => {})
        controller.abort()
        expect((await aborted).code).to.equal('aborted')
        await until(() => ends.length === 1)
        const late = rejection(cluster.rpc(socket.sid, 'wait', 1, { timeout: 50 }))
        expect((await late).code).to.equal('timeout')
        await until(() => ends.length === 2)
        expect(ends).to.deep.equal(['aborted', 'timeout'])
      })

      it('answer a call that may take as long as it likes', async () => {
        const { sid } = await connect(site())
        const timeout = Number.POSITIVE_INFINITY
        expect(await here.sockets.cluster.rpc(sid, 'echo', 1, { timeout })).to.equal(1)
      })

      it('are called in vain if they do not answer in time, are gone, or are given up', async () => {
        const { client, sid } = await connect(site())
        const { cluster } = here.sockets
        expect((await rejection(cluster.rpc(sid, 'hang', null, { timeout: 50 }))).code).to.equal('timeout')
        const controller = new AbortController()
        const aborted = cluster.rpc(sid, 'hang', null, { signal: controller.signal })
        controller.abort()
        expect((await rejection(aborted)).code).to.equal('aborted')
        const lost = rejection(cluster.rpc(sid, 'hang'))
        await cluster.rpc(sid, 'echo')
        await client.end()
        expect((await lost).code).to.equal('connection_lost')
        expect((await rejection(cluster.rpc(sid, 'echo'))).code).to.equal('not_connected')
      })

      it('are connected until they are not', async () => {
        const { client, sid } = await connect(site())
        const { cluster } = here.sockets
        expect(await cluster.isConnected(sid)).to.equal(true)
        await client.end()
        while (await cluster.isConnected(sid));
      })

      it('are subscribed and unsubscribed by their ids', async () => {
        const { client, sid } = await connect(site())
        const { cluster } = here.sockets
        await cluster.subscribe(sid, 'news')
        expect(await cluster.count('news')).to.deep.equal({ count: 1, missing: [] })
        const heard = next(client, 'message')
        await here.sockets.publish('news', 1)
        expect((await heard).slice(0, 2)).to.deep.equal(['news', 1])
        await cluster.unsubscribe(sid, 'news')
        expect((await cluster.count('news')).count).to.equal(0)
      })

      it('are closed by their ids', async () => {
        const [one, other] = [await connect(site()), await connect(site())]
        const gone = closed(one.client)
        const closing = here.sockets.cluster.disconnect({ sid: one.sid }, { reconnect: false })
        expect(await closing).to.deep.equal({ count: 1, missing: [] })
        await gone
        expect(one.client.state).to.equal('failed')
        expect(await here.sockets.cluster.isConnected(other.sid)).to.equal(true)
      })
    })
  }

  it('are counted', async () => {
    for (const site of [here, there, there]) await connect(site)
    for (const { sockets } of [here, there]) {
      expect(await sockets.cluster.count()).to.deep.equal({ count: 3, missing: [] })
    }
  })

  it('of one user are closed on all nodes, and come back unless they are told not to', async () => {
    const anns = [await connect(here), await connect(there), await connect(there)]
    const bob = await connect(there, 'bob')
    const { cluster } = here.sockets
    const gone = anns.map(({ client }) => closed(client))
    expect(await cluster.disconnect({ uid: 'ann' })).to.deep.equal({ count: 3, missing: [] })
    await Promise.all(gone)
    await Promise.all(anns.map(({ client }) => until(() => client.state === 'ready')))
    expect(await cluster.disconnect({ uid: 'ann' }, { reconnect: false })).to.deep.equal({
      count: 3,
      missing: [],
    })
    await Promise.all(anns.map(({ client }) => until(() => client.state === 'failed')))
    expect(bob.client.state).to.equal('ready')
    expect((await cluster.disconnect({ uid: 'nobody' })).count).to.equal(0)
  })

  it('of a node that is silent are not counted, and the node is named', async () => {
    await connect(here)
    const silent = await NodeProcess.start({ url: redis.url, lease: 3000 })
    try {
      const living = await here.sockets.cluster.nodes()
      const [node] = living.filter((id) => ![here, there].some(({ sockets }) => sockets.cluster.node === id))
      const counting = here.sockets.cluster.count()
      await silent.kill()
      expect(await counting).to.deep.equal({ count: 1, missing: [node] })
      while ((await here.sockets.cluster.nodes()).length > 2) await new Promise(setImmediate)
      expect(await here.sockets.cluster.count()).to.deep.equal({ count: 1, missing: [] })
    } finally {
      await silent.kill()
    }
  })

  it('that were of a node which is gone are not connected', async () => {
    const { sid } = await connect(there)
    await there.stop()
    const { cluster } = here.sockets
    expect(await cluster.isConnected(sid)).to.equal(false)
    expect((await rejection(cluster.rpc(sid, 'echo'))).code).to.equal('not_connected')
    expect(await cluster.disconnect({ sid })).to.deep.equal({ count: 0, missing: [] })
  })

  it('are not asked for by ids that are none', async () => {
    const { cluster } = here.sockets
    for (const sid of ['nobody', 'a.b', 'a.', '.', 'x'.repeat(1000), '__proto__', `a.${cluster.node}`]) {
      expect(await cluster.isConnected(sid)).to.equal(false)
      expect((await rejection(cluster.rpc(sid, 'echo'))).code).to.equal('not_connected')
      expect((await cluster.disconnect({ sid })).count).to.equal(0)
    }
  })

  it('say of an answer that it is too large for another node', async () => {
    const { sid } = await connect(there)
    const error = await rejection(here.sockets.cluster.rpc(sid, 'long'))
    expect([error.code, error.data]).to.deep.equal(['too_large', { field: 'answer' }])
    expect(await here.sockets.cluster.rpc(sid, 'echo', 1)).to.equal(1)
  })

  it('are asked for with words only', async () => {
    const { cluster } = here.sockets
    const { sid } = await connect(there)
    const bad: readonly (readonly [() => Promise<unknown>, string])[] = [
      [() => cluster.rpc(5 as never, 'echo'), 'sid'],
      [() => cluster.rpc(sid, ''), 'name'],
      [() => cluster.isConnected(''), 'sid'],
      [() => cluster.count(''), 'channel'],
      [() => cluster.disconnect({} as never), 'selector'],
      [() => cluster.disconnect({ uid: null } as never), 'uid'],
      [() => cluster.disconnect(null as never), 'selector'],
      [() => cluster.subscribe(sid, 7 as never), 'channel'],
    ]
    for (const [ask, field] of bad) {
      const { code, data } = await rejection(ask())
      expect([code, data]).to.deep.equal(['bad_message', { field }])
    }
    expect((await rejection(cluster.subscribe(sid, 'x'.repeat(300)))).code).to.equal('too_long')
    expect((await rejection(cluster.rpc(sid, 'echo', 1n))).code).to.equal('unserializable')
    expect((await rejection(cluster.rpc(sid, 'echo', 'x'.repeat(2 ** 21)))).code).to.equal('too_large')
  })
})
