import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import sinon from 'sinon'
import WebSocket, { WebSocketServer } from 'ws'
import { type Interceptor, intercept, refuseUpgrade } from '#server/http/intercept.js'
import { inNodeOnly } from '../../only-in.js'
import { TestServer } from '../http-server.js'

const UPGRADE = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`

/** Answers everything under a path with that path’s name. */
function interceptor(path: string): Interceptor {
  return {
    matches: (asked) => asked === path || asked.startsWith(`${path}/`),
    request: (_request, response) => response.end(`taken by ${path}`),
    upgrade: (_request, socket) => refuseUpgrade(socket, `418 Taken by ${path}`),
  }
}

describe('intercept', () => {
  let server: TestServer

  afterEach(() => server.stop())

  const get = async (path: string) => (await fetch(`${server.origin}${path}`)).text()
  /** The first line that answers an upgrade. */
  const upgrade = async (path: string) =>
    (await (await server.raw(UPGRADE(path))).ended()).split('\r\n', 1)[0]

  describe('of requests', () => {
    it('takes those of its paths, and leaves the application all others', async () => {
      const seen: (string | undefined)[] = []
      const app = express()
      app.use((request, response) => {
        seen.push(request.url)
        response.send('app')
      })
      server = await TestServer.start(app)
      intercept(server.http, interceptor('/sockets'))
      expect(await get('/sockets')).to.equal('taken by /sockets')
      expect(await get('/sockets/a?b=c')).to.equal('taken by /sockets')
      expect(await get('/sockets?a=/x')).to.equal('taken by /sockets')
      expect(seen).to.deep.equal([])
      const others = ['/', '/socketsX', '/socketsX/a', '/a/sockets', '/Sockets', '/?/sockets']
      for (const path of others) expect(await get(path)).to.equal('app')
      expect(seen).to.deep.equal(others)
    })

    it('goes before listeners that came earlier and later', async () => {
      const [earlier, later] = [sinon.spy(), sinon.spy()]
      server = await TestServer.start()
      server.http.prependListener('request', earlier)
      intercept(server.http, interceptor('/sockets'))
      server.http.prependListener('request', later)
      await get('/sockets')
      expect(earlier.called || later.called).to.equal(false)
      expect(await get('/')).to.equal('app')
      expect(earlier.callCount + later.callCount).to.equal(2)
    })
  })

  describe('of upgrades', () => {
    it('takes those of its paths', async () => {
      server = await TestServer.start()
      intercept(server.http, interceptor('/sockets'))
      expect(await upgrade('/sockets/websocket')).to.equal('HTTP/1.1 418 Taken by /sockets')
    })

    for (const isFirst of [true, false]) {
      const which = isFirst ? 'mounted before it' : 'mounted after it'
      it(`leaves another WebSocket server its path (${which})`, async () => {
        server = await TestServer.start()
        const mount = () => new WebSocketServer({ server: server.http, path: '/other' })
        const before = isFirst ? mount() : undefined
        intercept(server.http, interceptor('/sockets'))
        const other = before ?? mount()
        other.on('connection', (socket) => socket.send('hello'))
        const client = new WebSocket(`${server.origin.replace('http', 'ws')}/other`)
        expect(String((await once(client, 'message'))[0])).to.equal('hello')
        client.terminate()
        expect(await upgrade('/sockets/websocket')).to.equal('HTTP/1.1 418 Taken by /sockets')
        expect(await upgrade('/unknown')).to.equal('HTTP/1.1 400 Bad Request')
      })
    }

    it('refuses those that nobody takes', async () => {
      server = await TestServer.start()
      intercept(server.http, interceptor('/sockets'))
      expect(await upgrade('/unknown')).to.equal('HTTP/1.1 404 Not Found')
    })

    inNodeOnly('an HTTP server of Bun reads no connection anew').it(
      'leaves those to other protocols than WebSocket what Node makes of them: plain requests',
      async () => {
        const app = express()
        app.post('/sum', express.json(), (request, response) => {
          response.send(`${request.body.length} ${request.headers['http2-settings']}`)
        })
        server = await TestServer.start(app)
        for (const path of ['/one', '/two']) intercept(server.http, interceptor(path))
        const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n'
        const body = 'Content-Type: application/json\r\nContent-Length: 7\r\n\r\n'
        const exchange = await server.raw(`POST /sum HTTP/1.1\r\nHost: a\r\n${h2c}${body}[1,2`)
        exchange.write(',3]')
        expect(await exchange.matching(/AAMA/)).to.match(/^HTTP\/1.1 200 OK[\s\S]*\r\n3 AAMA$/)
        // The connection goes on as any other.
        exchange.write(`GET /nothing HTTP/1.1\r\nHost: a\r\n${h2c}\r\n`)
        expect(await exchange.matching(/Cannot GET/)).to.match(/HTTP\/1.1 404 Not Found/)
        exchange.close()
      },
    )

    it('refuses those that nobody takes with two on one server too', async () => {
      server = await TestServer.start()
      for (const path of ['/one', '/two']) intercept(server.http, interceptor(path))
      expect(await upgrade('/one')).to.equal('HTTP/1.1 418 Taken by /one')
      expect(await upgrade('/two')).to.equal('HTTP/1.1 418 Taken by /two')
      expect(await upgrade('/unknown')).to.equal('HTTP/1.1 404 Not Found')
    })

    it('leaves those to another listener that takes them later', async () => {
      server = await TestServer.start()
      intercept(server.http, interceptor('/sockets'))
      server.http.on('upgrade', (_request, socket) => {
        setImmediate(() => refuseUpgrade(socket, '418 Later'))
      })
      expect(await upgrade('/unknown')).to.equal('HTTP/1.1 418 Later')
    })
  })

  describe('undone', () => {
    it('gives requests back', async () => {
      server = await TestServer.start()
      const undo = intercept(server.http, interceptor('/sockets'))
      undo()
      expect(await get('/sockets')).to.equal('app')
    })

    it('gives upgrades back: without a listener Node makes plain requests of them', async () => {
      server = await TestServer.start()
      const undo = intercept(server.http, interceptor('/sockets'))
      undo()
      expect(server.http.listenerCount('upgrade')).to.equal(0)
      const response = await fetch(`${server.origin}/`)
      expect(await response.text()).to.equal('app')
      const exchange = await server.raw(UPGRADE('/unknown'))
      expect(await exchange.matching(/app/)).to.match(/^HTTP\/1.1 200 OK/)
      exchange.close()
    })

    it('gives each its own back, in any order', async () => {
      for (const order of [
        [0, 1],
        [1, 0],
      ] as const) {
        server = await TestServer.start()
        const undo = ['/one', '/two'].map((path) => intercept(server.http, interceptor(path)))
        undo[order[0]]?.()
        const paths = ['/one', '/two'] as const
        expect(await get(paths[order[0]])).to.equal('app')
        expect(await get(paths[order[1]])).to.equal(`taken by ${paths[order[1]]}`)
        expect(await upgrade('/unknown')).to.equal('HTTP/1.1 404 Not Found')
        undo[order[1]]?.()
        for (const path of paths) expect(await get(path)).to.equal('app')
        if (order[0] === 0) await server.stop()
      }
    })

    it('does no harm when it is undone twice', async () => {
      server = await TestServer.start()
      const undo = intercept(server.http, interceptor('/one'))
      intercept(server.http, interceptor('/two'))
      undo()
      undo()
      expect(await get('/one')).to.equal('app')
      expect(await get('/two')).to.equal('taken by /two')
      expect(await upgrade('/unknown')).to.equal('HTTP/1.1 404 Not Found')
    })
  })
})

describe('refuseUpgrade', () => {
  afterEach(() => sinon.restore())

  it('leaves no connection behind, though nobody has read the body and the client stays', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const server = await TestServer.start()
    try {
      intercept(server.http, interceptor('/sockets'))
      const accepted = once(server.http, 'connection')
      const client = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
      const [socket] = (await accepted) as [Socket]
      const head = UPGRADE('/sockets').replace('GET', 'POST').trimEnd()
      client.write(`${head}\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`)
      const [answer] = await once(client, 'data')
      expect(String(answer)).to.match(/^HTTP\/1.1 418 /)
      await once(client, 'end')
      expect(socket.destroyed).to.equal(false)
      const closed = once(socket, 'close')
      clock.tick(2000)
      await closed
      client.destroy()
    } finally {
      await server.stop()
    }
  })
})
