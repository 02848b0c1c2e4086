import { MemoryEngine, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { Redeemer } from '../../packages/server/src/redeemer.js'
import { secretKey, Tokens } from '../../packages/server/src/tokens.js'
import { rejection } from '../protocol/rejection.js'
import { RecordedLog } from './recorded-log.js'

const SECRET = 'the secret of the application, of 32 bytes'

describe('Redeemer', () => {
  const tokens = new Tokens({ keys: secretKey(SECRET), audience: 'token-socket', ttl: 30_000 })
  let engine: MemoryEngine
  let logger: RecordedLog
  let redeemer: Redeemer

  beforeEach(() => {
    engine = new MemoryEngine()
    logger = new RecordedLog()
    redeemer = new Redeemer({ tokens, tickets: engine.tickets, logger })
  })

  const sign = (claims: object) => jwt.sign(claims, SECRET, { expiresIn: 30 })
  const channels = { chat: { subscribe: true } }

  async function refused(promise: Promise<unknown>, why: RegExp): Promise<void> {
    const error = await rejection(promise)
    expect(RpcError.is(error) && error.code).to.equal('invalid_token')
    expect(error.message).to.equal('Invalid token')
    expect(logger.lines.at(-1)?.details.reason).to.match(why)
  }

  async function ticket(data: object): Promise<string> {
    const { token, id } = tokens.issue()
    await engine.tickets.put(id, JSON.stringify(data), 30_000)
    return token
  }

  describe('#connect', () => {
    it('takes a ticket, once', async () => {
      const data = { auth: { id: 7, uid: 'jim', channels }, ip: '1.2.3.4', ips: [], host: 'example.com' }
      const token = await ticket(data)
      expect(await redeemer.connect(token)).to.deep.equal({ ...data, claims: undefined })
      await refused(redeemer.connect(token), /used already/)
    })

    it('reads the claims of a ticket that has some', async () => {
      const { claims } = await redeemer.connect(
        await ticket({ auth: { uid: 'jim' }, hasClaims: true, ips: [] }),
      )
      expect(claims?.uid).to.equal('jim')
    })

    it('takes signed claims, as often as they come', async () => {
      const token = sign({ scope: 'connect', uid: 'jim', umd: { name: 'Jim' }, channels, more: 1 })
      for (let i = 0; i < 2; i += 1) {
        const { auth, claims, ips } = await redeemer.connect(token)
        expect(auth).to.include({ scope: 'connect', uid: 'jim', more: 1 })
        expect(claims?.umd).to.deep.equal({ name: 'Jim' })
        expect([...(claims?.channels ?? [])]).to.have.length(1)
        expect(ips).to.deep.equal([])
      }
    })

    it('takes signed claims with a jti once, whoever is faster', async () => {
      const token = sign({ scope: 'connect', uid: 'jim', jti: 'once' })
      const outcomes = await Promise.allSettled([0, 1, 2].map(() => redeemer.connect(token)))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1)
      await refused(redeemer.connect(token), /used already/)
    })

    it('does not use up a jti whose claims are wrong', async () => {
      await refused(
        redeemer.connect(sign({ scope: 'connect', jti: 'j', channels: { '#regex:(': {} } })),
        /regex/,
      )
      expect((await redeemer.connect(sign({ scope: 'connect', jti: 'j', uid: 'jim' }))).claims?.uid).to.equal(
        'jim',
      )
    })

    it('refuses the token of a channel, and what is no token', async () => {
      await refused(redeemer.connect(sign({ scope: 'subscribe', connectionId: 's' })), /scope/)
      await refused(redeemer.connect('no token'), /names no key/)
    })

    for (const [what, claims] of [
      ['a umd that is too large', { uid: 'jim', umd: 'x'.repeat(5000) }],
      ['a uid that is no text', { uid: 7 }],
      ['channels that are a list', { channels: ['chat'] }],
      ['a pattern that needs too much', { channels: { '#regex:(a{1000}){1000}': {} } }],
    ] as const) {
      it(`refuses ${what}`, () => refused(redeemer.connect(sign({ scope: 'connect', ...claims })), /./))
    }
  })

  describe('#subscribe', () => {
    const claims = { scope: 'subscribe', connectionId: 's1', channels, umd: { role: 'guest' } }

    it('gives the claims for the socket that they are for', async () => {
      const given = await redeemer.subscribe(sign(claims), 's1')
      expect(given?.umd).to.deep.equal({ role: 'guest' })
    })

    it('refuses them for another socket, or for none in particular', async () => {
      await refused(redeemer.subscribe(sign(claims), 's2'), /another socket/)
      await refused(redeemer.subscribe(sign({ ...claims, connectionId: undefined }), 's1'), /another socket/)
      await refused(redeemer.subscribe(sign({ ...claims, connectionId: ['s1'] }), 's1'), /another socket/)
    })

    it('refuses a token to connect with, and a ticket’s, which stays good', async () => {
      await refused(redeemer.subscribe(sign({ ...claims, scope: 'connect' }), 's1'), /scope/)
      const token = await ticket({ auth: {}, ips: [] })
      await refused(redeemer.subscribe(token, 's1'), /scope/)
      expect((await redeemer.connect(token)).auth).to.deep.equal({})
    })

    it('takes one with a jti once', async () => {
      const token = sign({ ...claims, jti: 'once' })
      await redeemer.subscribe(token, 's1')
      await refused(redeemer.subscribe(token, 's1'), /used already/)
    })
  })
})
