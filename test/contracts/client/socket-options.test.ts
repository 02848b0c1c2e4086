import type { ConnectOptions } from '@token-socket/contract/client'
import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { socketOptions } from '#contract/client/socket-options.js'

const options = (given: unknown) => socketOptions(given as ConnectOptions)

function refusal(given: unknown): RpcError {
  try {
    options(given)
  } catch (error) {
    if (RpcError.is(error)) return error
  }
  throw new Error('it was taken')
}

describe('socketOptions', () => {
  it('takes the host and the prefix from a URL', () => {
    const rows: readonly (readonly [url: string, options: object])[] = [
      ['wss://example.com', { host: 'wss://example.com' }],
      ['wss://example.com/', { host: 'wss://example.com' }],
      ['ws://127.0.0.1:3000', { host: 'ws://127.0.0.1:3000' }],
      ['https://example.com:8443', { host: 'https://example.com:8443' }],
      ['WSS://[::1]:8443/', { host: 'WSS://[::1]:8443' }],
      ['wss://example.com/live', { host: 'wss://example.com', socketPrefix: '/live' }],
      ['wss://example.com/a/b/', { host: 'wss://example.com', socketPrefix: '/a/b' }],
    ]
    for (const [url, expected] of rows) expect(options({ url }), url).to.deep.equal(expected)
  })

  it('refuses every other URL, and never shows it', () => {
    const wrong = [
      'example.com',
      '/live',
      'ftp://example.com',
      'wss://',
      'wss://example.com?token=secret',
      'wss://example.com/live?token=secret',
      'wss://example.com/#secret',
      'wss://user:secret@example.com',
      'wss://secret@example.com',
      'wss://example.com/with space',
      '',
      5,
      null,
      {},
      () => 'wss://example.com',
    ]
    for (const url of wrong) {
      const error = refusal({ url })
      expect(error.code, String(url)).to.equal('bad_option')
      expect(error.data).to.deep.equal({ field: 'url' })
      expect(error.message).to.not.include('secret')
    }
  })

  it('takes the server once', () => {
    expect(refusal({ url: 'wss://a', host: 'b' }).data).to.deep.equal({ field: 'url' })
    expect(refusal({ url: 'wss://a/live', socketPrefix: '/b' }).data).to.deep.equal({ field: 'socketPrefix' })
    expect(options({ url: 'wss://a', socketPrefix: '/b' })).to.deep.equal({
      host: 'wss://a',
      socketPrefix: '/b',
    })
    expect(options({ host: 'a' })).to.deep.equal({ host: 'a' })
  })

  it('signs in as it is told', async () => {
    const give = () => 'jwt'
    const data = { key: 'x' }
    const url = async () => ({ url: 'wss://example.com' })
    expect(options({})).to.deep.equal({})
    expect(options({ authentication: { session: true } })).to.deep.equal({})
    expect(options({ authentication: { session: data } })).to.deep.equal({ authentication: data })
    expect(options({ authentication: { token: give } })).to.deep.equal({ token: give })
    expect(options({ authentication: { custom: url } })).to.deep.equal({ url })
    const none = options({ authentication: 'none' }) as { url(request: object): unknown }
    expect(none.url({ url: 'wss://a/sockets/websocket' })).to.deep.equal({ url: 'wss://a/sockets/websocket' })
  })

  it('refuses every other way to sign in', () => {
    const iam = { iam: { region: 'us-west-2' } }
    for (const authentication of [
      'iam',
      iam,
      {},
      null,
      5,
      { session: false },
      { token: '' },
      { custom: 'url' },
    ]) {
      const error = refusal({ authentication })
      expect(error.code).to.equal('bad_option')
      expect(error.data).to.deep.equal({ field: 'authentication' })
    }
  })

  it('passes everything else on', () => {
    expect(options({ queueSize: 5, logLevel: 'none' })).to.deep.equal({ queueSize: 5, logLevel: 'none' })
  })
})
