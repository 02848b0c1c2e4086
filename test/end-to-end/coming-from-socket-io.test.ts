/** The table of docs/coming-from/socket-io.md: what stands on the right works, or a named test shows it. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { next, rejection, type Site, until, useSites } from './fixture.js'

const root = new URL('../..', import.meta.url).pathname

/** Rows by a part of their left side, and the test that shows them. */
const SHOWN_BY: Readonly<Record<string, string>> = {
  'io.use(': 'test/end-to-end/authentication-answers.test.ts',
  'io.serverSideEmit': 'test/redis/nodes.test.ts',
  'socket.use(': 'test/end-to-end/middleware.test.ts',
  connect_error: 'test/end-to-end/refused-sign-ins.test.ts',
  'io.of(': 'test/end-to-end/express-servers.test.ts',
  'cors: {': 'test/end-to-end/origin-options.test.ts',
  maxHttpBufferSize: 'test/end-to-end/message-sizes.test.ts',
  'pingInterval`, `pingTimeout': 'test/end-to-end/ping-options.test.ts',
  "transports: ['websocket']": 'test/end-to-end/transport-options.test.ts',
  'redis-adapter': 'test/end-to-end/guide/deploying.test.ts',
  connectionStateRecovery: 'test/end-to-end/recovery.test.ts',
  'redis-emitter': 'test/redis/publisher.test.ts',
  'sticky sessions': 'test/end-to-end/proxies.test.ts',
  'socket.volatile': 'test/end-to-end/slow-readers.test.ts',
  'binary data': 'test/redis/unserializable.test.ts',
  'clients in other languages': 'test/end-to-end/raw-messages.test.ts',
}

