/** Mistakes of the application in its own calls: each is refused, and is never taken for a mistake of the caller's. */
import { MemoryEngine, type RpcError, type ServerSocket, type TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import { rejection, type Site, useSites } from './fixture.js'

/** Calls as an application in JavaScript makes them. */
type Called = Record<string, (...args: unknown[]) => unknown>

const LARGE = 'y'.repeat(1_100_000)

/** Each method, with arguments that are wrong, and the code and the field that say so. */
const MISTAKES: readonly (readonly [
  method: string,
  args: readonly unknown[],
  code: string,
  field: string,
])[] = [
  ['cluster.disconnect', [{ user: 'ann' }], 'bad_message', 'user'],
  ['cluster.disconnect', [{ uid: 'x' }, { reconect: false }], 'bad_option', 'options.reconect'],
  ['cluster.disconnect', [{ uid: 'x' }, false], 'bad_option', 'options'],
  ['cluster.disconnect', [{ uid: 'x' }, { reconnect: 'false' }], 'bad_option', 'reconnect'],
  ['cluster.disconnect', [{ uid: 'x' }, { reconnect: 0 }], 'bad_option', 'reconnect'],
  ['cluster.disconnect', [{ uid: 'x' }, null], 'bad_option', 'options'],
  ['cluster.disconnect', [{ uid: 'x' }, () => {}], 'bad_option', 'options'],
  ['cluster.sockets', [{ uid: 'x' }, { limti: 1 }], 'bad_option', 'options.limti'],
  ['cluster.sockets', [{ uid: 'x' }, { limit: 0 }], 'bad_message', 'limit'],
  ['cluster.count', [''], 'bad_message', 'channel'],
  ['cluster.isConnected', [undefined], 'bad_message', 'selector'],
  ['cluster.rpc', [{ uid: 'x' }, 'ask'], 'bad_message', 'sid'],
  ['cluster.rpc', ['x', ''], 'bad_message', 'name'],
  ['cluster.rpc', ['x', 'ask', 1, { timout: 5 }], 'bad_option', 'options.timout'],
  ['cluster.rpc', ['x', 'ask', 1, () => {}], 'bad_message', 'options'],
  ['cluster.subscribe', [{ uid: 'x' }, ''], 'bad_message', 'channel'],
  ['cluster.unsubscribe', ['', 'room'], 'bad_message', 'sid'],
  ['cluster.emit', ['', 1], 'bad_message', 'event'],
  ['cluster.emit', ['x', LARGE], 'too_large', 'data'],
  ['cluster.on', ['x'], 'bad_message', 'listener'],
  ['server.publish', ['', 1], 'bad_message', 'channel'],
  ['server.publish', ['room', 1, 'paid'], 'bad_option', 'options'],
  ['server.publish', ['room', 1, { evnt: 'paid' }], 'bad_option', 'options.evnt'],
  ['server.publish', ['room', 1, { store: '5' }], 'bad_option', 'store'],
  ['server.publish', ['room', 1, () => {}], 'bad_option', 'options'],
  ['server.history', ['', {}], 'bad_message', 'channel'],
  ['server.history', ['room', { limti: 5 }], 'bad_option', 'options.limti'],
  ['server.history', ['room', { limit: '5' }], 'bad_option', 'limit'],
  ['server.history', ['room', { reverse: 1 }], 'bad_option', 'reverse'],
  ['server.members', [''], 'bad_message', 'channel'],
  ['server.unsubscribeAll', [7], 'bad_message', 'channel'],
  ['server.use', ['call'], 'bad_message', 'middleware'],
  ['socket.subscribe', [''], 'bad_message', 'channel'],
  ['socket.unsubscribe', [undefined], 'bad_message', 'channel'],
  ['socket.publish', ['room', 1, { event: 5 }], 'bad_message', 'event'],
  ['socket.publish', ['room', 1, { idempotencyKee: 'k' }], 'bad_option', 'options.idempotencyKee'],
  ['socket.end', [{ reconect: false }], 'bad_option', 'options.reconect'],
  ['socket.end', [{ reconnect: null }], 'bad_option', 'reconnect'],
  ['socket.end', [false], 'bad_option', 'options'],
  ['socket.rpc', ['ask', 1, { timout: 5 }], 'bad_option', 'options.timout'],
  ['socket.rpc', ['ask', 1, 'now'], 'bad_option', 'timeout'],
  ['socket.rpc', ['ask', 1, AbortSignal.timeout(50)], 'bad_option', 'signal'],
]

/** Of these, an error is noted by the function that is called. */
const NAMED: Readonly<Record<string, string>> = { 'socket.rpc': 'ask' }

function call(
  server: TokenSocketServer,
  socket: ServerSocket,
  [method, args]: readonly [string, readonly unknown[]],
) {
  const [of = '', name = ''] = method.split('.')
  const target = { cluster: server.cluster, server, socket }[of] as unknown as Called
  return target[name]?.(...args)
}

describe('a mistake of the application in its own call', () => {
  const sites = useSites()

  for (const mistake of MISTAKES) {
    const [method, args, code, field] = mistake
    const shown = JSON.stringify(args).slice(0, 60)
    describe(`of ${method}, ${shown}`, () => {
      let site: Site
      let asked: Promise<RpcError>

      beforeEach(async () => {
        site = await sites({
          engine: new MemoryEngine(),
          socketController: {
            mistaken: async (_auth: unknown, _data: unknown, _callback: unknown, socket: ServerSocket) =>
              call(site.sockets, socket, [method, args]),
            handles: async (_auth: unknown, _data: unknown, _callback: unknown, socket: ServerSocket) =>
              rejection((async () => call(site.sockets, socket, [method, args]))()).then(
                ({ code, data }) => ({
                  code,
                  data,
                }),
              ),
          },
        })
        const client = await site.ready({}, { ask: () => 'answered' })
        asked = rejection(client.rpc('mistaken'))
        expect(await client.rpc('handles')).to.deep.include({ code })
        expect(await client.rpc<{ data: object }>('handles')).to.have.nested.property('data.field', field)
        expect(client.state).to.equal('ready')
      })

      it('is refused, and is the function’s, not its caller’s', async () => {
        const error = await asked
        expect(error.code).to.equal('nested_failed')
        expect(error.data).to.deep.equal({ code, function: NAMED[method] ?? method })
      })
    })
  }

  it('is reported, also if its promise is left alone', async () => {
    const site = await sites({ engine: new MemoryEngine() })
    const { cluster } = site.sockets
    const wrong = { user: 'ann' } as never
    cluster.disconnect(wrong)
    cluster.rpc('', 'ask')
    site.sockets.publish('', 1)
    await new Promise(setImmediate)
    const methods = site.failures.map(({ details }) => details.method)
    expect(methods).to.have.members(['cluster.disconnect', 'cluster.rpc', 'publish'])
  })

  it('is none of options that are left out, empty or undefined', async () => {
    const site = await sites({ engine: new MemoryEngine() })
    const client = await site.ready({}, { ask: () => 'answered' })
    const { cluster } = site.sockets
    const [socket] = site.sockets.sockets()
    if (!socket) throw new Error('no socket')
    const loose = (target: object) => target as Called
    for (const options of [undefined, {}, { event: undefined, store: undefined, other: undefined }]) {
      await loose(site.sockets).publish?.('room', 1, options)
      await loose(socket).publish?.('room', 1, options)
      await loose(cluster).sockets?.(undefined, options)
      await loose(cluster).disconnect?.({ sid: 'x' }, options)
      await loose(site.sockets).history?.('room', options)
      expect(await loose(socket).rpc?.('ask', 1, options)).to.equal('answered')
      expect(await loose(cluster).rpc?.(socket.sid, 'ask', 1, options)).to.equal('answered')
    }
    expect(await loose(socket).rpc?.('ask', 1, null)).to.equal('answered')
    expect(client.state).to.equal('ready')
    expect(site.failures).to.deep.equal([])
  })
})

describe('the cluster’s methods', () => {
  const sites = useSites()

  it('can be used without the object', async () => {
    const site = await sites({ engine: new MemoryEngine() })
    const { count, isConnected, on } = site.sockets.cluster
    expect(await count()).to.deep.equal({ count: 0, missing: [] })
    expect(await isConnected('x')).to.equal(false)
    on('x', () => {})()
  })

  it('fail with `shutting_down` once the server is shut down', async () => {
    const site = await sites({ engine: new MemoryEngine() })
    await site.sockets.shutdown()
    const { cluster } = site.sockets
    for (const asked of [
      cluster.emit('x'),
      cluster.count(),
      cluster.sockets(),
      cluster.disconnect({ sid: 'x' }),
    ])
      expect((await rejection(asked)).code).to.equal('shutting_down')
  })

  it('warn in development of events that JSON changes', async () => {
    const site = await sites({ engine: new MemoryEngine() })
    await site.sockets.cluster.emit('moved', { at: new Map() })
    const warned = site.log.filter(({ message }) =>
      message.startsWith('JSON changes an event of the cluster'),
    )
    expect(warned.map(({ details }) => details.event)).to.deep.equal(['moved'])
  })
})
