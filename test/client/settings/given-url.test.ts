/** The option `url`: what the client does with the URL that it gives. */
import { inspect } from 'node:util'
import type { TokenSocketOptions } from '@token-socket/client'
import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { givenUrl } from '#client/settings/given-url.js'
import { readOptions } from '#client/settings/options.js'
import { rejection, thrownBy } from '../../protocol/rejection.js'
import { turn, until } from '../waiting.js'
import { World } from '../world.js'

const BASE = 'wss://example.com:8443/sockets/websocket'

type Give = NonNullable<TokenSocketOptions['url']>

/** A function of an application that knows no types. */
const giving = (value: unknown) => (() => value) as Give

describe('givenUrl', () => {
  const good: Readonly<Record<string, readonly [give: Give, url: string]>> = {
    'a text': [({ url }) => `${url}?a=1`, `${BASE}?a=1`],
    'an object': [({ url }) => ({ url: `${url}?a=1` }), `${BASE}?a=1`],
    'a URL object': [({ url }) => new URL(`${url}?a=1`), `${BASE}?a=1`],
    'an object with a URL object': [async ({ url }) => ({ url: new URL(url) }), BASE],
    'a promise': [async ({ url }) => ({ url }), BASE],
    'another path': [giving('wss://example.com:8443/other?b'), 'wss://example.com:8443/other?b'],
    'another writing of the host': [giving('WSS://EXAMPLE.com:8443/'), 'wss://example.com:8443/'],
  }
  for (const [title, [give, url]] of Object.entries(good))
    it(`takes ${title}`, async () => expect(await givenUrl(BASE, give)).to.equal(url))

  it('takes the default port, written or not', async () => {
    expect(await givenUrl('ws://a/x', giving('ws://a:80/x?y'))).to.equal('ws://a/x?y')
  })

  const failed: Readonly<Record<string, unknown>> = {
    nothing: undefined,
    null: null,
    'a number': 5,
    'a symbol': Symbol('a'),
    'a function': () => BASE,
    'an object without a URL': {},
    'an object with a number': { url: 5 },
    'an empty text': '',
    'a path': '/sockets/websocket?key=S3CR3T',
    'a wrong URL': 'wss://exa mple.com/?key=S3CR3T',
    'a fragment': `${BASE}?key=S3CR3T#top`,
  }
  for (const [title, value] of Object.entries(failed))
    it(`fails with ${title}, and names no URL`, async () => {
      const error = await rejection(givenUrl(BASE, giving(value)))
      expect(error.code).to.equal('url_failed')
      expect(inspect(error)).to.not.contain('S3CR3T')
    })

  for (const [title, url, origin] of [
    ['host', 'wss://evil.example:8443/?key=S3CR3T', 'wss://evil.example:8443'],
    ['port', 'wss://example.com/?key=S3CR3T', 'wss://example.com'],
    ['protocol', 'ws://example.com:8443/?key=S3CR3T', 'ws://example.com:8443'],
    ['protocol, of a signer', 'https://example.com:8443/?key=S3CR3T', 'https://example.com:8443'],
    ['host behind a name', 'wss://example.com:8443@evil.example/?S3CR3T', 'wss://evil.example'],
    ['host after a backslash', 'wss:\\\\evil.example\\?S3CR3T', 'wss://evil.example'],
    ['kind of URL', 'data:text/plain,S3CR3T', 'null'],
  ] as const)
    it(`refuses a URL that leads elsewhere: to another ${title}`, async () => {
      const error = await rejection(givenUrl(BASE, giving(url)))
      expect(error.code).to.equal('bad_option')
      expect(error.message).to.contain(`wss://example.com:8443, not ${origin}`)
      expect(inspect(error)).to.not.contain('S3CR3T')
    })

  it('keeps the text and the cause of what the function throws, and an RpcError whole', async () => {
    const cause = new Error('no key')
    const failure = await rejection(givenUrl(BASE, () => Promise.reject(cause)))
    expect([failure.code, failure.message, failure.cause]).to.deep.equal(['url_failed', 'no key', cause])
    const own = new RpcError('signed_out')
    expect(await rejection(givenUrl(BASE, () => Promise.reject(own)))).to.equal(own)
  })
})

