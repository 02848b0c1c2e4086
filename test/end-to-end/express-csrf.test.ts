/** What docs/EXPRESS.md says of CSRF protection, and of the client's `headers`. */
import { createServer } from 'node:http'
import type { TokenSocket, TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import express, { type RequestHandler } from 'express'
import { createWebSocket } from '#client/connection/transports/native-websocket.js'
import { fetchToken } from '#client/token/native-fetch.js'
import { rejection } from '../protocol/rejection.js'
import { ask, portOf, useExpressWorld } from './express-recipes.js'

interface ClientRecipe {
  connect(options: TokenSocketOptions, csrfToken: string): Promise<TokenSocket>
}

describe('docs/EXPRESS.md, CSRF protection', () => {
  const world = useExpressWorld()
  let good = 'good'
  beforeEach(() => {
    good = 'good'
  })

  /** As csrf-sync and the like: what changes something needs the token in a header. */
  const csrf: RequestHandler = (request, response, next) => {
    if (request.method === 'GET' || request.get('x-csrf-token') === good) next()
    else response.status(403).send('invalid csrf token')
  }

  async function protectedSite() {
    const app = express()
    app.use(csrf)
    const server = await world().serve(app)
    world().make(app, server, { authentication: () => ({ uid: 'ann' }) })
    return server
  }

  it('is not needed: another origin is refused before `authentication`', async () => {
    const app = express()
    const server = await world().serve(app)
    let asked = 0
    const authentication = () => {
      asked += 1
      return { uid: 'ann' }
    }
    world().make(app, server, { authentication })
    const headers = { origin: 'https://evil.example' }
    for (const method of ['POST', 'GET', 'OPTIONS'])
      expect((await ask(server, '/socket/token', { method, headers })).status, method).to.equal(403)
    expect(asked).to.equal(0)
    expect((await ask(server, '/socket/token', { method: 'POST' })).status).to.equal(200)
  })

  it('lets a client in that gives its token by `headers`, as the program there does', async () => {
    const { connect } = await world().load<ClientRecipe>('csrf-client')
    const server = await protectedSite()
    const client = await connect({ host: `127.0.0.1:${portOf(server)}` }, 'good')
    world().atEnd(() => client.end())
    expect(await client.rpc('echo', 1)).to.equal(1)
  })

  it('refuses a client without its token for good', async () => {
    const server = await protectedSite()
    const client = world().client(server)
    const failure = await rejection(client.ready())
    expect([failure.code, (failure.data as { status: number }).status]).to.deep.equal(['token_refused', 403])
    expect(client.state).to.equal('failed')
  })

  it('needs a new client where its token has changed', async () => {
    const server = await protectedSite()
    const client = world().client(server, { headers: { 'X-CSRF-Token': 'good' } })
    await client.ready()
    good = 'better'
    expect((await rejection(client.refresh())).code).to.equal('token_refused')
    await world()
      .client(server, { headers: { 'X-CSRF-Token': 'better' } })
      .ready()
  })

  it('lets GET through, which the token route answers', async () => {
    const server = await protectedSite()
    expect((await ask(server, '/socket/token')).status).to.equal(200)
    expect((await ask(server, '/socket/token', { method: 'POST' })).status).to.equal(403)
  })

  it('has `headers` in Node with the token request and with the upgrade', async () => {
    const seen: unknown[] = []
    const app = express()
    const server = await world().serve(app)
    world().make(app, server, { authentication: () => ({ uid: 'ann' }) })
    const { emit } = server
    server.emit = ((event: string, ...rest: [{ headers: Record<string, string> }]) => {
      if (event === 'request' || event === 'upgrade') seen.push(event, rest[0].headers['x-csrf-token'])
      return Reflect.apply(emit, server, [event, ...rest])
    }) as typeof emit
    await world()
      .client(server, { headers: { 'X-CSRF-Token': 'good' } })
      .ready()
    expect(seen).to.deep.equal(['request', 'good', 'upgrade', 'good'])
  })

  it('has `headers` in a page with the token request, and not with the WebSocket', async () => {
    const seen: unknown[] = []
    const server = await world().listen(
      createServer(({ headers }, response) => {
        seen.push(headers['x-csrf-token'])
        response.end('{}')
      }),
    )
    const url = `http://127.0.0.1:${portOf(server)}/socket/token`
    const headers = { 'X-CSRF-Token': 'good' }
    await fetchToken(url, { method: 'POST', headers, signal: new AbortController().signal })
    expect(seen).to.deep.equal(['good'])
    const { WebSocket: own } = globalThis
    const given: unknown[] = []
    const fake = class {
      constructor(...args: unknown[]) {
        given.push(...args)
      }
    }
    Object.assign(globalThis, { WebSocket: fake })
    try {
      createWebSocket('ws://127.0.0.1:1', headers)
    } finally {
      Object.assign(globalThis, { WebSocket: own })
    }
    expect(given).to.deep.equal(['ws://127.0.0.1:1'])
  })
})
