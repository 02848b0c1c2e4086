import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect } from 'chai'
import sinon from 'sinon'
import { TRANSPORT_NAMES } from '#server/transports/transport-names.js'
import { Carrier, type CarrierSettings } from './carrier.js'

const MB64 = 64 * 1024 * 1024
const A = 'https://a.example.com'
const B = 'https://b.example.com'

describe('Gate', () => {
  let carrier: Carrier
  let app: sinon.SinonSpy

  async function start(settings: CarrierSettings = {}): Promise<void> {
    app = sinon.spy((_request: IncomingMessage, response: ServerResponse) => response.end('app'))
    const all = { transports: TRANSPORT_NAMES, origins: [A, B] }
    carrier = await Carrier.start({ app, message: 1000, ...all, ...settings })
  }

  beforeEach(() => start())
  afterEach(() => carrier.stop())

  /** Restarts with other settings. */
  async function restart(settings: CarrierSettings): Promise<void> {
    await carrier.stop()
    await start(settings)
  }

  /** Sends the head of a request with a body that never comes, and gives the whole answer. */
  async function answerToHead(path: string, headers: readonly string[] = []): Promise<string> {
    const lines = [`POST ${path} HTTP/1.1`, 'Host: a', `Content-Length: ${MB64}`, ...headers]
    return (await carrier.server.raw(`${lines.join('\r\n')}\r\n\r\n`)).ended()
  }

  describe('over the limit of connections', () => {
    it('answers 503 to upgrades and new polling sessions, and goes on with those that are there', async () => {
      await restart({ connections: 2 })
      const { peer } = await carrier.open('/sockets/websocket')
      const poll = (session: string) => carrier.fetch(`/sockets/000/${session}/xhr`, { method: 'POST' })
      expect(await (await poll('one')).text()).to.equal('o\n')
      expect((await poll('two')).status).to.equal(503)
      const headers = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Host: a']
      const upgrade = `GET /sockets/websocket HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`
      expect(await (await carrier.server.raw(upgrade)).ended()).to.match(/^HTTP\/1.1 503 /)
      peer.socket.close()
      await peer.closed
      expect((await poll('two')).status).to.equal(200)
    })
  })

  describe('lets through', () => {
    it('the greeting, `/info` and the iframe page', async () => {
      for (const path of ['/sockets', '/sockets/']) {
        expect(await (await carrier.fetch(path)).text()).to.equal('Welcome to SockJS!\n')
      }
      const info = await (await carrier.fetch('/sockets/info?t=1')).json()
      expect(info).to.include({ websocket: true })
      const page = await carrier.fetch('/sockets/iframe-0.3.html')
      expect(page.status).to.equal(200)
      expect(page.headers.get('content-type')).to.include('text/html')
    })

    for (const id of ['abc', 'a-b_c~d', 'a%20b', '1', 'x'.repeat(128)]) {
      it(`the session id ${id.slice(0, 20)}`, async () => {
        const guest = await carrier.poll(id)
        expect((await carrier.post(`${id}/xhr_send`, '["hi"]')).status).to.equal(204)
        expect(await guest.messages.next()).to.equal('hi')
      })
    }
  })

  describe('keeps from the application', () => {
    for (const path of [
      '/sockets',
      '/sockets/unknown',
      '/sockets/a/b/c/d',
      '/sockets/../sockets/x',
      '/sockets//',
      '/sockets/%2e%2e/admin',
      '/sockets/000/s/unknown',
      '/sockets/000/__proto__/xhr',
    ]) {
      it(`POST ${path}`, async () => {
        const exchange = await carrier.server.raw(
          `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
        )
        expect(await exchange.ended()).to.match(/^HTTP\/1.1 40[45]/)
        expect(app.called).to.equal(false)
      })
    }

    it('nothing that only looks like the prefix', async () => {
      for (const path of ['/socketsX', '/socketsX/000/s/xhr', '/sockets.html', '/SOCKETS', '/']) {
        expect(await (await carrier.fetch(path)).text(), path).to.equal('app')
      }
    })
  })

  describe('of a prefix with dots', () => {
    it('takes them for dots', async () => {
      await restart({ prefix: '/v1.0/sockets' })
      expect(await (await carrier.fetch('/v1.0/sockets/info')).json()).to.include({ websocket: true })
      expect(await (await carrier.fetch('/v1x0/sockets/info')).text()).to.equal('app')
    })
  })

  describe('with files', () => {
    const files = {
      has: (name: string) => name === 'a.js',
      handle: (_request: IncomingMessage, response: ServerResponse, name: string) =>
        response.end(`file ${name}`),
    }

    it('serves them below the prefix, to foreign origins too', async () => {
      await restart({ files })
      const headers = { Origin: 'https://evil.example.com' }
      expect(await (await carrier.fetch('/sockets/a.js?v=1', { headers })).text()).to.equal('file a.js')
    })

    it('serves none of another name or place', async () => {
      await restart({ files })
      for (const path of ['/sockets/b.js', '/sockets/x/a.js', '/sockets/a.js/'])
        expect((await carrier.fetch(path)).status, path).to.equal(404)
      expect(await (await carrier.fetch('/a.js')).text()).to.equal('app')
    })
  })

  describe('refuses session ids', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      for (const transport of ['xhr', 'xhr_streaming', 'xhr_send', 'jsonp_send']) {
        it(`${name} for ${transport}, with an answer`, async () => {
          expect((await carrier.post(`${name}/${transport}`, '["x"]')).status).to.equal(404)
        })
      }
      it(`${name} for eventsource`, async () => {
        expect((await carrier.fetch(`/sockets/000/${name}/eventsource`)).status).to.equal(404)
      })
    }

    const bad: [what: string, path: string][] = [
      ['of 129 characters', `000/${'x'.repeat(129)}`],
      ['of 10 kB', `000/${'x'.repeat(10_000)}`],
      ['after a server id of 10 kB', `${'0'.repeat(10_000)}/abc`],
      ['with a dot', '000/a.b'],
      ['with a backslash', '000/a\\b'],
      ['behind backslashes', '000\\abc'],
      ['with a quote, which sockjs would escape', '000/a"b'],
      ['with a brace, which sockjs would escape', '000/a{b'],
    ]
    for (const [what, path] of bad) {
      it(`${what}`, async () => {
        for (const transport of ['xhr', 'xhr_send']) {
          for (const slash of ['/', '\\']) {
            const answer = await answerToHead(`/sockets/${path}${slash}${transport}`)
            expect(answer, transport).to.match(/^HTTP\/1.1 404 /)
          }
        }
        expect(carrier.guests.rest).to.deep.equal([])
      })
    }
  })

  describe('reads no body', () => {
    it('of 64 MB for a session that there is not', async () => {
      for (const transport of ['xhr_send', 'jsonp_send']) {
        expect(await answerToHead(`/sockets/000/abc/${transport}`)).to.match(/^HTTP\/1.1 404 /)
      }
    })

    it('of 64 MB for a session of somebody else', async () => {
      await carrier.poll('abc', { Origin: A })
      const answer = await answerToHead('/sockets/000/abc/xhr_send', [`Origin: ${B}`])
      expect(answer).to.match(/^HTTP\/1.1 404 /)
    })

    it('of 64 MB for one’s own session', async () => {
      await carrier.poll('abc')
      const answer = await answerToHead('/sockets/000/abc/xhr_send')
      expect(answer)
        .to.match(/^HTTP\/1.1 413 /)
        .and.match(/Too large \(limit 196624 bytes\)/)
    })

    it('of 64 MB from an origin that is not allowed', async () => {
      await carrier.poll('abc')
      const answer = await answerToHead('/sockets/000/abc/xhr_send', ['Origin: https://evil.com'])
      expect(answer).to.match(/^HTTP\/1.1 403 /)
    })

    for (const path of ['/sockets/chunking_test', '/sockets/info', '/sockets/unknown', '/sockets']) {
      it(`of 64 MB for ${path}`, async () => {
        expect(await answerToHead(path, ['Connection: close'])).to.match(/^HTTP\/1.1 40[45] /)
      })
    }
  })

  describe('limits bodies', () => {
    // Three times 64 KiB, since the limit of a message is smaller, and what stands around messages.
    const LIMIT = 196_624

    it('to just the limit, of messages that are small', async () => {
      const guest = await carrier.poll('abc')
      const message = '"'.repeat(999)
      const messages = Array.from({ length: 98 }, () => message)
      const body = JSON.stringify(messages)
      const filled = (more: number) => body.padEnd(LIMIT + more)
      expect(body.length).to.be.within(LIMIT - 1000, LIMIT)
      expect((await carrier.post('abc/xhr_send', filled(0))).status).to.equal(204)
      expect(await guest.messages.take(98)).to.deep.equal(messages)
      const refused = await carrier.post('abc/xhr_send', filled(1))
      expect([refused.status, await refused.text()]).to.deep.equal([413, 'Too large (limit 196624 bytes)\n'])
      expect(guest.messages.rest).to.deep.equal([])
    })

    it('of forms to twice as much, since they escape what JSON has escaped', async () => {
      await carrier.poll('abc')
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      const filled = (size: number) => 'd=[]&x='.padEnd(size, 'x')
      expect((await carrier.post('abc/jsonp_send', filled(393_232), headers)).status).to.equal(200)
      expect((await carrier.post('abc/jsonp_send', filled(393_233), headers)).status).to.equal(413)
    })

    it('that come in chunks', async () => {
      await carrier.poll('abc')
      const head = 'POST /sockets/000/abc/xhr_send HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
      const exchange = await carrier.server.raw(head)
      for (let count = 0; count < 6; count += 1) exchange.write(`8000\r\n${'x'.repeat(32_768)}\r\n`)
      exchange.write(`11\r\n${'x'.repeat(17)}\r\n`)
      expect(await exchange.ended()).to.match(/^HTTP\/1.1 413 /)
    })

    it('and takes small ones that come in chunks', async () => {
      const guest = await carrier.poll('abc')
      const head = 'POST /sockets/000/abc/xhr_send HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n'
      const body = '3\r\n["a\r\n3\r\nb"]\r\n0\r\n\r\n'
      const exchange = await carrier.server.raw(
        `${head}Content-Type: text/plain\r\nConnection: close\r\n\r\n${body}`,
      )
      expect(await exchange.ended()).to.match(/^HTTP\/1.1 204 /)
      expect(await guest.messages.next()).to.equal('ab')
    })

    it('and forgets those that break off', async () => {
      const guest = await carrier.poll('abc')
      const head = 'POST /sockets/000/abc/xhr_send HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n'
      const exchange = await carrier.server.raw(`${head}Expect: 100-continue\r\n\r\n["x"]`)
      await exchange.matching(/100 Continue/)
      exchange.close()
      expect((await carrier.post('abc/xhr_send', '["y"]')).status).to.equal(204)
      expect(await guest.messages.next()).to.equal('y')
    })
  })

  describe('binds a polling session', () => {
    /** The statuses of a poll and of a send by somebody. */
    async function statuses(headers: Record<string, string>): Promise<number[]> {
      const send = await carrier.post('abc/xhr_send', '["x"]', headers)
      const poll = await carrier.post('abc/xhr', '', headers)
      await poll.text()
      return [send.status, poll.status]
    }

    it('to its page’s origin', async () => {
      const guest = await carrier.poll('abc', { Origin: A })
      for (const headers of [{ Origin: B }, { Origin: carrier.origin }, {}]) {
        expect(await statuses(headers)).to.deep.equal([404, 404])
      }
      expect(guest.messages.rest).to.deep.equal([])
      guest.connection.send(['hello'])
      expect(await statuses({ Origin: A })).to.deep.equal([204, 200])
    })

    it('to its own origin against others', async () => {
      const guest = await carrier.poll('abc')
      expect(await statuses({ Origin: A })).to.deep.equal([404, 404])
      guest.connection.send(['hello'])
      expect(await statuses({ Origin: carrier.origin })).to.deep.equal([204, 200])
    })

    it('to its address, as a trusted proxy tells it', async () => {
      await restart({ trusts: (address) => address.endsWith('127.0.0.1') })
      const guest = await carrier.poll('abc', { 'X-Forwarded-For': '1.1.1.1' })
      expect(await statuses({ 'X-Forwarded-For': '2.2.2.2' })).to.deep.equal([404, 404])
      expect(await statuses({ 'X-Forwarded-For': '1.1.1.1, 2.2.2.2' })).to.deep.equal([404, 404])
      guest.connection.send(['hello'])
      expect(await statuses({ 'X-Forwarded-For': '1.1.1.1' })).to.deep.equal([204, 200])
    })

    it('whichever server id a request names', async () => {
      await carrier.poll('abc', { Origin: A })
      const send = (server: string, origin: string) =>
        carrier.fetch(`/sockets/${server}/abc/xhr_send`, {
          method: 'POST',
          body: '["x"]',
          headers: { Origin: origin },
        })
      expect((await send('999', B)).status).to.equal(404)
      expect((await send('999', A)).status).to.equal(204)
    })

    it('and takes an eventsource without Origin and a send with its own for the same', async () => {
      const stream = await carrier.fetch('/sockets/000/abc/eventsource')
      const guest = await carrier.guests.next()
      const sent = await carrier.post('abc/xhr_send', '["hi"]', { Origin: carrier.origin })
      expect(sent.status).to.equal(204)
      expect(await guest.messages.next()).to.equal('hi')
      await stream.body?.cancel()
    })

    it('to nobody when sockjs refuses to open it', async () => {
      const first = await carrier.post('abc/unknown', '', { Origin: A })
      expect(first.status).to.equal(404)
      expect((await carrier.fetch('/sockets/000/abc/jsonp', { headers: { Origin: A } })).status).to.equal(500)
      const plain = await carrier.fetch('/sockets/000/abc/websocket', { headers: { Origin: A } })
      expect(plain.status).to.equal(400)
      await carrier.poll('abc', { Origin: B })
    })

    it('to nobody any more when it is over', async () => {
      const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        const guest = await carrier.poll('abc', { Origin: A })
        clock.tick(5000)
        expect((await guest.ended)[0]).to.equal(1006)
        await carrier.poll('abc', { Origin: B })
      } finally {
        clock.restore()
      }
    })

    it('apart from those of another server in the process', async () => {
      const other = await Carrier.start({ origins: [A, B] })
      try {
        const guest = await carrier.poll('abc', { Origin: A })
        const stranger = await other.poll('abc', { Origin: B })
        expect((await other.post('abc/xhr_send', '["x"]', { Origin: B })).status).to.equal(204)
        expect(await stranger.messages.next()).to.equal('x')
        expect(guest.messages.rest).to.deep.equal([])
      } finally {
        await other.stop()
      }
    })
  })

  describe('judges origins', () => {
    const paths = [
      ['GET', 'info'],
      ['GET', 'iframe.html'],
      ['POST', '000/abc/xhr'],
      ['POST', '000/abc/xhr_streaming'],
      ['POST', '000/abc/xhr_send'],
      ['GET', '000/abc/eventsource'],
      ['GET', '000/abc/htmlfile?c=f'],
      ['GET', '000/abc/jsonp?c=f'],
      ['POST', '000/abc/jsonp_send'],
      ['OPTIONS', '000/abc/xhr'],
    ] as const
    for (const [method, path] of paths) {
      it(`of ${method} ${path}`, async () => {
        for (const Origin of ['https://evil.com', 'null']) {
          const response = await carrier.fetch(`/sockets/${path}`, { method, headers: { Origin } })
          expect(response.status).to.equal(403)
          expect(response.headers.get('access-control-allow-origin')).to.equal(null)
          expect(response.headers.get('access-control-allow-credentials')).to.equal(null)
        }
        expect(carrier.guests.rest).to.deep.equal([])
      })
    }

    it('of a script tag on another site, by its Referer', async () => {
      const headers = { 'Sec-Fetch-Site': 'cross-site', Referer: 'https://evil.com/page' }
      expect((await carrier.fetch('/sockets/000/abc/jsonp?c=f', { headers })).status).to.equal(403)
    })

    it('of requests without Origin where one is required', async () => {
      await restart({ required: true })
      expect((await carrier.fetch('/sockets/info')).status).to.equal(403)
      expect(await carrier.refusal('/sockets/websocket')).to.equal(403)
      const headers = { Origin: carrier.origin }
      expect((await carrier.fetch('/sockets/info', { headers })).status).to.equal(200)
    })

    it('of WebSockets', async () => {
      for (const path of ['/sockets/websocket', '/sockets/000/abc/websocket']) {
        for (const origin of ['https://evil.com', 'null', 'http://127.0.0.1:1']) {
          expect(await carrier.refusal(path, { origin })).to.equal(403)
        }
        for (const origin of [A, carrier.origin]) {
          const { peer } = await carrier.open(path, { origin })
          peer.socket.terminate()
        }
        await carrier.open(path)
      }
      expect(carrier.guests.rest).to.deep.equal([])
    })

    it('and refuses, not ends, when an `origins` function throws', async () => {
      const onerror = sinon.spy()
      const cause = new Error('no')
      const origins = () => {
        throw cause
      }
      await restart({ origins, onerror })
      const headers = { Origin: 'null' }
      expect((await carrier.fetch('/sockets/info', { headers })).status).to.equal(403)
      expect(await carrier.refusal('/sockets/websocket', { origin: 'null' })).to.equal(403)
      expect(onerror.args).to.deep.equal([[cause], [cause]])
    })
  })

  describe('answers for CORS', () => {
    it('with the very origin, and credentials', async () => {
      const { headers } = await carrier.fetch('/sockets/info', { headers: { Origin: A } })
      expect(headers.get('access-control-allow-origin')).to.equal(A)
      expect(headers.get('access-control-allow-credentials')).to.equal('true')
      expect(headers.get('vary')).to.equal('Origin')
    })

    it('with nothing where there is no Origin', async () => {
      const { headers } = await carrier.fetch('/sockets/info')
      expect(headers.get('access-control-allow-origin')).to.equal(null)
      expect(headers.get('vary')).to.equal('Origin')
    })

    it('to a preflight', async () => {
      const headers = {
        Origin: A,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type',
      }
      const response = await carrier.fetch('/sockets/000/abc/xhr_send', { method: 'OPTIONS', headers })
      expect(response.status).to.equal(204)
      expect(response.headers.get('access-control-allow-origin')).to.equal(A)
      expect(response.headers.get('access-control-allow-credentials')).to.equal('true')
      expect(response.headers.get('access-control-allow-headers')).to.equal('content-type')
      expect(response.headers.get('access-control-allow-methods')).to.equal('OPTIONS, POST')
    })

    it('to a preflight without binding the session', async () => {
      await carrier.fetch('/sockets/000/abc/xhr', { method: 'OPTIONS', headers: { Origin: A } })
      await carrier.poll('abc', { Origin: B })
    })
  })

  describe('refuses upgrades', () => {
    for (const path of [
      '/sockets',
      '/sockets/',
      '/sockets/info',
      '/sockets/websocket/',
      '/sockets/websocket/x',
      '/sockets/000/websocket',
      '/sockets/000/abc/xhr',
      '/sockets/000/a.b/websocket',
      `/sockets/000/${'x'.repeat(129)}/websocket`,
    ]) {
      it(`of ${path.slice(0, 40)}`, async () => {
        expect(await carrier.refusal(path)).to.equal(404)
      })
    }
  })
})
