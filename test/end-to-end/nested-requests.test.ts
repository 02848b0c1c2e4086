/**
 * The failures of requests that a function makes itself, by every method of both ends: passed on, none looks like the failure
 * of the caller's own call.
 */
import type { TokenSocket } from '@token-socket/client'
import { MemoryEngine, RpcError, type ServerSocket, type TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import { rejection, type Site, until, useSites } from './fixture.js'

/** What a function can reach. */
interface Reach {
  readonly sockets: TokenSocketServer
  /** The socket of the caller. */
  readonly socket: ServerSocket
  /** A socket of this node that is gone. */
  readonly gone: ServerSocket
  /** A client of another server, which forbids everything; and one that has ended. */
  readonly client: TokenSocket
  readonly ended: TokenSocket
}

type Request = (reach: Reach) => unknown

/** Requests that fail, and with which code. */
const REQUESTS: Readonly<Record<string, readonly [code: string, request: Request]>> = {
  'server.rpc': ['not_found', ({ sockets, socket }) => sockets.rpc(socket, 'nothing')],
  'server.rpc to a socket that is gone': [
    'connection_lost',
    ({ sockets, gone }) => sockets.rpc(gone, 'nothing'),
  ],
  'server.publish': ['bad_message', ({ sockets }) => sockets.publish('', 1)],
  'server.publish of what no JSON can say': ['unserializable', ({ sockets }) => sockets.publish('a', 1n)],
  'server.broadcast': ['unserializable', ({ sockets }) => sockets.broadcast(1n)],
  'server.history': ['bad_message', ({ sockets }) => sockets.history('')],
  'server.members': ['bad_message', ({ sockets }) => sockets.members('')],
  'server.subscribe': ['bad_message', ({ sockets, socket }) => sockets.subscribe(socket, '')],
  'server.unsubscribeAll': ['bad_message', ({ sockets }) => sockets.unsubscribeAll('')],
  'socket.rpc': ['not_found', ({ socket }) => socket.rpc('nothing')],
  'socket.rpc of an option of a wrong type': [
    'bad_option',
    ({ socket }) => socket.rpc('a', 1, { timeout: 'x' as never }),
  ],
  'socket.rpc that is gone': ['connection_lost', ({ gone }) => gone.rpc('nothing')],
  'socket.subscribe': ['bad_message', ({ socket }) => socket.subscribe('')],
  'socket.publish': ['bad_message', ({ socket }) => socket.publish('', 1)],
  'cluster.rpc': ['not_found', ({ sockets, socket }) => sockets.cluster.rpc(socket.sid, 'nothing')],
  'cluster.rpc to a socket that is gone': [
    'not_connected',
    ({ sockets, gone }) => sockets.cluster.rpc(gone.sid, 'nothing'),
  ],
  'cluster.rpc to a socket of no node': [
    'not_connected',
    ({ sockets }) => sockets.cluster.rpc('none', 'nothing'),
  ],
  'cluster.subscribe': ['not_connected', ({ sockets, gone }) => sockets.cluster.subscribe(gone.sid, 'a')],
  'cluster.unsubscribe': ['not_connected', ({ sockets, gone }) => sockets.cluster.unsubscribe(gone.sid, 'a')],
  'cluster.isConnected': ['bad_message', ({ sockets }) => sockets.cluster.isConnected('')],
  'cluster.count': ['bad_message', ({ sockets }) => sockets.cluster.count('')],
  'cluster.sockets': ['bad_message', ({ sockets }) => sockets.cluster.sockets({} as never)],
  'cluster.socketPages': ['bad_message', ({ sockets }) => sockets.cluster.socketPages({} as never).next()],
  'cluster.disconnect': ['bad_message', ({ sockets }) => sockets.cluster.disconnect({} as never)],
  'cluster.emit': ['bad_message', ({ sockets }) => sockets.cluster.emit('')],
  'client.rpc': ['not_found', ({ client }) => client.rpc('nothing')],
  'client.rpc without a name': ['bad_message', ({ client }) => client.rpc('')],
  'client.publish': ['forbidden', ({ client }) => client.publish('a', 1)],
  'client.broadcast': ['forbidden', ({ client }) => client.broadcast(1)],
  'client.history': ['forbidden', ({ client }) => client.history('a')],
  'client.subscribe': ['forbidden', ({ client }) => client.subscribe('a')],
  'client.unsubscribe': ['bad_message', ({ client }) => client.unsubscribe('')],
  'channel.subscribe': ['forbidden', ({ client }) => client.channel('b').subscribe()],
  'channel.send': ['forbidden', ({ client }) => client.channel('b').send('an event')],
  'channel.history': ['forbidden', ({ client }) => client.channel('b').history()],
  'client.ready of an ended client': ['ended', ({ ended }) => ended.ready()],
  'client.rpc of an ended client': ['ended', ({ ended }) => ended.rpc('nothing')],
  'client.publish of an ended client': ['ended', ({ ended }) => ended.publish('a', 1)],
  'client.broadcast of an ended client': ['ended', ({ ended }) => ended.broadcast(1)],
  'client.history of an ended client': ['ended', ({ ended }) => ended.history('a')],
  'client.subscribe of an ended client': ['ended', ({ ended }) => ended.subscribe('a')],
}

/** What a function does with a failure. */
const WAYS: Readonly<Record<string, (failed: unknown, callback: (error: unknown) => void) => unknown>> = {
  returns: (failed) => failed,
  awaits: async (failed) => {
    await failed
  },
  'calls back': (failed, callback) => void (failed as Promise<unknown>).catch(callback),
}

describe('the failure of a request inside a function', () => {
  const sites = useSites()
  let site: Site
  let reach: Reach
  let caller: TokenSocket

  beforeEach(async () => {
    const other = await sites({ channels: { '*': { subscribe: false, publish: false } } })
    site = await sites({ socketController: {} })
    const pair = await site.pair()
    const left = await site.pair()
    await left.client.end()
    await until(() => left.socket.isClosed)
    const [client, ended] = [await other.ready(), await other.ready()]
    await ended.end()
    caller = pair.client
    reach = { sockets: site.sockets, socket: pair.socket, gone: left.socket, client, ended }
  })

  for (const [way, pass] of Object.entries(WAYS)) {
    it(`is nested_failed when the function ${way} it, by every method`, async () => {
      const seen: Record<string, unknown> = {}
      for (const [name, [, request]] of Object.entries(REQUESTS)) {
        site.sockets.socketController = {
          ask: (_auth: unknown, _data: unknown, callback: (error: unknown) => void) =>
            pass(request(reach), callback),
        } as never
        const { code, data } = await rejection(caller.rpc('ask'))
        seen[name] = [code, (data as { code?: string } | undefined)?.code]
      }
      const expected = Object.entries(REQUESTS).map(([name, [code]]) => [name, ['nested_failed', code]])
      expect(seen).to.deep.equal(Object.fromEntries(expected))
    })
  }

  it('names the function that it called, of a socket that is gone, too', async () => {
    site.sockets.socketController = {
      ask: () => reach.sockets.cluster.rpc(reach.gone.sid, 'confirm'),
    } as never
    expect((await rejection(caller.rpc('ask'))).data).to.deep.equal({
      code: 'not_connected',
      function: 'confirm',
    })
  })

  it('keeps the text, the data and the stack of the failure itself', async () => {
    const error = await rejection(reach.sockets.publish('', 1))
    expect(error).to.be.instanceOf(RpcError)
    expect(error.data).to.deep.equal({ field: 'channel' })
    expect(error.stack).to.include('Invalid message')
  })

  it('marks no failure that clients and the application share', async () => {
    const engine = new MemoryEngine()
    const { socket, client } = await (await sites({ engine })).pair()
    engine.broker.subscribe = async () => {
      await new Promise(setImmediate)
      throw new RpcError('engine_unavailable')
    }
    const [own, asked] = await Promise.all([
      rejection(socket.subscribe('a')),
      rejection(client.subscribe('a')),
    ])
    expect(own.code).to.equal('engine_unavailable')
    expect(asked.code).not.to.equal('nested_failed')
  })
})
