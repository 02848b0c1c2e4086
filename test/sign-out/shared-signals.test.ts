import { type SharedSignalsOptions, sharedSignals } from '@token-socket/sign-out'
import { expect } from 'chai'
import express from 'express'
import { EXPRESS, NotedOrders, useApps } from './orders.js'
import { newKey, type TokenChanges, useProvider } from './provider.js'

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'
const REVOKED = `${CAEP}session-revoked`
const CHANGED = `${CAEP}token-claims-change`
const DISABLED = 'https://schemas.openid.net/secevent/risc/event-type/account-disabled'

const TYPE = { 'content-type': 'application/secevent+jwt' }

const seconds = () => Math.floor(Date.now() / 1000)

describe('#sharedSignals', () => {
  const startApp = useApps()
  const providerOf = useProvider()

  const start = async (options: Partial<SharedSignalsOptions> = {}, version = 'Express 5') => {
    const sockets = new NotedOrders()
    const failures: unknown[] = []
    const route = sharedSignals(sockets, {
      ...providerOf().options,
      onerror: (cause) => failures.push(cause),
      ...options,
    })
    const app = EXPRESS[version]?.() ?? express()
    app.all('/signals', route)
    app.all('/text', express.text({ type: 'application/secevent+jwt' }), route)
    app.all('/raw', express.raw({ type: 'application/secevent+jwt' }), route)
    const one = await startApp(app)
    const send = async (body: string, path = '/signals', headers: Record<string, string> = {}) => {
      const response = await fetch(one.url + path, { method: 'POST', body, headers: { ...TYPE, ...headers } })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text && JSON.parse(text) }
    }
    return { sockets, failures, send }
  }

  for (const version of Object.keys(EXPRESS)) {
    for (const path of ['/signals', '/text', '/raw']) {
      it(`closes sockets for session-revoked, on ${version} at ${path}`, async () => {
        const { sockets, send } = await start({}, version)
        const { status, headers, body } = await send(await providerOf().securityEvent(REVOKED), path)
        expect([status, headers.get('cache-control'), body]).to.deep.equal([202, 'no-store', ''])
        expect(sockets.orders).to.deep.equal([['revoke', { uid: 'ann' }]])
      })
    }
  }

  it('has clients refresh for token-claims-change', async () => {
    const { sockets, send } = await start()
    expect((await send(await providerOf().securityEvent(CHANGED))).status).to.equal(202)
    expect(sockets.orders).to.deep.equal([['refresh', { uid: 'ann' }]])
  })

  it('does nothing for other events, unless `events` says so', async () => {
    const { sockets, send } = await start()
    for (const type of [DISABLED, 'https://schemas.openid.net/secevent/ssf/event-type/verification'])
      expect((await send(await providerOf().securityEvent(type))).status).to.equal(202)
    expect(sockets.orders).to.deep.equal([])
    const other = await start({ events: { [DISABLED]: 'revoke' } })
    expect((await other.send(await providerOf().securityEvent(DISABLED))).status).to.equal(202)
    expect(other.sockets.orders).to.deep.equal([['revoke', { uid: 'ann' }]])
  })

  it('does it once for a token that comes again, which is no mistake', async () => {
    const { sockets, send } = await start()
    const token = await providerOf().securityEvent(REVOKED)
    for (const _ of [1, 2, 3]) expect((await send(token)).status).to.equal(202)
    expect(sockets.orders).to.have.length(1)
  })

  it('answers 503 when it failed, and lets the token in again', async () => {
    const { sockets, send, failures } = await start()
    const token = await providerOf().securityEvent(REVOKED)
    sockets.failure = new Error('the engine is away')
    expect((await send(token)).status).to.equal(503)
    expect(failures).to.deep.equal([sockets.failure])
    sockets.failure = undefined
    expect((await send(token)).status).to.equal(202)
    expect(sockets.orders).to.have.length(2)
  })

  describe('a subject', () => {
    const iss = () => providerOf().issuer
    const SUBJECTS: Readonly<Record<string, readonly [subject: () => object, uid: string | undefined]>> = {
      'of the same issuer': [() => ({ format: 'iss_sub', iss: iss(), sub: 'bob' }), 'bob'],
      'of another issuer': [() => ({ format: 'iss_sub', iss: 'https://b.example', sub: 'bob' }), undefined],
      'that is opaque': [() => ({ format: 'opaque', id: 'bob' }), 'bob'],
      'that is an address': [() => ({ format: 'email', email: 'bob@example.com' }), undefined],
      'of a user and a session': [
        () => ({
          format: 'complex',
          user: { format: 'opaque', id: 'bob' },
          session: { format: 'opaque', id: 's' },
        }),
        'bob',
      ],
      'of a session only': [() => ({ format: 'complex', session: { format: 'opaque', id: 's' } }), undefined],
      'of several names': [
        () => ({
          format: 'aliases',
          identifiers: [
            { format: 'email', email: 'b@c.example' },
            { format: 'opaque', id: 'bob' },
          ],
        }),
        'bob',
      ],
      'that contains itself': [
        () => ({ format: 'complex', user: { user: { user: { user: { format: 'opaque', id: 'bob' } } } } }),
        undefined,
      ],
      'whose id is a number': [() => ({ format: 'opaque', id: 5 }), undefined],
    }
    for (const [name, [subject, uid]] of Object.entries(SUBJECTS)) {
      it(`${name} names ${uid ?? 'no uid, which is reported'}`, async () => {
        const { sockets, send, failures } = await start()
        const token = await providerOf().securityEvent(REVOKED, { claims: { sub_id: subject() } })
        expect((await send(token)).status).to.equal(202)
        expect(sockets.orders).to.deep.equal(uid === undefined ? [] : [['revoke', { uid }]])
        expect(failures).to.have.length(uid === undefined ? 1 : 0)
      })
    }

    it('may be that of the event, as in older drafts', async () => {
      const { sockets, send } = await start()
      const event = { subject: { subject_type: 'iss-sub', iss: iss(), sub: 'bob', format: 'iss-sub' } }
      const claims = { sub_id: undefined, events: { [REVOKED]: event } }
      expect((await send(await providerOf().securityEvent(REVOKED, { claims }))).status).to.equal(202)
      expect(sockets.orders).to.deep.equal([['revoke', { uid: 'bob' }]])
    })

    it('is mapped by `select`', async () => {
      const { sockets, send } = await start({
        select: async (subject, { type, claims }) => [
          { session: `${subject.format} ${subject.email} ${type === REVOKED} ${claims.aud}` },
          { uid: 'ann' },
        ],
      })
      const sub_id = { format: 'email', email: 'a@b.example' }
      const token = await providerOf().securityEvent(REVOKED, { claims: { sub_id } })
      expect((await send(token)).status).to.equal(202)
      expect(sockets.orders.map(([, who]) => who)).to.deep.equal([
        { session: 'email a@b.example true the-application' },
        { uid: 'ann' },
      ])
    })
  })

  const BAD: Readonly<Record<string, readonly [changes: TokenChanges, err: string]>> = {
    'of another issuer': [{ claims: { iss: 'https://another.example' } }, 'invalid_issuer'],
    'for another audience': [{ claims: { aud: 'another' } }, 'invalid_audience'],
    'of an unknown key': [{ header: { kid: 'unknown' } }, 'invalid_key'],
    'without a type': [{ header: { typ: undefined } }, 'invalid_request'],
    'of the type of logout tokens': [{ header: { typ: 'logout+jwt' } }, 'invalid_request'],
    'without events': [{ claims: { events: undefined } }, 'invalid_request'],
    'whose event is a text': [{ claims: { events: { [REVOKED]: 'yes' } } }, 'invalid_request'],
    'without a subject': [{ claims: { sub_id: undefined } }, 'invalid_request'],
    'whose subject is a text': [{ claims: { sub_id: 'ann' } }, 'invalid_request'],
    'without an id': [{ claims: { jti: undefined } }, 'invalid_request'],
    'that is two days old': [{ claims: { iat: seconds() - 2 * 86_400 } }, 'invalid_request'],
  }
  for (const [name, [changes, err]] of Object.entries(BAD)) {
    it(`refuses a token ${name}: ${err}`, async () => {
      const { sockets, send, failures } = await start()
      const { status, body } = await send(await providerOf().securityEvent(REVOKED, changes))
      expect([status, body.err]).to.deep.equal([400, err])
      expect(body.description).to.be.a('string')
      expect([sockets.orders, failures]).to.deep.equal([[], []])
    })
  }

  it('refuses forged and unreadable tokens', async () => {
    const { sockets, send } = await start()
    const forged = await providerOf().securityEvent(REVOKED, { key: await newKey(providerOf().key.kid) })
    expect((await send(forged)).body.err).to.equal('invalid_key')
    for (const body of ['garbage', 'a.b.c', ''])
      expect((await send(body)).body.err).to.equal('invalid_request')
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await send('logout_token=a.b.c', '/signals', form)).status).to.equal(400)
    expect(sockets.orders).to.deep.equal([])
  })

  it('`authorization` is what the transmitter has to send', async () => {
    const { sockets, send } = await start({ authorization: 'Bearer of the stream' })
    const token = await providerOf().securityEvent(REVOKED)
    for (const headers of [{}, { authorization: 'Bearer of another' }]) {
      const { status, body } = await send(token, '/signals', headers)
      expect([status, body.err]).to.deep.equal([400, 'authentication_failed'])
    }
    expect(sockets.orders).to.deep.equal([])
    expect((await send(token, '/signals', { authorization: 'Bearer of the stream' })).status).to.equal(202)
  })

  for (const options of [{ events: { [DISABLED]: 'close' } }, { select: 5 }, { replayTtl: 0 }]) {
    it(`checks its options: ${Object.keys(options)}`, () => {
      const make = () => sharedSignals(new NotedOrders(), { ...providerOf().options, ...options } as never)
      expect(make).to.throw().with.property('code', 'bad_option')
    })
  }
})
