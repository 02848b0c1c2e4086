/** New tokens of open sockets, on two nodes: issued by the other, used on both at once, and revoked. */
import { RedisEngine } from '@token-socket/redis'
import { CLOSE_CODES } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { deferred, Site, type SiteOptions, until } from '../end-to-end/fixture.js'
import type { Peer } from '../end-to-end/peer.js'
import { RedisProcess } from './redis-process.js'

const SECRET = 'of the tests, 32 bytes long or more'

/** Sockets on which two nodes are asked at once. */
const PAIRS = 10

describe('new tokens of open sockets, on two nodes', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  let here: Site
  let there: Site
  let made = 0
  let role: string

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  async function start(options: SiteOptions = {}): Promise<Site> {
    const engine = new RedisEngine({ url: redis.url, prefix: `${made}:` })
    await engine.ready()
    const authentication = () => ({ uid: 'ann', role })
    return Site.start({ engine, secret: SECRET, authentication, ...options })
  }

  beforeEach(async () => {
    made += 1
    role = 'guest'
    here = await start()
    there = await start()
  })

  afterEach(() => Promise.all([here, there].map((site) => site.stop())))

  const now = () => Math.floor(Date.now() / 1000)
  const sign = (claims: object) =>
    jwt.sign({ scope: 'connect', uid: 'ann', iat: now(), exp: now() + 60, ...claims }, SECRET)

  async function member(site: Site, token?: string): Promise<Peer> {
    const peer = await site.peer()
    const auth = { rpc: 'auth', version: 1, can: ['refresh'] }
    expect((await peer.ask({ ...auth, token: token ?? (await site.token()) })).resp).to.equal('success')
    return peer
  }

  const refresh = (peer: Peer, token: string) => peer.ask({ rpc: '_refresh', req: { token } })
  const codeOf = async (peer: Peer, token: string) => (await refresh(peer, token)).code ?? 'taken'
  const roleOf = async (peer: Peer) => Object((await peer.ask({ rpc: 'whoami' })).resp).role

  it('takes a ticket that the other node issued, once', async () => {
    const [one, two] = [await member(here), await member(here)]
    role = 'admin'
    const ticket = await there.token()
    expect([await codeOf(one, ticket), await codeOf(two, ticket)]).to.deep.equal(['taken', 'invalid_token'])
    expect([await roleOf(one), await roleOf(two)]).to.deep.equal(['admin', 'guest'])
  })

  for (const [what, tokenOf] of [
    ['a ticket', () => there.token()],
    ['a signed token with a `jti`', async (jti: string) => sign({ jti, role: 'admin' })],
    ['a signed token for single use', async (name: string) => sign({ singleUse: true, role: 'admin', name })],
  ] as const)
    it(`takes ${what} once that both nodes are asked for at once`, async () => {
      const peers = [await member(here), await member(there)]
      role = 'admin'
      const wins = [0, 0]
      for (let pair = 0; pair < PAIRS; pair += 1) {
        const token = await tokenOf(`jti ${pair}`)
        const codes = await Promise.all(peers.map((peer) => codeOf(peer, token)))
        expect([...codes].sort(), codes.join()).to.deep.equal(['invalid_token', 'taken'])
        wins[codes.indexOf('taken')] = (wins[codes.indexOf('taken')] ?? 0) + 1
      }
      for (const [node, peer] of peers.entries())
        expect(await roleOf(peer)).to.equal((wins[node] ?? 0) > 0 ? 'admin' : 'guest')
    })

  it('takes a signed token that says nothing of single use on both nodes', async () => {
    const peers = [await member(here), await member(there)]
    const token = sign({ role: 'admin' })
    expect(await Promise.all(peers.map((peer) => codeOf(peer, token)))).to.deep.equal(['taken', 'taken'])
    expect(await Promise.all(peers.map(roleOf))).to.deep.equal(['admin', 'admin'])
  })

  it('refuses a token whose `jti` the other node revoked, and leaves the socket what it had', async () => {
    const peer = await member(here, sign({ jti: 'first', role: 'guest' }))
    await there.sockets.cluster.revoke({ jti: 'second' })
    expect(await codeOf(peer, sign({ jti: 'second', role: 'admin' }))).to.equal('invalid_token')
    expect(await roleOf(peer)).to.equal('guest')
    expect(await codeOf(peer, sign({ jti: 'third', role: 'admin' }))).to.equal('taken')
    await there.sockets.cluster.revoke({ jti: 'third' })
    expect((await peer.closed).code).to.equal(CLOSE_CODES.revoked.code)
  })

  it('no longer knows a socket by the token that it had before', async () => {
    const peer = await member(here, sign({ jti: 'first' }))
    expect(await codeOf(peer, sign({ jti: 'second', role: 'admin' }))).to.equal('taken')
    expect(await there.sockets.cluster.revoke({ jti: 'first' })).to.deep.equal({ count: 0, missing: [] })
    expect(await roleOf(peer)).to.equal('admin')
  })

  it('refuses a token of before the moment that a revocation names', async () => {
    const iat = now()
    const peer = await member(here, sign({ iat, role: 'guest' }))
    await there.sockets.cluster.revoke({ issuedBefore: (iat - 2) * 1000 })
    expect(await codeOf(peer, sign({ iat: iat - 5, role: 'admin' }))).to.equal('invalid_token')
    expect(await roleOf(peer)).to.equal('guest')
  })

  it('refuses a token that the other node revokes while listeners decide', async () => {
    const [gate, asked] = [deferred(), deferred()]
    const peer = await member(here, sign({ jti: 'first', role: 'guest' }))
    here.sockets.on('authentication', async () => {
      asked.resolve()
      await gate.promise
      return true
    })
    const code = codeOf(peer, sign({ jti: 'second', role: 'admin' }))
    await asked.promise
    await there.sockets.cluster.revoke({ jti: 'second' })
    gate.resolve()
    expect(await code).to.equal('invalid_token')
    expect(await roleOf(peer)).to.equal('guest')
  })

  it('does not let a user go on who is revoked: neither the socket, nor a token of before', async () => {
    const peer = await member(here)
    const tokens = [await there.token(), sign({ jti: 'out' })]
    await there.sockets.cluster.revoke({ uid: 'ann' })
    expect((await peer.closed).code).to.equal(CLOSE_CODES.revoked.code)
    for (const token of tokens) {
      const late = await here.peer()
      late.send({ rpc: 'auth', version: 1, token, uuid: 'auth' })
      expect((await late.closed).code).to.equal(CLOSE_CODES.invalid_token.code)
    }
    await until(() => here.sockets.sockets().length === 0)
  })
})
