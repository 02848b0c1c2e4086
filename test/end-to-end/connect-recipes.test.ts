/** The recipes of docs/GRANTS.md for signing in without the token endpoint, as they are written. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import type { ConnectAuthentication } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import sinon from 'sinon'
import { rejection } from '../protocol/rejection.js'
import { useSites } from './fixture.js'

const root = new URL('../..', import.meta.url).pathname

/** What the recipes for a signed URL export. */
interface SignedUrls {
  signature(parts: Readonly<Record<string, unknown>>): string
  signUrl(url: string, how: Readonly<Record<string, unknown>>): string
  verifyUrl(
    request: Pick<IncomingMessage, 'url' | 'headers'>,
    how: Readonly<Record<string, unknown>>,
  ): false | { readonly uid: string }
}

/** What the recipe for a provider's tokens exports. */
interface ProviderTokens {
  tokenVerifier(options: {
    readonly issuer: string
    readonly audience: string
    load(): Promise<unknown>
  }): (token: string) => Promise<unknown>
}

// AWS's own example: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const EXAMPLE =
  'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256' +
  '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
  '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host'
const EXAMPLE_SIGNATURE = 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'

const NOW = new Date('2026-02-03T04:05:06Z')
const SIGNER = { id: 'KEY', secret: 'a secret', region: 'eu-central-1', service: 'execute-api', now: NOW }
const VERIFIER = {
  secretOf: (id: string) => (id === 'KEY' ? 'a secret' : undefined),
  region: 'eu-central-1',
  service: 'execute-api',
}

