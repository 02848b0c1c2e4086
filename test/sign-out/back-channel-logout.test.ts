import { request as httpRequest } from 'node:http'
import { type BackChannelLogoutOptions, backChannelLogout } from '@token-socket/sign-out'
import { expect } from 'chai'
import express from 'express'
import { SignJWT, UnsecuredJWT } from 'jose'
import { EXPRESS, NotedOrders, useApps } from './orders.js'
import { newKey, type TokenChanges, useProvider } from './provider.js'

const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout'

const seconds = () => Math.floor(Date.now() / 1000)

describe('#backChannelLogout', () => {
  const startApp = useApps()
  const providerOf = useProvider()

  const start = async (options: Partial<BackChannelLogoutOptions> = {}, version = 'Express 5') => {
    const sockets = new NotedOrders()
    const failures: unknown[] = []
    const refusals: string[] = []
    const route = backChannelLogout(sockets, {
      ...providerOf().options,
      onerror: (cause) => failures.push(cause),
      onrefused: ({ message }) => refusals.push(message),
      ...options,
    })
    const app = EXPRESS[version]?.() ?? express()
    app.all('/logout', route)
    app.all('/parsed', express.urlencoded({ extended: false }), route)
    app.all('/json', express.json(), route)
    const one = await startApp(app)
    const post = async (body: BodyInit, path = '/logout', headers: Record<string, string> = {}) => {
      const response = await fetch(one.url + path, { method: 'POST', body, headers })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text && JSON.parse(text) }
    }
    const send = (token: string, path?: string) => post(new URLSearchParams({ logout_token: token }), path)
    return { sockets, failures, refusals, post, send, port: one.port }
  }

  for (const version of Object.keys(EXPRESS)) {
    for (const path of ['/logout', '/parsed', '/json']) {
      it(`closes the sockets of the user, on ${version} at ${path}`, async () => {
        const { sockets, send } = await start({}, version)
        const { status, headers, body } = await send(await providerOf().logoutToken(), path)
        expect([status, headers.get('cache-control'), body]).to.deep.equal([200, 'no-store', ''])
        expect(sockets.orders).to.deep.equal([['revoke', { uid: 'ann' }]])
      })
    }
  }

  const GOOD: Readonly<Record<string, TokenChanges>> = {
    'without a type': { header: { typ: undefined } },
    'of the type JWT, as older providers have it': { header: { typ: 'JWT' } },
    'of the whole media type': { header: { typ: 'application/logout+jwt' } },
    'for several audiences': { claims: { aud: ['another', 'the-application'] } },
    'with a session too': { claims: { sid: 'a session' } },
    'by a clock that is 20 s ahead': { claims: { iat: seconds() + 20 } },
  }
  for (const [name, changes] of Object.entries(GOOD)) {
    it(`lets in a token ${name}`, async () => {
      const { send } = await start()
      expect((await send(await providerOf().logoutToken(changes))).status).to.equal(200)
    })
  }

  const BAD: Readonly<Record<string, readonly [changes: TokenChanges, text: RegExp]>> = {
    'of another issuer': [{ claims: { iss: 'https://another.example' } }, /issuer/],
    'without an issuer': [{ claims: { iss: undefined } }, /iss is missing/],
    'for another audience': [{ claims: { aud: 'another' } }, /audience/],
    'without an audience': [{ claims: { aud: undefined } }, /aud is missing/],
    'that is over': [{ claims: { exp: seconds() - 60 } }, /over/],
    'without an end': [{ claims: { exp: undefined } }, /exp is missing/],
    'whose end is a text': [{ claims: { exp: 'tomorrow' } }, /exp/],
    'without the time of issue': [{ claims: { iat: undefined } }, /iat is missing/],
    'that is old': [{ claims: { iat: seconds() - 3600 } }, /too old/],
    'of the future': [{ claims: { iat: seconds() + 3600 } }, /future/],
    'that is not valid yet': [{ claims: { nbf: seconds() + 3600 } }, /nbf/],
    'without an id': [{ claims: { jti: undefined } }, /jti is missing/],
    'whose id is a number': [{ claims: { jti: 5 } }, /jti/],
    'without events': [{ claims: { events: undefined } }, /events is missing/],
    'whose events are a list': [{ claims: { events: [LOGOUT] } }, /events/],
    'whose event is a text': [{ claims: { events: { [LOGOUT]: 'yes' } } }, /events/],
    'of another event': [{ claims: { events: { 'https://a.example': {} } } }, /logout/],
    'with a nonce, as ID tokens have it': [{ claims: { nonce: 'n' } }, /nonce/],
    'without a user and a session': [{ claims: { sub: undefined } }, /sub or sid/],
    'whose user is a number': [{ claims: { sub: 5 } }, /sub has to be/],
    'whose session is an object': [{ claims: { sid: {} } }, /sid has to be/],
    'of the type of access tokens': [{ header: { typ: 'at+jwt' } }, /type/],
    'of a type that is no text': [{ header: { typ: 5 as never } }, /type/],
    'of the type of security events': [{ header: { typ: 'secevent+jwt' } }, /type/],
    'of an unknown key': [{ header: { kid: 'unknown' } }, /key/],
  }
  for (const [name, [changes, text]] of Object.entries(BAD)) {
    it(`refuses a token ${name}`, async () => {
      const { send, sockets, refusals, failures } = await start()
      const { status, headers, body } = await send(await providerOf().logoutToken(changes))
      expect([status, headers.get('cache-control')]).to.deep.equal([400, 'no-store'])
      expect(body.error).to.equal('invalid_request')
      expect(body.error_description).to.match(text)
      expect(refusals).to.deep.equal([body.error_description])
      expect([sockets.orders, failures]).to.deep.equal([[], []])
    })
  }

  const FORGED: Readonly<Record<string, () => Promise<string>>> = {
    'signed by another key of the same name': async () =>
      providerOf().logoutToken({ key: await newKey(providerOf().key.kid) }),
    'signed with another algorithm': async () =>
      providerOf().logoutToken({ key: await newKey(providerOf().key.kid, 'RS256') }),
    'signed with the public key as a secret': async () => {
      const secret = new TextEncoder().encode(JSON.stringify((await providerOf().keys()).keys[0]))
      const claims = { sub: 'ann', events: { [LOGOUT]: {} }, jti: 'forged' }
      return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: providerOf().key.kid }).sign(secret)
    },
    'that is not signed': async () => new UnsecuredJWT({ sub: 'ann', jti: 'none' }).encode(),
    'whose claims were changed': async () => {
      const [header, , signature] = (await providerOf().logoutToken()).split('.')
      const claims = Buffer.from(JSON.stringify({ sub: 'bob' })).toString('base64url')
      return [header, claims, signature].join('.')
    },
    'that is garbage': async () => 'garbage',
    'that is a million characters': async () => `a.${'b'.repeat(60_000)}.c`,
  }
  for (const [name, forge] of Object.entries(FORGED)) {
    it(`refuses a token ${name}`, async () => {
      const { send, sockets } = await start()
      const { status, body } = await send(await forge())
      expect([status, body.error]).to.deep.equal([400, 'invalid_request'])
      expect(sockets.orders).to.deep.equal([])
    })
  }

  it('refuses a token that was used, however often at once', async () => {
    const { send, sockets } = await start()
    const token = await providerOf().logoutToken()
    const answers = await Promise.all([1, 2, 3, 4].map(() => send(token)))
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 400, 400, 400])
    expect((await send(token)).body.error_description).to.match(/used before/)
    expect(sockets.orders).to.have.length(1)
  })

  it('lets a token in again whose logout failed, and answers 503 meanwhile', async () => {
    const { send, sockets, failures } = await start()
    const token = await providerOf().logoutToken()
    sockets.failure = new Error('the engine is away')
    const { status, headers, body } = await send(token)
    expect([status, headers.get('retry-after'), body.error]).to.deep.equal([
      503,
      '5',
      'temporarily_unavailable',
    ])
    expect(body.error_description).to.not.match(/engine/)
    expect(failures).to.deep.equal([sockets.failure])
    sockets.failure = undefined
    expect((await send(token)).status).to.equal(200)
    expect((await send(token)).status).to.equal(400)
  })

  it('answers 501 for a session where `select` is not given', async () => {
    const { send, failures } = await start()
    const { status, body } = await send(
      await providerOf().logoutToken({ claims: { sub: undefined, sid: 's' } }),
    )
    expect([status, body.error]).to.deep.equal([501, 'unsupported_logout'])
    expect(String(failures[0])).to.match(/select/)
  })

  describe('`select`', () => {
    const session = { claims: { sub: undefined, sid: 's', org: 'acme' } }

    it('gets the claims, and says whose sockets are closed', async () => {
      const { send, sockets } = await start({
        select: async ({ sid, org }) => [{ session: `${org}-${sid}` }, { uid: 'ann' }],
      })
      expect((await send(await providerOf().logoutToken(session))).status).to.equal(200)
      expect(sockets.orders.map(([, who]) => who)).to.deep.equal([{ session: 'acme-s' }, { uid: 'ann' }])
    })

    it('may find nothing: the user is logged out', async () => {
      const { send, sockets } = await start({ select: () => undefined })
      expect((await send(await providerOf().logoutToken(session))).status).to.equal(200)
      expect(sockets.orders).to.deep.equal([])
    })

    it('may fail, which the provider does not get to know', async () => {
      const { send, failures } = await start({
        select: () => {
          throw new Error('the password of the database is wrong')
        },
      })
      const { status, body } = await send(await providerOf().logoutToken(session))
      expect(status).to.equal(503)
      expect(JSON.stringify(body)).to.not.match(/password/)
      expect(failures).to.have.length(1)
    })

    it('may name 1,000 selectors at most', async () => {
      const many = Array.from({ length: 1001 }, (_, index) => ({ uid: String(index) }))
      const { send, sockets } = await start({ select: () => many })
      expect((await send(await providerOf().logoutToken(session))).status).to.equal(503)
      expect(sockets.orders).to.deep.equal([])
    })
  })

  describe('the request', () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }

    it('has to be a POST', async () => {
      const { port } = await start()
      const { status, headers } = await fetch(`http://127.0.0.1:${port}/logout`)
      expect([status, headers.get('allow')]).to.deep.equal([405, 'POST'])
    })

    const BODIES: Readonly<Record<string, readonly [body: string, headers: Record<string, string>]>> = {
      'another type': ['{"logout_token":"a.b.c"}', { 'content-type': 'application/json' }],
      'no token': ['a=b', form],
      'an empty token': ['logout_token=', form],
      'two tokens': ['logout_token=a.b.c&logout_token=d.e.f', form],
    }
    for (const [name, [body, headers]] of Object.entries(BODIES)) {
      for (const path of ['/logout', '/parsed', '/json']) {
        it(`is refused with ${name}, at ${path}`, async () => {
          const { post, sockets } = await start()
          const answer = await post(body, path, headers)
          expect([answer.status, answer.body.error]).to.deep.equal([400, 'invalid_request'])
          expect(sockets.orders).to.deep.equal([])
        })
      }
    }

    it('has 64 KiB at most', async () => {
      const { post, sockets } = await start()
      const token = await providerOf().logoutToken()
      const { status } = await post(`logout_token=${token}&rest=${'a'.repeat(64 * 1024)}`, '/logout', form)
      expect([status, sockets.orders]).to.deep.equal([413, []])
    })

    it('may break off', async () => {
      const { port, refusals, send } = await start()
      const request = httpRequest({
        port,
        path: '/logout',
        method: 'POST',
        headers: { ...form, 'content-length': 100 },
      })
      request.on('error', () => {})
      request.write('logout_token=a', () => request.destroy())
      while (refusals.length === 0) await new Promise((resolve) => setImmediate(resolve))
      expect(refusals).to.deep.equal(['the body is not complete'])
      expect((await send(await providerOf().logoutToken())).status).to.equal(200)
    })
  })

  describe('the options', () => {
    const WRONG: Readonly<Record<string, object>> = {
      issuer: { issuer: '' },
      audience: { audience: [] },
      jwks: { jwks: 'keys.json' },
      'jwks.keys': { jwks: { keys: 'none' } },
      algorithms: { algorithms: ['HS256'] },
      'algorithms none': { algorithms: ['none'] },
      jwksTimeout: { jwksTimeout: 0 },
      replayTtl: { replayTtl: 10 },
      select: { select: 'sub' },
    }
    for (const [name, options] of Object.entries(WRONG)) {
      it(`are checked: ${name}`, () => {
        const make = () =>
          backChannelLogout(new NotedOrders(), { ...providerOf().options, ...options } as never)
        expect(make).to.throw().with.property('code', 'bad_option')
      })
    }

    it('may name the algorithms', async () => {
      const { send } = await start({ algorithms: ['RS256'] })
      expect((await send(await providerOf().logoutToken())).body.error_description).to.match(/algorithm/)
    })

    it('may give the keys themselves', async () => {
      const { send } = await start({ jwks: await providerOf().keys() })
      const asked = providerOf().asked
      expect((await send(await providerOf().logoutToken())).status).to.equal(200)
      expect(providerOf().asked).to.equal(asked)
    })
  })
})
