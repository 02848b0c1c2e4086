/** Raw WebSockets before they are open: who is let in, how the others are refused, and what waits. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { type ConnectAuthentication, RpcError, TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { inNodeOnly } from '../only-in.js'
import { keptAfterCollection, watchUpgrades } from '../server/transports/watched-upgrades.js'
import { BareClient } from './bare-client.js'
import { deferred, type Site, type SiteOptions, until, useSites } from './fixture.js'
import { frameOf, OPCODES, RawWebSocket } from './raw-websocket.js'

const never = () => new Promise<never>(() => {})

describe('a raw WebSocket that connects', () => {
  const sites = useSites()

  const start = (connectAuthentication: ConnectAuthentication = () => true, options: SiteOptions = {}) =>
    sites({ engine: undefined, transports: ['websocket', 'raw'], connectAuthentication, ...options })

  /** A handshake as it is, and the head of its answer. */
  async function handshake(site: Site, ...lines: readonly string[]): Promise<string> {
    const socket = connect(site.port, '127.0.0.1')
    const all = ['GET /sockets/raw?key=S3CR3T HTTP/1.1', 'Host: a', 'Connection: Upgrade', ...lines]
    socket.write(`${all.join('\r\n')}\r\n\r\n`)
    const [head] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return String(head)
  }

  const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
  const GOOD = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', KEY]

  describe('is off', () => {
    it('if nothing else is said: 404', async () => {
      const site = await start(() => true, { transports: ['websocket'] })
      expect(await BareClient.refusal(site)).to.equal(404)
    })

    it('without connectAuthentication: the option transports is refused', async () => {
      const { app, http } = await sites({ engine: undefined })
      const make = () =>
        new TokenSocketServer({ app, server: http, prefix: '/p', tokenRoute: '/t', transports: ['raw'] })
      expect(make)
        .to.throw(/transports has "raw", which needs the option connectAuthentication/)
        .with.property('code', 'bad_option')
    })
  })

  it('needs no other transport', async () => {
    const site = await start(() => true, { transports: ['raw'] })
    await BareClient.open(site)
    expect((await fetch(`${site.url}/sockets/websocket`)).status).to.equal(404)
  })

  describe('is asked about by its upgrade request', () => {
    it('with its headers, its query and its address', async () => {
      const site = await start((asked) => ({
        uid: new URL(asked.url ?? '', 'http://a').searchParams.get('user') ?? undefined,
        cookie: asked.headers.cookie,
        from: asked.socket.remoteAddress,
      }))
      await BareClient.open(site, '?user=ann', { headers: { Cookie: 'a=b' } })
      const [socket] = site.sockets.sockets()
      expect(socket?.auth).to.deep.equal({ uid: 'ann', cookie: 'a=b', from: '127.0.0.1' })
    })

    it('and gets its answer after that', async () => {
      const answer = deferred<boolean>()
      const asked = deferred()
      const site = await start(() => {
        asked.resolve()
        return answer.promise
      })
      const client = BareClient.begin(site)
      await asked.promise
      expect(client.socket.readyState).to.equal(client.socket.CONNECTING)
      answer.resolve(true)
      await once(client.socket, 'open')
    })

    const refusals: Readonly<Record<string, readonly [number, ConnectAuthentication]>> = {
      'what is falsy': [403, () => false],
      'an RpcError': [
        403,
        () => {
          throw new RpcError('no_rights')
        },
      ],
      'an RpcError by the callback': [403, (_request, callback) => callback(new RpcError('forbidden'))],
      'what is no object': [403, () => 'ann'],
      'a refusal that may pass': [503, () => Promise.reject(new RpcError('rate_limited'))],
      'any other error': [503, () => Promise.reject(new Error('the database is down'))],
      'an answer that is too late': [503, never],
    }
    for (const [what, [status, authentication]] of Object.entries(refusals)) {
      it(`and refused with ${status} for ${what}`, async () => {
        const site = await start(authentication, { authTimeout: 100 })
        expect(await BareClient.refusal(site)).to.equal(status)
        expect(site.sockets.sockets()).to.deep.equal([])
      })
    }
  })

  describe('is refused', () => {
    it('with 403 by a listener of authentication', async () => {
      const site = await start()
      site.sockets.on('authentication', () => false)
      expect(await BareClient.refusal(site)).to.equal(403)
    })

    const listeners = {
      false: () => false,
      'an error that it throws': () => {
        throw new RpcError('inactive')
      },
      'a promise of false': async () => false,
    }
    for (const [what, listener] of Object.entries(listeners)) {
      it(`with 403 by a listener of connected: ${what}`, async () => {
        const site = await start()
        site.sockets.on('connected', listener)
        expect(await BareClient.refusal(site)).to.equal(403)
        await until(() => site.sockets.sockets().length === 0)
      })
    }

    it('with 503 where its user has too many sockets', async () => {
      const site = await start(() => ({ uid: 'ann' }), { limits: { socketsPerUser: 1 } })
      await BareClient.open(site)
      expect(await BareClient.refusal(site)).to.equal(503)
    })

    it('with 503 where the server shuts down meanwhile', async () => {
      const asked = deferred()
      const site = await start(() => {
        asked.resolve()
        return never()
      })
      const refused = BareClient.refusal(site)
      await asked.promise
      await site.sockets.shutdown()
      expect(await refused).to.equal(503)
    })

    it('with 403 of an origin that is not allowed, and nothing is asked', async () => {
      const authentication = sinon.spy(() => true)
      const site = await start(authentication, { origins: ['https://a.example.com'] })
      expect(await BareClient.refusal(site, '', { origin: 'https://b.example.com' })).to.equal(403)
      expect(authentication.callCount).to.equal(0)
      await BareClient.open(site, '', { origin: 'https://a.example.com' })
      await BareClient.open(site, '', { origin: site.url })
    })

    const wrong: Readonly<Record<string, readonly [number, readonly string[]]>> = {
      'no key': [400, ['Upgrade: websocket', 'Sec-WebSocket-Version: 13']],
      'a wrong key': [400, ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: x']],
      'another version': [400, ['Upgrade: websocket', 'Sec-WebSocket-Version: 8', KEY]],
      'another protocol': [400, ['Upgrade: h2c', 'Sec-WebSocket-Version: 13', KEY]],
      'an empty subprotocol': [400, [...GOOD, 'Sec-WebSocket-Protocol: a,,b']],
      'a subprotocol twice': [400, [...GOOD, 'Sec-WebSocket-Protocol: a, a']],
      'a subprotocol with a space': [400, [...GOOD, 'Sec-WebSocket-Protocol: a b']],
    }
    for (const [what, [status, lines]] of Object.entries(wrong)) {
      it(`with ${status} for ${what}, and nothing is asked`, async () => {
        const authentication = sinon.spy(() => true)
        const site = await start(authentication)
        expect(await handshake(site, ...lines)).to.match(new RegExp(`^HTTP/1.1 ${status} `))
        expect(authentication.callCount).to.equal(0)
      })
    }

    it('with 426 if it is no upgrade', async () => {
      const site = await start()
      const response = await fetch(`${site.url}/sockets/raw?key=S3CR3T`)
      expect([response.status, response.headers.get('upgrade')]).to.deep.equal([426, 'websocket'])
    })
  })

  describe('with subprotocols', () => {
    it('gets the first that it offers: browsers want one', async () => {
      const site = await start(({ headers }) => headers['sec-websocket-protocol'] === 'chat,v2')
      const { socket } = await BareClient.open(site, '', { protocols: ['chat', 'v2'] })
      expect(socket.protocol).to.equal('chat')
    })

    it('gets none if it offers none', async () => {
      expect((await BareClient.open(await start())).socket.protocol).to.equal('')
    })
  })

  it('leaves its query, and its cookies, in no line and no error', async () => {
    const failing = sinon.stub()
    failing.onCall(0).returns(true)
    failing.onCall(1).returns(false)
    failing.onCall(2).throws(new Error('no S3CR3T'))
    failing.onCall(3).returns(never())
    const site = await start((asked) => failing(asked), { authTimeout: 100, debug: true })
    const options = { headers: { Cookie: 'c=S3CR3T' }, protocols: ['S3CR3T'] }
    const { socket } = await BareClient.open(site, '?key=S3CR3T', options)
    for (const status of [403, 503, 503])
      expect(await BareClient.refusal(site, '?key=S3CR3T', options)).to.equal(status)
    await fetch(`${site.url}/sockets/raw?key=S3CR3T`)
    socket.send('x')
    await handshake(site, 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', KEY)
    await until(() => site.failures.length >= 2)
    const said = JSON.stringify([
      site.log,
      site.failures.map(({ cause, details }) => [String(cause), details]),
    ])
    expect(said).to.contain('raw').and.not.contain('S3CR3T')
  })

  describe('while it waits', () => {
    it('counts for `limits.connections`', async () => {
      const answer = deferred<boolean>()
      const authentication = sinon.spy(() => answer.promise)
      const site = await start(authentication, { limits: { connections: 2 } })
      const waiting = [BareClient.begin(site), BareClient.begin(site)]
      const opened = waiting.map(({ socket }) => once(socket, 'open'))
      await until(() => authentication.callCount === 2)
      expect(await BareClient.refusal(site)).to.equal(503)
      answer.resolve(true)
      await Promise.all(opened)
      expect(await BareClient.refusal(site)).to.equal(503)
      waiting[0]?.close()
      await openedOnceFree(site)
    })

    it('counts for `limits.connectionsPerAddress`', async () => {
      const authentication = sinon.stub().returns(true)
      authentication.onCall(0).returns(never())
      const site = await start((asked) => authentication(asked), { limits: { connectionsPerAddress: 1 } })
      const { socket } = BareClient.begin(site)
      await until(() => authentication.callCount === 1)
      expect(await BareClient.refusal(site)).to.equal(429)
      socket.terminate()
      await openedOnceFree(site)
    })

    const LEAVING = (['end', 'destroy', 'resetAndDestroy'] as const).flatMap((leave) => [
      [leave, ''] as const,
      [leave, 'a message'] as const,
    ])
    for (const [leave, early] of LEAVING) {
      it(`and leaves by ${leave}${early && ' after a message'}, its place is free`, async () => {
        const authentication = sinon.stub().returns(true)
        authentication.onCall(0).returns(never())
        const site = await start((asked) => authentication(asked), { limits: { connections: 1 } })
        const socket = connect(site.port, '127.0.0.1')
        const lines = ['GET /sockets/raw HTTP/1.1', 'Host: a', 'Connection: Upgrade', ...GOOD]
        socket.write(`${lines.join('\r\n')}\r\n\r\n`)
        await until(() => authentication.callCount === 1)
        expect(await BareClient.refusal(site)).to.equal(503)
        if (early) await new Promise((resolve) => socket.write(frameOf(OPCODES.text, early), resolve))
        socket[leave]()
        await openedOnceFree(site)
        expect(site.sockets.sockets()).to.have.length(1)
      })
    }

    it('and leaves, nothing is asked that waits for its turn', async () => {
      const first = deferred<boolean>()
      const authentication = sinon.spy(() => first.promise)
      const site = await start(authentication, { limits: { connectAuthentications: 1 } })
      const begun = watchUpgrades(site.http)
      const client = BareClient.begin(site)
      await until(() => authentication.callCount === 1)
      const leaving = [BareClient.begin(site), BareClient.begin(site)]
      await until(() => begun.length === 3)
      for (const { socket } of leaving) socket.terminate()
      await Promise.all(leaving.map(({ closed }) => closed))
      await expectHello(site)
      first.resolve(true)
      await once(client.socket, 'open')
      await expectHello(site)
      expect(authentication.callCount).to.equal(1)
    })

    it('may send: it is handled once it is in', async () => {
      const site = await start(() => new Promise((resolve) => setImmediate(resolve, true)))
      const came = deferred<unknown>()
      site.sockets.on('message', (_socket, data) => came.resolve(data))
      const early = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
      const raw = await RawWebSocket.open(site.port, '/sockets/raw', early)
      expect(await came.promise).to.equal('hi')
      raw.destroy()
    })

    it('and many others do, as many are asked about at once as `limits.connectAuthentications` says, and all get in', async () => {
      let [begun, running, most] = [0, 0, 0]
      const authentication = async () => {
        begun += 1
        running += 1
        most = Math.max(most, running)
        await until(() => begun >= 4)
        running -= 1
        return true
      }
      const site = await start(authentication, { limits: { connectAuthentications: 4 } })
      const clients = await Promise.all(Array.from({ length: 100 }, () => BareClient.open(site)))
      expect(most).to.equal(4)
      expect(site.sockets.sockets()).to.have.length(100)
      for (const client of clients) client.close()
    })

    it('and many others hang, an honest client of another transport is served', async () => {
      const site = await start(never, { authTimeout: 300, limits: { connectAuthentications: 2 } })
      const statuses = Promise.all(Array.from({ length: 50 }, () => BareClient.refusal(site)))
      await site.servesHonestClients()
      expect(new Set(await statuses)).to.deep.equal(new Set([503]))
    })
  })

  inNodeOnly('the HTTP server of Bun keeps it').it('does not keep its upgrade request', async () => {
    const site = await start()
    const requests = watchUpgrades(site.http)
    const { socket } = await BareClient.open(site)
    await until(() => site.sockets.sockets().length === 1)
    expect(requests).to.have.length(1)
    expect(await keptAfterCollection(requests)).to.equal(0)
    socket.terminate()
  })

  /** Opens one as soon as there is a place for it. */
  async function openedOnceFree(site: Site): Promise<void> {
    for (;;) {
      const client = BareClient.begin(site)
      const isOpen = await Promise.race([
        once(client.socket, 'open').then(() => true),
        client.closed.then(() => false),
      ]).catch(() => false)
      if (isOpen) return
    }
  }

  /** Several round trips. */
  async function expectHello(site: Site): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1)
      expect(await (await fetch(`${site.url}/hello`)).text()).to.equal('hello')
  }
})
