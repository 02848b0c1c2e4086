/** Raw WebSockets, which are on: what goes in, what comes out, and what there is not. */
import { CLOSE_CODES, type ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { BareClient } from './bare-client.js'
import { deferred, rejection, type Site, type SiteOptions, until, useSites } from './fixture.js'
import { OPCODES, RawWebSocket } from './raw-websocket.js'

/** What is a message of its own, and as what it arrives. */
const TEXTS: readonly (readonly [text: string, data: unknown])[] = [
  ['{"lat":1,"long":2}', { lat: 1, long: 2 }],
  [' [1, "two", null]\n', [1, 'two', null]],
  ['12', 12],
  ['-0.5e3', -500],
  ['true', true],
  ['null', null],
  ['"a text"', 'a text'],
  ['hello', 'hello'],
  ['', ''],
  [' ', ' '],
  ['{not JSON}', '{not JSON}'],
  ['[1, 2', '[1, 2'],
  ['{"a":1}{"b":2}', '{"a":1}{"b":2}'],
  ['two\nlines', 'two\nlines'],
  ['{"rpc":"echo","uuid":"1"}', { rpc: 'echo', uuid: '1' }],
  ['{"__proto__":{"a":1}}', JSON.parse('{"__proto__":{"a":1}}')],
  ['NaN', 'NaN'],
  ['\u2028 😀', '\u2028 😀'],
  [`a ${'['.repeat(5000)}`, `a ${'['.repeat(5000)}`],
]

/** What the server sends, and the frame that it is. */
const SENT: readonly (readonly [data: unknown, text: string])[] = [
  ['Welcome', 'Welcome'],
  ['', ''],
  ['=', '='],
  ['{"a":1}', '{"a":1}'],
  ['two\nlines', 'two\nlines'],
  [{ a: [1] }, '{"a":[1]}'],
  [[], '[]'],
  [12, '12'],
  [false, 'false'],
  [null, 'null'],
  [undefined, 'null'],
  ['x'.repeat(200_000), 'x'.repeat(200_000)],
]

describe('a raw WebSocket', () => {
  const sites = useSites()

  const start = (options: SiteOptions = {}) =>
    sites({
      engine: undefined,
      transports: ['websocket', 'raw'],
      connectAuthentication: async ({ url = '' }) => ({
        uid: new URL(url, 'http://a').searchParams.get('user') ?? 'ann',
      }),
      ...options,
    })

  /** A client, and the same as the server sees it. */
  async function pair(site: Site, query = ''): Promise<{ client: BareClient; socket: ServerSocket }> {
    const before = new Set(site.sockets.sockets())
    const client = await BareClient.open(site, query)
    const socket = site.sockets.sockets().find((one) => !before.has(one))
    if (!socket) throw new Error('the server has no new socket')
    return { client, socket }
  }

  describe('takes', () => {
    for (const [text, data] of TEXTS) {
      it(`${JSON.stringify(text).slice(0, 40)} as a message`, async () => {
        const site = await start()
        const came = deferred<readonly unknown[]>()
        site.sockets.on('message', (...args) => came.resolve(args))
        const { client, socket } = await pair(site)
        client.send(text)
        const [from, got] = await came.promise
        expect(from).to.equal(socket)
        expect(got).to.deep.equal(data)
      })
    }

    it('many messages, in order, however many come in one packet', async () => {
      const site = await start()
      const got: unknown[] = []
      site.sockets.on('message', (_socket, data) => got.push(data))
      const { client } = await pair(site)
      const all = Array.from({ length: 2000 }, (_, at) => at)
      client.send(...all.map(String))
      await until(() => got.length === all.length)
      expect(got).to.deep.equal(all)
    })

    it('a message of the largest size, and closes for a larger one with 1009', async () => {
      const site = await start({ limits: { message: 1000 } })
      const came = deferred<unknown>()
      site.sockets.on('message', (_socket, data) => came.resolve(data))
      const { client } = await pair(site)
      client.send('x'.repeat(1000))
      expect(await came.promise).to.have.length(1000)
      client.send('x'.repeat(1001))
      expect((await client.closed)[0]).to.equal(1009)
    })

    it('no JSON that is nested too deeply: it closes with 4503', async () => {
      const site = await start()
      const got: unknown[] = []
      site.sockets.on('message', (_socket, data) => got.push(data))
      const { client } = await pair(site)
      const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
      client.send(nested(100), nested(101), 'after')
      expect(await client.closed).to.deep.equal(expected('bad_messages'))
      expect(got).to.deep.equal([JSON.parse(nested(100))])
    })

    it('no binary frame: it closes with 1003', async () => {
      const { client } = await pair(await start())
      client.socket.send(Buffer.from('x'))
      expect((await client.closed)[0]).to.equal(1003)
    })

    it('no more messages in a second than `limits.rate`: one more closes it with 4007', async () => {
      const site = await start({ limits: { rate: 10 } })
      let count = 0
      site.sockets.on('message', () => {
        count += 1
      })
      const { client } = await pair(site)
      client.send(...Array<string>(11).fill('x'))
      expect(await client.closed).to.deep.equal(expected('too_many_messages'))
      expect(count).to.equal(10)
    })

    it('messages that have no listener, and drops them', async () => {
      const site = await start()
      const { client, socket } = await pair(site)
      client.send('x')
      await until(() => socket.received === 1)
      await socket.send('still here')
      expect(await client.next()).to.equal('still here')
    })

    it('a message whose listener throws, and goes on', async () => {
      const site = await start()
      site.sockets.on('message', (_socket, data) => {
        if (data === 'bad') throw new Error('a listener failed')
      })
      const { client, socket } = await pair(site)
      client.send('bad')
      await until(() => site.failures.length === 1)
      await socket.send('still here')
      expect(await client.next()).to.equal('still here')
    })
  })

  describe('is sent', () => {
    for (const [data, text] of SENT) {
      it(`${String(JSON.stringify(data)).slice(0, 40)} as a frame of its own`, async () => {
        const { client, socket } = await pair(await start())
        expect(await socket.send(data)).to.equal(true)
        expect(await client.next()).to.equal(text)
      })
    }

    it('several messages of a turn as frames of their own, in one write', async () => {
      const site = await start()
      const raw = await RawWebSocket.open(site.port, '/sockets/raw')
      await until(() => site.sockets.sockets().length === 1)
      const chunks: Buffer[] = []
      raw.socket.on('data', (chunk) => chunks.push(chunk))
      const [socket] = site.sockets.sockets()
      await Promise.all(['one', '', { three: 3 }].map((data) => socket?.send(data)))
      await raw.find(OPCODES.text, (text) => text === '{"three":3}')
      expect(Buffer.concat(chunks).toString('latin1')).to.equal('\x81\x03one\x81\x00\x81\x0b{"three":3}')
      expect(chunks).to.have.length(1)
      raw.destroy()
    })

    it('uncompressed frames, also where others are compressed', async () => {
      const site = await start({ perMessageDeflate: { threshold: 1 } })
      const { client, socket } = await pair(site)
      expect(client.socket.extensions).to.equal('')
      await Promise.all([socket.send('a'.repeat(100)), socket.send('b')])
      expect([await client.next(), await client.next()]).to.deep.equal(['a'.repeat(100), 'b'])
    })

    it('nothing that is no JSON', async () => {
      const { socket } = await pair(await start())
      const circular: Record<string, unknown> = {}
      circular.self = circular
      for (const data of [1n, () => {}, Symbol('x'), circular])
        expect((await rejection(socket.send(data))).code).to.equal('unserializable')
    })

    it('messages by its id, and is closed by it', async () => {
      const site = await start()
      const { client, socket } = await pair(site)
      expect(await site.sockets.cluster.isConnected(socket.sid)).to.equal(true)
      await socket.send({ a: 1 }, { ack: 'node' })
      expect(await client.next()).to.equal('{"a":1}')
      await socket.close()
      expect(await client.closed).to.deep.equal(expected('closed_by_server'))
      expect(socket.isConnected()).to.equal(false)
    })

    it('nothing that it would have to confirm: `unsupported`', async () => {
      const { client, socket } = await pair(await start())
      expect((await rejection(socket.send('x', { ack: 'client' }))).code).to.equal('unsupported')
      await socket.send('y')
      expect(await client.next()).to.equal('y')
    })

    it('what a listener of connected sends, first', async () => {
      const site = await start()
      site.sockets.on('connected', async (socket) => {
        await socket.send('Welcome')
        await socket.send({ sid: socket.sid })
      })
      const client = await BareClient.open(site)
      expect(await client.next()).to.equal('Welcome')
      const [socket] = site.sockets.sockets()
      expect(JSON.parse(String(await client.next()))).to.deep.equal({ sid: socket?.sid })
    })

    it('what a listener of authentication sends', async () => {
      const site = await start()
      site.sockets.on('authentication', (socket) => {
        void socket.send('early')
        return true
      })
      expect(await (await BareClient.open(site)).next()).to.equal('early')
    })
  })

  describe('has', () => {
    it('`raw` as its transport, and the user that connectAuthentication gave', async () => {
      const { socket } = await pair(await start(), '?user=bob')
      expect([socket.transport, socket.uid, socket.meta.transport]).to.deep.equal(['raw', 'bob', 'raw'])
    })

    it('no functions to call: `unsupported`', async () => {
      const site = await start()
      const { client, socket } = await pair(site)
      const calls = [
        socket.rpc('a'),
        socket.notify('a'),
        site.sockets.rpc(socket, 'a'),
        site.sockets.cluster.rpc(socket.sid, 'a'),
      ]
      for (const call of calls) expect((await rejection(call)).code).to.equal('unsupported')
      await socket.send('next')
      expect(await client.next()).to.equal('next')
    })

    it('no channels: `unsupported`', async () => {
      const site = await start()
      const { socket } = await pair(site)
      for (const subscribed of [socket.subscribe('a'), site.sockets.subscribe(socket, 'a')])
        expect((await rejection(subscribed)).code).to.equal('unsupported')
      await rejection(site.sockets.cluster.subscribe({ sid: socket.sid }, 'a')).then(
        ({ code }) => expect(code).to.equal('unsupported'),
        () => {},
      )
      expect(socket.channels).to.deep.equal([])
    })

    it('no automatic subscriptions: the log says so', async () => {
      const channels = { news: { subscribe: true, autoSubscribe: true } }
      const site = await start({ connectAuthentication: () => ({ uid: 'ann', channels }) })
      const { socket } = await pair(site)
      const isSaid = () => site.log.some(({ details: { code } }) => code === 'unsupported')
      await until(isSaid)
      expect(socket.channels).to.deep.equal([])
    })

    it('no publications and no broadcasts', async () => {
      const site = await start()
      const { client, socket } = await pair(site)
      const other = await site.ready()
      await other.subscribe('a')
      await site.sockets.publish('a', 1)
      await site.sockets.broadcast(2)
      socket.unsubscribe('a')
      await socket.send('the first frame')
      expect(await client.next()).to.equal('the first frame')
    })
  })

  describe('ends', () => {
    for (const [options, why] of [
      [{}, 'closed_by_server'],
      [{ reconnect: false }, 'disconnected'],
    ] as const) {
      it(`with ${CLOSE_CODES[why].code} by close(${JSON.stringify(options)})`, async () => {
        const { client, socket } = await pair(await start())
        void socket.send('the last')
        await socket.close(options)
        expect(await client.closed).to.deep.equal(expected(why))
        expect(await client.next()).to.equal('the last')
      })
    }

    it('with 4000 when the server shuts down', async () => {
      const site = await start()
      const { client } = await pair(site)
      await site.sockets.shutdown()
      expect(await client.closed).to.deep.equal(expected('shutting_down'))
    })

    it('by its client, whose code the event disconnected has', async () => {
      const site = await start()
      const ended = deferred<readonly unknown[]>()
      site.sockets.on('disconnected', (socket, reason, { code }) =>
        ended.resolve([socket.transport, reason, code]),
      )
      const { client } = await pair(site)
      client.close(4321)
      const [transport, , code] = await ended.promise
      expect([transport, code]).to.deep.equal(['raw', 4321])
    })
  })

  const expected = (why: keyof typeof CLOSE_CODES) => [CLOSE_CODES[why].code, CLOSE_CODES[why].reason]
})
