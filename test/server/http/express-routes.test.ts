import type { RequestListener } from 'node:http'
import { type Routes, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import type { Express, Request, RequestHandler, Response } from 'express'
import sinon from 'sinon'
import { ExpressRoutes } from '#server/http/express-routes.js'
import { EXPRESS_VERSIONS } from '../applications.js'
import { TestServer } from '../http-server.js'

const CALLER = { ip: '1.2.3.4', host: 'app.example.com' }

/** How a call ended. */
interface Ending {
  readonly error?: unknown
  readonly data?: unknown
}

for (const { name, make } of EXPRESS_VERSIONS) {
  describe(`ExpressRoutes on ${name}`, () => {
    let app: Express

    beforeEach(() => {
      app = make()
    })

    /** Calls a route as a socket does. */
    async function call(
      routes: Routes,
      name: string,
      data?: unknown,
      auth: unknown = { id: 7 },
    ): Promise<Ending> {
      const action = new ExpressRoutes(app, routes).find(name)
      if (!action) throw new Error('there is no such route')
      return new Promise((resolve, reject) => {
        const callback = (error: unknown, data: unknown) => resolve(error ? { error } : { data })
        Promise.resolve(action(auth, data, callback, CALLER)).catch(reject)
      })
    }

    /** Calls one handler. */
    const callOne = (handler: RequestHandler, data?: unknown, auth?: unknown) =>
      call({ a: handler }, 'a', data, auth)

    /** What a rejected call rejected with. */
    const failure = (handler: RequestHandler) =>
      callOne(handler).then(
        (ending) => expect.fail(`it ended with ${JSON.stringify(ending)}`),
        (error: unknown) => error,
      )

    describe('a call that ends before its answer', () => {
      /** Calls a handler and gives the call up once it runs. @returns what was emitted, and how the call ended */
      async function abort(handler: RequestHandler) {
        const controller = new AbortController()
        const emitted: string[] = []
        const action = new ExpressRoutes(app, {
          a: (request, response, next) => {
            request.on('close', () => emitted.push('request'))
            response.on('close', () => emitted.push('response'))
            setImmediate(() => controller.abort(new RpcError('aborted')))
            return handler(request, response, next)
          },
        }).find('a')
        const ended = sinon.spy()
        const result = action?.({}, {}, () => {}, CALLER, { signal: controller.signal }) as Promise<unknown>
        result.then(ended, ({ code }) => ended(code))
        for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate)
        return { emitted: emitted.sort(), ended: ended.args.flat() }
      }

      it('emits `close` on both, also after the body was read', async () => {
        const handlers: RequestHandler[] = [() => {}, (request) => void request.resume()]
        for (const handler of handlers)
          expect((await abort(handler)).emitted).to.deep.equal(['request', 'response'])
      })

      it('lasts until the handler ends its response, or its promise settles', async () => {
        const closed = (response: Response) => new Promise((resolve) => response.on('close', resolve))
        const handlers: [RequestHandler, unknown[]][] = [
          [() => {}, []],
          [(_request, response) => void response.on('close', () => response.end()), ['aborted']],
          [async (_request, response) => void (await closed(response)), ['aborted']],
        ]
        for (const [handler, ended] of handlers) expect((await abort(handler)).ended).to.deep.equal(ended)
      })

      it('emits nothing else when it was answered in time', async () => {
        const { ended } = await abort((_request, response) => void response.json(1))
        expect(ended).to.deep.equal([undefined])
      })
    })

    describe('#find', () => {
      const handler: RequestHandler = (_request, response) => void response.json({})

      it('finds a handler by its dotted name', () => {
        const routes = new ExpressRoutes(app, { a: { b: { c: handler } }, d: handler })
        expect(routes.find('a.b.c')).to.be.a('function')
        expect(routes.find('d')).to.be.a('function')
      })

      it('finds nothing else', () => {
        const routes = new ExpressRoutes(app, { a: { b: handler } })
        for (const name of ['', 'a', 'b', 'a.b.c', 'a.toString', '__proto__', 'constructor', 'toString']) {
          expect(routes.find(name), name).to.equal(undefined)
        }
      })

      it('finds what was added later', () => {
        const tree: Record<string, RequestHandler> = {}
        const routes = new ExpressRoutes(app, tree)
        expect(routes.find('late')).to.equal(undefined)
        tree.late = handler
        expect(routes.find('late')).to.be.a('function')
      })
    })

    describe('a request', () => {
      it('holds the data as body, query and params', async () => {
        const data = { x: 1, list: ['a'] }
        const { data: seen } = await callOne(({ body, query, params }, response) => {
          response.json([body, query, params])
        }, data)
        expect(seen).to.deep.equal([data, data, data])
      })

      it('holds the socket’s auth as session and user', async () => {
        const auth = { id: 7 }
        let seen: unknown[] = []
        await callOne(
          (request, response) => {
            const { session, user } = request as Request & { session: unknown; user: unknown }
            seen = [session, user]
            response.json({})
          },
          {},
          auth,
        )
        expect(seen[0]).to.equal(auth)
        expect(seen[1]).to.equal(auth)
      })

      it('has Express’s methods, the application and its settings', async () => {
        app.set('greeting', 'hello')
        const { data } = await callOne((request, response) => {
          const { method, url, ip, hostname, app } = request
          response.json([method, url, ip, hostname, app.get('greeting'), request.get('accept')])
        })
        expect(data).to.deep.equal(['POST', '/a', '1.2.3.4', 'app.example.com', 'hello', 'application/json'])
      })

      it('knows its response, and the response its request', async () => {
        let same = false
        await callOne((request, response) => {
          same = request.res === response && response.req === request && response.app === request.app
          response.json({})
        })
        expect(same).to.equal(true)
      })

      it('has its body’s data to write on', async () => {
        const { data } = await callOne((request, response) => {
          request.body = { other: 1 }
          response.json([request.body])
        })
        expect(data).to.deep.equal([{ other: 1 }])
      })

      it('goes past the application’s middleware', async () => {
        const middleware = sinon.spy((_request: Request, _response: Response, next: () => void) => next())
        app.use(middleware)
        await callOne((_request, response) => void response.json({}))
        expect(middleware.called).to.equal(false)
      })
    })

    describe('an answer', () => {
      it('of an object carries headers and status', async () => {
        const { data } = await callOne((_request, response) => {
          response.status(201).set('X-Custom', 'yes').json({ x: 1 })
        })
        const { _headers, ...rest } = data as { _headers: Record<string, string> }
        expect(rest).to.deep.equal({ x: 1, _code: 201 })
        expect(_headers).to.include({ 'x-custom': 'yes' })
        expect(_headers['content-type']).to.match(/^application\/json/)
      })

      it('keeps cookies from the page, which may be `httpOnly`', async () => {
        const { data } = await callOne((_request, response) => {
          response.cookie('sid', 'secret', { httpOnly: true }).cookie('b', '2').set('ETag', 'x').json({})
        })
        const { _headers } = data as { _headers: Record<string, unknown> }
        expect(_headers).to.include({ etag: 'x' })
        expect(_headers).not.to.have.property('set-cookie')
      })

      const answers: [what: string, answer: (response: Response) => unknown, data: unknown][] = [
        ['a list', (response) => response.json([1, 2]), [1, 2]],
        ['a number', (response) => response.json(5), 5],
        ['null', (response) => response.json(null), null],
        ['a JSON text', (response) => response.json('text'), 'text'],
        ['a text', (response) => response.send('text'), 'text'],
        ['nothing', (response) => response.end(), ''],
        ['a status of 204', (response) => response.status(204).end(), ''],
        ['text in pieces', (response) => response.write('a') && response.end('b'), 'ab'],
      ]
      for (const [what, answer, data] of answers) {
        it(`of ${what} is that`, async () => {
          expect(await callOne((_request, response) => void answer(response))).to.deep.equal({ data })
        })
      }

      const errors: [what: string, answer: (response: Response) => unknown, error: unknown][] = [
        ['400 with `error`', (response) => response.status(400).json({ error: 'no', x: 1 }), 'no'],
        ['500 with an object', (response) => response.status(500).json({ x: 1 }), { x: 1 }],
        ['404 with a text', (response) => response.status(404).send('gone'), 'gone'],
        ['503 with nothing', (response) => response.status(503).end(), 'Status 503'],
        ['400 with an empty `error`', (response) => response.status(400).json({ error: '' }), 'Status 400'],
        ['sendStatus', (response) => response.sendStatus(403), 'Forbidden'],
        ['300', (response) => response.status(300).json(0), 'Status 300'],
      ]
      for (const [what, answer, error] of errors) {
        it(`of ${what} is an error`, async () => {
          expect(await callOne((_request, response) => void answer(response))).to.deep.equal({ error })
        })
      }

      it('of a redirect is an error', async () => {
        const { error } = await callOne((_request, response) => response.redirect('/elsewhere'))
        expect(error).to.be.a('string')
      })

      it('comes from an async handler too', async () => {
        const handler: RequestHandler = async (_request, response) => {
          await Promise.resolve()
          response.json([1])
        }
        expect(await callOne(handler)).to.deep.equal({ data: [1] })
      })

      it('honors the application’s settings', async () => {
        app.set('json spaces', 2)
        let body = ''
        await callOne((_request, response) => {
          const { end } = response
          response.end = ((chunk: unknown, ...rest: []) => {
            body = String(chunk)
            return Reflect.apply(end, response, [chunk, ...rest])
          }) as typeof response.end
          response.json({ x: 1 })
        })
        expect(body).to.equal('{\n  "x": 1\n}')
      })
    })

    describe('a handler that fails', () => {
      const cause = new Error('secret')

      it('rejects with what it throws', async () => {
        expect(
          await failure(() => {
            throw cause
          }),
        ).to.equal(cause)
        expect(await failure(() => Promise.reject(cause) as never)).to.equal(cause)
      })

      it('rejects with what it gives to `next`', async () => {
        expect(await failure((_request, _response, next) => next(cause))).to.equal(cause)
        const refused = new RpcError('sold_out')
        expect(await failure((_request, _response, next) => next(refused))).to.equal(refused)
        expect(await failure((_request, _response, next) => next('text'))).to.equal('text')
      })

      for (const given of [undefined, null, 'route', 'router']) {
        it(`rejects with not_found for next(${given ?? ''})`, async () => {
          const error = await failure((_request, _response, next) => next(given as 'route'))
          expect(error).to.have.property('code', 'not_found')
        })
      }

      it('rejects with not_found for req.next()', async () => {
        const error = await failure((request) => request.next?.())
        expect(error).to.have.property('code', 'not_found')
      })
    })

    it('leaves the application’s own requests as they are', async () => {
      app.post('/a', (request, response) => {
        response.json({ url: request.url, ip: request.ip, body: request.body ?? null })
      })
      const server = await TestServer.start(app as unknown as RequestListener)
      try {
        await callOne((_request, response) => void response.json({}), { x: 1 })
        const answer = await fetch(`${server.origin}/a`, { method: 'POST' })
        expect(await answer.json()).to.deep.equal({ url: '/a', ip: '127.0.0.1', body: null })
      } finally {
        await server.stop()
      }
    })

    it('keeps calls apart that run at once', async () => {
      const handler: RequestHandler = (request, response) => {
        setImmediate(() => response.json([request.body]))
      }
      const endings = await Promise.all([1, 2, 3].map((value) => callOne(handler, { value })))
      expect(endings).to.deep.equal([1, 2, 3].map((value) => ({ data: [{ value }] })))
    })
  })
}
