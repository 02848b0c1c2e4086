import type { IncomingHttpHeaders } from 'node:http'
import { RpcError, TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { byWebSocketOnly, onOneNodeOnly } from '../only-in.js'
import { deferred, next, rejection, sessions, signIn, until, useSites } from './fixture.js'

describe('options of the client', () => {
  const start = useSites()

  describe('the `host` option', () => {
    it('takes a host with a port, with and without a protocol', async () => {
      const site = await start()
      for (const host of [site.host, site.url]) {
        expect(await (await site.ready({ host })).rpc('echo', host)).to.equal(host)
      }
    })

    it('is required in Node', () => {
      expect(() => new TokenSocket())
        .to.throw(RpcError)
        .with.property('code', 'bad_option')
    })
  })

  describe('the `port` option', () => {
    it('is the server’s port, before one in host', async () => {
      const site = await start()
      for (const host of ['127.0.0.1', 'http://127.0.0.1:1']) {
        expect(await (await site.ready({ host, port: site.port })).rpc('echo', 1)).to.equal(1)
      }
    })
  })

  describe('the `headers` option', () => {
    byWebSocketOnly('there is no upgrade, and SockJS takes no headers')
      .and(onOneNodeOnly('the upgrade’s headers are asked of one HTTP server'))
      .it('goes with the token request and with the upgrade', async () => {
        const seen: IncomingHttpHeaders[] = []
        const site = await start({
          authentication: (request: { headers: IncomingHttpHeaders }) => {
            seen.push(request.headers)
            return {}
          },
        })
        const upgraded = deferred<IncomingHttpHeaders>()
        const { emit } = site.http
        site.http.emit = function (this: never, event: string, ...args: unknown[]) {
          if (event === 'upgrade') upgraded.resolve((args[0] as { headers: IncomingHttpHeaders }).headers)
          return Reflect.apply(emit, site.http, [event, ...args])
        } as never
        await site.ready({ headers: { 'X-App': 'mine' } })
        expect(seen[0]).to.include({ 'x-app': 'mine' })
        expect(await upgraded.promise).to.include({ 'x-app': 'mine' })
      })

    it('carries a session’s cookie', async () => {
      const site = await start({ prepare: sessions, authentication: 'auth' })
      const client = await site.ready({ headers: await signIn(site, 'zoe') })
      expect(await client.rpc('whoami')).to.have.deep.property('auth', { name: 'zoe' })
    })
  })

  describe('the `webSocket` option', () => {
    byWebSocketOnly('SockJS opens no such WebSocket').it(
      'opens each WebSocket, with the URL and the headers',
      async () => {
        const site = await start()
        const asked: unknown[] = []
        const webSocket: TokenSocketOptions['webSocket'] = (...given) => {
          asked.push(given)
          return new WebSocket(...(given.slice(0, 1) as [string]))
        }
        const client = await site.ready({
          webSocket,
          headers: { 'X-App': 'mine' },
          transports: ['websocket'],
        })
        expect(await client.rpc('echo', 1)).to.equal(1)
        expect(asked).to.deep.equal([[`ws://${site.host}/sockets/websocket`, { 'X-App': 'mine' }]])
      },
    )

    it('fails the try by what it throws', async () => {
      const site = await start()
      const webSocket = () => {
        throw new Error('no proxy')
      }
      const error = await rejection(
        site.ready({ webSocket, reconnect: false, transports: ['websocket'], logLevel: 'none' }),
      )
      expect(error).to.have.property('code', 'transport_failed')
      expect(error.message).to.include('no proxy')
    })
  })

  describe('the `tokenPath` option', () => {
    it('has to be the server’s', async () => {
      const site = await start({ tokenRoute: '/t' })
      await site.ready({ tokenPath: '/t' })
      expect((await rejection(site.client().ready())).code).to.equal('token_refused')
    })
  })

  describe('the `socketPrefix` option', () => {
    it('has to be the server’s', async () => {
      const site = await start({ prefix: '/s' })
      await site.ready({ socketPrefix: '/s' })
      const error = await rejection(site.client({ reconnect: false }).ready())
      expect(error.code).to.equal('transport_failed')
    })
  })

  describe('the `reconnect` option', () => {
    it('brings the socket back by itself if left out', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      const back = next(client, 'reconnect')
      socket.end()
      expect(await back).to.deep.equal([])
      expect(await client.rpc('echo', 1)).to.equal(1)
    })

    it('false makes the first loss final', async () => {
      const site = await start()
      const { client, socket } = await site.pair({ reconnect: false })
      const lost = next(client, 'error')
      socket.end()
      await lost
      expect(client.state).to.equal('failed')
      // It is not sent: its outcome is known. The loss is why.
      const { code, cause } = await rejection(client.rpc('echo'))
      expect(code).to.equal('ended')
      expect(cause).to.have.property('code', 'connection_lost')
    })
  })

  describe('the `authentication` option', () => {
    it('reaches the server’s req.query, form encoded, nested, without empty strings', async () => {
      const seen = deferred<unknown>()
      const site = await start({
        prepare: (app) => app.set('query parser', 'extended'),
        authentication: (request: { query: unknown }) => {
          seen.resolve(request.query)
          return true
        },
      })
      await site.ready({ authentication: { a: { b: 'c d&e', f: ['1', '2'] }, empty: '', ü: '=' } })
      expect(await seen.promise).to.deep.equal({ a: { b: 'c d&e', f: ['1', '2'] }, ü: '=' })
    })

    it('as a function is asked for each token', async () => {
      let count = 0
      const site = await start()
      const { client, socket } = await site.pair({
        authentication: async () => {
          count += 1
          return { name: `try-${count}` }
        },
      })
      expect(socket.auth).to.deep.equal({ name: 'try-1' })
      const back = next(client, 'reconnect')
      socket.end()
      await back
      expect(await client.rpc('whoami')).to.deep.equal({ name: 'try-2' })
    })
  })

  describe('the `ping` option', () => {
    it('pings by itself and emits the round trip', async () => {
      const site = await start()
      const client = await site.ready({ ping: 10 })
      const [roundTrip] = await next(client, 'ping')
      expect(roundTrip).to.be.a('number').within(0, 5000)
      await next(client, 'ping')
    })

    it('a server that refuses pings is alive all the same', async () => {
      const site = await start({ ping: false })
      const client = await site.ready({ ping: 10 })
      expect((await next(client, 'error'))[0]).to.include({ code: 'not_found' })
      expect(await client.rpc('echo', 1)).to.equal(1)
    })
  })

  describe('the `ready` option', () => {
    it('is called once the socket is ready', async () => {
      const site = await start()
      const ready = deferred<unknown[]>()
      site.client({ ready: (...args) => ready.resolve(args) })
      expect(await ready.promise).to.deep.equal([])
    })

    it('is called with the error if it never will be', async () => {
      const site = await start({ authentication: () => false })
      const ready = deferred<unknown>()
      site.client({ ready: ready.resolve })
      expect(await ready.promise).to.include({ code: 'token_refused' })
    })
  })

  describe('the `onreconnect` option', () => {
    it('is called each time the socket is back', async () => {
      const site = await start()
      let count = 0
      await site.ready({
        onreconnect: () => {
          count += 1
        },
      })
      for (const expected of [1, 2]) {
        await until(() => site.sockets.sockets().length === 1)
        site.sockets.sockets()[0]?.end()
        await until(() => count === expected)
      }
    })
  })
})
