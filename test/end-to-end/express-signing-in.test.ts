/** What docs/EXPRESS.md says that a page and a server do when a user signs in or out. */
import type { Server } from 'node:http'
import type { TokenSocket } from '@token-socket/client'
import type { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import session from 'express-session'
import { rejection } from '../protocol/rejection.js'
import { signedIn, useExpressWorld } from './express-recipes.js'
import { next, until } from './fixture.js'

interface User {
  readonly uid: string
  readonly role?: string
}

type WithUser = { readonly session: { user?: User } }

describe('docs/EXPRESS.md, signing in and out', () => {
  const world = useExpressWorld()
  let server: Server
  let sockets: TokenSocketServer

  beforeEach(async () => {
    const app = express()
    app.use(session({ secret: 'x', resave: false, saveUninitialized: false }))
    for (const [path, user] of [
      ['/guest', { uid: 'guest' }],
      ['/sign-in', { uid: 'ann', role: 'user' }],
      ['/promote', { uid: 'ann', role: 'admin' }],
    ] as const) {
      app.post(path, (request, response) => {
        Object.assign(request.session, { user })
        response.send('welcome')
      })
    }
    app.post('/sign-out', (request, response) => {
      request.session.destroy(() => void response.send('bye'))
    })
    server = await world().serve(app)
    const authentication = (request: unknown) => (request as WithUser).session.user
    sockets = world().make(app, server, { authentication })
  })

  /** A client that is ready, and does not wait long before it comes back. */
  async function ready(headers: { Cookie: string }): Promise<TokenSocket> {
    const client = world().client(server, { headers })
    await client.ready()
    return client
  }

  it('lets in a socket that is made once the sign-in has been answered', async () => {
    const client = await ready(await signedIn(server))
    expect(client.uid).to.equal('ann')
  })

  it('leaves a socket failed that was made before, but not a lazy one', async () => {
    const guest = await signedIn(server, '/guest')
    await signedIn(server, '/sign-out', guest.Cookie)
    const [early, lazy] = [
      world().client(server, { headers: guest }),
      world().client(server, { headers: await signedIn(server), lazy: true }),
    ]
    expect((await rejection(early.ready())).code).to.equal('token_refused')
    expect(early.state).to.equal('failed')
    await signedIn(server, '/sign-in', guest.Cookie)
    expect(early.state).to.equal('failed')
    expect(sockets.sockets()).to.have.length(0)
    expect(await lazy.rpc('whoami')).to.deep.equal({ uid: 'ann', role: 'user' })
  })

  it('changes nothing on an open socket by itself', async () => {
    const cookie = await signedIn(server)
    const client = await ready(cookie)
    await signedIn(server, '/promote', cookie.Cookie)
    expect(await client.rpc('whoami')).to.deep.equal({ uid: 'ann', role: 'user' })
    await signedIn(server, '/sign-out', cookie.Cookie)
    expect(await client.rpc('whoami')).to.deep.equal({ uid: 'ann', role: 'user' })
  })

  it('makes a guest’s socket that of the user by `refresh`, with its subscriptions', async () => {
    const cookie = await signedIn(server, '/guest')
    const client = await ready(cookie)
    const { sid } = client
    await client.subscribe('room')
    await signedIn(server, '/sign-in', cookie.Cookie)
    await client.refresh()
    expect([client.uid, client.sid === sid]).to.deep.equal(['ann', false])
    await until(() => sockets.channelSockets('room').length === 1)
    const message = next(client, 'message')
    await client.publish('room', 'hello')
    expect(await message).to.deep.equal(['room', 'hello'])
  })

  for (const by of ['the page', 'the server'] as const) {
    it(`gives an open socket another role by a refresh of ${by}`, async () => {
      const cookie = await signedIn(server)
      const client = await ready(cookie)
      const { sid } = client
      await signedIn(server, '/promote', cookie.Cookie)
      const refreshed = next(client, 'refreshed')
      if (by === 'the page') await client.refresh()
      else await sockets.cluster.refresh({ uid: 'ann' })
      await refreshed
      expect(await client.rpc('whoami')).to.deep.equal({ uid: 'ann', role: 'admin' })
      expect(client.sid).to.equal(sid)
    })
  }

  it('ends the socket of a page that signs out, and by `revoke` those of other tabs for good', async () => {
    const cookie = await signedIn(server)
    const [own, otherTab] = [await ready(cookie), await ready(cookie)]
    await own.end()
    await signedIn(server, '/sign-out', cookie.Cookie)
    const failed = new Promise<void>((resolve) => {
      otherTab.on('state', (state) => state === 'failed' && resolve())
    })
    await sockets.cluster.revoke({ uid: 'ann' })
    await failed
    expect(otherTab.status.error).to.have.property('code', 'token_refused')
    expect(sockets.sockets()).to.have.length(0)
  })

  it('lets those back that are revoked while their session still is there', async () => {
    const client = await ready(await signedIn(server))
    const back = next(client, 'reconnect')
    await sockets.cluster.revoke({ uid: 'ann' })
    await back
    expect(client.uid).to.equal('ann')
  })
})
