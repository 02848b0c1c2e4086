import { MemoryEngine, RpcError, type ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import sinon from 'sinon'
import { Revocations } from '#server/authentication/revocations.js'
import { TokenAuthenticator } from '#server/authentication/token-authenticator.js'
import { secretKey, Tokens } from '#server/authentication/tokens.js'
import { readClaims } from '#server/claims/claims.js'
import { badToken } from '../../end-to-end/bad-jwt.js'
import { Random } from '../../protocol/random.js'
import { rejection } from '../../protocol/rejection.js'
import { RecordedLog } from '../recorded-log.js'
import { makeSocket } from '../sockets.js'

const SECRET = 'the secret of the application, of 32 bytes'

describe('TokenAuthenticator', () => {
  const tokens = new Tokens({ keys: secretKey(SECRET), audience: 'token-socket', ttl: 30_000 })
  let engine: MemoryEngine
  let logger: RecordedLog
  let tokenAuthenticator: TokenAuthenticator
  let revocations: Revocations

  beforeEach(() => {
    engine = new MemoryEngine()
    logger = new RecordedLog()
    const { tickets } = engine
    revocations = new Revocations({ tickets, tokenTtl: 30_000, limits: { authenticationTimeout: 10_000 } })
    tokenAuthenticator = new TokenAuthenticator({ tokens, revocations, engine, log: logger })
  })

  afterEach(async () => {
    sinon.restore()
    await engine.close()
  })

  const sign = (claims: object, options: jwt.SignOptions = { expiresIn: 30 }) =>
    jwt.sign(claims, SECRET, options)
  const channels = { chat: { subscribe: true } }

  async function refused(promise: Promise<unknown>, why: RegExp): Promise<void> {
    const error = await rejection(promise)
    expect(RpcError.is(error) && error.code).to.equal('invalid_token')
    expect(error.message).to.equal('Invalid token')
    const reasons = logger.lines.flatMap(({ details }) => ('reason' in details ? [details.reason] : []))
    expect(reasons.at(-1)).to.match(why)
  }

  async function ticket(data: object): Promise<string> {
    const { token, id } = tokens.issue()
    await engine.tickets.put({ id: id, json: JSON.stringify(data), ttl: 30_000 })
    return token
  }

  describe('#connect', () => {
    it('refuses thousands of tokens that are none in the same way, also where another node may have issued them', async () => {
      const shared = { shared: true, tickets: engine.tickets }
      const strict = new TokenAuthenticator({
        tokens,
        engine: shared,
        log: logger,
        revocations: { check: async () => {} } as never,
      })
      const random = new Random(13)
      for (let left = 5000; left > 0; left -= 1) {
        const bad = badToken(random, SECRET)
        expect(await rejection(strict.connect(bad)), bad).to.include({ code: 'invalid_token' })
        expect(tokens.peek(bad), bad).to.satisfy((id: unknown) => id === undefined || typeof id === 'string')
      }
      expect(logger.of('error')).to.deep.equal([])
    })

    it('takes a ticket, once', async () => {
      const data = { auth: { id: 7, uid: 'jim', channels }, ip: '1.2.3.4', ips: [], host: 'example.com' }
      const token = await ticket(data)
      const jti = tokens.peek(token)
      expect(await tokenAuthenticator.connect(token)).to.deep.equal({
        ...data,
        claims: undefined,
        jti,
        expiresAt: undefined,
      })
      await refused(tokenAuthenticator.connect(token), /used already/)
    })

    it('refuses a ticket of a server with another prefix, and says so in the log', async () => {
      const staff = new TokenAuthenticator({ tokens, revocations, engine, log: logger, prefix: '/staff' })
      const data = { auth: { id: 7 }, ips: [] }
      for (const prefix of ['/sockets', '/staff/a', '/Staff', '']) {
        logger.lines.length = 0
        const error = await rejection(staff.connect(await ticket({ ...data, prefix })))
        expect(error, prefix).to.include({ code: 'invalid_token', message: 'Invalid token' })
        const [{ details, message } = { details: {}, message: '' }] = logger.of('warn')
        expect(details, prefix).to.include({ option: 'prefix', prefix: '/staff', issuer: prefix })
        expect(message).to.match(/a server with another prefix issued/)
      }
      const own = await staff.connect(await ticket({ ...data, prefix: '/staff' }))
      expect(own).to.include({ claims: undefined }).and.not.to.have.property('prefix')
    })

    it('takes a ticket of a version before, which names no prefix', async () => {
      const staff = new TokenAuthenticator({ tokens, revocations, engine, log: logger, prefix: '/staff' })
      expect(await staff.connect(await ticket({ auth: { id: 7 }, ips: [] }))).to.deep.include({
        auth: { id: 7 },
      })
    })

    it('takes what the application signed at any prefix: its `aud` says where it counts', async () => {
      const staff = new TokenAuthenticator({ tokens, revocations, engine, log: logger, prefix: '/staff' })
      expect((await staff.connect(sign({ scope: 'connect', uid: 'ann' }))).claims?.uid).to.equal('ann')
    })

    it('reads the claims of a ticket that has some', async () => {
      const { claims } = await tokenAuthenticator.connect(
        await ticket({ auth: { uid: 'jim' }, hasClaims: true, ips: [] }),
      )
      expect(claims?.uid).to.equal('jim')
    })

    it('refuses a token that is revoked while the engine is asked whether it was used', async () => {
      let isRevoked = false
      const claim = async () => {
        isRevoked = true
        return true
      }
      const check = async () => {
        if (isRevoked) throw new RpcError('invalid_token', 'revoked')
      }
      const late = new TokenAuthenticator({
        tokens,
        revocations,
        engine: { shared: false, tickets: Object.assign(Object.create(engine.tickets), { claim }) },
        log: logger,
        authorizations: { check, amend: (source) => source },
      })
      await refused(late.connect(sign({ scope: 'connect', jti: 'one' })), /revoked/)
    })

    describe('says when it ends', () => {
      const of = (settings: object) =>
        new TokenAuthenticator({ tokens, revocations, engine, log: logger, ...settings })
      const left = ({ expiresAt = Number.NaN }: { readonly expiresAt?: number | undefined }) =>
        expiresAt - performance.now()

      it('with `exp`, beside `jti` and `iat`, for a token that the application signed', async () => {
        sinon.useFakeTimers({ now: 1_800_000_000_000, toFake: ['Date', 'performance'] })
        const token = sign({ scope: 'connect', jti: 'once' }, { expiresIn: 600 })
        const redeemed = await tokenAuthenticator.connect(token)
        expect(redeemed).to.include({ jti: 'once', issuedAt: 1_800_000_000_000 })
        expect(left(redeemed)).to.equal(600_000)
      })

      it('with `exp` by the clock of the sign-in: an hour on, and an hour back', async () => {
        const clock = sinon.useFakeTimers({ now: 1_800_000_000_000, toFake: ['Date', 'performance'] })
        const redeemed = await tokenAuthenticator.connect(sign({ scope: 'connect' }, { expiresIn: 7200 }))
        for (const jump of [3_600_000, -7_200_000]) {
          clock.setSystemTime(Date.now() + jump)
          expect(left(redeemed)).to.equal(7_200_000)
        }
      })

      it('never, without `enforceExpiry`', async () => {
        const redeemed = await of({ enforceExpiry: false }).connect(sign({ scope: 'connect', jti: 'j' }))
        expect(redeemed).to.include({ jti: 'j', expiresAt: undefined })
      })

      it('never, for a ticket', async () => {
        const issued = { auth: {}, ips: [], issuedAt: 5 }
        expect(await tokenAuthenticator.connect(await ticket(issued))).to.include({
          issuedAt: 5,
          expiresAt: undefined,
        })
        const endless = of({ sessionTtl: Number.POSITIVE_INFINITY })
        expect(await endless.connect(await ticket(issued))).to.include({ expiresAt: undefined })
      })

      it('after `sessionTtl`, for a ticket only', async () => {
        sinon.useFakeTimers({ toFake: ['performance'] })
        const short = of({ sessionTtl: 5000 })
        expect(left(await short.connect(await ticket({ auth: {}, ips: [] })))).to.equal(5000)
        expect(left(await short.connect(sign({ scope: 'connect' })))).to.be.above(20_000)
      })

      it('never, for an `exp` beyond all numbers of milliseconds', async () => {
        const redeemed = await tokenAuthenticator.connect(sign({ scope: 'connect', exp: 1e307 }, {}))
        expect(redeemed).to.include({ expiresAt: undefined })
      })
    })

    describe('with a token of another node', () => {
      const warnings = () => logger.lines.filter(({ level }) => level === 'warn')
      const others = new Tokens({ keys: secretKey('another secret'), audience: 'token-socket', ttl: 30_000 })

      async function foreign(): Promise<string> {
        const { token, id } = others.issue()
        await engine.tickets.put({ id: id, json: '{}', ttl: 30_000 })
        return token
      }

      it('says in the log that the nodes differ, now and then', async () => {
        tokenAuthenticator = new TokenAuthenticator({
          tokens,
          revocations,
          engine: { shared: true, tickets: engine.tickets },
          log: logger,
        })
        for (let count = 0; count < 3; count += 1) {
          await refused(tokenAuthenticator.connect(await foreign()), /no key of this server/)
          await Promise.resolve()
        }
        expect(warnings()).to.have.length(1)
        expect(warnings()[0]?.message).to.match(/another node issued: do all nodes have the same secret/)
      })

      it('refuses it in the same way when the engine throws at once', async () => {
        sinon.stub(engine.tickets, 'take').throws(new Error('away'))
        const shared = { shared: true, tickets: engine.tickets }
        tokenAuthenticator = new TokenAuthenticator({ tokens, revocations, engine: shared, log: logger })
        await refused(tokenAuthenticator.connect(others.issue().token), /no key of this server/)
      })

      it('says nothing of what no node issued, or where no other node can be', async () => {
        await refused(tokenAuthenticator.connect(await foreign()), /no key of this server/)
        tokenAuthenticator = new TokenAuthenticator({
          tokens,
          revocations,
          engine: { shared: true, tickets: engine.tickets },
          log: logger,
        })
        await refused(tokenAuthenticator.connect(others.issue().token), /no key of this server/)
        await refused(tokenAuthenticator.connect('no token'), /no key of this server/)
        await refused(tokenAuthenticator.connect('x'.repeat(10_000)), /too long/)
        await Promise.resolve()
        expect(warnings()).to.deep.equal([])
      })

      it('fails as ever if the engine is away', async () => {
        const cause = new RpcError('engine_unavailable')
        const tickets = { ...engine.tickets, take: () => Promise.reject(cause) }
        tokenAuthenticator = new TokenAuthenticator({
          tokens,
          revocations,
          engine: { shared: true, tickets },
          log: logger,
        })
        await refused(tokenAuthenticator.connect(await foreign()), /no key of this server/)
        await Promise.resolve()
        expect(warnings()).to.deep.equal([])
      })
    })

    it('takes signed claims, as often as they come', async () => {
      const token = sign({ scope: 'connect', uid: 'jim', umd: { name: 'Jim' }, channels, more: 1 })
      for (let i = 0; i < 2; i += 1) {
        const { auth, claims, ips } = await tokenAuthenticator.connect(token)
        expect(auth).to.include({ scope: 'connect', uid: 'jim', more: 1 })
        expect(claims?.umd).to.deep.equal({ name: 'Jim' })
        expect([...(claims?.channels ?? [])]).to.have.length(1)
        expect(ips).to.deep.equal([])
      }
    })

    it('gives them as a plain object that is frozen to its depths', async () => {
      const { auth } = await tokenAuthenticator.connect(
        sign({ scope: 'connect', umd: { names: ['Jim'] }, deep: { er: {} } }),
      )
      expect(Object.getPrototypeOf(auth)).to.equal(Object.prototype)
      const { umd, deep } = auth as { umd: { names: string[] }; deep: { er: object } }
      for (const value of [auth, umd, umd.names, deep, deep.er]) expect(value).to.be.frozen
    })

    it('takes claims that nest as deep as a token can hold', async () => {
      const [open, close] = ['['.repeat(2000), ']'.repeat(2000)]
      const text = `{"scope":"connect","exp":${Math.floor(Date.now() / 1000) + 30},"umd":${open}${close}}`
      const token = jwt.sign(text, SECRET, { header: { alg: 'HS256', typ: 'JWT' } })
      const { auth, claims } = await tokenAuthenticator.connect(token)
      expect(JSON.stringify(claims?.umd)).to.equal(`${open}${close}`)
      expect((auth as { umd: unknown }).umd).to.be.frozen
    })

    it('takes signed claims with a jti once, whoever is faster', async () => {
      const token = sign({ scope: 'connect', uid: 'jim', jti: 'once' })
      const outcomes = await Promise.allSettled([0, 1, 2].map(() => tokenAuthenticator.connect(token)))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1)
      await refused(tokenAuthenticator.connect(token), /used already/)
    })

    for (const scope of ['connect', 'subscribe'] as const) {
      it(`takes signed claims that say \`singleUse\` once without a jti, however they are written: ${scope}`, async () => {
        const { socket } = makeSocket()
        const bring = (token: string) =>
          scope === 'connect'
            ? tokenAuthenticator.connect(token)
            : tokenAuthenticator.subscribe(socket, 'chat', token)
        const of = (more: object) => sign({ scope, connectionId: socket.sid, channels, ...more })
        const token = of({ singleUse: true, n: 1 })
        await bring(token)
        // The last character of the signature holds bits that mean nothing.
        const others = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        for (const last of others) await refused(bring(token.slice(0, -1) + last), /used already|signature/)
        await bring(of({ singleUse: true, n: 2 }))
        for (let i = 0; i < 2; i += 1) await bring(of({ singleUse: false }))
      })
    }

    it('refuses what was signed for a user before that was cut off, and what does not say when', async () => {
      const now = Math.floor(Date.now() / 1000)
      const connect = (uid: string | undefined, iat?: number) => {
        const claims = {
          scope: 'connect',
          exp: now + 60,
          ...(uid && { uid }),
          ...(iat !== undefined && { iat }),
        }
        return tokenAuthenticator.connect(sign(claims, iat === undefined ? { noTimestamp: true } : {}))
      }
      await revocations.add('uid:jim', { signed: true })
      for (const iat of [undefined, 0, now - 60, now]) await refused(connect('jim', iat), /cut off/)
      await connect('jim', now + 2)
      await connect('ann', now - 60)
      await connect(undefined, now - 60)
    })

    it('takes what was signed for a user who is to come back', async () => {
      await revocations.add('uid:jim', { signed: false })
      await tokenAuthenticator.connect(sign({ scope: 'connect', uid: 'jim' }))
    })

    it('does not use up a jti whose claims are wrong', async () => {
      await refused(
        tokenAuthenticator.connect(sign({ scope: 'connect', jti: 'j', channels: { '#regex:(': {} } })),
        /regex/,
      )
      expect(
        (await tokenAuthenticator.connect(sign({ scope: 'connect', jti: 'j', uid: 'jim' }))).claims?.uid,
      ).to.equal('jim')
    })

    it('refuses the token of a channel, and what is no token', async () => {
      await refused(tokenAuthenticator.connect(sign({ scope: 'subscribe', connectionId: 's' })), /scope/)
      await refused(tokenAuthenticator.connect('no token'), /names no key/)
    })

    for (const [what, claims] of [
      ['a umd that is too large', { uid: 'jim', umd: 'x'.repeat(5000) }],
      ['a uid that is no text', { uid: 7 }],
      ['channels that are a list', { channels: ['chat'] }],
      ['a pattern that needs too much', { channels: { '#regex:(a{1000}){1000}': {} } }],
    ] as const) {
      it(`refuses ${what}`, () =>
        refused(tokenAuthenticator.connect(sign({ scope: 'connect', ...claims })), /./))
    }
  })

  describe('#subscribe', () => {
    const jim = readClaims({ uid: 'jim', umd: { name: 'Jim' }, channels: { own: { subscribe: true } } })
    let socket: ServerSocket

    beforeEach(() => {
      ;({ socket } = makeSocket({ identity: { claims: jim } }))
    })

    const tokenOf = (more: object = {}) =>
      sign({ scope: 'subscribe', connectionId: socket.sid, channels, ...more })
    const subscribe = (more: object = {}, channel = 'chat') =>
      tokenAuthenticator.subscribe(socket, channel, tokenOf(more))

    it('adds to what the socket may do, and says who it is there', async () => {
      await subscribe({ uid: 'guest', umd: { role: 'guest' } })
      expect(socket.grants.subscribe('chat')).to.equal(true)
      expect(socket.grants.subscribe('own')).to.equal(true)
      expect(socket.identity('chat')).to.deep.equal({ uid: 'guest', umd: { role: 'guest' } })
      expect(socket.identity('own')).to.deep.equal({ uid: 'jim', umd: { name: 'Jim' } })
    })

    it('is of no effect if the token says nothing that is read', async () => {
      await subscribe({ channels: undefined, other: 1 })
      expect(socket.grants.subscribe('chat')).to.equal(undefined)
      expect(socket.identity('chat')).to.deep.equal({ uid: 'jim', umd: { name: 'Jim' } })
    })

    it('refuses a token for another socket, or for none in particular', async () => {
      for (const connectionId of ['s2', undefined, '', [socket.sid]]) {
        await refused(subscribe({ connectionId }), /another socket/)
      }
      expect(socket.grants.subscribe('chat')).to.equal(undefined)
    })

    it('refuses a token for other channels: it may not say who somebody is here', async () => {
      const rooms = { uid: 'moderator', channels: { 'room-*': { subscribe: true } } }
      await refused(subscribe(rooms), /other channels/)
      expect(socket.identity('chat').uid).to.equal('jim')
      expect(socket.grants.subscribe('room-1')).to.equal(undefined)
      await subscribe(rooms, 'room-1')
      expect(socket.identity('room-1')).to.deep.equal({ uid: 'moderator' })
    })

    it('refuses a token to connect with, and a ticket’s, which stays good', async () => {
      await refused(subscribe({ scope: 'connect' }), /scope/)
      const token = await ticket({ auth: {}, ips: [] })
      await refused(tokenAuthenticator.subscribe(socket, 'chat', token), /scope/)
      expect((await tokenAuthenticator.connect(token)).auth).to.deep.equal({})
    })

    it('refuses a token that is wrong in one place, whole', async () => {
      await refused(
        subscribe({ uid: 'guest', channels: { ...channels, '#regex:(': {} } }),
        /regular expression/,
      )
      expect(socket.grants.subscribe('chat')).to.equal(undefined)
      expect(socket.identity('chat').uid).to.equal('jim')
    })

    it('refuses a token that with those before it is over the limits, and keeps those', async () => {
      const many = (token: number) =>
        Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`c${token}-${index}`, {}]))
      for (let token = 0; token < 4; token += 1) await subscribe({ channels: many(token) }, `c${token}-0`)
      await refused(subscribe({ channels: many(4) }, 'c4-0'), /channels \(limit 1000\)/)
      expect(socket.grants.covers('c3-199')).to.equal(true)
      expect(socket.grants.covers('c4-0')).to.equal(false)
    })

    it('lets a token without channels name the socket on no more channels than claims may have', async () => {
      const token = tokenOf({ channels: undefined, uid: 'guest' })
      for (let index = 0; index < 1000; index += 1)
        await tokenAuthenticator.subscribe(socket, `c${index}`, token)
      await refused(tokenAuthenticator.subscribe(socket, 'c1000', token), /channels \(limit 1000\)/)
      expect(socket.identity('c1000').uid).to.equal('jim')
      await tokenAuthenticator.subscribe(socket, 'c999', token)
    })

    it('takes one with a jti once, for a channel or to connect', async () => {
      const token = tokenOf({ jti: 'once' })
      await tokenAuthenticator.subscribe(socket, 'chat', token)
      await refused(tokenAuthenticator.subscribe(socket, 'chat', token), /used already/)
      await refused(tokenAuthenticator.connect(sign({ scope: 'connect', jti: 'once' })), /used already/)
    })

    it('does not use up a jti that another socket brings', async () => {
      await refused(subscribe({ connectionId: 'other', jti: 'once' }), /another socket/)
      await subscribe({ jti: 'once' })
    })
  })

  describe('the id of a token that works once', () => {
    let claim: sinon.SinonSpy

    beforeEach(() => {
      claim = sinon.spy(engine.tickets, 'claim')
    })

    const connect = (jti?: string) =>
      tokenAuthenticator.connect(sign({ scope: 'connect', ...(jti && { jti }) }))

    it('is not asked for if there is none', async () => {
      await connect()
      expect(claim.called).to.equal(false)
    })

    it('is of one length for every engine', async () => {
      for (const jti of ['a', '😀\u0000\ud800', 'x'.repeat(5000)]) await connect(jti)
      expect(new Set(claim.args.map(([id]) => id)).size).to.equal(3)
      for (const [id] of claim.args) expect(id).to.match(/^[\w-]{43}$/)
    })

    it('is kept as long as any node may take the token, for few different times', async () => {
      const clock = sinon.useFakeTimers({ now: 1_700_000_000_000, toFake: ['Date'] })
      for (let count = 0; count < 100; count += 1) {
        await tokenAuthenticator.connect(
          sign({ scope: 'connect', jti: String(count), exp: 1_700_000_060 }, {}),
        )
        expect(claim.lastCall.args[1]).to.be.within(70_000 - count * 50, 80_000)
        clock.tick(50)
      }
      expect(new Set(claim.args.map(([, ttl]) => ttl)).size).to.equal(1)
    })

    it('is asked for anew by an engine that fails', async () => {
      claim.restore()
      const cause = new Error('down')
      sinon.stub(engine.tickets, 'claim').rejects(cause)
      expect(await connect('once').catch((error) => error)).to.equal(cause)
    })
  })
})
