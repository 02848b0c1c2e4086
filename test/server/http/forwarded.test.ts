import type { IncomingMessage } from 'node:http'
import { expect } from 'chai'
import { clientAddress, requestAddress, type TrustProxy } from '#server/http/forwarded.js'

/** A request from 10.0.0.1. */
function request(headers: Record<string, string>, socket: object = {}): IncomingMessage {
  return { headers, socket: { remoteAddress: '10.0.0.1', ...socket } } as unknown as IncomingMessage
}

const nobody: TrustProxy = () => false
const proxies: TrustProxy = (address) => address.startsWith('10.')

describe('requestAddress', () => {
  const forwarded = {
    host: 'inner:8080',
    'x-forwarded-host': 'app.example.com, cdn.example.com',
    'x-forwarded-proto': 'https, http',
  }

  it('gives the Host header, and whether the socket is TLS', () => {
    expect(requestAddress(request({ host: 'a:1' }), nobody)).to.deep.equal({ host: 'a:1', secure: false })
    const overTls = request({ host: 'a:1' }, { encrypted: true })
    expect(requestAddress(overTls, nobody)).to.deep.equal({ host: 'a:1', secure: true })
    const plain = request({ host: 'a:1' }, { encrypted: false })
    expect(requestAddress(plain, nobody)).to.deep.equal({ host: 'a:1', secure: false })
  })

  it('believes the first X-Forwarded-Host and -Proto of a trusted proxy', () => {
    expect(requestAddress(request(forwarded), proxies)).to.deep.equal({
      host: 'app.example.com',
      secure: true,
    })
  })

  it('does not believe them of anybody else', () => {
    expect(requestAddress(request(forwarded), nobody)).to.deep.equal({ host: 'inner:8080', secure: false })
  })

  it('falls back on the Host header where a trusted proxy says nothing', () => {
    expect(requestAddress(request({ host: 'a:1' }), proxies)).to.deep.equal({ host: 'a:1', secure: false })
  })

  it('takes only `https` for TLS', () => {
    const plain = request({ host: 'a', 'x-forwarded-proto': 'http, https' })
    expect(requestAddress(plain, proxies).secure).to.equal(false)
  })

  it('asks about the peer itself, as hop 0', () => {
    const asked: unknown[] = []
    requestAddress(request(forwarded), (...args) => asked.push(args) > 0)
    expect(asked).to.deep.equal([['10.0.0.1', 0]])
  })

  it('gives the authority of HTTP/2, before a Host header and after a trusted proxy’s', () => {
    const authority = { ':authority': 'b:2' }
    expect(requestAddress(request(authority), nobody).host).to.equal('b:2')
    expect(requestAddress(request({ ...authority, host: 'a:1' }), nobody).host).to.equal('b:2')
    expect(requestAddress(request({ ...authority, ...forwarded }), proxies).host).to.equal('app.example.com')
  })

  it('has no host for a request that names none', () => {
    expect(requestAddress(request({}), nobody).host).to.equal(undefined)
  })
})

describe('clientAddress', () => {
  it('is the peer’s where it is not trusted, whatever it says', () => {
    expect(clientAddress(request({ 'x-forwarded-for': '1.2.3.4' }), nobody)).to.equal('10.0.0.1')
  })

  it('is the last that a trusted proxy names', () => {
    expect(clientAddress(request({ 'x-forwarded-for': '6.6.6.6, 1.2.3.4' }), proxies)).to.equal('1.2.3.4')
  })

  it('goes past every trusted proxy on the way', () => {
    const path = '6.6.6.6, 1.2.3.4, 10.0.0.3,10.0.0.2'
    expect(clientAddress(request({ 'x-forwarded-for': path }), proxies)).to.equal('1.2.3.4')
  })

  it('is the farthest where all are trusted', () => {
    expect(clientAddress(request({ 'x-forwarded-for': '10.0.0.9, 10.0.0.2' }), proxies)).to.equal('10.0.0.9')
  })

  it('is the peer’s where a trusted proxy names none', () => {
    expect(clientAddress(request({}), proxies)).to.equal('10.0.0.1')
    expect(clientAddress(request({ 'x-forwarded-for': ' , ' }), proxies)).to.equal('10.0.0.1')
  })

  it('has no port, and is found behind proxies that are named with theirs', () => {
    for (const [path, client] of [
      ['1.2.3.4:5678', '1.2.3.4'],
      ['6.6.6.6:1, 1.2.3.4:5678, 10.0.0.2:9', '1.2.3.4'],
      ['[2001:db8::1]:5678', '2001:db8::1'],
      ['[2001:db8::1]', '2001:db8::1'],
      ['unknown', 'unknown'],
    ] as const)
      expect(clientAddress(request({ 'x-forwarded-for': path }), proxies)).to.equal(client)
  })

  it('counts hops from our side', () => {
    const asked: unknown[] = []
    clientAddress(request({ 'x-forwarded-for': 'c, b' }), (...args) => asked.push(args) > 0)
    expect(asked).to.deep.equal([
      ['10.0.0.1', 0],
      ['b', 1],
    ])
  })

  it('is empty where even the peer is unknown', () => {
    expect(clientAddress(request({}, { remoteAddress: undefined }), nobody)).to.equal('')
  })
})
