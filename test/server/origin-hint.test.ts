import { expect } from 'chai'
import { originHint, type RefusedRequest } from '#server/http/origin-hint.js'

/** Requests that are refused, by their cause, as their software sends them. */
const CASES: Readonly<Record<string, readonly (Partial<RefusedRequest> & { readonly says: RegExp })[]>> = {
  opaque: [{ origin: 'null', says: /no origin of its own .* 'null' to `origins`/ }],
  app: [
    { origin: 'capacitor://localhost', says: /'capacitor:\/\/localhost' to `origins`/ },
    { origin: 'chrome-extension://abc', says: /an extension's/ },
  ],
  scheme: [{ origin: 'http://app.example.com', secure: true, says: /came by http .* by https/ }],
  'trust proxy': [
    {
      host: '127.0.0.1:3000',
      headers: { 'x-forwarded-host': 'www.example.com', 'x-forwarded-server': 'www.example.com' },
      says: /'trust proxy'.*`ProxyPreserveHost On`/,
    },
    { host: 'backend', headers: { 'x-forwarded-host': 'www.example.com, inner' }, says: /'trust proxy'/ },
  ],
  port: [
    {
      origin: 'http://app.example.com:8080',
      says: /`proxy_set_header Host \$http_host;`, instead of `\$host`/,
    },
  ],
  'development proxy': [
    {
      origin: 'http://localhost:5173',
      host: 'localhost:3000',
      headers: { 'sec-fetch-site': 'same-origin' },
      says: /^a proxy changes `Host`\. Vite .*`changeOrigin: false`/,
    },
  ],
  'development server': [
    {
      origin: 'http://localhost:5173',
      host: '127.0.0.1:3000',
      says: /^if the page comes through a proxy: Vite .*'http:\/\/localhost:5173' to `origins`/,
    },
  ],
  proxy: [
    { host: 'backend', says: /\$http_host;.*ProxyPreserveHost On.*changeOrigin/ },
    { host: '127.0.0.1:3000', says: /\$http_host;/ },
    { host: '[::1]:3000', says: /\$http_host;/ },
    { host: '10.1.2.3', says: /\$http_host;/ },
    { host: '', says: /\$http_host;/ },
    { httpVersion: '1.0', says: /\$http_host;/ },
    { headers: { via: '1.1 proxy' }, says: /\$http_host;/ },
    { headers: { 'x-forwarded-for': '1.2.3.4' }, says: /\$http_host;/ },
    { headers: { 'sec-fetch-site': 'same-origin' }, says: /\$http_host;/ },
  ],
  foreign: [
    { says: /^if the page is yours, add 'https:\/\/www\.example\.com' to `origins`$/ },
    { origin: 'not a url', says: /to `origins`/ },
  ],
}

describe('origin hint', () => {
  describe('#originHint', () => {
    for (const [kind, requests] of Object.entries(CASES)) {
      for (const { says, ...request } of requests) {
        it(`finds the cause "${kind}" in ${JSON.stringify(request)}`, () => {
          const found = originHint({
            origin: 'https://www.example.com',
            host: 'app.example.com',
            secure: false,
            headers: {},
            httpVersion: '1.1',
            ...request,
          })
          expect(found.kind).to.equal(kind)
          expect(found.hint).to.match(says)
        })
      }
    }

    it('quotes a part of a long origin', () => {
      const origin = `https://${'a'.repeat(5000)}.example.com`
      const { hint } = originHint({
        origin,
        host: 'a.example',
        secure: false,
        headers: {},
        httpVersion: '1.1',
      })
      expect(hint).to.have.length.below(200)
    })
  })
})
