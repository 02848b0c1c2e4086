import { generateKeyPairSync } from 'node:crypto'
import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { sharingTickets } from './engines.js'
import { rejection, type Site, useSites } from './fixture.js'
import { readToken } from './jwt.js'

/** Brings one site's token to another. */
async function carryToken(from: Site, to: Site): Promise<unknown> {
  const peer = await to.peer()
  const answer = await peer.auth(await from.token())
  return answer.resp ?? answer.code
}

describe('options of the server about tokens', () => {
  const start = useSites()

  describe('the `secret` option', () => {
    it('is what servers must share to take each other’s tokens', async () => {
      const engine = new MemoryEngine()
      const first = await start({ engine, secret: 'one' })
      const same = await start({ engine: sharingTickets(engine), secret: 'one' })
      const other = await start({ engine: sharingTickets(engine), secret: 'two' })
      expect(await carryToken(first, same)).to.equal('success')
      expect(await carryToken(first, other)).to.equal('invalid_token')
    })

    it('left out is a random one, with a warning', async () => {
      const engine = new MemoryEngine()
      const first = await start({ engine })
      const second = await start({ engine: sharingTickets(engine) })
      expect(await carryToken(first, second)).to.equal('invalid_token')
      expect(first.log.find(({ level }) => level === 'warn')?.details).to.deep.equal({ option: 'secret' })
    })

    it('must not be empty', async () => {
      expect((await rejection(start({ secret: '' }))).data).to.deep.equal({ field: 'secret' })
    })
  })

  describe('the `keys` option', () => {
    const pair = () =>
      generateKeyPairSync('rsa', {
        modulusLength: 2048,
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      })

    it('signs with the first key that can, and says which', async () => {
      const { publicKey, privateKey } = pair()
      const site = await start({
        keys: {
          old: { algorithm: 'RS256', key: publicKey },
          new: { algorithm: 'RS256', key: publicKey, privateKey },
        },
      })
      expect(readToken(await site.token()).header).to.include({ alg: 'RS256', kid: 'new' })
      await site.servesHonestClients()
    })

    it('verifies with all keys, so that they can be rotated', async () => {
      const engine = new MemoryEngine()
      const before = await start({ engine, keys: { a: { algorithm: 'HS256', key: 'aaa' } } })
      const after = await start({
        engine: sharingTickets(engine),
        keys: { b: { algorithm: 'HS512', key: 'bbb' }, a: { algorithm: 'HS256', key: 'aaa' } },
      })
      expect(readToken(await after.token()).header).to.include({ alg: 'HS512', kid: 'b' })
      expect(await carryToken(before, after)).to.equal('success')
    })

    it('is refused if none can sign', async () => {
      const { publicKey } = pair()
      const error = await rejection(start({ keys: { a: { algorithm: 'RS256', key: publicKey } } }))
      expect([error.code, error.data]).to.deep.equal(['bad_option', { field: 'keys' }])
    })
  })

  describe('the `tokenTtl` option', () => {
    it('is how long token and ticket live', async () => {
      const engine = new MemoryEngine()
      const put = sinon.spy(engine.tickets, 'put')
      const site = await start({ engine, tokenTtl: 7000 })
      const { claims } = readToken(await site.token())
      expect(Number(claims.exp) - Number(claims.iat)).to.equal(7)
      expect(put.firstCall.args[0].ttl).to.equal(7000)
    })

    it('over, the token is worth nothing', async () => {
      const engine = new MemoryEngine()
      const site = await start({ engine, tokenTtl: 1 })
      const token = await site.token()
      await new Promise((resolve) => setTimeout(resolve, 20))
      const peer = await site.peer()
      expect(await peer.auth(token)).to.include({ code: 'invalid_token' })
    })
  })

  describe('the `audience` option', () => {
    it('is written into tokens, and required of them', async () => {
      const engine = new MemoryEngine()
      const secret = 'shared'
      const mine = await start({ engine, secret, audience: 'mine' })
      const theirs = await start({ engine: sharingTickets(engine), secret, audience: 'theirs' })
      expect(readToken(await mine.token()).claims.aud).to.equal('mine')
      expect(await carryToken(theirs, mine)).to.equal('invalid_token')
      expect(await carryToken(mine, mine)).to.equal('success')
    })
  })

  describe('the `authTimeout` option', () => {
    it('closes a connection that says nothing', async () => {
      const site = await start({ authTimeout: 30 })
      const peer = await site.peer()
      expect(await peer.closed).to.deep.equal({ code: 4003, reason: 'No token came in time' })
    })

    it('is over for a socket that is in', async () => {
      const site = await start({ authTimeout: 1000 })
      const member = await site.member()
      const silent = await site.peer()
      await silent.closed
      expect(await member.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
    })
  })
})
