import { createHmac, generateKeyPairSync } from 'node:crypto'
import { ALGORITHMS, RpcError, type TokenKey } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import sinon from 'sinon'
import { secretKey, Tokens, type TokensOptions } from '#server/authentication/tokens.js'
import { thrownBy } from '../../protocol/rejection.js'

const rsa = keyPair('rsa')
const curves = { ES256: keyPair('P-256'), ES384: keyPair('P-384'), ES512: keyPair('P-521') }

describe('Tokens', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: 1_700_000_000_000, toFake: ['Date'] })
  })

  afterEach(() => sinon.restore())

  describe('#secrets', () => {
    const make = (keys: Readonly<Record<string, TokenKey>>) =>
      new Tokens({ keys: new Map(Object.entries(keys)), audience: 'a', ttl: 1000 })
    const hs = { algorithm: 'HS256', key: 'secret' } as const
    const es = { algorithm: 'ES256', ...curves.ES256 } as const
    const { privateKey: _, ...verifying } = es

    it('gives one for each key that can sign, that of the one that signs first', () => {
      const all = make({ v: verifying, es, hs }).secrets('p')
      expect(all).to.deep.equal([...make({ es }).secrets('p'), ...make({ hs }).secrets('p')])
      expect(make({ hs, es }).secrets('p')).to.deep.equal(all.toReversed())
    })

    it('gives others for other purposes and keys', () => {
      const some = [make({ hs }).secrets('p'), make({ hs }).secrets('q'), make({ es }).secrets('p')].flat()
      expect(new Set(some.map((secret) => secret.toString('hex'))).size).to.equal(3)
    })
  })

  describe('constructor', () => {
    const bad: Record<string, Record<string, unknown>> = {
      'no key at all': {},
      'only keys that verify': { a: { algorithm: 'RS256', key: rsa.key } },
      'a secret as an RS256 key': { a: { algorithm: 'RS256', key: 'secret', privateKey: 'secret' } },
      'a public key of another pair': { a: { algorithm: 'RS256', ...rsa, key: keyPair('rsa').key } },
      'a curve that is not the algorithm’s': { a: { algorithm: 'ES256', ...curves.ES384 } },
      'an empty secret': { a: { algorithm: 'HS256', key: '' } },
      'a public key as a secret': { a: { algorithm: 'HS256', key: rsa.key } },
      'the algorithm `none`': { a: { algorithm: 'none', key: 'x', privateKey: 'x' } },
      'the algorithm `none` on a key that verifies': {
        a: { algorithm: 'HS256', key: 'secret' },
        b: { algorithm: 'none', key: '' },
      },
      'an algorithm that there is not': {
        a: { algorithm: 'HS256', key: 'secret' },
        b: { algorithm: 'HS1', key: 'x' },
      },
      'a key without an algorithm': { a: { key: 'secret' } },
    }
    for (const [what, keys] of Object.entries(bad)) {
      it(`refuses ${what} as bad_option`, () => {
        const error = thrownBy(() => make(keys as Record<string, TokenKey>)) as RpcError
        expect(RpcError.is(error)).to.equal(true)
        expect(error.code).to.equal('bad_option')
        expect(error.data).to.deep.equal({ field: 'keys' })
      })
    }
  })

  describe('#issue', () => {
    it('says nothing of the session: kid, jti, iat, exp and aud only', () => {
      const { token, id } = make({ k1: hs('one') }).issue()
      const { header, payload } = jwt.decode(token, { complete: true }) as jwt.Jwt
      expect(header).to.deep.equal({ alg: 'HS256', typ: 'JWT', kid: 'k1' })
      expect(payload).to.deep.equal({
        jti: id,
        iat: 1_700_000_000,
        exp: 1_700_000_030,
        aud: 'token-socket',
      })
    })

    it('gives each token an id of its own', () => {
      const tokens = make({ k1: hs('one') })
      const ids = Array.from({ length: 100 }, () => tokens.issue().id)
      expect(new Set(ids).size).to.equal(100)
    })

    it('rounds the time that a token lives up to whole seconds', () => {
      const { token } = make({ k1: hs('one') }, { ttl: 1001 }).issue()
      expect((jwt.decode(token) as jwt.JwtPayload).exp).to.equal(1_700_000_002)
    })

    it('signs with the first key that can', () => {
      const { token } = make({ old: { algorithm: 'RS256', key: rsa.key }, now: hs('one') }).issue()
      expect(jwt.decode(token, { complete: true })?.header.kid).to.equal('now')
    })

    it('is shorter than 300 characters with a secret', () => {
      expect(new Tokens(options(secretKey('secret'))).issue().token.length).to.be.below(300)
    })
  })

  describe('#verify', () => {
    for (const algorithm of ALGORITHMS) {
      it(`gives the id of a token that ${algorithm} has signed`, () => {
        const tokens = make({ k1: { algorithm, ...keyOf(algorithm) } })
        const { token, id } = tokens.issue()
        expect(jwt.decode(token, { complete: true })?.header.alg).to.equal(algorithm)
        expect(tokens.verify(token).ticket).to.equal(id)
      })
    }

    it('gives the id of a token of another node with the same secret', () => {
      const [one, two] = [0, 1].map(() => new Tokens(options(secretKey('secret')))) as [Tokens, Tokens]
      const { token, id } = one.issue()
      expect(two.verify(token).ticket).to.equal(id)
    })

    it('goes on verifying with a key that signs no more', () => {
      const { token, id } = make({ k1: hs('one') }).issue()
      expect(make({ k2: hs('two'), k1: hs('one') }).verify(token).ticket).to.equal(id)
      expect(thrownBy(() => make({ k2: hs('two') }).verify(token))).to.be.an('error')
    })

    it('verifies with a key that has no private part here', () => {
      const { token, id } = make({ k1: { algorithm: 'RS256', ...rsa } }).issue()
      expect(make({ k2: hs('two'), k1: { algorithm: 'RS256', key: rsa.key } }).verify(token).ticket).to.equal(
        id,
      )
    })

    describe('refuses', () => {
      const good = { jti: 'ticket', aud: 'token-socket', exp: 1_700_000_030 }
      const table = { hs: hs('secret'), rs: { algorithm: 'RS256' as const, ...rsa } }

      function refuses(what: string, token: () => string, why: RegExp): void {
        it(what, () => {
          expect(() => make(table).verify(token())).to.throw(why)
        })
      }

      it('nothing that is as it should be', () => {
        expect(make(table).verify(sign(good)).ticket).to.equal('ticket')
      })

      refuses(
        'the algorithm `none`',
        () => unsigned({ alg: 'none', kid: 'hs' }, good),
        /signature is required/,
      )
      refuses('`none` under other spellings', () => unsigned({ alg: 'NoNe', kid: 'hs' }, good), /signature/)
      refuses(
        '`none` with a signature',
        () => `${unsigned({ alg: 'none', kid: 'hs' }, good)}${sign(good).split('.')[2]}`,
        /invalid algorithm/,
      )
      refuses(
        'another algorithm with the same key',
        () => sign(good, { algorithm: 'HS512' }),
        /invalid algorithm/,
      )
      refuses('a foreign key under our kid', () => sign(good, {}, 'foreign'), /invalid signature/)
      refuses(
        'a foreign RSA key under our kid',
        () => sign(good, { algorithm: 'RS256', keyid: 'rs' }, keyPair('rsa').privateKey),
        /invalid signature/,
      )
      refuses('one key’s token under the other’s kid', () => sign(good, { keyid: 'rs' }), /invalid algorithm/)
      refuses(
        'our public key used as a secret',
        () => withSignature(`${base64({ alg: 'HS256', typ: 'JWT', kid: 'rs' })}.${base64(good)}`, rsa.key),
        /invalid algorithm/,
      )
      refuses('an unknown kid', () => sign(good, { keyid: 'other' }), /names no key/)
      refuses('no kid', () => sign(good, { keyid: undefined }), /names no key/)
      for (const name of ['__proto__', 'constructor', 'toString', '']) {
        refuses(`the kid ${JSON.stringify(name)}`, () => sign(good, { keyid: name }), /names no key/)
      }
      for (const kid of [1, null, ['hs'], { hs: 1 }]) {
        refuses(
          `a kid that is ${JSON.stringify(kid)}`,
          () => unsigned({ alg: 'HS256', kid }, good),
          /names no key/,
        )
      }
      refuses('another audience', () => sign({ ...good, aud: 'other' }), /audience invalid/)
      refuses('no audience', () => sign({ jti: 'ticket', exp: good.exp }), /audience invalid/)
      refuses('no exp', () => sign({ jti: 'ticket', aud: good.aud }), /lacks exp/)
      refuses('no jti', () => sign({ aud: good.aud, exp: good.exp }), /lacks jti/)
      refuses('an empty jti', () => sign({ ...good, jti: '' }), /lacks jti/)
      refuses('a token that is not valid yet', () => sign({ ...good, nbf: 1_700_000_006 }), /not active/)
      refuses('a payload that is no object', () => sign('text'), /./)
      refuses('a signature that was cut short', () => sign(good).slice(0, -2), /invalid signature/)
      refuses('a token without its signature', () => `${sign(good).split('.', 2).join('.')}.`, /signature/)
      refuses('two thirds of a token', () => sign(good).split('.', 2).join('.'), /./)
      refuses('an empty text', () => '', /names no key/)
      refuses('a text that is no token', () => 'a.b.c', /./)
      refuses('dots', () => '.'.repeat(4000), /./)
    })

    it('refuses a token of a megabyte without looking into it', () => {
      const tokens = make({ hs: hs('secret') })
      const decode = sinon.spy(jwt, 'decode')
      try {
        expect(() => tokens.verify(`a.${'b'.repeat(1024 * 1024)}.c`)).to.throw(/too long/)
        expect(decode.called).to.equal(false)
      } finally {
        decode.restore()
      }
    })

    it('allows for clocks that differ by 5 s', () => {
      const tokens = make({ k1: hs('one') }, { ttl: 30_000 })
      const { token, id } = tokens.issue()
      clock.tick(34_999)
      expect(tokens.verify(token).ticket).to.equal(id)
      clock.tick(1)
      expect(() => tokens.verify(token)).to.throw(/jwt expired/)
    })
  })

  describe('#verify of claims that the application signed', () => {
    const good = { scope: 'connect', exp: 1_700_000_030, uid: 'jim' }
    const table = { hs: hs('secret') }

    for (const algorithm of ALGORITHMS) {
      it(`gives those that ${algorithm} has signed`, () => {
        const { key, privateKey = key } = keyOf(algorithm)
        const token = jwt.sign(good, privateKey, { algorithm, keyid: 'app', noTimestamp: true })
        const keys = { ours: hs('ours'), app: { algorithm, key } }
        expect(make(keys).verify(token)).to.deep.equal({ claims: good })
      })
    }

    it('needs no kid where there is one key', () => {
      expect(make(table).verify(sign(good, { keyid: undefined })).claims).to.include(good)
      const two = make({ ...table, other: hs('secret') })
      expect(() => two.verify(sign(good, { keyid: undefined }))).to.throw(/names no key/)
    })

    it('needs no audience, but is for no other', () => {
      for (const aud of ['token-socket', ['other', 'token-socket']]) {
        expect(make(table).verify(sign({ ...good, aud })).claims).to.include(good)
      }
      for (const aud of ['other', [], ['other']]) {
        expect(() => make(table).verify(sign({ ...good, aud })), String(aud)).to.throw(/audience/)
      }
    })

    it('looks at `iss` if told to', () => {
      const tokens = make(table, { issuer: 'app' })
      expect(tokens.verify(sign({ ...good, iss: 'app' })).claims).to.include(good)
      for (const claims of [good, { ...good, iss: 'other' }]) {
        expect(() => tokens.verify(sign(claims))).to.throw(/issuer/)
      }
      expect(make(table).verify(sign({ ...good, iss: 'any' })).claims).to.include(good)
    })

    for (const [what, claims, why] of [
      ['without exp', { scope: 'connect' }, /lacks exp/],
      ['that are over', { ...good, exp: 1_699_999_990 }, /expired/],
      ['that are not valid yet', { ...good, nbf: 1_700_000_006 }, /not active/],
      ['of another scope', { ...good, scope: 'admin' }, /scope/],
      ['whose scope is no text', { ...good, scope: ['connect'] }, /scope/],
      ['whose scope is null', { ...good, scope: null }, /scope/],
      ['whose jti is empty', { ...good, jti: '' }, /jti/],
    ] as const) {
      it(`refuses those ${what}`, () => {
        expect(() => make(table).verify(sign(claims))).to.throw(why)
      })
    }

    for (const [what, text, header, why] of [
      ['that are never over', '{"scope":"connect","exp":1e999}', {}, /lacks exp/],
      ['of the future', '{"scope":"connect","exp":1700000030,"iat":1700000006}', {}, /future/],
      ['whose exp is a text', '{"scope":"connect","exp":"1700000030"}', {}, /exp/],
      ['whose nbf is a text', '{"scope":"connect","exp":1700000030,"nbf":"1"}', {}, /nbf/],
      ['whose audience is null', '{"scope":"connect","exp":1700000030,"aud":null}', {}, /audience/],
      ['that are a list', '[1]', {}, /malformed/],
      ['that are null', 'null', {}, /./],
      ['with an extension', '{"scope":"connect","exp":1700000030}', { crit: ['b64'] }, /extensions/],
      ['with a kid that is null', '{"scope":"connect","exp":1700000030}', { kid: null }, /names no key/],
    ] as const) {
      it(`refuses those ${what}`, () => {
        const head = base64({ alg: 'HS256', typ: 'JWT', kid: 'hs', ...header })
        const token = withSignature(`${head}.${Buffer.from(text).toString('base64url')}`, 'secret')
        expect(() => make(table).verify(token)).to.throw(why)
      })
    }

    it('refuses those that a public key was taken to sign as a secret', () => {
      const head = base64({ alg: 'HS256', typ: 'JWT', kid: 'rs' })
      const tokens = make({ ...table, rs: { algorithm: 'RS256', key: rsa.key } })
      const token = withSignature(`${head}.${base64(good)}`, rsa.key)
      expect(() => tokens.verify(token)).to.throw(/invalid algorithm/)
    })

    it('gives nothing that is inherited', () => {
      const text = '{"scope":"connect","exp":1700000030,"__proto__":{"uid":"eve"}}'
      const head = base64({ alg: 'HS256', typ: 'JWT', kid: 'hs' })
      const token = withSignature(`${head}.${Buffer.from(text).toString('base64url')}`, 'secret')
      const { claims } = make(table).verify(token)
      expect(JSON.stringify(claims)).to.equal(text)
      expect(claims?.uid).to.equal(undefined)
    })

    it('refuses those of another key, or of none', () => {
      expect(() => make(table).verify(sign(good, {}, 'foreign'))).to.throw(/invalid signature/)
      expect(() => make(table).verify(unsigned({ alg: 'none', kid: 'hs' }, good))).to.throw(/signature/)
      expect(() => make(table).verify(unsigned({ alg: 'none' }, good))).to.throw(/signature/)
    })
  })
})