/** The left side of each row of the table. */
async function leftSides(): Promise<readonly string[]> {
  const text = await readFile(join(root, 'docs/coming-from/socket-io.md'), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| '))
  return rows.map((row) => row.split(' | ')[0]?.slice(2) ?? '').slice(1)
}

describe('coming from Socket.IO: the table', () => {
  const sites = useSites()
  const rows: string[] = []
  let site: Site

  /** A row of the table, which is tried here. @param left the beginning of its left side */
  const row = (left: string, run: () => Promise<void>) => {
    rows.push(left)
    it(left, run)
  }

  beforeEach(async () => {
    const grant = { subscribe: true, autoSubscribe: true, messages: { e: { publish: true, echo: false } } }
    site = await sites({
      authentication: ({ query: { name } }) => ({ uid: String(name), channels: { [`user-${name}`]: grant } }),
      socketController: { e: (auth: { uid: string }, data: unknown) => [auth.uid, data] },
      channels: { room: { subscribe: true, publish: true }, other: { subscribe: true } },
    })
  })

  const pair = (name: string, actions = {}) => site.pair({ authentication: { name } }, actions)

  /** The next data of an event on a channel of a client that is on it. */
  async function heardOn(client: Awaited<ReturnType<typeof pair>>['client'], channel: string) {
    const heard = new Promise((resolve) => client.channel(channel).bind('e', ({ data }) => resolve(data)))
    await client.subscribe(channel)
    return { heard }
  }

  row('`auth: { name }` of the client', async () => {
    expect((await pair('ann')).client.uid).to.equal('ann')
  })

  row('`socket.data.name`', async () => {
    const { socket } = await pair('ann')
    socket.data = { ...socket.data, device: 'phone' }
    expect((socket.auth as { uid: string }).uid).to.equal('ann')
    expect((await site.sockets.cluster.count({ where: { data: { device: 'phone' } } })).count).to.equal(1)
  })

  row("`socket.emit('e', data)` of the client", async () => {
    const { client } = await pair('ann')
    await client.notify('e', 1)
  })

  row("`await socket.emitWithAck('e', data)` of the client", async () => {
    const { client } = await pair('ann')
    expect(await client.rpc('e', 1)).to.deep.equal(['ann', 1])
  })

  row('`socket.timeout(5000).emitWithAck', async () => {
    const { client } = await pair('ann')
    expect(await client.rpc('e', 1, { timeout: 5000 })).to.deep.equal(['ann', 1])
    expect(client.callTimeout).to.equal(30_000)
  })

  row("`socket.on('e', (data, done) => done(answer))` of the server", async () => {
    const { client } = await pair('bob')
    expect(await client.rpc('e', 2)).to.deep.equal(['bob', 2])
  })

  row("`socket.emit('e', data)` of the server", async () => {
    const got: unknown[] = []
    const { socket } = await pair('ann', { e: (data: unknown) => void got.push(data) })
    await socket.notify('e', 1)
    await site.sockets.cluster.notify(socket.sid, 'e', 2)
    await until(() => got.length === 2)
    expect(got).to.deep.equal([1, 2])
  })

  row("`await socket.emitWithAck('e')` of the server", async () => {
    const { socket } = await pair('ann', { e: () => 'here' })
    expect(await socket.rpc('e')).to.equal('here')
    expect(await site.sockets.cluster.rpc(socket.sid, 'e')).to.equal('here')
  })

  row("`socket.on('e', (data, done) => …)` of the client", async () => {
    const { socket } = await pair('ann', { e: (data: number) => data + 1 })
    expect(await socket.rpc('e', 1)).to.equal(2)
  })

  row("`socket.join('room')`", async () => {
    const [ann, bob] = [await pair('ann'), await pair('bob')]
    await ann.client.subscribe('room')
    await site.sockets.subscribe(bob.socket, 'room')
    expect((await site.sockets.cluster.count({ channel: 'room' })).count).to.equal(2)
    expect((await rejection(ann.client.subscribe('staff'))).code).to.equal('forbidden')
  })

  row("`socket.leave('room')`", async () => {
    const [ann, bob] = [await pair('ann'), await pair('bob')]
    for (const { client } of [ann, bob]) await client.subscribe('room')
    await ann.client.unsubscribe('room')
    site.sockets.unsubscribe(bob.socket, 'room')
    expect((await site.sockets.cluster.count({ channel: 'room' })).count).to.equal(0)
  })

  row("`io.to('room').emit('e', data)`", async () => {
    const { client } = await pair('ann')
    const { heard } = await heardOn(client, 'room')
    await site.sockets.publish('room', 'Hello', { event: 'e' })
    expect(await heard).to.equal('Hello')
  })

  row("`socket.to('room').emit('e', data)`, without the sender", async () => {
    const { client } = await pair('ann')
    const other = await site.ready({ authentication: { name: 'ann' } })
    const own: unknown[] = []
    client.channel('user-ann').bind('e', ({ data }) => own.push(data))
    const { heard } = await heardOn(other, 'user-ann')
    await client.channel('user-ann').send('e', 'Hello')
    expect(await heard).to.equal('Hello')
    await client.rpc('e')
    expect(own).to.deep.equal([])
  })

  row("`io.emit('e', data)`", async () => {
    const { client } = await pair('ann')
    await until(() => client.channels().includes('user-ann'))
  })

  row("`io.to(userRoom).emit('e')`", async () => {
    const [ann, bob] = [await pair('ann'), await pair('bob')]
    const { heard } = await heardOn(ann.client, 'user-ann')
    await site.sockets.publish('user-ann', 'Hello', { event: 'e' })
    expect(await heard).to.equal('Hello')
    expect((await rejection(bob.client.subscribe('user-ann'))).code).to.equal('forbidden')
  })

  row("`await io.in('room').fetchSockets()`", async () => {
    const { client, socket } = await pair('ann')
    await client.subscribe('room')
    const { sockets } = await site.sockets.cluster.sockets({ channel: 'room' })
    expect(sockets.map(({ sid, uid }) => [sid, uid])).to.deep.equal([[socket.sid, 'ann']])
  })

  row("`io.in('room').socketsJoin('other')`", async () => {
    const { client } = await pair('ann')
    await client.subscribe('room')
    const { count } = await site.sockets.cluster.subscribe({ channel: 'room' }, 'other')
    expect(count).to.equal(1)
    await until(() => client.channels().includes('other'))
  })

  row("`io.in('room').socketsLeave('room')`", async () => {
    const { client } = await pair('ann')
    await client.subscribe('room')
    const { count } = await site.sockets.cluster.unsubscribe({ channel: 'room' }, 'room')
    expect(count).to.equal(1)
    await until(() => !client.channels().includes('room'))
  })

  row('`io.in(userRoom).disconnectSockets(true)`', async () => {
    const { client } = await pair('ann')
    client.on('error', () => {})
    await site.sockets.cluster.disconnect({ uid: 'ann' }, { reconnect: false })
    await until(() => client.state === 'failed')
  })

  row('`socket.onAny((event, …) => …)`', async () => {
    const { client } = await pair('ann')
    const heard = new Promise((resolve) =>
      client.bind(/.*/, ({ channel, event }) => resolve([channel, event])),
    )
    await client.subscribe('room')
    await site.sockets.publish('room', 1, { event: 'e' })
    expect(await heard).to.deep.equal(['room', 'e'])
  })

  row("`socket.on('disconnect', (reason) => …)` of the server", async () => {
    const { client, socket } = await pair('ann')
    const ended = next(site.sockets, 'disconnected')
    await client.end()
    const [gone, reason] = await ended
    expect(gone).to.equal(socket)
    expect(reason).to.be.a('string')
  })

  row("`socket.on('connect')`, `socket.on('disconnect')` of the client", async () => {
    const client = site.client({ authentication: { name: 'ann' } })
    await next(client, 'connect')
    const lost = next(client, 'disconnect')
    await site.sockets.cluster.disconnect({ uid: 'ann' })
    await lost
  })

  row('`socket.connected`, `socket.id`', async () => {
    const { client, socket } = await pair('ann')
    expect([client.state, client.sid]).to.deep.equal(['ready', socket.sid])
  })

  it('has no other rows than these, and those that other tests show', async () => {
    const left = await leftSides()
    const known = [...rows, ...Object.keys(SHOWN_BY)]
    expect(left.filter((text) => !known.some((one) => text.includes(one)))).to.deep.equal([])
    expect(known.filter((one) => !left.some((text) => text.includes(one)))).to.deep.equal([])
    expect(Object.values(SHOWN_BY).filter((file) => !existsSync(join(root, file)))).to.deep.equal([])
  })
})
