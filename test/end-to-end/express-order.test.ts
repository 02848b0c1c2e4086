/** What docs/EXPRESS.md says of the objects of an application, and of the order of middleware. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import session from 'express-session'
import { rejection } from '../protocol/rejection.js'
import { ask, type Options, signedIn, useExpressWorld } from './express-recipes.js'

interface OrderRecipe {
  makeSite(parts: { csrf: RequestHandler; options: Options }): {
    readonly server: Server
    readonly sockets: TokenSocketServer
  }
}

interface NestRecipe {
  mountSockets(app: object, options: Options): TokenSocketServer
}

const sessions = session({ secret: 'x', resave: false, saveUninitialized: false })
const notFound: RequestHandler = (_request, response) => void response.status(404).send('not found')
/** Lets only requests through that bring the token, and those that change nothing. */
const csrf: RequestHandler = (request, response, next) => {
  if (request.method === 'GET' || request.get('x-csrf-token') === 'good') next()
  else response.status(403).send('invalid csrf token')
}
const known = { authentication: () => ({ uid: 'ann' }) }

describe('docs/EXPRESS.md, the order of middleware', () => {
  const world = useExpressWorld()

  /** A site whose TokenSocket stands among middleware. */
  async function site(
    before: RequestHandler[],
    behind: (RequestHandler | ErrorRequestHandler)[],
    more: Options = known,
  ) {
    const app = express()
    for (const one of before) app.use(one)
    const server = await world().serve(app)
    const sockets = world().make(app, server, more)
    for (const one of behind) app.use(one as RequestHandler)
    return { server, sockets }
  }

  it('is that of the program there: clients get in, other requests need the CSRF token, and 404 is the application’s', async () => {
    const { makeSite } = await world().load<OrderRecipe>('order')
    const { server, sockets } = makeSite({ csrf, options: world().options() })
    world().keep(sockets)
    await world().listen(server)
    const headers = await signedIn(server)
    const client = world().client(server, { headers })
    expect(await client.rpc('whoami')).to.deep.equal({ auth: { name: 'ann' } })
    expect((await ask(server, '/orders', { method: 'POST' })).status).to.equal(403)
    expect((await ask(server, '/nowhere')).status).to.equal(404)
    expect((await rejection(world().client(server).ready())).code).to.equal('token_refused')
  })

  it('concerns token requests only: nothing under the prefix passes through middleware', async () => {
    const seen: string[] = []
    const watch: RequestHandler = (request, _response, next) => {
      seen.push(request.path)
      next()
    }
    const { server } = await site([watch], [watch, notFound])
    await world().client(server).ready()
    await (await ask(server, '/sockets/000/session-1/xhr', { method: 'POST' })).text()
    await (await ask(server, '/sockets/health')).text()
    await (await ask(server, '/sockets/token-socket.min.js')).arrayBuffer()
    await (await ask(server, '/sockets/nothing')).text()
    expect(seen).to.deep.equal(['/socket/token'])
  })

  const refusals: readonly (readonly [what: string, middleware: RequestHandler, code: string])[] = [
    ['CSRF protection', csrf, 'token_refused'],
    ['a handler for 404', notFound, 'token_refused'],
    ['a page for all paths', (_request, response) => void response.send('<!doctype html>'), 'token_failed'],
  ]
  for (const [what, middleware, code] of refusals) {
    it(`needs ${what} behind: before, token requests are its own`, async () => {
      const behind = await site([], [middleware])
      await world().client(behind.server).ready()
      const { server } = await site([middleware], [])
      const failure = await rejection(world().client(server, { reconnect: false }).ready())
      expect(failure.code).to.equal(code)
    })
  }

  it('needs the session before: behind it, the log says so', async () => {
    const { server } = await site([], [sessions], {})
    expect((await ask(server, '/socket/token', { method: 'POST' })).status).to.equal(500)
    expect(
      world()
        .log.of('error')
        .map(({ message }) => message)[0],
    ).to.match(/req\.session is not there/)
  })

  for (const place of ['before', 'behind'] as const) {
    it(`takes a body parser and what sets headers ${place}`, async () => {
      const headers: RequestHandler = (_request, response, next) => {
        response.set('Content-Security-Policy', "default-src 'self'")
        next()
      }
      const middleware = [headers, express.json(), express.urlencoded({ extended: false })]
      const { server } = await (place === 'before' ? site(middleware, []) : site([], middleware))
      await world().client(server).ready()
      const body = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
      const answer = await ask(server, '/socket/token', body)
      expect(answer.status).to.equal(200)
      expect(answer.headers.has('content-security-policy')).to.equal(place === 'before')
    })
  }

  it('counts token requests by a limit before, and by `customMiddleware`, but not by one behind', async () => {
    const limit = (): RequestHandler => {
      let count = 0
      return (_request, response, next) => {
        count += 1
        if (count > 1) response.status(429).send('too many')
        else next()
      }
    }
    const sites = [
      await site([limit()], []),
      await site([], [], { ...known, customMiddleware: limit() }),
      await site([], [limit()]),
    ]
    const statuses = []
    for (const { server } of sites) {
      const [first, second] = [await ask(server, '/socket/token'), await ask(server, '/socket/token')]
      statuses.push([first.status, second.status])
    }
    expect(statuses).to.deep.equal([
      [200, 429],
      [200, 429],
      [200, 200],
    ])
  })

  it('gives failures of `customMiddleware` to error handlers behind, not to those before', async () => {
    const handler =
      (name: string): ErrorRequestHandler =>
      (_error, _request, response, _next) =>
        void response.status(500).send(name)
    const app = express()
    app.use(handler('before'))
    const server = await world().serve(app)
    const customMiddleware: RequestHandler = (_request, _response, next) => next(new Error('down'))
    world().make(app, server, { ...known, customMiddleware })
    app.use(handler('behind'))
    expect(await (await ask(server, '/socket/token')).text()).to.equal('behind')
  })

  it('runs `customMiddleware` after the origin was checked, and before `authentication`', async () => {
    const order: string[] = []
    const customMiddleware: RequestHandler = (_request, _response, next) => {
      order.push('customMiddleware')
      next()
    }
    const authentication = () => {
      order.push('authentication')
      return { uid: 'ann' }
    }
    const { server } = await site([], [], { customMiddleware, authentication })
    const foreign = await ask(server, '/socket/token', { headers: { origin: 'https://evil.example' } })
    expect([foreign.status, ...order]).to.deep.equal([403])
    await (await ask(server, '/socket/token')).text()
    expect(order).to.deep.equal(['customMiddleware', 'authentication'])
  })

  it('lets a `cors` before it answer OPTIONS, and asks `origins` as well', async () => {
    const cors: RequestHandler = (request, response, next) => {
      response.set('Access-Control-Allow-Origin', '*')
      if (request.method === 'OPTIONS') response.sendStatus(204)
      else next()
    }
    const { server } = await site([cors], [])
    const headers = { origin: 'https://other.example' }
    expect((await ask(server, '/socket/token', { method: 'OPTIONS', headers })).status).to.equal(204)
    expect((await ask(server, '/socket/token', { method: 'POST', headers })).status).to.equal(403)
  })
})

