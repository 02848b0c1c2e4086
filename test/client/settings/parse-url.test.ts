/** URLs that the client reads by hand are read as a browser reads them. */
import { expect } from 'chai'
import { parseUrl } from '#client/settings/parse-url.js'
import { parseUrl as shortParseUrl } from '#client/settings/short-parse-url.js'

const parts = (url: ReturnType<typeof parseUrl>) => {
  if (!url) return url
  const { hash, host, href, origin, pathname, protocol } = url
  return { hash, host, href, origin, pathname, protocol }
}

/** Texts, with the option `port`, that have one reading in both forms. */
const ALIKE: readonly (readonly [text: unknown, port?: number])[] = [
  ['https://example.com'],
  ['http://example.com:8443/a/b?c=d/e#f'],
  ['HTTPS://Example.COM/Path'],
  ['https://x:443'],
  ['http://x:80/'],
  ['ws://x:443'],
  ['wss://x:443/sockets?token=a@b'],
  ['http://x:'],
  [' https://example.com\n'],
  ['wss://x/a?b '],
  ['http://x', 8000],
  ['http://x:1', 2],
  ['https://x:1', 443],
  ['https://x:443', 80],
  ['http://[::1]:8000/'],
  ['http://127.0.0.1:3000'],
  ['wss:\\\\evil.example\\a?b'],
  ['wss://x:8443\\@evil.example/'],
  [new URL('wss://example.com/a?b')],
  [''],
  ['/socket'],
  ['example.com'],
  ['http://'],
  ['http://a b/'],
  ['wss://exa mple.com/'],
  ['http://x:65536'],
  ['http://x:99999/'],
  ['http://x:1:2'],
  ['http://x:y'],
  ['http://[::1'],
  ['http://:80'],
  [5],
  [null],
  [undefined],
  [Symbol('a')],
  [Object.create(null)],
  [
    {
      toString() {
        throw new Error('no text')
      },
    },
  ],
]

describe('parseUrl', () => {
  for (const [text, port] of ALIKE) {
    const title =
      typeof text === 'object' && !(text instanceof URL) ? 'an object' : JSON.stringify(String(text))
    it(`reads ${title}${port ? ` with port ${port}` : ''} as URL does`, () => {
      expect(parts(parseUrl(text, port))).to.deep.equal(parts(shortParseUrl(text, port)))
    })
  }

  it('leaves out who the user is, in the origin, too', () => {
    expect(parseUrl('wss://ann:secret@x/a')?.href).to.equal('wss://x/a')
    expect(parseUrl('wss://example.com:8443@evil.example/')?.origin).to.equal('wss://evil.example')
  })

  for (const text of ['data:text/plain,x', 'app://bundle/index.html', 'file:///a', 'javascript:void 0']) {
    it(`knows the protocol of ${text} only`, () => {
      const url = parseUrl(text)
      expect([url?.protocol, url?.origin, url?.host]).to.deep.equal([new URL(text).protocol, 'null', ''])
    })
  }

  it('takes no name for the server’s that only looks like it', () => {
    for (const name of ['example。com', 'ex%61mple.com', 'exam\u00ADple.com', 'ｅxample.com'])
      expect(parseUrl(`wss://${name}/`)?.origin).to.not.equal('wss://example.com')
  })
})
