/** What docs/EXPRESS.md says of several servers in one process, and of shutting down. */
import type { Server } from 'node:http'
import type { TokenSocket } from '@token-socket/client'
import { MemoryEngine, type TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express, { type Express } from 'express'
import { rejection } from '../protocol/rejection.js'
import { certificate } from './certificate.js'
import { ask, type Options, portOf, useExpressWorld } from './express-recipes.js'
import { next, until } from './fixture.js'

interface BothRecipe {
  serveBoth(
    app: Express,
    certificate: object,
    options: Options,
  ): { readonly secure: Server; readonly plain: Server; readonly sockets: TokenSocketServer }
}

interface HostsRecipe {
  serveHosts(hosts: Record<string, Express>, options: Options): Server
}

interface StaffRecipe {
  serveStaff(parts: Options): TokenSocketServer[]
}

interface ReloadRecipe {
  reload(options: Options): TokenSocketServer
}

const authentication = () => ({ uid: 'ann' })

describe('docs/EXPRESS.md, several servers', () => {
  const world = useExpressWorld()
  const warnings = () => ['warn', 'error'].flatMap((level) => world().log.of(level as 'warn'))
  const trust = process.env.NODE_TLS_REJECT_UNAUTHORIZED

  afterEach(() => {
    if (trust === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = trust
  })

  /** Fails unless one hears what the other publishes. */
  async function hears(one: TokenSocket, other: TokenSocket): Promise<void> {
    await one.subscribe('room')
    const message = next(one, 'message')
    await other.publish('room', 'hello')
    expect(await message).to.deep.equal(['room', 'hello'])
  }

  it('with one engine each know nothing of each other: channels, tokens and revocations are each one’s own', async () => {
    const app = express()
    const server = await world().serve(app)
    const others = { prefix: '/other', tokenRoute: '/other-token' }
    const one = world().make(app, server, { authentication })
    world().make(app, server, { authentication, ...others })
    const [client, other] = [
      world().client(server),
      world().client(server, { socketPrefix: '/other', tokenPath: '/other-token' }),
    ]
    await Promise.all([client.subscribe('room'), other.subscribe('room')])
    const heard: unknown[] = []
    client.on('message', (channel, data) => heard.push([channel, data]))
    await other.publish('room', 'of the other')
    await client.publish('room', 'own')
    await until(() => heard.length > 0)
    expect(heard).to.deep.equal([['room', 'own']])
    expect((await one.cluster.count()).count).to.equal(1)
    const lost = next(client, 'disconnect')
    await one.cluster.revoke({ uid: 'ann' })
    await lost
    expect(other.state).to.equal('ready')
    const crossed = world().client(server, { socketPrefix: '/other', reconnect: false })
    expect((await rejection(crossed.ready())).code).to.equal('invalid_token')
  })

  it('by HTTP and HTTPS, are one by the program there: channels are the same, and the log has no warning', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    const { serveBoth } = await world().load<BothRecipe>('https')
    const app = express()
    const { secure, plain, sockets } = serveBoth(app, certificate, world().options({ authentication }))
    world().keep(sockets)
    await Promise.all([world().listen(secure), world().listen(plain)])
    const [one, other] = [
      world().client(plain),
      world().client(secure, { host: `https://127.0.0.1:${portOf(secure)}` }),
    ]
    await Promise.all([one.ready(), other.ready()])
    expect(sockets.sockets()).to.have.length(2)
    await hears(one, other)
    await hears(other, one)
    expect((await ask(plain, '/sockets/health')).status).to.equal(200)
    expect(warnings()).to.deep.equal([])
  })

  it('on virtual hosts, have prefixes of their own and the same token route, as in the program there', async () => {
    const { serveHosts } = await world().load<HostsRecipe>('virtual-hosts')
    const [shop, blog] = [express(), express()]
    const makeSockets = { ...world().options({ authentication }) }
    const server = await world().listen(serveHosts({ '127.0.0.1': shop, localhost: blog }, makeSockets))
    const [one, other] = [
      world().client(server, { socketPrefix: '/sockets-127' }),
      world().client(server, { host: `localhost:${portOf(server)}`, socketPrefix: '/sockets-localhost' }),
    ]
    expect([await one.rpc('echo', 1), await other.rpc('echo', 2)]).to.deep.equal([1, 2])
    const stranger = world().client(server, { socketPrefix: '/sockets-localhost', reconnect: false })
    expect((await rejection(stranger.ready())).code).to.equal('invalid_token')
  })

  it('on virtual hosts, are one where pages of one host use another, which `origins` has to name', async () => {
    const app = express()
    const server = await world().serve(app)
    const headers = { origin: 'https://blog.example.com' }
    const given = { prefix: '/other', tokenRoute: '/other-token', origins: [headers.origin] }
    world().make(app, server, { authentication })
    world().make(app, server, { authentication, ...given })
    expect((await ask(server, '/socket/token', { method: 'POST', headers })).status).to.equal(403)
    expect((await ask(server, '/other-token', { method: 'POST', headers })).status).to.equal(200)
  })

  it('on several prefixes, have handlers and sign-ins of their own, as in the program there', async () => {
    const { serveStaff } = await world().load<StaffRecipe>('prefixes')
    const app = express()
    app.use((request, _response, next) => {
      const staff = request.get('x-staff')
      Object.assign(request, { session: staff ? { staff: { uid: staff } } : {} })
      next()
    })
    const server = await world().serve(app)
    for (const sockets of serveStaff({ app, server, ...world().options({ authentication }) }))
      world().keep(sockets)
    const paths = { socketPrefix: '/staff', tokenPath: '/staff-token' }
    const staff = world().client(server, { ...paths, headers: { 'X-Staff': 'eve' } })
    expect(await staff.rpc('whoami')).to.deep.equal({ uid: 'eve' })
    expect(await world().client(server).rpc('whoami')).to.deep.equal({ uid: 'ann' })
    expect((await rejection(world().client(server, paths).ready())).code).to.equal('token_refused')
  })

  it('of which one is shut down, leave an engine in memory to the next, and it is empty', async () => {
    const [app, engine] = [express(), new MemoryEngine()]
    const server = await world().serve(app)
    const channels = { news: { subscribe: true, publish: true, history: { size: 10, ttl: 60_000 } } }
    const options = { authentication: () => ({ name: 'ann' }), engine, channels }
    const first = world().make(app, server, options)
    await first.publish('news', 'kept')
    await first.shutdown()
    world().make(app, server, options)
    const client = world().client(server)
    await client.subscribe('news')
    expect(await client.history('news')).to.deep.equal([])
    await client.publish('news', 'new')
    expect((await client.history('news')).map(({ data }) => data)).to.deep.equal(['new'])
  })

  it('by hot reload, follow each other: clients come back to the new one', async () => {
    const app = express()
    const server = await world().serve(app)
    const reload = async (version: number) => {
      const recipe = await world().load<ReloadRecipe>('hot-reload', version)
      const controller = { socketController: { version: () => version } }
      const options = { app, server, ...world().options({ authentication, ...controller }) }
      world().keep(recipe.reload(options))
    }
    await reload(1)
    // Before there is a server, a client is answered with 404, which is final.
    const client = world().client(server)
    expect(await client.rpc('version')).to.equal(1)
    for (const version of [2, 3]) {
      const back = next(client, 'reconnect')
      await reload(version)
      await back
      expect(await client.rpc('version')).to.equal(version)
    }
  })

  it('give the listener for upgrades and the wrapper of `emit` back before the promise resolves', async () => {
    const app = express()
    const server = await world().serve(app)
    const { emit } = server
    const sockets = world().make(app, server, { authentication })
    expect(server.emit).not.to.equal(emit)
    const ended = sockets.shutdown({ final: true })
    expect([server.emit, server.listenerCount('upgrade')]).to.deep.equal([emit, 0])
    await ended
    expect(server.listening).to.equal(true)
  })
})
