import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { TokenSource, type TokenSourceOptions } from '#client/token/token-source.js'
import { isBun } from '../../only-in.js'
import { restoreGlobals, setGlobal } from '../globals.js'
import { errorOf } from '../waiting.js'

describe('TokenSource#request', () => {
  let server: Server
  let url: string
  let respond: (request: IncomingMessage, response: ServerResponse) => void
  const requests: IncomingMessage[] = []

  beforeEach(async () => {
    requests.length = 0
    server = createServer((request, response) => {
      requests.push(request)
      respond(request, response)
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/socket/token`
    reply(200, '{"token":"t"}')
  })

  afterEach(async () => {
    restoreGlobals()
    server.closeAllConnections()
    await new Promise((resolve) => {
      server.close(resolve)
    })
  })

  function reply(status: number, body: string): void {
    respond = (_, response) => response.writeHead(status).end(body)
  }

  function request(
    options: Partial<TokenSourceOptions> = {},
    signal = new AbortController().signal,
  ): Promise<string> {
    const all = { url, authentication: {}, headers: {}, jsonp: false, timeout: 10_000, ...options }
    return new TokenSource(all).request(signal)
  }

  it('asks by POST for JSON', async () => {
    expect(await request({ headers: { 'X-A': 'b' } })).to.equal('t')
    expect(requests[0]?.method).to.equal('POST')
    expect(requests[0]?.headers).to.include({ accept: 'application/json', 'x-a': 'b' })
  })

  it('adds the authentication to a URL that has a query', async () => {
    await request({ url: `${url}?a=1`, authentication: { b: 2 } })
    expect(requests[0]?.url).to.equal('/socket/token?a=1&b=2')
  })

  for (const status of [404, 405]) {
    it(`asks by GET when POST is answered ${status}, and by GET only from then on`, async () => {
      respond = ({ method }, response) => {
        response.writeHead(method === 'GET' ? 200 : status).end('{"token":"t"}')
      }
      const source = new TokenSource({ url, authentication: {}, headers: {}, jsonp: false, timeout: 10_000 })
      for (const _ of [1, 2]) await source.request(new AbortController().signal)
      expect(requests.map(({ method }) => method)).to.deep.equal(['POST', 'GET', 'GET'])
    })
  }

  const refused: readonly (readonly [status: number, body: string, message: string])[] = [
    [403, '{"error":"Forbidden"}', 'Forbidden, HTTP status 403 from URL'],
    [401, '<h1>Log in</h1>', 'HTTP status 401 from URL'],
    [404, '', 'HTTP status 404 from URL'],
    [200, '{"error":"No"}', 'No, from URL'],
  ]
  for (const [status, body, message] of refused) {
    it(`fails with \`token_refused\` for ${status} ${body}`, async () => {
      reply(status, body)
      const error = await errorOf(request())
      expect(error).to.include({ code: 'token_refused', message: message.replace('URL', url) })
      if (status >= 400) expect(error.data).to.deep.equal({ status, url })
    })
  }

  for (const data of [undefined, { until: 5 }])
    it(`fails with what \`authentication\` refused with: ${JSON.stringify(data)}`, async () => {
      for (const status of [403, 200]) {
        reply(status, JSON.stringify({ error: 'You are banned', code: 'banned', data }))
        const error = await errorOf(request())
        expect(error).to.include({ code: 'banned', message: 'You are banned' })
        expect(error.data).to.deep.equal(data)
        expect(error).to.have.nested.property('cause.code', 'token_refused')
      }
    })

  it('takes no other code for what `authentication` refused with', async () => {
    for (const [code, known] of [
      ['forbidden', 'token_refused'],
      ['origin_refused', 'origin_refused'],
      [7, 'token_refused'],
    ] as const) {
      reply(403, JSON.stringify({ error: 'No', code, data: 1 }))
      const error = await errorOf(request())
      expect(error).to.include({ code: known, message: `No, HTTP status 403 from ${url}` })
      expect(error.data).to.deep.equal({ status: 403, url })
    }
  })

  const failed: readonly (readonly [status: number, body: string, why: string])[] = [
    [500, '{"error":"Internal"}', 'Internal, HTTP status 500'],
    [503, 'busy', 'HTTP status 503'],
    [500, '{"code":"x"}', 'HTTP status 500'],
    [429, '', 'HTTP status 429'],
    [200, '<h1>Log in</h1>', 'not JSON'],
    [200, '{}', 'no token in the answer'],
    [200, '{"token":5}', 'no token in the answer'],
    [200, 'null', 'no token in the answer'],
    [200, `{"token":"${'x'.repeat(8000)}"}`, 'the token is too long'],
  ]
  for (const [status, body, why] of failed) {
    it(`fails with \`token_failed\` for ${status} ${body.slice(0, 30)}`, async () => {
      reply(status, body)
      const { code, message } = await errorOf(request())
      expect([code, message]).to.deep.equal(['token_failed', `The token request to ${url} failed: ${why}`])
    })
  }

  it('says how long the server asks to wait, if it is a number of seconds', async () => {
    for (const [header, data] of [
      ['3', { retryAfter: 3000 }],
      ['0.5', { retryAfter: 500 }],
      ['0', undefined],
      ['Wed, 21 Oct 2015 07:28:00 GMT', undefined],
    ] as const) {
      respond = (_request, response) => response.writeHead(429, { 'Retry-After': header }).end()
      const error = await errorOf(request())
      expect([error.code, error.data]).to.deep.equal(['token_failed', data])
    }
  })

  it('says where a redirect to a login page led', async () => {
    respond = ({ url: path }, response) => {
      if (path === '/login') response.end('<h1>Log in</h1>')
      else response.writeHead(302, { Location: '/login' }).end()
    }
    const { code, message } = await errorOf(request())
    expect(code).to.equal('token_failed')
    expect(message).to.match(/not JSON, after a redirect to http.*\/login$/)
  })

  it('fails with `token_failed` when nothing listens, and says so', async () => {
    await new Promise((resolve) => {
      server.close(resolve)
    })
    const error = await errorOf(request())
    expect(error).to.have.property('code', 'token_failed')
    expect(error.message).to.include(`The token request to ${url} failed: `).and.include('ECONNREFUSED')
    // The error of Bun's own `fetch` has the code; elsewhere its cause has it.
    expect(error).to.have.nested.property(isBun ? 'cause.code' : 'cause.cause.code', 'ECONNREFUSED')
  })

  it('fails with `origin_refused` where the server does not allow the origin', async () => {
    reply(403, '{"error":"The origin is not allowed","code":"origin_refused"}')
    const message = `The origin is not allowed, HTTP status 403 from ${url}`
    const expected = { code: 'origin_refused', message }
    expect(await errorOf(request())).to.include(expected)
  })

  describe('follows a redirect', () => {
    const own = { Cookie: 'session=secret', Authorization: 'Bearer secret', 'X-Api-Key': 'secret' }
    let other: Server
    let seen: IncomingMessage[]

    beforeEach(async () => {
      seen = []
      other = createServer((request, response) => {
        seen.push(request)
        response.end('{"token":"other"}')
      })
      await new Promise<void>((resolve) => {
        other.listen(0, '127.0.0.1', resolve)
      })
    })

    afterEach(async () => {
      other.closeAllConnections()
      await new Promise((resolve) => {
        other.close(resolve)
      })
    })

    const otherUrl = () => `http://127.0.0.1:${(other.address() as AddressInfo).port}/token`

    for (const [status, method] of [
      [301, 'GET'],
      [302, 'GET'],
      [303, 'GET'],
      [307, 'POST'],
      [308, 'POST'],
    ] as const) {
      it(`${status} to another origin, without headers of its own, by ${method}`, async () => {
        respond = (_, response) => response.writeHead(status, { Location: otherUrl() }).end()
        expect(await request({ headers: own })).to.equal('other')
        expect(requests[0]?.headers).to.include({ cookie: 'session=secret', 'x-api-key': 'secret' })
        expect(JSON.stringify(seen[0]?.rawHeaders)).not.to.include('secret')
        expect(seen[0]?.method).to.equal(method)
      })
    }

    it('on the same origin with its headers', async () => {
      respond = ({ url: path }, response) => {
        if (path === '/next') response.end('{"token":"t"}')
        else response.writeHead(307, { Location: '/next' }).end()
      }
      expect(await request({ headers: own })).to.equal('t')
      expect(requests[1]?.headers).to.include({ cookie: 'session=secret', 'x-api-key': 'secret' })
    })

    it('twenty times, and gives up then', async () => {
      respond = (_, response) => response.writeHead(302, { Location: '/socket/token' }).end()
      expect((await errorOf(request())).message).to.match(/more than 20 redirects$/)
      expect(requests).to.have.length(21)
    })
  })

  it('fails with `token_failed` when no answer comes in time', async () => {
    respond = () => {}
    const error = await errorOf(request({ timeout: 20 }))
    expect(error).to.have.property('code', 'token_failed')
    expect(error.message).to.equal(`The token request to ${url} failed: no answer in time`)
  })

  for (const [status, code] of [
    [200, 'token_failed'],
    [403, 'token_refused'],
  ] as const) {
    it(`reads the beginning of an answer ${status} without end, and leaves the rest`, async () => {
      let sent = 0
      const isLeft = new Promise((resolve) => {
        respond = (_, response) => {
          response.writeHead(status).on('close', resolve)
          const go = () => {
            if (response.destroyed) return
            sent += 64 * 1024
            response.write(Buffer.alloc(64 * 1024, 'x'), () => setImmediate(go))
          }
          go()
        }
      })
      expect((await errorOf(request())).code).to.equal(code)
      await isLeft
      // What the network holds comes on top.
      expect(sent).to.be.below(64 * 1024 * 1024)
    })
  }

  it('reads an answer in parts, characters that are cut included', async () => {
    respond = async (_, response) => {
      for (const byte of Buffer.from('{"token":"é漢"}')) {
        response.write(Buffer.of(byte))
        await new Promise(setImmediate)
      }
      response.end()
    }
    expect(await request()).to.equal('é漢')
  })

  it('rejects with the signal’s reason when it is given up', async () => {
    respond = () => {}
    const abort = new AbortController()
    const token = request({}, abort.signal)
    abort.abort(new Error('enough'))
    expect(await errorOf(token)).to.have.property('message', 'enough')
  })

  describe('by JSONP', () => {
    interface Script {
      src: string
      removed: boolean
      onload(): void
      onerror(): void
      remove(): void
    }
    let script: Script

    /** A page whose scripts do what `load` says. */
    function createPage(load: (callback: (body: unknown) => void) => void): void {
      setGlobal('fetch', () => Promise.reject(new TypeError('CORS')))
      const createElement = () => {
        script = { removed: false, remove: () => (script.removed = true) } as unknown as Script
        return script
      }
      const append = () => {
        const name = new URL(script.src).searchParams.get('callback') ?? ''
        load((globalThis as unknown as Record<string, (body: unknown) => void>)[name] ?? (() => {}))
      }
      setGlobal('document', { createElement, head: { append } })
    }

    it('asks again when CORS forbids the request', async () => {
      createPage((callback) => callback({ token: 'by script' }))
      expect(await request({ jsonp: true, authentication: { a: 1 } })).to.equal('by script')
      expect(script.src).to.match(/\/socket\/token\?callback=token_callback_\w+&a=1$/)
      expect(script.removed).to.equal(true)
      expect(Object.keys(globalThis).filter((name) => name.startsWith('token_callback_'))).to.deep.equal([])
    })

    it('fails with `token_failed` when the script fails', async () => {
      createPage(() => script.onerror())
      expect(await errorOf(request({ jsonp: true }))).to.have.property('code', 'token_failed')
    })

    it('fails with `token_failed` when the script calls nothing', async () => {
      createPage(() => script.onload())
      expect(await errorOf(request({ jsonp: true }))).to.have.property('code', 'token_failed')
    })

    it('is not tried unless the option says so', async () => {
      createPage((callback) => callback({ token: 'by script' }))
      expect(await errorOf(request())).to.have.property('code', 'token_failed')
    })

    it('may be given up, and leaves nothing for a late script to break', async () => {
      let late = (_body: unknown): void => {}
      createPage((callback) => {
        late = callback
      })
      expect(await errorOf(request({ jsonp: true, timeout: 20 }))).to.have.property('code', 'token_failed')
      late({ token: 'late' })
      expect(script.removed).to.equal(true)
    })
  })
})