describe('docs/GRANTS.md, signing in without the token endpoint', () => {
  const start = useSites()
  let folder: string
  let urls: SignedUrls
  let tokens: ProviderTokens

  before(async () => {
    const document = await readFile(join(root, 'docs/GRANTS.md'), 'utf8')
    folder = await mkdtemp(join(root, 'node_modules/.recipes-'))
    for (const [, name = '', code = ''] of document.matchAll(/```js ([\w-]+\.mjs)\n([\s\S]*?)```/g))
      await writeFile(join(folder, name), code)
    const load = (name: string) => import(join(folder, name))
    urls = { ...(await load('sign-url.mjs')), ...(await load('verify-url.mjs')) }
    tokens = await load('verify-jwt.mjs')
  })

  after(() => rm(folder, { recursive: true, force: true }))

  describe('a signed URL', () => {
    /** Whom a URL lets in, some milliseconds after it was signed. */
    const verified = (url: string, later = 0, host = 'example.com') =>
      urls.verifyUrl(
        { url: url.replace(/^\w+:\/\/[^/]+/, ''), headers: { host } },
        { ...VERIFIER, now: NOW.getTime() + later },
      )
    const signed = (more: object = {}) =>
      urls.signUrl('wss://example.com/sockets/websocket', { ...SIGNER, ...more })

    it('has the signature that AWS publishes for its example', () => {
      const { host, pathname: path, searchParams: query } = new URL(EXAMPLE)
      const scope = '20130524/us-east-1/s3/aws4_request'
      const parts = { host, path, query, time: '20130524T000000Z', scope, secret: SECRET }
      expect(urls.signature({ ...parts, payload: 'UNSIGNED-PAYLOAD' })).to.equal(EXAMPLE_SIGNATURE)
    })

    it('lets its user in while it lasts', () => {
      expect(verified(signed())).to.deep.equal({ uid: 'KEY' })
      expect(verified(signed(), 60_000)).to.deep.equal({ uid: 'KEY' })
    })

    const wrong: Readonly<Record<string, () => unknown>> = {
      'a URL that has expired': () => verified(signed(), 61_000),
      'a URL from the future': () => verified(signed(), -301_000),
      'a URL that lasts too long': () => verified(signed({ expires: 301 })),
      'another secret': () => verified(signed({ secret: 'b' })),
      'an unknown key': () => verified(signed({ id: 'OTHER' })),
      'another region': () => verified(signed({ region: 'us-east-1' })),
      'another host': () => verified(signed(), 0, 'other.example.com'),
      'another path': () => verified(signed().replace('/websocket', '/other')),
      'a field more': () => verified(`${signed()}&admin=1`),
      'a longer time': () => verified(signed().replace('Expires=60', 'Expires=90')),
      'a changed signature': () => verified(signed().replace(/.$/, (last) => (last === '0' ? '1' : '0'))),
      'no signature': () => verified(signed().replace(/&X-Amz-Signature=.*/, '')),
      'a short signature': () => verified(signed().slice(0, -1)),
      'no query': () => verified('wss://example.com/sockets/websocket'),
    }
    for (const [title, run] of Object.entries(wrong))
      it(`lets no client in by ${title}`, () => expect(run()).to.equal(false))

    it('signs a client of this library in, by a real connection', async () => {
      const connectAuthentication: ConnectAuthentication = (request) => urls.verifyUrl(request, VERIFIER)
      const site = await start({ connectAuthentication, engine: undefined })
      const signer = { ...SIGNER, now: undefined }
      const client = await site.ready({
        transports: ['websocket'],
        url: ({ url }) => urls.signUrl(url, signer),
      })
      expect(client.uid).to.equal('KEY')
      const forger = site.client({
        transports: ['websocket'],
        url: ({ url }) => urls.signUrl(url, { ...signer, secret: 'guessed' }),
      })
      expect(await rejection(forger.ready())).to.have.property('code', 'forbidden')
    })
  })

  describe('a token of an identity provider', () => {
    const issuer = 'https://id.example.com/'
    const pair = (kid: string) => {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      return {
        kid,
        privateKey,
        jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' },
      }
    }
    const [own, other] = [pair('one'), pair('two')]
    const sign = ({ privateKey, kid }: ReturnType<typeof pair>, more: jwt.SignOptions = {}) =>
      jwt.sign({ name: 'Ann' }, privateKey, {
        algorithm: 'RS256',
        keyid: kid,
        subject: 'ann',
        audience: 'chat',
        issuer,
        expiresIn: 60,
        ...more,
      })
    let loads: number
    let list: object[]
    let verify: (token: string) => Promise<unknown>
    /** What takes the place of loading the document. */
    let failing: (() => Promise<never>) | undefined

    beforeEach(() => {
      loads = 0
      failing = undefined
      list = [own.jwk, { kty: 'EC', kid: 'three', use: 'sig' }]
      const load = async () => {
        loads += 1
        return { keys: list }
      }
      verify = tokens.tokenVerifier({ load: () => failing?.() ?? load(), issuer, audience: 'chat' })
    })

    it('lets its user in, and loads the document once', async () => {
      const all = await Promise.all([verify(sign(own)), verify(sign(own))])
      expect(all).to.deep.equal(Array(2).fill({ uid: 'ann', umd: { name: 'Ann' } }))
      expect(loads).to.equal(1)
    })

    const wrong: Readonly<Record<string, () => string>> = {
      'another audience': () => sign(own, { audience: 'mail' }),
      'another issuer': () => sign(own, { issuer: 'https://evil.example.com/' }),
      'a time that is over': () => sign(own, { expiresIn: -1 }),
      'a key that is not in the document': () => sign(other),
      "another key's signature": () => sign({ ...other, kid: own.kid }),
      'no key': () => jwt.sign({}, own.privateKey, { algorithm: 'RS256', audience: 'chat', issuer }),
      'the public key as a secret': () =>
        jwt.sign({ aud: 'chat', iss: issuer }, JSON.stringify(own.jwk), { algorithm: 'HS256', keyid: 'one' }),
      'no signature': () => jwt.sign({ aud: 'chat', iss: issuer }, '', { algorithm: 'none', keyid: 'one' }),
      'no user': () =>
        jwt.sign({}, own.privateKey, { algorithm: 'RS256', keyid: 'one', audience: 'chat', issuer }),
      'what is no token': () => 'a.b.c',
      nothing: () => '',
    }
    for (const [title, make] of Object.entries(wrong))
      it(`lets no client in by ${title}`, async () => expect(await verify(make())).to.equal(false))

    it('does not load the document again for each unknown key', async () => {
      await verify(sign(own))
      for (let count = 0; count < 20; count += 1) await verify(sign({ ...other, kid: `k${count}` }))
      expect(loads).to.equal(1)
    })

    describe('while the provider fails', () => {
      let clock: sinon.SinonFakeTimers
      let tries: number

      beforeEach(() => {
        clock = sinon.useFakeTimers({ toFake: ['Date'], now: Date.now() })
        tries = 0
        failing = async () => {
          tries += 1
          throw new Error('503')
        }
      })

      afterEach(() => clock.restore())

      const outcomes = (count: number) =>
        Promise.all(Array.from({ length: count }, () => verify(sign(own)).catch(({ message }) => message)))

      it('asks it once in five seconds, and fails meanwhile instead of refusing', async () => {
        expect(await outcomes(100)).to.deep.equal(Array(100).fill('503'))
        expect(await outcomes(100)).to.deep.equal(Array(100).fill('503'))
        expect(tries).to.equal(1)
        clock.tick(5000)
        await outcomes(100)
        expect(tries).to.equal(2)
        failing = undefined
        clock.tick(5000)
        expect(await outcomes(2)).to.deep.equal(Array(2).fill({ uid: 'ann', umd: { name: 'Ann' } }))
      })

      it('goes on with the keys that it has', async () => {
        const failed = failing
        failing = undefined
        await outcomes(1)
        failing = failed
        clock.tick(60_000)
        expect(await verify(sign(other)).catch(({ message }) => message)).to.equal('503')
        expect(await outcomes(1)).to.deep.equal([{ uid: 'ann', umd: { name: 'Ann' } }])
      })
    })

    it('signs a client of this library in, by its URL and by a header', async () => {
      const connectAuthentication: ConnectAuthentication = ({ url = '', headers }) => {
        const [, bearer] = (headers.authorization ?? '').split(' ')
        return verify(new URL(url, 'http://server.invalid').searchParams.get('access_token') ?? bearer ?? '')
      }
      const site = await start({ connectAuthentication, engine: undefined })
      const token = sign(own)
      const inUrl = await site.ready({
        transports: ['websocket'],
        url: ({ url }) => `${url}?access_token=${token}`,
      })
      const headers = { Authorization: `Bearer ${token}` }
      const inHeader = await site.ready({ transports: ['websocket'], url: ({ url }) => url, headers })
      expect([inUrl.uid, inHeader.umd]).to.deep.equal(['ann', { name: 'Ann' }])
    })
  })
})
