/** The rows of docs/CONNECTIONS.md, done: on one node, or with what is done by id on another node than the connection's. */
import { readFileSync } from 'node:fs'
import {
  InvalidConnectionError,
  RpcError,
  type SocketConnection,
  type TokenSocketServer,
} from '@token-socket/server'
import { expect } from 'chai'
import { next, rejection, type Site, until } from './fixture.js'

const text = readFileSync(new URL('../../docs/CONNECTIONS.md', import.meta.url), 'utf8')
const [table = ''] = text.split('\n## ')

/** The first cells of the table. */
export const documented = [...table.matchAll(/^\| (.+?) \| .+ \|$/gm)]
  .map(([, cell = '']) => cell)
  .filter((cell) => cell !== '`ws`')

/** Where a row runs. */
export interface World {
  /** Clients connect here. */
  readonly site: Site
  /** Does what is done by id. */
  readonly ws: TokenSocketServer
}

type Row = (world: World) => Promise<void>

interface LatLong {
  readonly lat: number
  readonly long: number
}

/** A client of a site, and its connection there. */
async function open(site: Site) {
  const { client, socket: connection } = await site.pair({ logLevel: 'none' })
  return { client, connection, id: connection.connectionId }
}

/** The reason that listeners hear when something has ended a connection. */
async function reasonOf(site: Site, end: () => unknown): Promise<unknown> {
  const ended = next(site.sockets, 'disconnected')
  await end()
  return (await ended)[1]
}

async function refusalBy(site: Site, listener: () => unknown): Promise<RpcError> {
  site.sockets.on('connected', listener)
  const ended = next(site.sockets, 'disconnected')
  const client = site.client({ logLevel: 'none' })
  const error = await rejection(client.ready())
  const [, reason] = await ended
  expect(reason).to.equal('auth_refused')
  expect(client.state).to.equal('failed')
  expect(site.sockets.sockets()).to.deep.equal([])
  return error
}

