/** Middleware around messages that belong to no channel and no call, and around new tokens of open sockets. */
import type { MiddlewareContext, ServerSocket, TokenSocketServerOptions } from '@token-socket/server'
import { CLOSE_CODES, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { deferred, rejection, type Site, turn, until, useSites } from './fixture.js'
import type { Frame } from './peer.js'

const TIMES = { vetoTimeout: 50, callTimeout: 300 }

describe('middleware around messages', () => {
  const sites = useSites()

  /** A client of the library, and what listeners have got of it. */
  async function pair(options: Partial<TokenSocketServerOptions> = {}) {
    const site = await sites(options)
    const heard: unknown[] = []
    site.sockets.on('message', (_socket, data) => heard.push(data))
    return { site, heard, ...(await site.pair()) }
  }

  it('puts something else in the place of the data', async () => {
    const { site, heard, client } = await pair()
    site.sockets.use('message', (context, next) => {
      context.data = { seen: context.data }
      return next()
    })
    await client.send({ lat: 1 })
    expect(heard).to.deep.equal([{ seen: { lat: 1 } }])
  })

  it('gives listeners nothing that it refuses, whatever the application gives', async () => {
    const { site, heard, client } = await pair()
    site.sockets.use('message', ({ data }, next) => {
      if (data === 'rude') throw new RpcError('rude', 'Be kind')
      return data !== 'none' && next()
    })
    expect(await rejection(client.send('rude'))).to.include({ code: 'rude', message: 'Be kind' })
    expect(await rejection(client.send('none'))).to.include({ code: 'forbidden' })
    await client.send('kind')
    expect(heard).to.deep.equal(['kind'])
  })

  it('sees that there is no listener, and cannot hide it', async () => {
    const site = await sites()
    const { client } = await site.pair()
    const plain = await rejection(client.send(1))
    const caught: RpcError[] = []
    site.sockets.use('message', (_context, next) => next().catch((error) => caught.push(error)))
    const error = (await rejection(client.send(1))) as RpcError
    const shown = ({ code, message, data }: RpcError) => [code, message, data]
    expect(shown(error)).to.deep.equal(shown(plain as RpcError))
    expect(shown(caught[0] as RpcError)).to.deep.equal(['unsupported', plain.message, { field: 'send' }])
  })

  it('keeps the order of messages, and holds up nothing else', async () => {
    const { site, heard, client } = await pair()
    const gate = deferred()
    site.sockets.use('message', async ({ data }, next) => {
      if (data === 1) await gate.promise
      return next()
    })
    const sent = [1, 2, 3].map((data) => client.send(data))
    expect(await client.rpc('echo', 'meanwhile')).to.equal('meanwhile')
    expect(heard).to.deep.equal([])
    gate.resolve()
    await Promise.all(sent)
    expect(heard).to.deep.equal([1, 2, 3])
  })

  it('counts what waits as calls that run, by number and by bytes', async () => {
    const { site, client } = await pair({ limits: { callsIn: 2 } })
    site.sockets.use('message', () => new Promise(() => {}))
    const [, , third] = [1, 2, 3].map((data) => client.send(data))
    expect(await rejection(third as Promise<unknown>)).to.include({ code: 'too_many_calls' })
  })

  it('gives listeners nothing late: not after the answer, and not of a client that has left', async () => {
    const { site, heard, client } = await pair({ limits: TIMES })
    const gates = [deferred(), deferred()]
    const done: unknown[] = []
    site.sockets.use('message', async (_context, next) => {
      await gates[done.length]?.promise
      done.push(undefined)
      return next()
    })
    expect(await rejection(client.send('slow'))).to.include({ code: 'veto_timeout' })
    gates[0]?.resolve()
    const lost = rejection(client.send('lost'))
    await until(() => done.length === 1)
    for (let turns = 0; turns < 5; turns += 1) await turn()
    client.end()
    await lost
    await until(() => site.sockets.sockets().length === 0)
    gates[1]?.resolve()
    await until(() => done.length === 2)
    await turn()
    expect(heard).to.deep.equal([])
  })

  it('leaves alone what the server sends, and the confirmations of it', async () => {
    const { site, client, socket } = await pair()
    const seen: string[] = []
    site.sockets.use((context, next) => {
      seen.push(context.type)
      return next()
    })
    client.on('direct', () => {})
    expect(await socket.send('hello', { ack: 'client' })).to.equal(true)
    await site.sockets.send(socket.sid, 'hello')
    expect(seen).to.deep.equal([])
  })

  describe('of raw WebSockets', () => {
    const raw = async (options: Partial<TokenSocketServerOptions> = {}) => {
      const site = await sites({
        engine: undefined,
        transports: ['websocket', 'raw'],
        connectAuthentication: () => ({ uid: 'ann' }),
        ...options,
      })
      const heard: unknown[] = []
      site.sockets.on('message', (_socket, data) => heard.push(data))
      const ws = new WebSocket(`${site.url.replace('http', 'ws')}/sockets/raw`)
      const closed = new Promise<number>((resolve) =>
        ws.addEventListener('close', ({ code }) => resolve(code)),
      )
      await new Promise((resolve) => ws.addEventListener('open', resolve))
      await until(() => site.sockets.sockets().length === 1)
      return { site, heard, ws, closed }
    }

    it('runs around each frame, in order, and refuses in silence', async () => {
      const { site, heard, ws } = await raw()
      const seen: unknown[] = []
      site.sockets.use('message', async ({ data, socket }, next) => {
        seen.push([socket.uid, socket.transport])
        if (Object(data).slow) await turn()
        if (data === 'rude') throw new RpcError('rude')
        return next()
      })
      for (const frame of ['{"slow":1}', 'rude', 'last']) ws.send(frame)
      await until(() => heard.length === 2)
      expect(heard).to.deep.equal([{ slow: 1 }, 'last'])
      expect(seen).to.deep.equal(Array.from({ length: 3 }, () => ['ann', 'raw']))
      expect(ws.readyState).to.equal(WebSocket.OPEN)
      ws.close()
    })

    it('closes a client whose messages wait in too great a number', async () => {
      const { site, ws, closed } = await raw({ limits: { callsIn: 3 } })
      site.sockets.use('message', () => new Promise(() => {}))
      for (let sent = 0; sent < 4; sent += 1) ws.send(String(sent))
      expect(await closed).to.equal(CLOSE_CODES.too_many_messages.code)
    })
  })
})

describe('a new token of an open socket', () => {
  const sites = useSites()
  let isAllowed = true

  beforeEach(() => {
    isAllowed = true
  })

  /** What is asked about a sign-in, and about a new token. */
  interface Asked {
    readonly auth: unknown
    readonly present: unknown
    readonly isConnected: boolean
  }
  const askedOf = (socket: ServerSocket, auth: unknown): Asked => ({
    auth,
    present: socket.auth,
    isConnected: socket.isConnected(),
  })

  const POLICIES: Readonly<Record<string, (site: Site, answer: () => Promise<boolean>) => Asked[]>> = {
    listener(site, answer) {
      const asked: Asked[] = []
      site.sockets.on('authentication', (socket, auth) => {
        asked.push(askedOf(socket, auth))
        return answer()
      })
      return asked
    },
    middleware(site, answer) {
      const asked: Asked[] = []
      site.sockets.use(
        'authentication',
        async ({ socket, auth }: MiddlewareContext<'authentication'>, next) => {
          asked.push(askedOf(socket, auth))
          return (await answer()) && next()
        },
      )
      return asked
    },
  }

  it('has middleware and listeners asked about the channels that it lets the socket join', async () => {
    const joined = (...names: string[]) => ({
      uid: 'ann',
      channels: Object.fromEntries(names.map((name) => [name, { subscribe: true, autoSubscribe: true }])),
    })
    let claims = joined('a')
    const site = await sites({ authentication: () => claims })
    const { client, socket } = await site.pair()
    await until(() => socket.channels.includes('a'))
    const asked: string[] = []
    site.sockets.use('subscribe', ({ channel }, next) => {
      asked.push(`middleware ${channel}`)
      return channel !== 'b' && next()
    })
    site.sockets.on('subscribe', async (_socket, { channel }) => {
      asked.push(`listener ${channel}`)
      return channel !== 'c'
    })
    claims = joined('a', 'b', 'c', 'd')
    await client.refresh()
    await until(() => socket.channels.includes('d'))
    for (let turns = 0; turns < 10; turns += 1) await turn()
    expect(socket.channels).to.have.members(['a', 'd'])
    const [of, others] = [(name: string) => asked.filter((one) => one.endsWith(name)), asked.length]
    expect([of('b'), of('c'), of('d')]).to.deep.equal([
      ['middleware b'],
      ['middleware c', 'listener c'],
      ['middleware d', 'listener d'],
    ])
    expect(others).to.equal(of('a').length + 5)
  })

  for (const [what, install] of Object.entries(POLICIES)) {
    describe(`and an authentication ${what}`, () => {
      it('is asked about what could be, and about the sign-in', async () => {
        let role = 'guest'
        const site = await sites({ authentication: () => ({ uid: 'ann', role }) })
        const asked = install(site, async () => true)
        const { client, socket } = await site.pair()
        role = 'admin'
        await client.refresh()
        const [guest, admin] = [
          { uid: 'ann', role: 'guest' },
          { uid: 'ann', role: 'admin' },
        ]
        expect(asked).to.deep.equal([
          { auth: guest, present: guest, isConnected: false },
          { auth: admin, present: guest, isConnected: true },
        ])
        expect(socket.auth).to.deep.equal(admin)
      })

      it('refuses it: the socket has what it had, and says so', async () => {
        let role = 'guest'
        const site = await sites({ authentication: () => ({ uid: 'ann', role }) })
        install(site, async () => isAllowed)
        const { client, socket } = await site.pair()
        const before = client.session
        isAllowed = false
        role = 'admin'
        expect(await rejection(client.refresh())).to.include({ code: 'forbidden' })
        expect([socket.auth, client.session?.expiresAt]).to.deep.equal([
          { uid: 'ann', role: 'guest' },
          before?.expiresAt,
        ])
        const [line] = site.log.filter(({ message }) => message.includes('refused a new token'))
        expect(line?.details).to.deep.include({ sid: socket.sid, uid: 'ann', code: 'forbidden' })
        isAllowed = true
        await client.refresh()
        expect(socket.auth).to.include({ role: 'admin' })
      })

      it('is not asked about another user', async () => {
        let uid = 'ann'
        const site = await sites({ authentication: () => ({ uid }) })
        const peer = await site.peer()
        const auth: Frame = { rpc: 'auth', version: 1, can: ['refresh'], token: await site.token() }
        await peer.ask(auth)
        const asked = install(site, async () => true)
        uid = 'bob'
        const answer = await peer.ask({ rpc: '_refresh', req: { token: await site.token() } })
        expect([answer.code, asked]).to.deep.equal(['identity_changed', []])
      })

      it('changes nothing of a socket that is gone meanwhile, or that was revoked', async () => {
        const gate = deferred()
        let waits = false
        const site = await sites({ authentication: () => ({ uid: 'ann' }) })
        install(site, async () => {
          if (waits) await gate.promise
          return true
        })
        const { client, socket } = await site.pair()
        const { version } = socket.authorization
        waits = true
        const refreshed = rejection(client.refresh())
        await turn()
        await site.sockets.cluster.revoke({ uid: 'ann' })
        client.end()
        gate.resolve()
        await refreshed
        for (let turns = 0; turns < 10; turns += 1) await turn()
        expect([socket.isConnected(), socket.authorization.version]).to.deep.equal([false, version])
      })

      it('is not asked about what the server gives', async () => {
        const site = await sites({ authentication: () => ({ uid: 'ann' }) })
        const { socket } = await site.pair()
        const asked = install(site, async () => false)
        await site.sockets.cluster.reauthorize({ uid: 'ann' }, { uid: 'ann', role: 'admin' })
        expect([socket.auth, asked]).to.deep.equal([{ uid: 'ann', role: 'admin' }, []])
      })
    })
  }
})