describe('secretKey', () => {
  const table = (secret: string | Buffer) => [...secretKey(secret)]

  it('is one HS256 key', () => {
    expect(table('secret')).to.have.length(1)
    expect(table('secret')[0]?.[1]).to.deep.equal({ algorithm: 'HS256', key: 'secret' })
  })

  it('gives the same secret the same kid, text or bytes, and another secret another', () => {
    const kid = table('secret')[0]?.[0]
    expect(table('secret')[0]?.[0]).to.equal(kid)
    expect(table(Buffer.from('secret'))[0]?.[0]).to.equal(kid)
    expect(table('secret2')[0]?.[0]).to.not.equal(kid)
  })
})

function options(keys: ReadonlyMap<string, TokenKey>): TokensOptions {
  return { keys, audience: 'token-socket', ttl: 30_000 }
}

function make(keys: Record<string, TokenKey>, changes: Partial<TokensOptions> = {}): Tokens {
  return new Tokens({ ...options(new Map(Object.entries(keys))), ...changes })
}

function hs(key: string): TokenKey {
  return { algorithm: 'HS256', key }
}

/** A signed token, of the secret of this file's table if not told otherwise. */
function sign(
  claims: object | string,
  changes: { algorithm?: jwt.Algorithm; keyid?: string | undefined } = {},
  key: string = 'secret',
): string {
  const { keyid } = 'keyid' in changes ? changes : { keyid: 'hs' }
  const settings = { algorithm: changes.algorithm ?? 'HS256', ...(keyid !== undefined && { keyid }) }
  return jwt.sign(claims, key, typeof claims === 'object' ? { ...settings, noTimestamp: true } : settings)
}

function withSignature(text: string, secret: string): string {
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

/** A token with an empty signature. */
function unsigned(header: object, claims: object): string {
  return `${base64({ typ: 'JWT', ...header })}.${base64(claims)}.`
}

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function keyOf(algorithm: TokenKey['algorithm']): Pick<TokenKey, 'key' | 'privateKey'> {
  if (algorithm.startsWith('HS')) return { key: 'secret' }
  return algorithm.startsWith('ES') ? curves[algorithm as keyof typeof curves] : rsa
}

/** A pair of keys as PEM. @param kind `rsa`, or the name of a curve */
function keyPair(kind: string): { readonly key: string; readonly privateKey: string } {
  const encoding = {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  } as const
  const { publicKey: key, privateKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048, ...encoding })
      : generateKeyPairSync('ec', { namedCurve: kind, ...encoding })
  return { key: String(key), privateKey: String(privateKey) }
}
