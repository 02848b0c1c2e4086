import { expect } from 'chai'
import type { Request, Response } from 'express'
import type { Page } from 'playwright-core'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { connect, endSocket, Site, uncaughtIn } from './site.js'

/** What a token route answers instead of a token. */
type Answer = (response: Response, request: Request) => void

/** A body of this type, with this status. */
const body =
  (status: number, type: string, text: string): Answer =>
  (response) =>
    void response.status(status).type(type).send(text)

const LOGIN_PAGE = '<!doctype html><title>Log in</title><form></form>'

/** Answers that may be better the next time, and what they are called. */
const FAILED: Readonly<Record<string, readonly [Answer, message: string | RegExp]>> = {
  'with a page': [body(200, 'html', LOGIN_PAGE), 'not JSON'],
  'with a redirect to a login page': [
    (response) => response.redirect(302, '/log-in'),
    /^not JSON, after a redirect to http:\/\/127\.0\.0\.1:\d+\/log-in$/,
  ],
  'with broken JSON': [body(200, 'json', '{"token":"eyJ'), 'not JSON'],
  'with an empty body': [body(200, 'json', ''), 'not JSON'],
  'with 204': [(response) => void response.status(204).end(), 'not JSON'],
  'with JSON that holds no token': [body(200, 'json', '["eyJ"]'), 'no token in the answer'],
  'with a token that is a number': [body(200, 'json', '{"token":5}'), 'no token in the answer'],
  'with a token that is far too long': [
    body(200, 'json', JSON.stringify({ token: 'e'.repeat(100_000) })),
    'the token is too long',
  ],
  'with 500 and JSON': [body(500, 'json', '{"error":"Internal error"}'), 'Internal error, HTTP status 500'],
  'with 502 and a proxy’s page': [body(502, 'html', '<h1>Bad gateway</h1>'), 'HTTP status 502'],
  'with 429': [body(429, 'text', 'Slow down'), 'HTTP status 429'],
  'by cutting the connection': [(response) => void response.socket?.destroy(), 'Failed to fetch'],
  'by cutting the connection within the body': [
    (response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 100 })
      response.write('{"token":')
      setImmediate(() => response.socket?.destroy())
    },
    /^(Failed to fetch|network error)$/,
  ],
  'not at all': [() => {}, 'no answer in time'],
  'with half a body, and nothing more': [
    (response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.write('{"token":')
    },
    'no answer in time',
  ],
}

/** Answers that are a no; URL is the route's. */
const REFUSED: Readonly<Record<string, readonly [Answer, message: string, status: number]>> = {
  'with 403 and JSON': [
    body(403, 'json', '{"error":"Forbidden"}'),
    'Forbidden, HTTP status 403 from URL',
    403,
  ],
  'with 401 and a login page': [body(401, 'html', LOGIN_PAGE), 'HTTP status 401 from URL', 401],
  'with 404': [body(404, 'html', '<h1>Not found</h1>'), 'HTTP status 404 from URL', 404],
}

describe('a token route that answers', () => {
  let chromium: OpenBrowser
  let site: Site
  let page: Page
  let uncaught: string[]
  /** What the route does with the next requests; once there is nothing left it answers as it should. */
  let answers: Answer[] = []
  let asked = 0

  before(async function () {
    this.timeout(120_000)
    site = await Site.open({
      sockets: {},
      prepare: (app) => {
        app.get('/log-in', (_request, response) => void response.send(LOGIN_PAGE))
        app.all('/socket/token', (request, response, next) => {
          asked += 1
          const answer = answers.shift()
          if (answer) answer(response, request)
          else next()
        })
      },
    })
    chromium = await openBrowser()
    page = await chromium.browser.newPage()
    page.setDefaultTimeout(8000)
    uncaught = uncaughtIn(page)
    await page.goto(`${site.origin}/sign-in`)
    await page.goto(`${site.origin}/`)
  })

  beforeEach(() => {
    answers = []
    asked = 0
  })

  afterEach(async () => {
    await endSocket(page)
    expect(uncaught.splice(0)).to.deep.equal([])
  })

  after(async () => {
    await chromium?.close()
    await site?.close()
  })

  for (const [title, [answer, reason]] of Object.entries(FAILED)) {
    describe(title, () => {
      // Only where no answer comes does the time-out decide; elsewhere a busy machine is not to fail by it.
      const connectTimeout = reason === 'no answer in time' ? 1000 : 30_000

      it('fails with `token_failed` and why', async () => {
        // A browser asks again by itself where a connection that it had used before is cut.
        answers = Array.from({ length: 10 }, () => answer)
        const { code, message = '' } = await connect(page, { reconnect: false, connectTimeout })
        expect(code).to.equal('token_failed')
        const asking = `The token request to ${site.origin}/socket/token failed: `
        expect(message).to.satisfy((text: string) => text.startsWith(asking))
        const why = message.slice(asking.length)
        if (typeof reason === 'string') expect(why).to.equal(reason)
        else expect(why).to.match(reason)
      })

      it('is asked again until it is well', async () => {
        answers = [answer]
        expect(await connect(page, { connectTimeout })).to.deep.equal({ transport: 'websocket' })
        expect(asked).to.equal(2)
      })
    })
  }

  for (const [title, [answer, message, status]] of Object.entries(REFUSED)) {
    describe(title, () => {
      it('refuses for good before the first `ready`: `token_refused` with the status', async () => {
        // Where POST is not known GET may be.
        answers = Array.from({ length: 10 }, () => answer)
        expect(await connect(page)).to.deep.equal({
          code: 'token_refused',
          message: message.replace('URL', `${site.origin}/socket/token`),
          data: { status, url: `${site.origin}/socket/token` },
        })
        expect(await page.evaluate(() => window.socket.state)).to.equal('failed')
        expect(asked).to.equal(status === 404 ? 2 : 1)
      })

      it('is asked again after it, until the user is signed in again', async () => {
        expect(await connect(page)).to.deep.equal({ transport: 'websocket' })
        answers = Array.from({ length: status === 404 ? 4 : 2 }, () => answer)
        const heard = page.evaluate(
          () =>
            new Promise<unknown[]>((resolve) => {
              const errors: unknown[] = []
              window.socket.onreconnect((error) => {
                errors.push(error ? { code: error.code, data: error.data } : 'ready')
                if (!error) resolve(errors)
              })
            }),
        )
        for (const socket of site.sockets.sockets()) socket.end()
        const refusal = { code: 'token_refused', data: { status, url: `${site.origin}/socket/token` } }
        expect(await heard).to.deep.equal([refusal, refusal, 'ready'])
      })
    })
  }

  it('with 200 and an error is refused, without a status', async () => {
    answers = [body(200, 'json', '{"error":"Not you"}')]
    const url = `${site.origin}/socket/token`
    expect(await connect(page)).to.deep.equal({
      code: 'token_refused',
      message: `Not you, from ${url}`,
      data: { url },
    })
  })

  it('with 403 refuses what waits, awaited or not, and leaves no rejection that nobody caught', async () => {
    answers = [body(403, 'json', '{"error":"Forbidden"}')]
    const code = await page.evaluate(async () => {
      window.socket = new window.TokenSocket()
      window.socket.subscribe('unawaited')
      window.socket.publish('unawaited', 1)
      return window.socket.rpc('echo', 1).catch((error) => error.code)
    })
    expect(code).to.equal('token_refused')
  })
})
