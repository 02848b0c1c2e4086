import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { TokenSource, type TokenSourceOptions } from '../../packages/client/src/token-source.js'
import { restoreGlobals, setGlobal } from './globals.js'
import { errorOf } from './waiting.js'

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
    [403, '{"error":"Forbidden"}', 'Forbidden'],
    [401, '<h1>Log in</h1>', 'The token request was refused'],
    [404, '', 'The token request was refused'],
    [200, '{"error":"No"}', 'No'],
  ]
  for (const [status, body, message] of refused) {
    it(`fails with \`token_refused\` for ${status} ${body}`, async () => {
      reply(status, body)
      expect(await errorOf(request())).to.include({ code: 'token_refused', message })
    })
  }

  const failed: readonly (readonly [status: number, body: string, message: string])[] = [
    [500, '{"error":"Internal"}', 'The token request failed: Internal'],
    [503, 'busy', 'The token request failed: HTTP status 503'],
    [429, '', 'The token request failed: HTTP status 429'],
    [200, '<h1>Log in</h1>', 'The token request failed: not JSON'],
    [200, '{}', 'The token request failed: there is no token in the answer'],
    [200, '{"token":5}', 'The token request failed: there is no token in the answer'],
    [200, 'null', 'The token request failed: there is no token in the answer'],
    [200, `{"token":"${'x'.repeat(8000)}"}`, 'The token request failed: the token is too long'],
  ]
  for (const [status, body, message] of failed) {
    it(`fails with \`token_failed\` for ${status} ${body.slice(0, 30)}`, async () => {
      reply(status, body)
      expect(await errorOf(request())).to.include({ code: 'token_failed', message })
    })
  }

  it('says where a redirect to a login page led', async () => {
    respond = ({ url: path }, response) => {
      if (path === '/login') response.end('<h1>Log in</h1>')
      else response.writeHead(302, { Location: '/login' }).end()
    }
    const { code, message } = await errorOf(request())
    expect(code).to.equal('token_failed')
    expect(message).to.match(/not JSON, after a redirect to http.*\/login$/)
  })

  it('fails with `token_failed` when there is no network', async () => {
    expect(await errorOf(request({ url: 'http://127.0.0.1:1/' }))).to.have.property('code', 'token_failed')
  })

  it('fails with `token_failed` when no answer comes in time', async () => {
    respond = () => {}
    const error = await errorOf(request({ timeout: 20 }))
    expect(error).to.include({ code: 'token_failed', message: 'The token request failed: no answer in time' })
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
