/**
 * What `cluster.revoke`, `reauthorize` and `refresh` do, on one node or on two that share an
 * engine.
 */
import type { TokenSocket } from '@token-socket/client'
import { CLOSE_CODES, type RevocationSelector, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import sinon from 'sinon'
import { rejection } from '../protocol/rejection.js'
import { type Site, type SiteOptions, sessions, signIn, until } from './fixture.js'
import type { Peer } from './peer.js'

const SECRET = 'of the tests, 32 bytes long or more'

const { auth_refused, invalid_token, revoked, expired } = CLOSE_CODES

/**
 * Tests of the orders of a cluster.
 * @param start makes two sites on one engine, or one site twice
 */
export function describeOrders(start: (options: SiteOptions) => Promise<readonly [Site, Site]>): void {
  let here: Site
  let there: Site
  const deciding: (() => void)[] = []

  async function open(more: SiteOptions = {}): Promise<void> {
    deciding.length = 0
    const authentication = async ({ query }: { query: Record<string, unknown> }) => ({ ...query })
    ;[here, there] = await start({ authentication, secret: SECRET, ...more })
    for (const { sockets } of new Set([here, there]))
      sockets.on('authentication', async (_socket, auth) => {
        if ((auth as { readonly slow?: unknown }).slow)
          await new Promise<void>((resolve) => deciding.push(resolve))
        return true
      })
  }

  const tokenOf = async (site: Site, query: string, init: RequestInit = {}) => {
    const response = await site.askToken(init, `?${query}`)
    return ((await response.json()) as { token: string }).token
  }

  const bring = async (site: Site, token: string, more: object = {}) => {
    const peer = await site.peer()
    peer.send({ rpc: 'auth', token, uuid: 'auth', version: 1, ...more })
    return peer
  }

  /** `in`, or the close code that it was sent away with. */
  const outcomeOf = (peer: Peer) =>
    Promise.race([
      peer.find(({ resp }) => resp === 'success').then(() => 'in'),
      peer.closed.then(({ code }) => code),
    ])

  const enter = async (site: Site, token: string) => outcomeOf(await bring(site, token))

  /** One on each site. */
  const members = async (query: string, more: object = {}) => {
    const peers: Peer[] = []
    for (const site of [here, there]) peers.push(await bring(site, await tokenOf(site, query), more))
    for (const peer of peers) expect(await outcomeOf(peer)).to.equal('in')
    return peers
  }

  const seconds = (offset: number) => Math.floor(Date.now() / 1000) + offset
  const sign = (claims: object, options: jwt.SignOptions = {}) =>
    jwt.sign({ scope: 'connect', exp: seconds(60), ...claims }, SECRET, options)

  const cluster = () => here.sockets.cluster

  describe('#revoke', () => {
    it('closes the sockets of a user as revoked, on every node, and no others', async () => {
      await open()
      const peers = await members('uid=bob')
      const [other] = await members('uid=ann')
      expect(await cluster().revoke({ uid: 'bob' })).to.deep.equal({ count: 2, missing: [] })
      for (const peer of peers) expect((await peer.closed).code).to.equal(revoked.code)
      expect(await other?.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
    })

    it('closes one socket by its id', async () => {
      await open()
      const [, peer] = await members('uid=bob')
      const sid = String(peer?.frames[0]?.sid)
      expect(await cluster().revoke({ sid })).to.deep.equal({ count: 1, missing: [] })
      expect((await peer?.closed)?.code).to.equal(revoked.code)
      expect(await cluster().revoke({ sid: 'nothing' })).to.deep.equal({ count: 0, missing: [] })
    })

    it('closes what one session signed in, and refuses its tokens that are out', async () => {
      await open({ prepare: sessions, authentication: 'auth' })
      const headers = await signIn(here)
      const [early, used] = [await tokenOf(there, '', { headers }), await tokenOf(there, '', { headers })]
      const peer = await bring(there, used)
      expect(await outcomeOf(peer)).to.equal('in')
      const [socket] = [here, there].flatMap(({ sockets }) => sockets.sockets())
      const { sockets } = await cluster().sockets({ sid: socket?.sid ?? '' })
      expect(await cluster().revoke({ session: String(sockets[0]?.session) })).to.include({ count: 1 })
      expect((await peer.closed).code).to.equal(revoked.code)
      expect(await enter(there, early)).to.equal(invalid_token.code)
      expect(await enter(there, await tokenOf(there, '', { headers }))).to.equal('in')
    })

    it('refuses tickets and signed tokens of a user that are out, and no later ones', async () => {
      await open()
      const early = [await tokenOf(here, 'uid=bob'), await tokenOf(there, 'uid=bob')]
      const signed = [sign({ uid: 'bob', iat: seconds(-15) }), sign({ uid: 'bob' }, { noTimestamp: true })]
      const other = sign({ uid: 'ann', iat: seconds(-15) })
      await cluster().revoke({ uid: 'bob' })
      for (const token of [...early, ...signed])
        expect(await enter(there, token)).to.equal(invalid_token.code)
      expect(await enter(there, other)).to.equal('in')
      expect(await enter(there, await tokenOf(there, 'uid=bob'))).to.equal('in')
      expect(await enter(there, sign({ uid: 'bob', iat: seconds(1) }))).to.equal('in')
    })

    it('refuses a token by its `jti`, and a ticket by its id', async () => {
      await open()
      const ticket = await tokenOf(here, 'uid=bob')
      const open_ = await tokenOf(here, 'uid=bob')
      for (const token of [ticket, open_, sign({ uid: 'bob', jti: 'a' }), sign({ uid: 'bob', jti: 'b' })]) {
        const { jti } = jwt.decode(token) as { jti: string }
        const isRevoked = token === ticket || jti === 'a'
        if (isRevoked) await cluster().revoke({ jti })
        expect(await enter(there, token)).to.equal(isRevoked ? invalid_token.code : 'in')
      }
      const { jti } = jwt.decode(open_) as { jti: string }
      expect(await cluster().revoke({ jti })).to.deep.equal({ count: 1, missing: [] })
    })

    it('closes and refuses all that was issued before a moment, and what does not say when', async () => {
      await open()
      const peers = await members('uid=bob')
      const undated = sign({ uid: 'bob' }, { noTimestamp: true })
      const ticket = await tokenOf(there, 'uid=cid')
      const old = await bring(there, sign({ uid: 'ann', iat: seconds(-30) }))
      expect(await outcomeOf(old)).to.equal('in')
      const early = seconds(-20) * 1000
      expect(await cluster().revoke({ issuedBefore: new Date(early) })).to.deep.equal({
        count: 1,
        missing: [],
      })
      expect((await old.closed).code).to.equal(revoked.code)
      for (const token of [undated, sign({ uid: 'eve', iat: seconds(-30) })])
        expect(await enter(there, token)).to.equal(invalid_token.code)
      expect(await enter(there, sign({ uid: 'eve', iat: seconds(-10) }))).to.equal('in')
      // A moment that is to come is now.
      await until(() => Date.now() % 1000 > 5)
      await cluster().revoke({ issuedBefore: Date.now() + 60_000 })
      for (const peer of peers) expect((await peer.closed).code).to.equal(revoked.code)
      expect(await enter(there, ticket)).to.equal(invalid_token.code)
      expect(await enter(there, await tokenOf(there, 'uid=cid'))).to.equal('in')
    })

    for (const who of [{ uid: 'bob' }, { issuedBefore: 'now' }, { jti: 'a' }] as const)
      it(`ends a sign-in whose listeners decide: by ${Object.keys(who)[0]}`, async () => {
        await open()
        const peer = await bring(there, sign({ uid: 'bob', jti: 'a', slow: 1, iat: seconds(-15) }))
        await until(() => deciding.length === 1)
        const given = 'issuedBefore' in who ? { issuedBefore: Date.now() } : who
        await cluster().revoke(given as RevocationSelector)
        for (const go of deciding) go()
        expect(await outcomeOf(peer)).to.equal(revoked.code)
        expect([here, there].flatMap(({ sockets }) => sockets.sockets())).to.deep.equal([])
      })

    it('refuses tokens for channels', async () => {
      await open()
      const [peer] = await members('uid=bob')
      const sid = String(peer?.frames[0]?.sid)
      const token = sign({
        scope: 'subscribe',
        connectionId: sid,
        jti: 'for a',
        channels: { a: { subscribe: true } },
      })
      await cluster().revoke({ jti: 'for a' })
      const answer = await peer?.ask({ rpc: '_subscribe', req: { channel: 'a', token } })
      expect(answer).to.include({ code: 'invalid_token' })
    })

    it('refuses connections without a token whose function began before', async () => {
      const asked: (() => void)[] = []
      const connectAuthentication = async () => {
        await new Promise<void>((resolve) => asked.push(resolve))
        return { uid: 'bob' }
      }
      await open({ connectAuthentication })
      const peer = await there.peer()
      peer.send({ rpc: 'auth', uuid: 'auth', version: 1 })
      await until(() => asked.length === 1)
      await cluster().revoke({ uid: 'bob' })
      for (const go of asked) go()
      expect(await outcomeOf(peer)).to.be.oneOf([auth_refused.code, revoked.code])
      const later = await there.peer()
      later.send({ rpc: 'auth', uuid: 'auth', version: 1 })
      await until(() => asked.length === 2)
      for (const go of asked) go()
      expect(await outcomeOf(later)).to.equal('in')
    })

    const wrong: readonly (readonly [unknown, string])[] = [
      [undefined, 'selector'],
      [null, 'selector'],
      [{}, 'selector'],
      ['bob', 'selector'],
      [{ uid: '' }, 'uid'],
      [{ uid: 5 }, 'uid'],
      [{ uid: undefined }, 'uid'],
      [{ uid: 'bob', sid: 'a' }, 'sid'],
      [{ channel: 'a' }, 'channel'],
      [{ where: 'all' }, 'where'],
      [{ jti: '' }, 'jti'],
      [{ jti: 'a'.repeat(7901) }, 'jti'],
      [{ issuedBefore: 'yesterday' }, 'issuedBefore'],
      [{ issuedBefore: new Date('nonsense') }, 'issuedBefore'],
      [{ issuedBefore: Number.NaN }, 'issuedBefore'],
    ]
    it('refuses wrong selectors, and does nothing', async () => {
      await open()
      await members('uid=bob')
      for (const [who, field] of wrong) {
        const error = await rejection(cluster().revoke(who as RevocationSelector))
        expect(
          [RpcError.is(error) && error.code, (error as RpcError).data],
          JSON.stringify(who),
        ).to.deep.equal(['bad_message', { field }])
        if (field === 'jti' || field === 'issuedBefore') continue
        for (const order of ['refresh', 'reauthorize'] as const)
          expect(await rejection(cluster()[order](who as { uid: string }, { uid: 'bob' }))).to.include({
            code: 'bad_message',
          })
      }
      expect(await cluster().count()).to.include({ count: 2 })
    })

    it('does an order that it cannot keep, on all nodes, and says so', async () => {
      await open({ limits: { revocations: 2 } })
      const [peer] = await members('uid=bob')
      for (const uid of ['a', 'b']) await cluster().revoke({ uid })
      const error = await rejection(cluster().revoke({ uid: 'bob' }))
      expect(error).to.include({ code: 'too_many_revocations' })
      expect((error as RpcError).data).to.deep.equal({ field: 'revocations', limit: 2 })
      expect((error as Error).message).to.match(/open sockets are dealt with/)
      expect((await peer?.closed)?.code).to.equal(4010)
      // A visitor who signs out again and again takes no room of others, and a moment has always some.
      for (const session of ['a', 'b', 'c'])
        await cluster()
          .revoke({ session })
          .catch(() => {})
      await cluster().revoke({ issuedBefore: new Date(Date.now() + 1000) })
      await cluster().revoke({ jti: 'one' })
    })

    it('has a log that no client and no application can name', async () => {
      await open({
        channels: { '*': { subscribe: true, publish: true, history: { size: 10, ttl: 60_000 } } },
      })
      const [peer] = await members('uid=bob')
      await cluster().revoke({ uid: 'ann' })
      const channel = 'token-socket-authorization-log'.padEnd(257, '.')
      for (const rpc of ['_publish', '_subscribe', '_history'])
        expect(await peer?.ask({ rpc, req: { channel, message: {} } }), rpc).to.include({ code: 'too_long' })
      for (const attempt of [
        () => here.sockets.publish(channel, {}),
        () => here.sockets.history(channel),
        () => cluster().subscribe({ uid: 'bob' }, channel),
      ])
        expect(await rejection(attempt())).to.include({ code: 'too_long' })
      expect(here.sockets.channels()).to.deep.equal([])
    })
  })

  describe('#reauthorize', () => {
    const rules = { channels: { 'free-*': { subscribe: true } } }
    const channels = { a: { subscribe: true }, b: { subscribe: true } }
    const authentication = async () => ({ uid: 'bob', umd: 1, channels })

    async function subscribed(): Promise<TokenSocket[]> {
      await open({ ...rules, authentication })
      const clients: TokenSocket[] = []
      for (const site of [here, there]) {
        const client = await site.ready()
        await Promise.all(['a', 'b'].map((channel) => client.subscribe(channel)))
        clients.push(client)
      }
      return clients
    }

    it('gives every socket of a user another authorisation, and takes what it lacks', async () => {
      const clients = await subscribed()
      const auth = { uid: 'bob', umd: 2, channels: { a: { subscribe: true } }, role: 'guest' }
      expect(await cluster().reauthorize({ uid: 'bob' }, auth)).to.deep.equal({ count: 2, missing: [] })
      const sockets = new Set([here, there].flatMap((site) => site.sockets.sockets()))
      for (const socket of sockets) {
        expect(socket.auth).to.deep.equal(auth)
        expect(socket.umd).to.equal(2)
        expect(socket.channels).to.deep.equal(['a'])
      }
      for (const client of clients) expect(await client.rpc('whoami')).to.deep.equal(auth)
    })

    it('refuses another user’s, and changes nothing', async () => {
      await subscribed()
      const bad = { uid: 'ann', channels: {} }
      expect(await rejection(cluster().reauthorize({ uid: 'bob' }, bad))).to.include({
        code: 'identity_changed',
      })
      const text = await rejection(cluster().reauthorize({ uid: 'bob' }, bad))
      expect((text as RpcError).message).to.equal(
        'The auth is for another user: its uid has to stay the same',
      )
      const sid = there.sockets.sockets()[0]?.sid ?? ''
      expect(await rejection(cluster().reauthorize({ sid }, bad))).to.include({ code: 'identity_changed' })
      for (const socket of there.sockets.sockets()) expect(socket.channels).to.have.members(['a', 'b'])
    })

    it('refuses what `authentication` could not return', async () => {
      await subscribed()
      const circular: Record<string, unknown> = { uid: 'bob' }
      circular.self = circular
      const wrong: readonly (readonly [unknown, string])[] = [
        [undefined, 'bad_message'],
        [null, 'bad_message'],
        ['bob', 'bad_message'],
        [true, 'bad_message'],
        [circular, 'unserializable'],
        [{ uid: 'bob', big: 'a'.repeat(70_000) }, 'too_large'],
        [{ uid: 'bob', channels: { a: { subscribe: 'yes' } } }, 'bad_claims'],
        [{ uid: 5 }, 'bad_claims'],
      ]
      for (const [auth, code] of wrong)
        expect(await rejection(cluster().reauthorize({ uid: 'bob' }, auth as object)), code).to.include({
          code,
        })
      for (const socket of there.sockets.sockets()) expect(socket.channels).to.have.members(['a', 'b'])
    })

    it('takes what `authentication` takes: a user without claims stays one', async () => {
      const authentication = async () => ({ uid: 7, role: 'admin', umd: 'x' })
      await open({ authentication: authentication as never })
      await members('')
      const [{ sid = '' } = {}] = here.sockets.sockets()
      const auth = { uid: 7, role: 'guest', umd: 'y' }
      expect(await cluster().reauthorize({ sid }, auth)).to.deep.equal({ count: 1, missing: [] })
      const socket = here.sockets.sockets().find((one) => one.sid === sid)
      expect([socket?.auth, socket?.uid, socket?.umd]).to.deep.equal([auth, undefined, undefined])
    })

    it('lets the later of two hold, also in one millisecond, and after the clock was put back', async () => {
      await open()
      const [peer] = await members('uid=bob')
      const begun = Date.now()
      const now = sinon.stub(Date, 'now').returns(begun)
      try {
        for (let role = 1; role <= 8; role += 1) {
          if (role > 5) now.returns(begun - 3_600_000)
          await cluster().reauthorize({ uid: 'bob' }, { uid: 'bob', role })
          expect(await peer?.ask({ rpc: 'whoami' })).to.deep.include({ resp: { uid: 'bob', role } })
        }
      } finally {
        now.restore()
      }
    })

    it('reaches a socket that is signing in', async () => {
      await open()
      const peer = await bring(there, sign({ uid: 'bob', slow: 1, role: 'admin' }))
      await until(() => deciding.length === 1)
      await cluster().reauthorize({ uid: 'bob' }, { uid: 'bob', role: 'guest' })
      for (const go of deciding) go()
      expect(await outcomeOf(peer)).to.equal('in')
      expect(await peer.ask({ rpc: 'whoami' })).to.deep.include({ resp: { uid: 'bob', role: 'guest' } })
    })
  })

  describe('tokens that were out when an order was given', () => {
    const able = { can: ['refresh'] }
    const roleOf = async (peer: Peer) => ((await peer.ask({ rpc: 'whoami' })).resp as { role: string }).role
    const tokens = async () => [
      await tokenOf(there, 'uid=bob&role=admin'),
      sign({ uid: 'bob', role: 'admin', iat: seconds(-15) }),
      sign({ uid: 'bob', role: 'admin' }, { noTimestamp: true }),
    ]

    it('sign in with what `reauthorize` gave, and later ones with their own', async () => {
      await open()
      const early = await tokens()
      await cluster().reauthorize({ uid: 'bob' }, { uid: 'bob', role: 'guest' })
      for (const token of early) {
        const peer = await bring(there, token)
        expect(await outcomeOf(peer)).to.equal('in')
        expect(await roleOf(peer)).to.equal('guest')
      }
      const later = await bring(there, await tokenOf(there, 'uid=bob&role=admin'))
      expect(await outcomeOf(later)).to.equal('in')
      expect(await roleOf(later)).to.equal('admin')
    })

    it('refresh an open socket with what `reauthorize` gave, also for that socket alone', async () => {
      await open()
      for (const kind of ['uid', 'sid'] as const) {
        const [, peer] = await members('uid=bob&role=admin', able)
        const token = await tokenOf(there, 'uid=bob&role=admin')
        const who = kind === 'uid' ? { uid: 'bob' } : { sid: String(peer?.frames[0]?.sid) }
        await cluster().reauthorize(who, { uid: 'bob', role: 'guest' })
        expect(await peer?.ask({ rpc: '_refresh', req: { token } })).to.include({ resp: null })
        expect(await roleOf(peer as Peer)).to.equal('guest')
      }
    })

    it('sign in after `refresh`, but have ended', async () => {
      await open()
      for (const token of await (async () => {
        const early = await tokens()
        await cluster().refresh({ uid: 'bob' })
        return early
      })()) {
        const peer = await bring(there, token, able)
        expect(await outcomeOf(peer)).to.equal('in')
        expect((await peer.find(({ resp }) => resp === 'success')).expiresIn).to.equal(1000)
        const other = await bring(there, sign({ uid: 'bob', iat: seconds(-15) }))
        expect((await other.closed).code).to.equal(expired.code)
      }
      const later = await bring(there, await tokenOf(there, 'uid=bob'), able)
      expect((await later.find(({ resp }) => resp === 'success')).expiresIn).to.equal(undefined)
    })

    it('are refused 30 s after `refresh`, however long they live', async () => {
      await open()
      const token = sign({ uid: 'bob', iat: seconds(-15) })
      const begun = Date.now()
      const now = sinon.stub(Date, 'now').callsFake(() => begun - 30_001)
      await cluster().refresh({ uid: 'bob' })
      now.restore()
      const old = sign({ uid: 'bob', iat: seconds(-60) })
      expect(await enter(there, old)).to.equal(invalid_token.code)
      expect(await outcomeOf(await bring(there, token, able))).to.equal('in')
    })
  })

  describe('#refresh', () => {
    it('closes a client that brings no new token 30 s later, and none that does', async () => {
      await open()
      const clock = sinon.useFakeTimers({
        now: Date.now(),
        toFake: ['setTimeout', 'clearTimeout', 'performance'],
      })
      try {
        const able = { can: ['refresh'] }
        const [silent, good] = [...(await members('uid=bob', able)), ...(await members('uid=bob', able))]
        await cluster().refresh({ uid: 'bob' })
        const renew = good?.find((frame) => frame.command === 'renew')
        await renew
        const token = await tokenOf(here, 'uid=bob')
        expect(await good?.ask({ rpc: '_refresh', req: { token } })).to.include({ resp: null })
        await clock.tickAsync(29_000)
        expect(await silent?.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
        await clock.tickAsync(1000)
        expect((await silent?.closed)?.code).to.equal(expired.code)
        expect(await good?.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
      } finally {
        clock.restore()
      }
    })

    it('asks clients that can for a new token, and closes the others as expired', async () => {
      await open()
      const able = await members('uid=bob', { can: ['refresh'] })
      const others = await members('uid=bob')
      expect(await cluster().refresh({ uid: 'bob' })).to.deep.equal({ count: 4, missing: [] })
      for (const peer of able) await peer.find((frame) => frame.command === 'renew' || frame.type === 'renew')
      for (const peer of others) expect((await peer.closed).code).to.equal(expired.code)
    })
  })
}