describe('the option url', () => {
  const url: Give = ({ url }) => url

  for (const [title, other] of Object.entries({
    authentication: { authentication: { name: 'ann' } },
    'a function as authentication': { authentication: () => ({}) },
    token: { token: 'a.b.c' },
    jsonp: { jsonp: true },
    'transports without websocket': { transports: ['sockjs'] },
  }))
    it(`does not go with ${title}`, () => {
      const error = thrownBy(() => readOptions({ host: 'x', url, ...other } as TokenSocketOptions))
      expect(error).to.include({ code: 'bad_option' }).with.property('message').that.contains('url')
    })

  it('uses WebSocket only', () => {
    const { transports } = readOptions({ host: 'x', url, transports: ['sockjs', 'websocket'] })
    expect(transports).to.deep.equal(['websocket'])
  })

  describe('in a socket', () => {
    let world: World

    beforeEach(async () => {
      world = await World.create()
    })

    afterEach(() => world.close())

    it('asks for no token, and sends none', async () => {
      await world.openReady({ url: (request) => `${request.url}?a=1` })
      const [peer] = world.server.peers
      expect(JSON.parse(peer?.frames[0] ?? '')).to.not.have.property('token')
      expect(peer?.request.url).to.equal('/sockets/websocket?a=1')
      expect(world.server.tokenRequests).to.have.length(0)
    })

    it('gives up after `tokenAttempts` failures before the first `ready`', async () => {
      world.reconnectAtOnce()
      let calls = 0
      const socket = world.open({
        tokenAttempts: 3,
        url: () => {
          calls += 1
          throw new Error('no key')
        },
      })
      const error = await rejection(socket.ready())
      expect([error.code, calls, socket.state]).to.deep.equal(['url_failed', 3, 'failed'])
      expect(error.message).to.contain('no key')
    })

    for (const [title, webSocket] of Object.entries({
      throws: (url: string) => {
        throw new Error(`cannot open ${url}`)
      },
      'throws a text': (url: string) => {
        throw url
      },
    }))
      it(`has no part of the URL in an error or the log when the option webSocket ${title}`, async () => {
        const lines: unknown[] = []
        const logger = {
          debug: (...line: unknown[]) => lines.push(line),
          warn: (...line: unknown[]) => lines.push(line),
        }
        const url: Give = (request) => `${request.url}?key=S3CR3T`
        const socket = world.open({ url, webSocket, logger })
        socket.on('error', (error) => lines.push(error))
        socket.on('state', (...change) => lines.push(change))
        await until(() => socket.status.error !== undefined)
        expect(socket.status.error?.code).to.equal('transport_failed')
        expect(inspect([lines, socket.status], { depth: 9 })).to.not.contain('S3CR3T')
      })

    for (const [title, value] of Object.entries({ undefined: undefined, null: null, 'the number 0': 0 }))
      for (const [option, code] of [
        ['url', 'url_failed'],
        ['token', 'token_failed'],
        ['authentication', 'token_failed'],
        ['webSocket', 'transport_failed'],
      ] as const)
        for (const [way, fail] of Object.entries({
          throws: () => {
            throw value
          },
          rejects: () => Promise.reject(value),
        })) {
          if (option === 'webSocket' && way === 'rejects') continue
          it(`is tried again after ${option} ${way} ${title}`, async () => {
            world.reconnectAtOnce()
            const failing = {
              [option]: fail,
              ...(option === 'webSocket' && { url: (({ url }) => url) as Give }),
            }
            const socket = world.open({ ...failing, tokenAttempts: 3 } as TokenSocketOptions)
            await until(() => (socket.status.attempt ?? 0) > 1 || socket.state === 'failed')
            expect(socket.status.error?.code ?? (await rejection(socket.ready())).code).to.equal(code)
          })
        }

    for (const method of ['end', 'suspend'] as const)
      it(`opens nothing when ${method}() comes before the URL`, async () => {
        let give = (_url: string) => {}
        let asked = ''
        const opened: string[] = []
        const socket = world.open({
          url: ({ url }) => {
            asked = url
            return new Promise<string>((resolve) => {
              give = resolve
            })
          },
          webSocket: (url) => {
            opened.push(url)
            return new WebSocket(url)
          },
        })
        await until(() => asked !== '')
        void socket[method]()
        give(asked)
        for (let turns = 0; turns < 5; turns += 1) await turn()
        expect([opened, world.server.peers]).to.deep.equal([[], []])
      })

    it('goes on after the first `ready`, however often the function fails', async () => {
      let calls = 0
      const socket = await world.openReady({
        url: (request) => {
          calls += 1
          if (calls > 1 && calls < 6) throw new Error('no key')
          return request.url
        },
      })
      world.reconnectAtOnce()
      world.server.cut()
      await until(() => calls === 6 && socket.state === 'ready')
    })

    it('is final at once with a URL of another server, and connects nowhere', async () => {
      const socket = world.open({ url: () => 'ws://127.0.0.1:1/?key=S3CR3T' })
      const error = await rejection(socket.ready())
      expect([error.code, socket.state]).to.deep.equal(['bad_option', 'failed'])
      expect(inspect([error, socket.status])).to.not.contain('S3CR3T')
    })

    it('may take `connectTimeout`, and tries again', async () => {
      const clock = world.stopClock()
      let calls = 0
      const socket = world.open({
        connectTimeout: 10_000,
        url: (request) => {
          calls += 1
          return calls > 1 ? request.url : new Promise(() => {})
        },
      })
      await until(() => calls === 1)
      await clock.tickAsync(9999)
      expect(socket.state).to.equal('connecting')
      await clock.tickAsync(1)
      expect([socket.state, socket.status.error?.code]).to.deep.equal(['waiting', 'url_failed'])
      expect(socket.status.error?.message).to.equal('The option url gave no URL in time')
      await clock.tickAsync(1000)
      await socket.ready()
    })

    it('gives up after `tokenAttempts` tries that gave no URL in time', async () => {
      const clock = world.stopClock()
      let calls = 0
      const socket = world.open({
        connectTimeout: 1000,
        url: () => {
          calls += 1
          return new Promise(() => {})
        },
      })
      const refused = rejection(socket.ready())
      await clock.tickAsync(10_000)
      expect([(await refused).code, calls, socket.state]).to.deep.equal(['url_failed', 2, 'failed'])
    })

    it('opens nothing that was asked for before `suspend`', async () => {
      let give = (_url: string) => {}
      const socket = world.open({
        url: (request) =>
          new Promise<string>((resolve) => {
            give = () => resolve(request.url)
          }),
      })
      await until(() => give.length === 0)
      socket.suspend()
      give('')
      await new Promise((resolve) => setImmediate(resolve))
      expect([socket.state, world.server.peers.length]).to.deep.equal(['suspended', 0])
    })
  })
})
