import { MemoryEngine, RpcError, type TokenSocketServerEvents } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { DISCONNECTS } from './disconnects.js'
import { rejection, type Site, type SiteOptions, turn, until, useSites } from './fixture.js'

type Notice = 'connected' | 'subscribed' | 'unsubscribed' | 'published' | 'disconnected'

const NOTICES: readonly Notice[] = ['connected', 'subscribed', 'unsubscribed', 'published', 'disconnected']

/** Notes what the events report, without the sockets. */
function record({ sockets }: Site): unknown[][] {
  const told: unknown[][] = []
  for (const event of NOTICES)
    sockets.on(event, ((_socket: unknown, ...rest: unknown[]) => void told.push([event, ...rest])) as never)
  return told
}

describe('the events that report', () => {
  const start = useSites()

  describe('`connected`', () => {
    it('comes before the socket’s first message is handled, when it is in `sockets()`', async () => {
      const site = await start({
        socketController: {
          look: (_auth: unknown, _data: unknown, _callback: unknown, socket) => socket.data.from,
        },
      } as SiteOptions)
      site.sockets.on('connected', (socket) => {
        socket.data.from = site.sockets.sockets().includes(socket) ? 'connected' : 'too early'
      })
      const client = await site.ready()
      expect(await client.rpc('look')).to.equal('connected')
    })

    it('does not come for a socket that was refused, and nor does anything else', async () => {
      const site = await start()
      const told = record(site)
      site.sockets.on('authentication', async (socket) => {
        await socket.subscribe('lobby')
        return false
      })
      const peer = await site.peer()
      await peer.auth(await site.token())
      await peer.closed
      await turn()
      expect(told).to.deep.equal([])
    })

    it('comes before `subscribed` of what it was subscribed to before it was let in', async () => {
      const site = await start()
      const told = record(site)
      site.sockets.on('authentication', async (socket) => {
        await socket.subscribe('lobby')
        return true
      })
      await site.ready()
      expect(told).to.deep.equal([['connected'], ['subscribed', { channel: 'lobby' }]])
    })

    it('a listener that ends the socket is followed by `disconnected`', async () => {
      const site = await start()
      const told = record(site)
      site.sockets.on('connected', (socket) => socket.end({ reconnect: false }))
      await (await site.member()).closed
      await until(() => told.length === 2)
      expect(told.map(([event]) => event)).to.deep.equal(['connected', 'disconnected'])
      expect(site.sockets.sockets()).to.deep.equal([])
    })
  })

  describe('`subscribed` and `unsubscribed`', () => {
    const reasons: Readonly<Record<string, readonly [string, (site: Site) => unknown]>> = {
      'the client unsubscribes': ['client', () => undefined],
      'the server unsubscribes the socket': ['server', (site) => site.sockets.sockets()[0]?.unsubscribe('a')],
      'the server unsubscribes all': ['server', (site) => site.sockets.unsubscribeAll('a')],
      'its connection ends': ['disconnected', (site) => site.sockets.sockets()[0]?.end({ reconnect: false })],
    }
    for (const [what, [reason, end]] of Object.entries(reasons)) {
      it(`come in a pair, the second with ${reason}, when ${what}`, async () => {
        const site = await start()
        const client = await site.ready({ reconnect: false })
        const told = record(site)
        await client.subscribe('a')
        await client.subscribe('a')
        if (reason === 'client') await client.unsubscribe('a')
        else end(site)
        await until(() => told.length > 1)
        expect(told.slice(0, 2)).to.deep.equal([
          ['subscribed', { channel: 'a' }],
          ['unsubscribed', { channel: 'a', reason }],
        ])
      })
    }

    it('come for what the server subscribes, and what claims subscribe automatically', async () => {
      const site = await start({ authentication: () => ({ channels: { own: { autoSubscribe: true } } }) })
      const told = record(site)
      const { socket } = await site.pair()
      await socket.subscribe('given')
      await until(() => told.length === 3)
      expect(told.slice(1)).to.have.deep.members([
        ['subscribed', { channel: 'own' }],
        ['subscribed', { channel: 'given' }],
      ])
    })

    it('do not come for a subscription that is refused, or fails', async () => {
      const site = await start({
        channels: { '*': { subscribe: true }, room: { presence: true }, no: { subscribe: false } },
        limits: { subscriptions: 1 },
      })
      const client = await site.ready()
      const told = record(site)
      expect((await rejection(client.subscribe('no'))).code).to.equal('forbidden')
      expect((await rejection(client.subscribe('room'))).code).to.equal('uid_required')
      await client.subscribe('a')
      expect((await rejection(client.subscribe('b'))).code).to.equal('too_many_subscriptions')
      await client.unsubscribe('b')
      expect(told).to.deep.equal([['subscribed', { channel: 'a' }]])
    })

    it('come in a pair, the second with failed, when the engine fails while the client subscribes again', async () => {
      const engine = new MemoryEngine()
      const site = await start({
        engine,
        channels: { '*': { subscribe: true, publish: true, history: { ttl: 60_000 } } },
      })
      const peer = await site.member()
      const told = record(site)
      const subscribe = (req: object) => peer.ask({ rpc: '_subscribe', req: { channel: 'a', ...req } })
      await subscribe({})
      const read = sinon.stub(engine.history, 'read').rejects(new Error('away'))
      expect(await subscribe({ epoch: 'x', offset: 0 })).to.have.property('code', 'internal')
      read.restore()
      await until(() => told.length === 2)
      expect(told).to.deep.equal([
        ['subscribed', { channel: 'a' }],
        ['unsubscribed', { channel: 'a', reason: 'failed' }],
      ])
      expect(site.sockets.channelSockets('a')).to.deep.equal([])
    })

    it('all come before `disconnected`, however many there are', async () => {
      const site = await start({ limits: { subscriptions: 2000 } })
      const { socket } = await site.pair({ reconnect: false })
      const told = record(site)
      for (let index = 0; index < 1500; index += 1) await socket.subscribe(`c${index}`)
      socket.end({ reconnect: false })
      await until(() => told.at(-1)?.[0] === 'disconnected')
      expect(told).to.have.length(3001)
      expect(told.filter(([event]) => event === 'unsubscribed')).to.have.length(1500)
    })
  })

  describe('`published`', () => {
    it('reports what clients publish: the channel, data, event, id, and the offset where it is kept', async () => {
      const site = await start({
        channels: { '*': { publish: true, subscribe: true }, kept: { history: { ttl: 60_000 } } },
      })
      const client = await site.ready()
      const told = record(site)
      await client.publish('plain', { a: 1 })
      await client.publish('kept', 2, { event: 'say' })
      const [plain, kept] = told.map(([, details]) => details as Record<string, unknown>)
      expect(plain).to.include({ channel: 'plain', event: undefined, offset: undefined })
      expect(plain?.data).to.deep.equal({ a: 1 })
      expect(kept).to.include({ channel: 'kept', data: 2, event: 'say', offset: 1 })
      expect([plain?.id, kept?.id].map(String).join()).to.match(/^\w{26},\w{26}$/)
    })

    it('comes again, with the same id, for a publication that a client tries again by its key', async () => {
      const site = await start()
      const client = await site.ready()
      const told = record(site)
      for (let times = 0; times < 2; times += 1) await client.publish('a', 1, { idempotencyKey: 'k' })
      const ids = told.map(([, details]) => (details as { id: string }).id)
      expect(ids).to.have.length(2)
      expect(ids[0]).to.equal(ids[1])
    })

    it('reports broadcasts of clients, without a channel', async () => {
      const site = await start()
      const client = await site.ready()
      const told = record(site)
      await client.broadcast('hi')
      const nothing = { channel: undefined, event: undefined, id: undefined, offset: undefined }
      expect(told).to.deep.equal([['published', { ...nothing, data: 'hi' }]])
    })

    it('reports neither what is refused, nor what the server publishes, also by a listener of it', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      const told = record(site)
      site.sockets.on('published', () => site.sockets.publish('audit', 'a client published'))
      site.sockets.on('publish', (_socket, { channel }) => channel !== 'no')
      await rejection(client.publish('no', 1))
      await site.sockets.publish('a', 1)
      await socket.publish('a', 1)
      await site.sockets.broadcast(1)
      await client.publish('a', 2)
      await turn()
      expect(told).to.have.length(1)
    })
  })

  describe('`disconnected`', () => {
    for (const [reason, { options, end, code, wasClean = true }] of Object.entries(DISCONNECTS)) {
      it(`has the reason ${reason}, the code and the duration; the log has the same word`, async () => {
        const site = await start(options)
        const told = record(site)
        const peer = await site.member()
        await end(peer, site)
        await until(() => told.some(([event]) => event === 'disconnected'))
        const [, word, details] = told.at(-1) as [string, string, Record<string, unknown>]
        expect([word, details.code, details.wasClean]).to.deep.equal([reason, code, wasClean])
        expect(details.duration).to.be.a('number').and.least(0)
        const line = site.log.find(({ message }) => message === 'a socket has ended')
        expect(line?.details).to.include({ reason, code })
      })
    }

    it('comes once for every socket before `shutdown()` resolves', async () => {
      const site = await start()
      for (let count = 0; count < 5; count += 1) await site.member()
      const told = record(site)
      await site.sockets.shutdown()
      expect(told.map(([event, reason]) => [event, reason])).to.deep.equal(
        Array.from({ length: 5 }, () => ['disconnected', 'shutting_down']),
      )
    })
  })

  it('what a listener throws, or rejects with, reaches the `error` event and harms nothing', async () => {
    const site = await start()
    for (const event of NOTICES) {
      site.sockets.on(event, () => {
        throw new Error(`in ${event}`)
      })
      site.sockets.on(event, async () => Promise.reject(new Error(`later in ${event}`)))
    }
    const client = await site.ready()
    await client.subscribe('a')
    await client.publish('a', 1)
    await client.unsubscribe('a')
    await client.end()
    await until(() => site.failures.length === 10)
    const events = site.failures.map(({ details }) => (details as { event?: string }).event)
    expect(new Set(events)).to.deep.equal(new Set(NOTICES))
    await site.servesHonestClients()
  })

  for (const method of ['on', 'once', 'addListener'] as const) {
    it(`#${method} refuses an event that does not exist, and says which was meant`, async () => {
      const { sockets } = await start()
      const listen = (event: string) => () =>
        sockets[method](event as keyof TokenSocketServerEvents, () => {})
      expect(listen('connection')).to.throw(
        RpcError,
        'there is no event "connection", did you mean "connected"?',
      )
      expect(listen('subcribe')).to.throw(RpcError, 'did you mean "subscribe"?')
      expect(listen('connected')()).to.equal(sockets)
    })
  }
})