export const rows: Readonly<Record<string, Row>> = {
  "`ws.on('connected', (connection) => …)`": async ({ site }) => {
    const connections: SocketConnection[] = []
    site.sockets.on('connected', (connection: SocketConnection) => connections.push(connection))
    const { client } = await open(site)
    expect(connections.map(({ connectionId }) => connectionId)).to.deep.equal([client.sid])
  },
  'refusing a connection, 403': async ({ site }) => {
    expect(await refusalBy(site, () => false)).to.have.property('code', 'forbidden')
    const error = await refusalBy(site, () => {
      throw new RpcError('not_active', 'The environment is not active')
    })
    expect(error.code).to.be.oneOf(['forbidden', 'not_active'])
  },
  "`ws.on('disconnected', (connection, reason) => …)`": async ({ site }) => {
    const { client } = await open(site)
    expect(await reasonOf(site, () => client.end())).to.equal('client_closed')
  },
  "`ws.on('message', (connection, data) => …)`": async ({ site }) => {
    const { client, id } = await open(site)
    const got: unknown[] = []
    site.sockets.on('message', (connection: SocketConnection, data: string | object) => {
      got.push([connection.connectionId, data])
    })
    await client.send('text')
    await client.send({ a: [1] })
    expect(got).to.deep.equal([
      [id, 'text'],
      [id, { a: [1] }],
    ])
  },
  "`ws.on<LatLong>('message', …)`": async ({ site }) => {
    const { client } = await open(site)
    const locations: number[][] = []
    site.sockets.on<LatLong>('message', async (_connection: SocketConnection, data: LatLong) => {
      const { lat, long } = data
      locations.push([lat, long])
    })
    await client.send({ lat: 52.5, long: 13.4 })
    expect(locations).to.deep.equal([[52.5, 13.4]])
  },
  '`connection.connectionId`': async ({ site }) => {
    const { client, connection } = await open(site)
    expect(connection.connectionId).to.equal(client.sid).and.to.equal(connection.sid)
  },
  '`connection.meta`': async ({ site }) => {
    let seen: unknown
    site.sockets.on('connected', async (connection) => {
      const { connectionId, meta } = connection
      const { connectedAt, queryStringParams } = meta
      seen = { connectionId, username: queryStringParams?.name, isNow: Date.now() - connectedAt < 5000 }
    })
    const tokenPath = '/socket/token?name=ann&secret=no'
    const { client, socket } = await site.pair({ tokenPath })
    expect(seen).to.deep.equal({ connectionId: client.sid, username: 'ann', isNow: true })
    const { ip, transport, queryStringParams, headers } = socket.meta
    expect({ ip, transport, queryStringParams, headers }).to.deep.equal({
      ip: socket.ip,
      transport: 'websocket',
      queryStringParams: { name: 'ann' },
      headers: { host: site.host },
    })
  },
  "`await ws.send(id, 'text')`": async ({ site, ws }) => {
    const { client, id } = await open(site)
    const got = next(client, 'direct')
    expect(await ws.send(id, 'Welcome to WebSockets!')).to.equal(true)
    expect(await got).to.deep.equal(['Welcome to WebSockets!'])
  },
  '`await ws.send(id, { … })`': async ({ site, ws }) => {
    const { client, id } = await open(site)
    const got = next(client, 'direct')
    await ws.send(id, { message: 'Welcome' })
    expect(await got).to.deep.equal([{ message: 'Welcome' }])
  },
  '`await connection.send(data)`': async ({ site }) => {
    const got: unknown[] = []
    site.sockets.on('connected', async (connection) => {
      got.push(await connection.send('Welcome'))
    })
    const client = site.client()
    client.on('direct', (data) => got.push(data))
    await client.ready()
    await until(() => got.length === 2)
    expect(got).to.have.members([true, 'Welcome'])
  },
  '`ws.send(id, data, { throwIfNotConnected: false })`': async ({ site, ws }) => {
    const { client, connection, id } = await open(site)
    const options = { throwIfNotConnected: false }
    await reasonOf(site, () => client.end())
    for (const gone of [id, 'garbage', 'x.y']) expect(await ws.send(gone, 'Welcome', options)).to.equal(false)
    expect(await connection.send('Welcome', options)).to.equal(false)
  },
  '`catch (e: InvalidConnectionError)`': async ({ site, ws }) => {
    const { client, connection, id } = await open(site)
    await reasonOf(site, () => client.end())
    const tries = [ws.send(id, 1), connection.send(1), ws.send('garbage', 1), ws.send('__proto__.x', 1)]
    for (const one of tries) {
      const error = await rejection(one)
      expect(error).to.be.instanceOf(InvalidConnectionError)
      expect(error.code).to.equal('not_connected')
    }
  },
  '`await ws.isConnected(id)`': async ({ site, ws }) => {
    const { client, connection, id } = await open(site)
    expect([await ws.isConnected(id), connection.isConnected()]).to.deep.equal([true, true])
    await reasonOf(site, () => client.end())
    expect([await ws.isConnected(id), connection.isConnected()]).to.deep.equal([false, false])
    expect(await ws.isConnected('garbage')).to.equal(false)
    const wrong = await ws.isConnected(undefined as never).catch((error: Error) => error.message)
    expect(wrong).to.match(/connectionId/)
  },
  '`await ws.close(id)`': async ({ site, ws }) => {
    const { client, id } = await open(site)
    const back = next(client, 'reconnect')
    expect(await reasonOf(site, () => ws.close(id))).to.equal('closed_by_server')
    await back
    const failed = next(client, 'error')
    const options = { reconnect: false }
    expect(await reasonOf(site, () => ws.close(String(client.sid), options))).to.equal('disconnected')
    await failed
    expect(client.state).to.equal('failed')
  },
  '`await ws.close([id, id])`': async ({ site, ws }) => {
    const ids = [await open(site), await open(site)].map(({ id }) => id)
    const garbage = Array.from({ length: 10_000 }, (_, index) => `${index}.${ws.cluster.node}`)
    expect(await ws.close([...ids, ...garbage, 'garbage', ...ids])).to.deep.equal({ count: 2, missing: [] })
    expect(await ws.close([])).to.deep.equal({ count: 0, missing: [] })
  },
  '`await connection.close()`': async ({ site }) => {
    const { client } = await open(site)
    site.sockets.on('message', async (connection, data) => {
      if (data?.disconnectMe) await connection.close()
    })
    expect(await reasonOf(site, () => client.send({ disconnectMe: true }).catch(() => {}))).to.equal(
      'closed_by_server',
    )
  },
}
