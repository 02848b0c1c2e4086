/** Notifications and the order after a loss, on real servers and each transport. */
import { RpcError, type TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import SockJS from 'sockjs-client'
import { rejection, type Site, turn, until, useSites } from './fixture.js'

const WAYS = [
  ['plain WebSocket', {}],
  ...['websocket', 'xhr-streaming', 'xhr-polling', 'eventsource'].map(
    (name) => [`SockJS’s ${name}`, { transports: ['sockjs'], sockjs: { transports: [name] } }] as const,
  ),
] as const

describe('notifications', () => {
  const start = useSites()
  const seen: unknown[] = []

  // Its own SockJS is the one for browsers, which finds no transport in Node.
  before(() => void Object.assign(globalThis, { SockJS }))

  after(() => void Reflect.deleteProperty(globalThis, 'SockJS'))

  beforeEach(() => seen.splice(0))

  const controller = {
    note: (auth: { name: string }, data: unknown) => void seen.push([auth.name, data]),
    echo: (_auth: unknown, data: unknown) => data,
    orders: {
      pay: async () => {
        throw new RpcError('sold_out', 'Sold out', { left: 0 })
      },
    },
    broken: () => {
      throw new Error('secret')
    },
    hang: (_auth: unknown, _data: unknown, _callback: unknown) => {},
  }

  const actions = {
    toast: (data: unknown) => void seen.push(data),
    broken: () => {
      throw new RpcError('no_room', 'No room', [1])
    },
  }

  const siteWith = (options: object = {}) => start({ socketController: controller, ...options })

  function errorsOf(client: TokenSocket): RpcError[] {
    const errors: RpcError[] = []
    client.on('error', (error) => errors.push(error))
    return errors
  }

  for (const [title, options] of WAYS) {
    describe(`over ${title}`, () => {
      it('run functions both ways, in the order in which they were sent', async () => {
        const site = await siteWith()
        const { client, socket } = await site.pair(options as object, actions)
        for (let number = 0; number < 20; number += 1) await client.notify('note', { number })
        await client.rpc('echo')
        expect(seen).to.deep.equal(Array.from({ length: 20 }, (_, number) => ['ann', { number }]))
        seen.splice(0)
        for (let number = 0; number < 20; number += 1) await socket.notify('toast', number)
        await until(() => seen.length === 20)
        expect(seen).to.deep.equal([...Array(20).keys()])
        expect(site.failures).to.deep.equal([])
      })

      it('that fail at the server are error events of the client', async () => {
        const site = await siteWith({ limits: { callTimeout: 50 } })
        const { client } = await site.pair(options as object, actions)
        const errors = errorsOf(client)
        for (const name of ['orders.pay', 'nothing', 'broken', 'hang']) await client.notify(name)
        await until(() => errors.length === 4)
        const named = errors.map(({ code, data }) => [code, (data as { function: string }).function])
        // The messages may come in one turn or in several: what is refused at once comes before or after.
        expect(named).to.have.deep.members([
          ['not_found', 'nothing'],
          ['internal', 'broken'],
          ['sold_out', 'orders.pay'],
          ['timeout', 'hang'],
        ])
        const soldOut = errors.find(({ code }) => code === 'sold_out')
        expect(soldOut?.data).to.deep.equal({ left: 0, function: 'orders.pay' })
        expect(site.failures.map(({ cause }) => (cause as Error).message)).to.deep.equal(['secret'])
      })

      it('that fail at the client are error events of the server', async () => {
        const site = await siteWith()
        const { client, socket } = await site.pair(options as object, actions)
        const errors = errorsOf(client)
        for (const name of ['nothing', 'broken']) await socket.notify(name)
        await until(() => site.failures.length === 2)
        expect(
          site.failures.map(({ cause, details }) => [
            (cause as RpcError).code,
            (cause as RpcError).data,
            details,
          ]),
        ).to.deep.equal(
          [
            ['not_found', { function: 'nothing' }],
            ['no_room', { data: [1], function: 'broken' }],
          ].map(([code, data]) => [
            code,
            data,
            {
              sid: socket.sid,
              uid: undefined,
              function: (data as { function: string }).function,
              step: 'notification',
            },
          ]),
        )
        expect(errors).to.deep.equal([])
      })

      it('and callbacks of onrestored go out in order after a loss', async () => {
        const site = await siteWith({ channels: { room: { subscribe: true } } })
        const order: unknown[] = []
        site.sockets.on('subscribed', (_socket, { channel }) => order.push(channel))
        site.sockets.use('call', ({ name, data }, next) => {
          order.push([name, data])
          return next()
        })
        const { client, socket } = await site.pair(options as object)
        await client.subscribe('room')
        const undo = client.onrestored(async () => {
          await client.rpc('echo', 'restored')
          await client.notify('note', 'restored')
        })
        await until(() => order.length === 3)
        order.splice(0)
        client.once('disconnect', () => {
          void client.notify('note', 'waited')
          void client.rpc('echo', 'waited')
        })
        socket.end()
        await until(() => order.length === 5)
        expect(order).to.deep.equal([
          'room',
          ['echo', 'restored'],
          ['note', 'restored'],
          ['note', 'waited'],
          ['echo', 'waited'],
        ])
        undo()
      })
    })
  }

  it('do not fill the log, whatever fails how often', async () => {
    const site = await siteWith()
    const { client, socket } = await site.pair()
    const errors = errorsOf(client)
    for (let count = 0; count < 200; count += 1) {
      await client.notify('nothing')
      await socket.notify('nothing')
    }
    await until(() => errors.length === 200 && site.failures.length === 200)
    expect(site.log.filter(({ level }) => level === 'error')).to.have.length(1)
    expect(site.log.filter(({ level }) => level === 'warn').length).to.be.at.most(1)
  })

  it('harm nothing where nothing listens for errors', async () => {
    const site = await siteWith()
    const { client, socket } = await site.pair()
    site.sockets.removeAllListeners('error')
    await client.notify('nothing')
    await socket.notify('nothing')
    for (let count = 0; count < 20; count += 1) await turn()
    expect(await client.rpc('echo', 1)).to.equal(1)
  })

  it('cause no others: the failure of one is never answered', async () => {
    const site = await siteWith()
    const { client, socket } = await site.pair()
    const frames: string[] = []
    for (const event of ['frameIn', 'frameOut'] as const) client.on(event, (text) => frames.push(text))
    await client.notify('nothing')
    await socket.notify('nothing')
    await until(() => frames.length === 4)
    await client.rpc('echo')
    expect(frames).to.have.length(6)
  })

  describe('of peers that know none', () => {
    it('are calls to a client without a version, whose answers are dropped', async () => {
      const site = await siteWith()
      const peer = await site.member()
      const [socket] = site.sockets.sockets()
      await socket?.notify('toast', 1)
      const { data } = await peer.find(({ internal }) => internal === true)
      expect(data).to.deep.equal({ fid: (data as { fid: string }).fid, command: 'toast', args: 1 })
      const { fid } = data as { fid: string }
      peer.send({ rpc: '_rpc', fid, resp: { error: 'no such place' } })
      await until(() => site.failures.length === 1)
      expect(site.failures[0]?.details).to.include({ function: 'toast', step: 'notification' })
      peer.send({ rpc: '_rpc', resp: { error: 'made up' } })
      expect(await peer.find(({ error }) => error !== undefined)).to.have.property('code', 'bad_message')
      expect(site.failures).to.have.length(1)
    })

    it('are wrong from a client without a version', async () => {
      const site = await siteWith()
      const peer = await site.member()
      peer.send({ rpc: 'note', req: 1 })
      expect(await peer.find(({ error }) => error !== undefined)).to.have.property('code', 'bad_message')
      expect(seen).to.deep.equal([])
    })
  })

  describe('of the cluster', () => {
    const clusterOf = (site: Site) => site.sockets.cluster

    it('reach a socket by its id', async () => {
      const site = await siteWith()
      const { socket } = await site.pair({}, actions)
      const { notify } = clusterOf(site)
      expect(await notify(socket.sid, 'toast', 1)).to.equal(undefined)
      await notify({ sid: socket.sid }, 'toast', 2)
      await until(() => seen.length === 2)
      expect(seen).to.deep.equal([1, 2])
    })

    it('fail where there is no such socket, and for wrong arguments', async () => {
      const site = await siteWith()
      const { socket } = await site.pair()
      const cluster = clusterOf(site)
      expect((await rejection(cluster.notify('nobody', 'a'))).code).to.equal('not_connected')
      expect((await rejection(cluster.notify('', 'a'))).code).to.equal('bad_message')
      expect((await rejection(cluster.notify(socket.sid, ''))).code).to.equal('bad_message')
      expect((await rejection(cluster.notify(socket.sid, 'a', 1n))).code).to.equal('unserializable')
      expect(site.failures.map(({ cause }) => (cause as RpcError).code)).to.deep.equal([
        'bad_message',
        'bad_message',
        'unserializable',
      ])
      await site.sockets.shutdown()
      expect((await rejection(cluster.notify(socket.sid, 'a'))).code).to.equal('shutting_down')
    })
  })
})
