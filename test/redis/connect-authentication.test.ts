/** Connections without a token, on two nodes: what one node does holds for those of the other. */
import type { TokenSocket } from '@token-socket/client'
import type { ConnectAuthentication } from '@token-socket/server'
import { expect } from 'chai'
import { type Site, until } from '../end-to-end/fixture.js'
import { rejection } from '../protocol/rejection.js'
import { useTwoSites } from './two-sites.js'

/** The user that the URL names, or one who may not come in. */
const userOf: ConnectAuthentication = ({ url = '' }) => {
  const uid = new URL(url, 'http://server.invalid').searchParams.get('uid')
  return uid === null ? false : { uid, umd: { name: uid.toUpperCase() } }
}

describe('connections without a token, on two nodes', function () {
  this.timeout(120_000)
  const start = useTwoSites({
    secret: 'of the tests, 32 bytes long or more',
    authentication: ({ query }: { query: Record<string, unknown> }) => ({ uid: query.uid }),
    connectAuthentication: userOf,
  })

  const url = (uid: string) => (request: { readonly url: string }) => `${request.url}?uid=${uid}`
  const open = (site: Site, uid = 'ann') => site.client({ url: url(uid), logLevel: 'none' })

  async function ready(site: Site, uid?: string): Promise<TokenSocket> {
    const client = open(site, uid)
    await client.ready()
    return client
  }

  it('belong to their user on both, beside those with a token', async () => {
    const [here, there] = await start()
    await Promise.all([ready(here), ready(there), ready(there, 'bob')])
    await there.ready({ authentication: { uid: 'ann' } })
    const { cluster } = here.sockets
    expect(await cluster.count({ uid: 'ann' })).to.deep.equal({ count: 3, missing: [] })
    const { sockets } = await cluster.sockets({ uid: 'ann' })
    expect(sockets.map(({ uid }) => uid)).to.deep.equal(['ann', 'ann', 'ann'])
  })

  it('are called, and notified, from the other node', async () => {
    const [here, there] = await start()
    const seen: unknown[] = []
    const actions = { echo: (data: unknown) => data, note: (data: unknown) => void seen.push(data) }
    const { socket } = await there.pair({ url: url('ann') }, actions)
    expect(await here.sockets.cluster.rpc(socket.sid, 'echo', { a: 1 })).to.deep.equal({ a: 1 })
    await here.sockets.cluster.notify(socket.sid, 'note', 'hello')
    await until(() => seen.length > 0)
    expect(seen).to.deep.equal(['hello'])
  })

  it('are closed for good by their user, whichever node says so; others stay', async () => {
    const [here, there] = await start()
    const clients = await Promise.all([ready(here), ready(there)])
    const bob = await ready(there, 'bob')
    const closed = await here.sockets.cluster.disconnect({ uid: 'ann' }, { reconnect: false })
    expect(closed).to.deep.equal({ count: 2, missing: [] })
    for (const client of clients) {
      await until(() => client.state === 'failed')
      expect(client.status.error?.data).to.include({ code: 4502 })
    }
    expect(await bob.rpc('whoami')).to.include({ uid: 'bob' })
    // The function decides whether the user gets in again.
    expect((await ready(there)).uid).to.equal('ann')
  })

  it('come back when they are closed to come back', async () => {
    const [here, there] = await start()
    const client = await ready(there)
    const before = client.sid
    await here.sockets.cluster.disconnect({ uid: 'ann' })
    await until(() => client.state === 'ready' && client.sid !== before)
    expect(await client.rpc('whoami')).to.include({ uid: 'ann' })
  })

  it('are refused when another node cuts their user off while the function decides', async () => {
    const decide: ((auth: unknown) => void)[] = []
    const [here, there] = await start({
      connectAuthentication: () => new Promise((resolve) => decide.push(resolve)),
    })
    const client = open(there)
    await until(() => decide.length === 1)
    await here.sockets.cluster.disconnect({ uid: 'ann' }, { reconnect: false })
    decide[0]?.({ uid: 'ann' })
    expect((await rejection(client.ready())).code).to.equal('forbidden')
    expect(there.sockets.sockets()).to.deep.equal([])
  })

  it('count as sockets of their user on each node, with those that have a token', async () => {
    const [here, there] = await start({ limits: { socketsPerUser: 1 } })
    const clients = await Promise.all([ready(here), ready(there)])
    expect(clients.map(({ uid }) => uid)).to.deep.equal(['ann', 'ann'])
    const more = [open(there), there.client({ authentication: { uid: 'ann' }, logLevel: 'none' })]
    for (const client of more) {
      await until(() => client.state === 'waiting')
      expect(client.status.error?.code).to.equal('too_many_sockets')
    }
    expect((await ready(there, 'bob')).uid).to.equal('bob')
  })

  it('are members to those of the other node, and come and go with events', async () => {
    const [here, there] = await start({
      channels: { room: { subscribe: true, publish: true, presence: true } },
      presenceGrace: 0,
    })
    const seen: string[] = []
    there.sockets.on('connected', ({ uid }) => void seen.push(`${uid} connected`))
    there.sockets.on('subscribed', ({ uid }, { channel }) => void seen.push(`${uid} on ${channel}`))
    there.sockets.on('disconnected', ({ uid }, reason) => void seen.push(`${uid} ${reason}`))
    const [ann, bob] = [await ready(here), await ready(there, 'bob')]
    const room = ann.channel('room')
    const heard: unknown[] = []
    room.bind('say', ({ data, meta }) => void heard.push([meta?.uid, data]))
    await bob.subscribe('room')
    await until(() => room.members?.length === 2)
    expect(room.members?.map(({ uid, umd }) => [uid, umd])).to.have.deep.members([
      ['ann', { name: 'ANN' }],
      ['bob', { name: 'BOB' }],
    ])
    await bob.publish('room', 'hello', { event: 'say' })
    await until(() => heard.length === 1)
    expect(heard).to.deep.equal([['bob', 'hello']])
    await bob.end()
    await until(() => room.members?.length === 1 && seen.length === 3)
    expect(seen).to.deep.equal(['bob connected', 'bob on room', 'bob client_closed'])
  })
})
