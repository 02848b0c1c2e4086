import { CLOSE_CODES, MemoryEngine, type TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import sinon from 'sinon'
import { until } from '../client/waiting.js'
import { useSites } from './fixture.js'
import { forgeToken } from './jwt.js'
import type { Peer } from './peer.js'

const KEY = 'the key of the application, 32 bytes or more'
const LIFE = 600_000
const GRACE = 30_000
const EXPIRED = CLOSE_CODES.expired.code

describe('an authorisation that ends', () => {
  const startSite = useSites()
  const start = (options: Partial<TokenSocketServerOptions> = {}) =>
    startSite({
      keys: { app: { algorithm: 'HS256', key: KEY } },
      engine: new MemoryEngine(),
      authentication: () => ({ uid: 'jim' }),
      ...options,
    })
  type Site = Awaited<ReturnType<typeof start>>

  const sign = (claims: object, expiresIn = LIFE / 1000) =>
    jwt.sign({ scope: 'connect', uid: 'jim', ...claims }, KEY, { keyid: 'app', expiresIn })

  afterEach(() => sinon.restore())

  function stopClock(): sinon.SinonFakeTimers {
    sinon.stub(Math, 'random').returns(0.5)
    return sinon.useFakeTimers({
      now: Date.now(),
      toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'],
    })
  }

  /** A socket that sends frames by hand. */
  async function join(
    site: Site,
    token: string,
    auth: object = { version: 1, can: ['refresh'] },
  ): Promise<Peer> {
    const peer = await site.peer()
    const answer = await peer.ask({ rpc: 'auth', token, ...auth })
    expect(answer.resp).to.equal('success')
    return peer
  }

  const refresh = (peer: Peer, token: unknown) => peer.ask({ rpc: '_refresh', req: { token } })

  describe('by `sessionTtl`', () => {
    it('is renewed by the client on the open socket, which goes on', async () => {
      const clock = stopClock()
      const site = await start({ sessionTtl: LIFE, pingInterval: 2 ** 31 - 1 })
      const { client, socket } = await site.pair()
      expect(client.session).to.deep.equal({ uid: 'jim', umd: undefined, expiresAt: Date.now() + LIFE })
      const refreshed = sinon.spy()
      client.on('refreshed', refreshed)
      await clock.tickAsync(LIFE * 0.8)
      await until(() => refreshed.called)
      expect(client.session?.expiresAt).to.equal(Date.now() + LIFE)
      await clock.tickAsync(LIFE * 0.5)
      expect(site.sockets.sockets()).to.deep.equal([socket])
      expect(await client.rpc('echo', 1)).to.equal(1)
    })

    it('closes a legacy client at the end, which comes back', async () => {
      const clock = stopClock()
      const site = await start({ sessionTtl: LIFE })
      const peer = await join(site, await site.token(), {})
      await clock.tickAsync(LIFE - 1000)
      expect(site.sockets.sockets()).to.have.length(1)
      await clock.tickAsync(1000)
      expect(await peer.closed).to.include({ code: EXPIRED })
      await join(site, await site.token(), {})
    })

    it('does not end tokens that the application signed, nor sockets without the option', async () => {
      const clock = stopClock()
      const site = await start()
      const { client } = await site.pair()
      expect(client.session?.expiresAt).to.equal(undefined)
      await clock.tickAsync(LIFE * 10)
      expect(site.sockets.sockets()).to.have.length(1)
    })
  })

  describe('by `exp`', () => {
    for (const [who, auth, grace, when] of [
      ['a client that cannot bring a new token', { version: 1 }, 0, 'then'],
      ['a client that brings none', { version: 1, can: ['refresh'] }, GRACE, '30 s later'],
    ] as const)
      it(`closes ${who} ${when}, however idle, and says why`, async () => {
        const clock = stopClock()
        const site = await start()
        const reasons: unknown[] = []
        site.sockets.on('disconnected', (_socket, reason) => reasons.push(reason))
        const peer = await join(site, sign({}), auth)
        await clock.tickAsync(LIFE + grace - 1000)
        expect(reasons).to.deep.equal([])
        await clock.tickAsync(1000)
        expect(await peer.closed).to.deep.include(CLOSE_CODES.expired)
        await until(() => reasons.length > 0)
        expect(reasons).to.deep.equal(['expired'])
      })

    it('closes none with `enforceExpiry: false`', async () => {
      const clock = stopClock()
      const site = await start({ enforceExpiry: false })
      await join(site, sign({}))
      await clock.tickAsync(LIFE * 10)
      expect(site.sockets.sockets()).to.have.length(1)
    })

    for (const jump of [3_600_000, -3_600_000])
      it(`does not notice that the clock jumps by ${jump} ms`, async () => {
        const clock = stopClock()
        const site = await start()
        const peer = await join(site, sign({}))
        clock.setSystemTime(Date.now() + jump)
        await clock.tickAsync(LIFE + GRACE - 1000)
        expect(site.sockets.sockets()).to.have.length(1)
        await clock.tickAsync(1000)
        expect(await peer.closed).to.include({ code: EXPIRED })
      })

    it('holds for what `connectAuthentication` gives', async () => {
      const clock = stopClock()
      const exp = Math.floor(Date.now() / 1000) + LIFE / 1000
      const site = await start({ connectAuthentication: () => ({ uid: 'jim', exp }) })
      const client = await site.ready({ url: ({ url }) => url })
      expect(client.session?.expiresAt).to.be.closeTo(exp * 1000, 2)
      const disconnect = sinon.spy()
      client.on('disconnect', disconnect)
      await clock.tickAsync(LIFE + GRACE)
      await until(() => disconnect.called)
      expect(disconnect.args[0]?.[0].data).to.include({ code: EXPIRED })
    })

    for (const [exp, code] of [
      [1, 'forbidden'],
      ['tomorrow', 'internal'],
      [null, 'internal'],
    ] as const)
      it(`lets nothing in with the ${JSON.stringify(exp)} of \`connectAuthentication\``, async () => {
        const site = await start({ connectAuthentication: () => ({ exp }) as object })
        const peer = await site.peer()
        expect(await peer.ask({ rpc: 'auth', version: 1 })).to.include({ code })
      })
  })

  describe('`_refresh`', () => {
    it('puts a new authorisation in the place of the old one, says so, and then answers', async () => {
      const site = await start()
      const peer = await join(site, sign({ role: 'guest' }))
      expect(await refresh(peer, sign({ role: 'admin', umd: { name: 'Jim' } }, 1200))).to.include({
        resp: null,
      })
      const [notice] = peer.frames.slice(-2)
      expect(notice).to.deep.include({ internal: true, command: 'session' })
      expect(notice?.data).to.deep.include({ uid: 'jim', umd: { name: 'Jim' } })
      const { expiresIn } = Object(notice?.data) as { readonly expiresIn?: number }
      expect(expiresIn).to.be.within(1_190_000, 1_200_000)
      expect((await peer.ask({ rpc: 'whoami' })).resp).to.include({ role: 'admin' })
    })

    it('takes a ticket of the token endpoint for an open socket', async () => {
      const site = await start()
      const peer = await join(site, await site.token())
      expect(await refresh(peer, await site.token())).to.include({ resp: null })
      expect(site.sockets.sockets()).to.have.length(1)
    })

    it('refuses bad tokens, and changes nothing', async () => {
      const site = await start()
      const peer = await join(site, sign({ role: 'guest', jti: 'first' }))
      const [socket] = site.sockets.sockets()
      const before = socket?.auth
      const used = await site.token()
      await join(site, used)
      const bad: [what: string, token: string, code: string][] = [
        ['a used ticket', used, 'invalid_token'],
        ['a used token', sign({ jti: 'first' }), 'invalid_token'],
        ['one that is over', sign({}, -60), 'invalid_token'],
        ['one for a channel', sign({ scope: 'subscribe', connectionId: socket?.sid }), 'invalid_token'],
        [
          'a forged one',
          forgeToken({ alg: 'HS256', kid: 'app' }, { scope: 'connect', exp: 1e10 }, 'x'),
          'invalid_token',
        ],
        ['none', 'x', 'invalid_token'],
        ['wrong claims', sign({ channels: 5 }), 'invalid_token'],
        ['another user', sign({ uid: 'ann' }), 'identity_changed'],
        ['no user', sign({ uid: undefined }), 'identity_changed'],
      ]
      for (const [what, token, code] of bad) expect((await refresh(peer, token)).code, what).to.equal(code)
      for (const token of [undefined, '', 5, 'x'.repeat(8000)])
        expect((await refresh(peer, token)).code, String(token)).to.be.oneOf(['bad_message', 'too_long'])
      expect(socket?.auth).to.equal(before)
      expect(peer.frames.some(({ command }) => command === 'session')).to.equal(false)
      expect((await refresh(peer, sign({ role: 'admin' }))).resp).to.equal(null)
    })

    it('answers a second one `too_many_calls` while one runs', async () => {
      const site = await start()
      const peer = await join(site, sign({}))
      const answers = await Promise.all([refresh(peer, sign({})), refresh(peer, sign({}))])
      expect(answers.map(({ code = 'taken' }) => code).sort()).to.deep.equal(['taken', 'too_many_calls'])
    })

    it('makes the socket last longer', async () => {
      const clock = stopClock()
      const site = await start()
      const peer = await join(site, sign({}))
      await clock.tickAsync(LIFE + GRACE - 1000)
      expect((await refresh(peer, sign({}))).resp).to.equal(null)
      await clock.tickAsync(LIFE + GRACE - 1000)
      expect(site.sockets.sockets()).to.have.length(1)
      await clock.tickAsync(1000)
      expect(await peer.closed).to.include({ code: EXPIRED })
    })

    it('is a call like any other from a client that has not named it', async () => {
      const site = await start()
      const peer = await join(site, sign({}), { version: 1 })
      expect((await refresh(peer, sign({}))).code).to.equal('not_found')
    })
  })

  it('lets a user reconnect as another one whose token came for the open socket', async () => {
    let uid = 'jim'
    const site = await start({ authentication: () => ({ uid }) })
    const { client } = await site.pair()
    uid = 'ann'
    await client.refresh()
    expect([client.state, client.uid]).to.deep.equal(['ready', 'ann'])
  })
})
