import { expect } from 'chai'
import { readAddress } from '#client/settings/address.js'
import { readOptions } from '#client/settings/options.js'
import { pageLocation } from '#client/settings/page-location.js'
import { pageLocation as shortPageLocation } from '#client/settings/short-page-location.js'
import { thrownBy } from '../../protocol/rejection.js'
import { restoreGlobals, setGlobal } from '../globals.js'

describe('readAddress', () => {
  afterEach(restoreGlobals)

  const examples: readonly (readonly [
    host: string,
    port: number | undefined,
    http: string,
    websocket: string,
  ])[] = [
    ['https://x:8443', undefined, 'https://x:8443', 'wss://x:8443'],
    ['x:8000', undefined, 'http://x:8000', 'ws://x:8000'],
    ['x', undefined, 'http://x', 'ws://x'],
    ['x', 8000, 'http://x:8000', 'ws://x:8000'],
    ['x:1', 2, 'http://x:2', 'ws://x:2'],
    ['https://x', 443, 'https://x', 'wss://x'],
    ['wss://x', undefined, 'https://x', 'wss://x'],
    ['httpbin.org', undefined, 'http://httpbin.org', 'ws://httpbin.org'],
    ['http://x/app/', undefined, 'http://x/app', 'ws://x/app'],
    ['[::1]:8000', undefined, 'http://[::1]:8000', 'ws://[::1]:8000'],
  ]
  for (const [host, port, http, websocket] of examples) {
    it(`reads ${host}${port ? ` with port ${port}` : ''}`, () => {
      expect(readAddress(host, port)).to.deep.equal({ http, websocket })
    })
  }

  it('takes the page’s host and protocol in a browser', () => {
    setGlobal('location', { host: 'page:8443', protocol: 'https:' })
    expect(readAddress(undefined, undefined).http).to.equal('https://page:8443')
    expect(readAddress('other', undefined).http).to.equal('https://other')
    expect(readAddress('http://other', undefined).http).to.equal('http://other')
  })

  for (const href of [
    'file:///index.html',
    'app://bundle/index.html',
    'capacitor://localhost/',
    'ionic://localhost/',
    'tauri://localhost/',
    'content://com.example/1',
    'data:text/html,x',
    'chrome-extension://abcdef/background.html',
    'moz-extension://abcdef/background.html',
    'about:blank',
    'blob:https://example.com/1',
  ]) {
    it(`takes no guess for the host of ${href}, and http for a host without a protocol`, () => {
      const { host, protocol } = new URL(href)
      setGlobal('location', { host, protocol })
      expect(() => readAddress(undefined, undefined))
        .to.throw('host has to be given')
        .with.property('code', 'bad_option')
      expect(readAddress('x', undefined).http).to.equal('http://x')
      expect(readAddress('https://x', undefined).http).to.equal('https://x')
    })
  }

  for (const host of [
    'https://ann:S3CR3T@x',
    'https://ann@x:8443/app',
    'wss://:S3CR3T@x',
    'ann:S3CR3T@x',
    'ann@x:80/a?b#c',
    'https://@x',
    'https:\\\\ann:S3CR3T@x',
  ]) {
    it(`refuses the credentials of ${host}, and does not repeat them`, () => {
      const error = thrownBy(() => readAddress(host, undefined)) as Error
      expect(error).to.include({ code: 'bad_option' })
      expect(error.message).to.include('without credentials').and.not.include('S3CR3T')
    })
  }

  it('takes an @ for a part of the path, the query or the fragment', () => {
    for (const rest of ['/@scope', '/a@b', '?c=d@e', '#@'])
      for (const host of ['https://x:8443', 'x:8443'])
        expect(readAddress(host + rest, undefined).websocket).to.match(/^wss?:\/\/x:8443(\/|$)/)
  })

  for (const host of ['', 'a b', 'ftp://x', 'http://']) {
    it(`refuses "${host}"`, () => {
      expect(() => readAddress(host, undefined))
        .to.throw('host')
        .with.property('code', 'bad_option')
    })
  }
})

describe('pageLocation', () => {
  const location = { host: 'localhost:8081', protocol: 'http:' }

  afterEach(restoreGlobals)

  for (const { pageLocation: find } of [{ pageLocation }, { pageLocation: shortPageLocation }])
    it(`is the page’s in a browser (${find === pageLocation ? 'full' : 'short'})`, () => {
      setGlobal('location', location)
      expect(find()).to.equal(location)
    })

  it('is none in React Native, also where Expo has one', () => {
    setGlobal('navigator', { product: 'ReactNative' })
    setGlobal('location', location)
    expect(pageLocation()).to.equal(undefined)
    expect(() => readAddress(undefined, undefined)).to.throw('host has to be given')
    expect(readOptions({ host: 'x' }).transports).to.deep.equal(['websocket'])
  })
})
