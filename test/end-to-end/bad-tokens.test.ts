import { expect } from 'chai'
import { rejection, type Site, useSites } from './fixture.js'
import { forgeToken, readToken } from './jwt.js'
import { CARRIERS } from './peer.js'

describe('bad tokens', () => {
  const start = useSites()
  const secret = 'of the server'

  const FORGERIES: Readonly<Record<string, (good: string) => string>> = {
    'that is no token': () => 'token',
    'that is expired': (good) => {
      const { header, claims } = readToken(good)
      return forgeToken(header, { ...claims, exp: Math.floor(Date.now() / 1000) - 60 }, secret)
    },
    'without exp': (good) => {
      const { header, claims } = readToken(good)
      const { exp, ...rest } = claims
      return forgeToken(header, rest, secret)
    },
    'without jti': (good) => {
      const { header, claims } = readToken(good)
      const { jti, ...rest } = claims
      return forgeToken(header, rest, secret)
    },
    'of another secret': (good) => forgeToken(readToken(good).header, readToken(good).claims, 'another'),
    'with alg none': (good) => forgeToken({ ...readToken(good).header, alg: 'none' }, readToken(good).claims),
    'with alg none and the old signature': (good) => {
      const forged = forgeToken({ ...readToken(good).header, alg: 'none' }, readToken(good).claims)
      return forged + good.split('.')[2]
    },
    'with another algorithm': (good) =>
      forgeToken({ ...readToken(good).header, alg: 'HS512' }, readToken(good).claims, secret),
    'of another audience': (good) => {
      const { header, claims } = readToken(good)
      return forgeToken(header, { ...claims, aud: 'another' }, secret)
    },
    'with a kid that the server has not': (good) => {
      const { header, claims } = readToken(good)
      return forgeToken({ ...header, kid: '__proto__' }, claims, secret)
    },
    'without a kid': (good) => {
      const { kid, ...header } = readToken(good).header
      return forgeToken(header, readToken(good).claims, secret)
    },
    'that is truncated': (good) => good.slice(0, -1),
    'of an unknown ticket': (good) => {
      const { header, claims } = readToken(good)
      return forgeToken(header, { ...claims, jti: '__proto__' }, secret)
    },
  }

  /** What the server says to a token; it never says why. */
  async function refuse(site: Site, token: string) {
    const peer = await site.peer()
    const answer = await peer.auth(token)
    expect(answer).to.deep.equal({ rpc: 'auth', uuid: 'auth', error: 'Invalid token', code: 'invalid_token' })
    expect(await peer.closed).to.deep.equal({ code: 4004, reason: 'Invalid token' })
  }

  for (const [what, forge] of Object.entries(FORGERIES)) {
    it(`a token ${what} is refused, and why is never said`, async () => {
      const site = await start({ secret })
      await refuse(site, forge(await site.token()))
      await site.servesHonestClients()
    })
  }

  it('a forgery that changes nothing is let in: the others were refused for what they changed', async () => {
    const site = await start({ secret })
    const { header, claims } = readToken(await site.token())
    const peer = await site.peer()
    expect(await peer.auth(forgeToken(header, claims, secret))).to.include({ resp: 'success' })
  })

  for (const carrier of CARRIERS) {
    it(`a token of 1 MB closes a ${carrier} with 4501`, async () => {
      const site = await start({ limits: { message: 4 * 1024 * 1024 } })
      const peer = await site.peer(carrier)
      peer.send({ rpc: 'auth', token: 'x'.repeat(1024 * 1024), uuid: '1' })
      expect((await peer.closed).code).to.equal(4501)
      await site.servesHonestClients()
    })
  }

  it('a token that is too long for the wire, but not for the frame, closes with 4500', async () => {
    const site = await start()
    const peer = await site.peer()
    peer.send({ rpc: 'auth', token: 'x'.repeat(8000), uuid: '1' })
    expect((await peer.closed).code).to.equal(4500)
  })

  it('a second use is refused', async () => {
    const site = await start()
    const token = await site.token()
    const peer = await site.peer()
    expect(await peer.auth(token)).to.include({ resp: 'success' })
    await refuse(site, token)
    await site.servesHonestClients()
  })

  it('of two sockets that race with one token exactly one gets in, 50 times', async () => {
    const site = await start()
    for (let round = 0; round < 50; round += 1) {
      const token = await site.token()
      const peers = await Promise.all([site.peer(), site.peer('sockjs-websocket')])
      const answers = await Promise.all(peers.map((peer) => peer.auth(token)))
      const codes = answers.map(({ resp, code }) => resp ?? code)
      expect(codes).to.have.members(['success', 'invalid_token'])
    }
    expect(site.sockets.sockets()).to.have.length(50)
    await site.servesHonestClients()
  })

  it('a token holds nothing of the session', async () => {
    const site = await start({ authentication: () => ({ card: '4111' }) })
    expect(readToken(await site.token()).claims).to.have.all.keys('jti', 'iat', 'exp', 'aud')
  })

  it('an `authentication` that throws at once answers 500', async () => {
    const site = await start({
      authentication: (
        request: { query: { bad?: unknown } },
        callback: (error: null, auth: unknown) => void,
      ) => {
        if (request.query.bad) throw new Error('the password is 1234')
        callback(null, { name: 'ann' })
      },
    })
    const response = await site.askToken({}, '?bad=1')
    const answer = await response.text()
    expect([response.status, JSON.parse(answer).error]).to.deep.equal([500, 'Internal error'])
    expect(answer).to.not.contain('1234')
    await site.servesHonestClients()
  })

  it('an `authentication` that calls back twice answers once', async () => {
    const site = await start({
      authentication: (_request: unknown, callback: (error?: unknown, auth?: unknown) => void) => {
        callback(null, { name: 'ann' })
        callback(new Error('too late'))
      },
    })
    expect((await site.askToken()).status).to.equal(200)
    await site.servesHonestClients()
  })

  it('an `authentication` whose result JSON cannot carry answers 500', async () => {
    const site = await start({ authentication: () => ({ big: 1n }) })
    expect((await site.askToken()).status).to.equal(500)
  })

  it('a missing session middleware answers 500, and the log says what to do', async () => {
    const site = await start({ authentication: 'auth' })
    expect((await site.askToken()).status).to.equal(500)
    const line = site.log.find(({ level }) => level === 'error')
    expect(line?.message).to.match(/mount the session middleware before/)
    const error = await rejection(site.client({ reconnect: false }).ready())
    expect(error.code).to.equal('token_failed')
  })
})
