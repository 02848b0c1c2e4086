import type { TokenSocket } from '@token-socket/client'
import { type ChannelRuleTable, type Engine, MemoryEngine, type ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { deferred, next, rejection, type Site, type SiteOptions, turn, until, useSites } from './fixture.js'
import { Guest } from './guest.js'

interface Role {
  readonly uid: string
  readonly role: string
  readonly channels?: object
}

const roleOf = ({ auth }: ServerSocket) => (auth as unknown as Role).role

const RULES: ChannelRuleTable = {
  admins: {
    subscribe: (socket) => roleOf(socket) === 'admin',
    publish: (socket) => roleOf(socket) === 'admin',
  },
  news: { subscribe: true, publish: true, history: { ttl: 60_000, size: 1000 } },
  room: { subscribe: true, presence: (socket) => roleOf(socket) === 'admin' },
}

/** An engine that waits before one of its methods, once it is told to. */
class SlowEngine {
  readonly own = new MemoryEngine()
  #gate: Promise<void> | undefined
  /** How often something waited. */
  waiting = 0

  readonly engine: Engine = {
    name: 'test',
    shared: false,
    broker: this.own.broker,
    history: {
      read: async (...query) => {
        await this.#wait()
        return this.own.history.read(...query)
      },
      position: (channel) => this.own.history.position(channel),
    },
    presence: {
      enter: async (...how) => {
        await this.#wait()
        return this.own.presence.enter(...how)
      },
      leave: (...how) => this.own.presence.leave(...how),
      members: (channel) => this.own.presence.members(channel),
    },
    tickets: this.own.tickets,
    nodes: this.own.nodes,
    close: () => this.own.close(),
  }

  /** @returns what lets it go on */
  hold(): () => void {
    const { promise, resolve } = deferred()
    this.#gate = promise
    return () => {
      this.#gate = undefined
      resolve()
    }
  }

  async #wait(): Promise<void> {
    if (this.#gate) this.waiting += 1
    await this.#gate
  }
}

describe('a role that changes', () => {
  const startSite = useSites()

  const start = (options: SiteOptions = {}) =>
    startSite({
      authentication: async (request: { query: Record<string, unknown> }) => ({
        uid: String(request.query.uid ?? 'ann'),
        role: 'admin',
      }),
      channels: RULES,
      ...options,
    })

  const setRole = (site: Site, role: string, more: object = {}) =>
    site.sockets.cluster.reauthorize({ uid: 'ann' }, { uid: 'ann', role, ...more })

  /** What a client receives of a channel. */
  const received = (client: TokenSocket): unknown[] => {
    const all: unknown[] = []
    client.on('message', (_channel, data) => all.push(data))
    return all
  }

  it('ends what it does not allow any longer, tells why at both ends, and leaves the rest', async () => {
    const site = await start()
    const { client, socket } = await site.pair()
    const admins = client.channel('admins')
    await Promise.all([client.subscribe('admins'), client.subscribe('news')])
    const reasons: unknown[] = []
    site.sockets.on('unsubscribed', (_socket, details) => reasons.push(details))
    const revoked = next(admins, 'revoked')
    expect(await setRole(site, 'guest')).to.deep.include({ count: 1, missing: [] })
    await revoked
    expect(reasons).to.deep.equal([{ channel: 'admins', reason: 'revoked' }])
    expect([client.channels(), socket.channels, client.state]).to.deep.equal([['news'], ['news'], 'ready'])
    const message = next(client, 'message')
    await site.sockets.publish('admins', 'secret')
    await site.sockets.publish('news', 1)
    expect(await message).to.deep.equal(['news', 1])
    expect(await rejection(client.subscribe('admins'))).to.include({ code: 'forbidden' })
  })

  it('between the check of a publication and its delivery, refuses it', async () => {
    const site = await start()
    const [{ client }, { client: reader }] = [await site.pair(), await site.pair()]
    await site.sockets.subscribe(site.sockets.sockets()[1] as ServerSocket, 'admins')
    const all = received(reader)
    const [asked, answer] = [deferred(), deferred<boolean>()]
    site.sockets.once('publish', () => {
      asked.resolve()
      return answer.promise
    })
    const published = rejection(client.publish('admins', 1))
    await asked.promise
    await setRole(site, 'guest')
    answer.resolve(true)
    expect(await published).to.include({ code: 'forbidden' })
    await site.sockets.publish('admins', 2)
    await until(() => all.length > 0)
    expect(all).to.deep.equal([2])
  })

  it('during a subscribe, refuses it', async () => {
    const site = await start()
    const { client, socket } = await site.pair()
    const [asked, answer] = [deferred(), deferred<boolean>()]
    site.sockets.once('subscribe', () => {
      asked.resolve()
      return answer.promise
    })
    const subscribed = rejection(client.subscribe('admins'))
    await asked.promise
    await setRole(site, 'guest')
    answer.resolve(true)
    expect(await subscribed).to.include({ code: 'forbidden' })
    expect(socket.channels).to.deep.equal([])
  })

  it('during recovery, ends it with a gap, and what comes then arrives', async () => {
    const slow = new SlowEngine()
    const site = await start({ engine: slow.engine })
    const { client, socket } = await site.pair()
    await client.subscribe('news')
    const all = received(client)
    const gap = next(client.channel('news'), 'gap')
    await site.sockets.publish('news', 0)
    await until(() => all.length === 1)
    const goOn = slow.hold()
    socket.end()
    await until(() => socket.isClosed)
    for (let data = 1; data <= 5; data += 1) await site.sockets.publish('news', data)
    await until(() => slow.waiting > 0)
    await setRole(site, 'guest', { channels: { news: { subscribe: true } } })
    goOn()
    expect(await gap).to.deep.equal(['forbidden'])
    await site.sockets.publish('news', 6)
    await until(() => all.length > 1)
    expect(all).to.deep.equal([0, 6])
  })

  it('while presence is being entered, leaves no member', async () => {
    const slow = new SlowEngine()
    const site = await start({ engine: slow.engine })
    const other = await Guest.of(site, 'uid=ben')
    await other.subscribe('room')
    const { client } = await site.pair()
    const goOn = slow.hold()
    const subscribed = client.subscribe('room')
    await until(() => slow.waiting > 0)
    const done = setRole(site, 'guest')
    await turn()
    goOn()
    await Promise.all([subscribed, done])
    expect((await site.sockets.members('room')).map(({ uid }) => uid)).to.deep.equal(['ben'])
  })

  it('joins the channels that only its new claims name', async () => {
    const site = await start()
    const { client } = await site.pair()
    const subscribed = next(client.channel('news'), 'subscribed')
    await setRole(site, 'guest', { channels: { news: { subscribe: true, autoSubscribe: true } } })
    await subscribed
    expect(client.channels()).to.deep.equal(['news'])
  })

  it('that is revoked resolves after what its user has published, also on a socket that has ended', async () => {
    const own = new MemoryEngine()
    const held = deferred()
    let waiting = 0
    const publish = own.broker.publish.bind(own.broker)
    own.broker.publish = async (draft, options) => {
      if (draft.channel === 'news') {
        waiting += 1
        await held.promise
      }
      return publish(draft, options)
    }
    const site = await startSite({ engine: own, channels: RULES })
    const { client } = await site.pair()
    const gone = await site.ready()
    for (const one of [client, gone]) one.publish('news', 1).catch(() => {})
    await until(() => waiting === 2)
    await gone.end()
    await until(() => site.sockets.sockets().length === 1)
    let isDone = false
    const done = site.sockets.cluster.revoke({ issuedBefore: Date.now() + 5000 }).then(() => {
      isDone = true
    })
    await until(() => client.state !== 'ready')
    await turn()
    expect(isDone).to.equal(false)
    held.resolve()
    await done
    expect((await own.history.read('news', { limit: 10 })).publications).to.have.length(2)
  })

  it('leaves a call that runs the auth that it began with', async () => {
    const [begun, changed] = [deferred(), deferred()]
    const site = await start({
      socketController: {
        work: async (auth: unknown) => {
          begun.resolve()
          await changed.promise
          return (auth as Role).role
        },
        whoami: (auth: unknown) => (auth as Role).role,
      },
    })
    const { client } = await site.pair()
    const work = client.rpc('work')
    await begun.promise
    await setRole(site, 'guest')
    changed.resolve()
    expect([await work, await client.rpc('whoami')]).to.deep.equal(['admin', 'guest'])
  })

  it('100 times, while messages come, misses none and brings none twice', async () => {
    const site = await start()
    const { client } = await site.pair()
    await client.subscribe('news')
    const all = received(client)
    const gaps: unknown[] = []
    client.channel('news').on('gap', (reason) => gaps.push(reason))
    site.sockets.on('subscribe', async () => {
      await turn()
      return true
    })
    const changes: Promise<unknown>[] = []
    for (let data = 1; data <= 500; data += 1) {
      await site.sockets.publish('news', data)
      const channels = { news: { subscribe: true, ...(data % 2 && { historyStart: 0 }) } }
      if (data % 5 === 0) changes.push(setRole(site, 'guest', data % 3 ? { channels } : {}))
    }
    await Promise.all(changes)
    await until(() => all.length >= 500)
    expect(all).to.deep.equal(Array.from({ length: 500 }, (_, index) => index + 1))
    expect(gaps).to.deep.equal([])
  })
})
