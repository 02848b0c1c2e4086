import type { IncomingMessage } from 'node:http'
import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { OriginRules, type OriginRulesOptions } from '#server/http/origins.js'
import { thrownBy } from '../../protocol/rejection.js'

type Headers = Record<string, string | undefined>

/** A request for app.example.com. @param isTls whether it came over TLS to this very server */
function request(headers: Headers, isTls = false): IncomingMessage {
  const socket = { remoteAddress: '10.0.0.1', ...(isTls && { encrypted: true }) }
  return { headers: { host: 'app.example.com', ...headers }, socket } as unknown as IncomingMessage
}

function rules(options: Partial<OriginRulesOptions> = {}): OriginRules {
  return new OriginRules({ origins: [], required: false, trusts: () => false, ...options })
}

/** Whether a request is allowed by the default rules, which is whether it is of the same origin. */
function isAllowed(headers: Headers, isTls = false): boolean {
  const { allowed, isForeign } = rules().judge(request(headers, isTls))
  expect(isForeign).to.equal(!allowed)
  return allowed
}

describe('OriginRules', () => {
  describe('constructor', () => {
    const bad = [
      'app.example.com',
      'app.example.com:443',
      'localhost:3000',
      'https://app.example.com/path',
      'https://app.example.com?query',
      'https://app.example.com#hash',
      'https://user@app.example.com',
      'https://*.example.com',
      'https://',
      'https:/app.example.com',
      ' https://app.example.com',
      '*',
      '',
      'file://',
      'data:text/html,x',
      'javascript:void 0',
      'about:blank',
    ]
    for (const entry of bad) {
      it(`refuses the entry ${JSON.stringify(entry)} as bad_option`, () => {
        const error = thrownBy(() => rules({ origins: ['https://good.example.com', entry] })) as RpcError
        expect(RpcError.is(error)).to.equal(true)
        expect(error.code).to.equal('bad_option')
        expect(error.data).to.deep.equal({ field: 'origins' })
      })
    }

    for (const entry of [null, 5, undefined, {}]) {
      it(`refuses an entry that is ${JSON.stringify(entry)} as bad_option`, () => {
        const error = thrownBy(() => rules({ origins: [entry] as unknown as string[] })) as RpcError
        expect(error.code).to.equal('bad_option')
      })
    }

    for (const origins of ['https://app.example.com', null, 5, {}]) {
      it(`refuses ${JSON.stringify(origins)} in place of a list as bad_option`, () => {
        const error = thrownBy(() => rules({ origins: origins as never })) as RpcError
        expect(error.code).to.equal('bad_option')
      })
    }
  })

  describe('#judge', () => {
    describe('allows the same origin', () => {
      const same: [host: string, origin: string][] = [
        ['app.example.com', 'http://app.example.com'],
        ['app.example.com:80', 'http://app.example.com'],
        ['app.example.com', 'http://app.example.com:80'],
        ['app.example.com:443', 'https://app.example.com'],
        ['app.example.com', 'https://app.example.com:443'],
        ['app.example.com:3000', 'http://app.example.com:3000'],
        ['APP.Example.COM', 'http://app.example.com'],
        ['app.example.com', 'HTTP://APP.Example.com'],
        ['localhost:3000', 'http://localhost:3000'],
        ['127.0.0.1:3000', 'http://127.0.0.1:3000'],
        ['[::1]:3000', 'http://[::1]:3000'],
        ['xn--bcher-kva.example', 'https://bücher.example'],
      ]
      for (const [host, origin] of same) {
        it(`${origin} at ${host}`, () => {
          expect(isAllowed({ host, origin })).to.equal(true)
        })
      }

      it('over TLS', () => {
        expect(isAllowed({ origin: 'https://app.example.com' }, true)).to.equal(true)
        expect(isAllowed({ host: 'app.example.com:443', origin: 'https://app.example.com' }, true)).to.equal(
          true,
        )
      })

      it('of an https page where TLS ends before us, unknown to us', () => {
        expect(isAllowed({ origin: 'https://app.example.com' })).to.equal(true)
      })
    })

    describe('refuses another origin', () => {
      const foreign: [host: string, origin: string][] = [
        ['app.example.com', 'http://evil.com'],
        ['app.example.com', 'http://example.com'],
        ['app.example.com', 'http://www.app.example.com'],
        ['app.example.com', 'http://app.example.com.evil.com'],
        ['app.example.com', 'http://app.example.com@evil.com'],
        ['app.example.com', 'http://evil.com/app.example.com'],
        ['app.example.com', 'http://evil.com#app.example.com'],
        ['app.example.com', 'http://evil.com\\@app.example.com'],
        ['app.example.com', 'http://app.example.com:8080'],
        ['app.example.com:8080', 'http://app.example.com'],
        ['app.example.com:443', 'http://app.example.com'],
        ['app.example.com:80', 'https://app.example.com'],
        ['app.example.com', 'app.example.com'],
        ['app.example.com', 'ftp://app.example.com'],
        ['app.example.com', 'chrome-extension://app.example.com'],
        ['app.example.com', 'null'],
        ['app.example.com', ''],
        ['app.example.com', 'http://'],
        ['null', 'null'],
        ['a b', 'http://a b'],
        ['', 'http://app.example.com'],
        ['evil.com/@app.example.com', 'http://app.example.com'],
      ]
      for (const [host, origin] of foreign) {
        it(`${JSON.stringify(origin)} at ${JSON.stringify(host)}`, () => {
          expect(isAllowed({ host, origin })).to.equal(false)
        })
      }

      it('an http page on a TLS server', () => {
        expect(isAllowed({ origin: 'http://app.example.com' }, true)).to.equal(false)
        expect(isAllowed({ host: 'app.example.com:80', origin: 'http://app.example.com' }, true)).to.equal(
          false,
        )
      })

      it('where the request names no host', () => {
        expect(isAllowed({ host: undefined, origin: 'http://app.example.com' })).to.equal(false)
      })
    })

    describe('behind a proxy', () => {
      const headers = {
        host: 'inner:8080',
        'x-forwarded-host': 'app.example.com',
        'x-forwarded-proto': 'https',
      }
      const judge = (trusted: boolean, more: Headers) =>
        rules({ trusts: () => trusted }).judge(request({ ...headers, ...more })).allowed

      it('compares with the host that a trusted one forwards', () => {
        expect(judge(true, { origin: 'https://app.example.com' })).to.equal(true)
        expect(judge(true, { origin: 'http://inner:8080' })).to.equal(false)
      })

      it('refuses an http page where a trusted one has TLS', () => {
        expect(judge(true, { origin: 'http://app.example.com' })).to.equal(false)
        expect(judge(true, { origin: 'http://app.example.com', 'x-forwarded-proto': 'http' })).to.equal(true)
      })

      it('does not believe one that is not trusted', () => {
        expect(judge(false, { origin: 'https://app.example.com' })).to.equal(false)
        expect(judge(false, { origin: 'http://inner:8080' })).to.equal(true)
      })

      it('refuses what a trusted one garbles', () => {
        const garbled = { origin: 'https://app.example.com', 'x-forwarded-host': 'a b' }
        expect(judge(true, garbled)).to.equal(false)
      })
    })

    describe('of a request without Origin', () => {
      const bare = (headers: Headers, options: Partial<OriginRulesOptions> = {}) =>
        rules(options).judge(request(headers))

      it('allows it: it is no browser’s', () => {
        expect(bare({})).to.deep.equal({ origin: undefined, allowed: true, isForeign: false })
      })

      it('refuses it with `required`', () => {
        expect(bare({}, { required: true }).allowed).to.equal(false)
        expect(bare({}, { required: true, origins: '*' }).allowed).to.equal(false)
      })

      it('allows a page’s own GET with `required`, which browsers send without Origin', () => {
        expect(bare({ 'sec-fetch-site': 'same-origin' }, { required: true }).allowed).to.equal(true)
        expect(bare({ 'sec-fetch-site': 'none' }, { required: true }).allowed).to.equal(false)
      })

      for (const site of ['cross-site', 'same-site']) {
        it(`refuses what a browser calls ${site}`, () => {
          const judged = bare({ 'sec-fetch-site': site })
          expect(judged).to.deep.equal({ origin: 'unknown', allowed: false, isForeign: true })
        })

        it(`judges what a browser calls ${site} by its Referer`, () => {
          const headers = { 'sec-fetch-site': site, referer: 'https://other.example.com/page?a=1' }
          expect(bare(headers).allowed).to.equal(false)
          const listed = bare(headers, { origins: ['https://other.example.com'] })
          expect(listed).to.deep.equal({
            origin: 'https://other.example.com',
            allowed: true,
            isForeign: true,
          })
        })
      }

      it('looks at Origin, not at Referer, where there is one', () => {
        const headers = {
          origin: 'http://evil.com',
          referer: 'http://app.example.com/',
          'sec-fetch-site': 'same-origin',
        }
        expect(bare(headers).allowed).to.equal(false)
      })
    })

    describe('with a list', () => {
      const list = ['https://a.example.com', 'http://localhost:3000/', 'capacitor://localhost']
      const judge = (origin: string, origins: readonly string[] = list) =>
        rules({ origins }).judge(request({ origin }))

      it('allows its origins, as foreign ones', () => {
        for (const origin of ['https://a.example.com', 'http://localhost:3000', 'capacitor://localhost']) {
          expect(judge(origin)).to.deep.equal({ origin, allowed: true, isForeign: true })
        }
      })

      it('allows its origins in other spellings', () => {
        expect(judge('HTTPS://A.Example.Com:443').allowed).to.equal(true)
      })

      it('allows the same origin too', () => {
        expect(judge('http://app.example.com')).to.deep.equal({
          origin: 'http://app.example.com',
          allowed: true,
          isForeign: false,
        })
      })

      for (const origin of [
        'http://a.example.com',
        'https://a.example.com:444',
        'https://b.a.example.com',
        'https://a.example.com.evil.com',
        'capacitor://evil',
        'ionic://localhost',
        'null',
        'garbage',
      ]) {
        it(`refuses ${origin}`, () => {
          expect(judge(origin).allowed).to.equal(false)
        })
      }

      it('allows `null` only where it is named', () => {
        expect(judge('null', ['null'])).to.deep.equal({ origin: 'null', allowed: true, isForeign: true })
      })

      it('refuses `null` beside schemes that have no origin of their own', () => {
        expect(judge('null', ['capacitor://localhost']).allowed).to.equal(false)
      })
    })

    describe('with `*`', () => {
      for (const origin of ['https://evil.com', 'null', 'garbage', 'chrome-extension://abc']) {
        it(`allows ${origin}`, () => {
          const judged = rules({ origins: '*' }).judge(request({ origin }))
          expect(judged).to.include({ allowed: true, isForeign: true })
        })
      }
    })

    describe('with a function', () => {
      it('asks it about foreign origins, in their one spelling', () => {
        const asked = sinon.spy((origin: string) => origin === 'https://a.example.com')
        const judge = (origin: string) => rules({ origins: asked }).judge(request({ origin })).allowed
        expect(judge('HTTPS://A.example.com:443')).to.equal(true)
        expect(judge('https://b.example.com')).to.equal(false)
        expect(judge('not an origin')).to.equal(false)
        expect(asked.args.map(([origin]) => origin)).to.deep.equal([
          'https://a.example.com',
          'https://b.example.com',
        ])
      })

      it('gives it the request', () => {
        const asked = sinon.spy(() => true)
        const foreign = request({ origin: 'https://a.example.com' })
        rules({ origins: asked }).judge(foreign)
        expect(asked.firstCall.args).to.deep.equal(['https://a.example.com', foreign])
      })

      it('does not ask it about the same origin, nor about requests without one', () => {
        const asked = sinon.spy(() => false)
        const judge = (headers: Headers) => rules({ origins: asked }).judge(request(headers)).allowed
        expect(judge({ origin: 'http://app.example.com' })).to.equal(true)
        expect(judge({})).to.equal(true)
        expect(asked.called).to.equal(false)
      })

      for (const answer of [Promise.resolve(true), Promise.resolve(false), 1, 'yes', {}, undefined]) {
        it(`refuses when it answers ${Object.prototype.toString.call(answer)}, which is not \`true\``, () => {
          const origins = (() => answer) as unknown as () => boolean
          const judged = rules({ origins }).judge(request({ origin: 'https://a.example.com' }))
          expect(judged.allowed).to.equal(false)
        })
      }

      it('refuses when it throws', () => {
        const origins = (origin: string) => new URL(origin).host === 'a.example.com'
        expect(rules({ origins }).judge(request({ origin: 'null' })).allowed).to.equal(false)
        expect(rules({ origins }).judgeScript(request({ origin: 'null' })).allowed).to.equal(false)
      })
    })
  })

  describe('takes what is not known to be `null` for `unknown`, which only `*` allows', () => {
    const everything = () => true
    const hidden: readonly (readonly [what: string, headers: Headers])[] = [
      ['no Referer of another site', { 'sec-fetch-site': 'cross-site' }],
      ['no Referer of another host of the site', { 'sec-fetch-site': 'same-site' }],
      ...['about:blank', 'garbage', '', 'file:///page.html', 'blob:https://a.example.com/1'].map(
        (referer) => [`the Referer "${referer}"`, { referer }] as const,
      ),
      ...[
        '',
        'garbage',
        'NULL',
        'null, null',
        'about:blank',
        'file:///page.html',
        'data:text/html,x',
        'blob:null/1',
        'blob:https://a.example.com/1',
        'filesystem:https://a.example.com/temporary',
        'https://a.example.com/',
        'https://a.example.com/..',
        'https://a.example.com?',
        'https://a.example.com#',
        'https://user@a.example.com',
        'https://a.example.com, https://a.example.com',
        'https://a.exa\tmple.com',
        ' https://a.example.com',
        'https:a.example.com',
        'https:/a.example.com',
        'https:\\\\a.example.com',
        'capacitor:localhost',
        'capacitor://localhost/',
        'capacitor://user@localhost',
        'blob:capacitor://localhost/1',
      ].map((origin) => [`the Origin ${JSON.stringify(origin)}`, { origin }] as const),
    ]
    for (const [what, headers] of hidden) {
      it(what, () => {
        const list = ['null', 'https://a.example.com', 'capacitor://localhost']
        for (const origins of [list, everything, '*'] as const) {
          const judged = rules({ origins }).judge(request(headers))
          expect(judged).to.deep.equal({ origin: 'unknown', allowed: origins === '*', isForeign: true })
          expect(rules({ origins }).judgeScript(request(headers)).allowed).to.equal(false)
        }
      })
    }

    it('and `null` for a page’s own where a redirect made it so, which brings cookies', () => {
      const redirected = request({ origin: 'null', 'sec-fetch-site': 'same-site' })
      for (const origins of [['null'], everything])
        expect(rules({ origins }).judge(redirected).allowed).to.equal(false)
      expect(rules({ origins: '*' }).judge(redirected).allowed).to.equal(true)
      const sandboxed = request({ origin: 'null', 'sec-fetch-site': 'cross-site' })
      expect(rules({ origins: ['null'] }).judge(sandboxed).allowed).to.equal(true)
    })

    it('and the log says why', () => {
      const lines: unknown[][] = []
      const log = { write: (kind: string, [, details]: readonly unknown[]) => lines.push([kind, details]) }
      const logged = rules({ origins: ['null'], log: log as never })
      logged.judge(request({ 'sec-fetch-site': 'cross-site' }))
      logged.judge(request({ origin: 'blob:https://a.example.com/1' }))
      logged.judge(request({ origin: 'null', 'sec-fetch-site': 'same-site' }))
      logged.judgeScript(request({ 'sec-fetch-site': 'cross-site' }))
      expect(lines.map(([kind]) => kind)).to.deep.equal([
        'origin origins hidden',
        'origin origins hidden',
        'origin origins redirected',
        'origin origins no referer',
      ])
      const details = lines.map((line) => line[1] as { readonly origin?: string; readonly hint: string })
      expect(details.map(({ origin }) => origin)).to.deep.equal([
        'unknown',
        'blob:https://a.example.com/1',
        'null',
        undefined,
      ])
      const named = details.map(({ hint }) => hint.includes('`Referrer-Policy`'))
      expect(named).to.deep.equal([true, true, false, true])
    })
  })

  describe('#judge, of a request without an Origin', () => {
    const judge = (headers: Headers, options: Partial<OriginRulesOptions> = {}) =>
      rules(options).judge(request(headers))

    for (const [what, headers, allowed] of [
      [
        'the Origin where there is one',
        { origin: 'http://evil.com', referer: 'http://app.example.com/' },
        false,
      ],
      ['the Referer where there is no Origin', { referer: 'http://evil.com/page' }, false],
      ['a Referer of its own pages', { referer: 'http://app.example.com/page?a=1' }, true],
      ['a Referer that is no URL', { referer: 'garbage' }, false],
      ['neither', {}, true],
      [
        'what the browser says of a page of its own',
        { 'sec-fetch-site': 'same-origin', referer: 'http://b/' },
        true,
      ],
      [
        'what the browser says of another site',
        { 'sec-fetch-site': 'cross-site', referer: 'http://b/' },
        false,
      ],
    ] as const) {
      it(`judges by ${what}`, () => expect(judge(headers).allowed).to.equal(allowed))
    }

    it('allows a listed Referer', () => {
      const origins = ['https://a.example.com']
      expect(judge({ referer: 'https://a.example.com/page' }, { origins }).allowed).to.equal(true)
      expect(judge({ referer: 'https://b.example.com/page' }, { origins }).allowed).to.equal(false)
    })
  })

  describe('#judgeScript', () => {
    const judge = (headers: Headers, options: Partial<OriginRulesOptions> = {}) =>
      rules(options).judgeScript(request(headers))

    it('refuses a request that names no page', () => {
      expect(judge({})).to.deep.equal({ origin: undefined, allowed: false, isForeign: true })
      expect(judge({}, { origins: '*' }).allowed).to.equal(false)
      expect(judge({ 'sec-fetch-site': 'same-origin' }).allowed).to.equal(false)
    })

    it('judges by the Referer', () => {
      expect(judge({ referer: 'http://app.example.com/page?a=1#b' })).to.deep.equal({
        origin: 'http://app.example.com',
        allowed: true,
        isForeign: false,
      })
      expect(judge({ referer: 'http://evil.com/http://app.example.com/' }).allowed).to.equal(false)
      expect(judge({ referer: 'garbage' }).allowed).to.equal(false)
    })

    it('judges by the Origin where there is one', () => {
      const headers = { origin: 'http://evil.com', referer: 'http://app.example.com/' }
      expect(judge(headers).allowed).to.equal(false)
    })

    it('refuses a page that hides its origin, and one that has none, whatever is allowed', () => {
      for (const origins of [[], ['null'], '*', () => true] as const) {
        for (const site of ['cross-site', 'same-site', undefined]) {
          expect(judge({ 'sec-fetch-site': site }, { origins }).allowed).to.equal(false)
          expect(judge({ 'sec-fetch-site': site, origin: 'null' }, { origins }).allowed).to.equal(false)
        }
      }
    })

    it('allows the origins of the list', () => {
      const origins = ['https://a.example.com']
      expect(judge({ referer: 'https://a.example.com/page' }, { origins }).allowed).to.equal(true)
      expect(judge({ referer: 'https://b.example.com/page' }, { origins }).allowed).to.equal(false)
    })
  })
})