describe('docs/EXPRESS.md, app and server', () => {
  const world = useExpressWorld()

  it('takes an application that is mounted on another: its token route is below that path, the prefix is not', async () => {
    const [parent, app] = [express(), express()]
    parent.use('/api', app)
    const server = await world().serve(parent)
    world().make(app, server, known)
    await world().client(server, { tokenPath: '/api/socket/token' }).ready()
  })

  it('takes the server that `app.listen` returns', async () => {
    const app = express()
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    world().atEnd(() => server.close())
    world().make(app, server, known)
    await world().client(server).ready()
  })

  it('takes an application with the handler of another framework behind', async () => {
    const app = express()
    const server = await world().serve(app)
    world().make(app, server, known)
    const other: RequestListener = (_request, response) => void response.end('another framework')
    app.use(other)
    await world().client(server).ready()
    expect(await (await ask(server, '/')).text()).to.equal('another framework')
  })

  /** The parts of Nest: middleware and routes go onto its Express application, and `init` adds the handler for 404. */
  function nest() {
    const instance: Express = express()
    const server = createServer(instance)
    return {
      getHttpAdapter: () => ({ getInstance: () => instance }),
      getHttpServer: () => server,
      use: (middleware: RequestHandler) => void instance.use(middleware),
      init: () => void instance.use(notFound),
    }
  }

  it('of Nest, serves what is made before `init`, with the sessions that came before', async () => {
    const { mountSockets } = await world().load<NestRecipe>('nest')
    const app = nest()
    app.use(sessions)
    const authentication = (request: object) => ({ uid: 'ann', hasSession: 'session' in request })
    world().keep(mountSockets(app, world().options({ authentication })))
    app.init()
    const server = await world().listen(app.getHttpServer())
    expect(await world().client(server).rpc('whoami')).to.deep.equal({ uid: 'ann', hasSession: true })
  })

  it('of Nest, does not serve what is made after `init`', async () => {
    const { mountSockets } = await world().load<NestRecipe>('nest')
    const app = nest()
    app.init()
    world().keep(mountSockets(app, world().options(known)))
    const server = await world().listen(app.getHttpServer())
    const failure = await rejection(world().client(server).ready())
    expect([failure.code, (failure.data as { status: number }).status]).to.deep.equal(['token_refused', 404])
  })

  it('keeps an HTTP server from closing while a socket is open, until the shutdown', async () => {
    const app = express()
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const sockets = world().make(app, server, known)
    await world().client(server, { reconnect: false }).ready()
    let isClosed = false
    const closed = once(server, 'close').then(() => {
      isClosed = true
    })
    server.close()
    server.closeIdleConnections()
    await sockets.cluster.count()
    expect(isClosed).to.equal(false)
    await sockets.shutdown()
    await closed
  })
})
