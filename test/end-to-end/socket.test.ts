import { expect } from 'chai'
import express from 'express'
import { next, rejection, until, useSites } from './fixture.js'

describe('a socket, as the server sees it', () => {
  const start = useSites()

  describe('#sid', () => {
    it('is the client’s own, and another after it came back', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      const other = await site.pair()
      expect(socket.sid).not.to.equal(other.socket.sid)
      const back = next(client, 'reconnect')
      socket.end()
      await back
      const sids = site.sockets.sockets().map(({ sid }) => sid)
      expect(sids).to.have.length(2).and.not.to.include(socket.sid)
    })
  })

  describe('#auth', () => {
    it('is a copy, as JSON carries it, of what `authentication` returned', async () => {
      const user = { name: 'ann', since: new Date(0), secret: undefined }
      const site = await start({ authentication: () => user })
      const { socket } = await site.pair()
      user.name = 'changed'
      expect(socket.auth).to.deep.equal({ name: 'ann', since: '1970-01-01T00:00:00.000Z' })
    })
  })

  describe('#data', () => {
    it('is the application’s own: empty at first, kept, another for each socket, and never sent', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      const frames: string[] = []
      client.on('frameIn', (frame) => frames.push(frame))
      expect(socket.data).to.deep.equal({})
      socket.data.cart = ['a secret apple']
      expect(site.sockets.sockets()[0]?.data).to.deep.equal({ cart: ['a secret apple'] })
      expect((await site.pair()).socket.data).to.deep.equal({})
      await client.rpc('echo')
      expect(frames.join()).not.to.contain('secret')
      await client.end()
      await until(() => socket.isClosed)
      expect(socket.data).to.deep.equal({ cart: ['a secret apple'] })
    })
  })

  describe('#channels', () => {
    it('lists its channels, as a copy', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      await client.subscribe('a')
      socket.channels.push('b')
      expect(socket.channels).to.deep.equal(['a'])
    })
  })

  describe('#ip', () => {
    it('is the address that the token request came from', async () => {
      const site = await start()
      expect((await site.pair()).socket.ip).to.match(/127\.0\.0\.1$/)
    })

    it('is the address that a trusted proxy names', async () => {
      const app = express().set('trust proxy', true)
      const site = await start({ app })
      const { socket } = await site.pair({ headers: { 'X-Forwarded-For': '192.0.2.7, 192.0.2.8' } })
      expect([socket.ip, socket.ips]).to.deep.equal(['192.0.2.7', ['192.0.2.7', '192.0.2.8']])
    })

    it('has no port, which some proxies name', async () => {
      const app = express().set('trust proxy', true)
      const site = await start({ app })
      const { socket } = await site.pair({
        headers: { 'X-Forwarded-For': '192.0.2.7:4711, [2001:db8::1]:80' },
      })
      expect([socket.ip, socket.ips]).to.deep.equal(['192.0.2.7', ['192.0.2.7', '2001:db8::1']])
    })

    it('is the nearer proxy’s where Express does not know it by an address with a port', async () => {
      const app = express().set('trust proxy', ['loopback', '10.0.0.0/8'])
      const site = await start({ app })
      const { socket } = await site.pair({ headers: { 'X-Forwarded-For': '192.0.2.7:4711, 10.0.0.2:80' } })
      expect(socket.ip).to.equal('10.0.0.2')
    })

    it('is not what anybody else claims', async () => {
      const site = await start()
      const { socket } = await site.pair({ headers: { 'X-Forwarded-For': '192.0.2.7' } })
      expect(socket.ip).not.to.contain('192.0.2')
    })
  })

  describe('#host', () => {
    it('is the host name that the token was requested from', async () => {
      const site = await start()
      expect((await site.pair()).socket.host).to.equal('127.0.0.1')
    })
  })

  describe('#created', () => {
    it('is when it was authenticated', async () => {
      const site = await start()
      const before = Date.now()
      expect((await site.pair()).socket.created).to.be.within(before, Date.now())
    })
  })

  describe('#rpc', () => {
    it('calls an action of the client, from a handler too', async () => {
      const site = await start({
        socketController: { relay: (_auth, data, _callback, socket) => socket.rpc('double', data) },
      })
      const client = await site.ready({}, { double: ((data: number) => data * 2) as never })
      expect(await client.rpc('relay', 21)).to.equal(42)
    })

    it('takes a time limit and a signal', async () => {
      const site = await start()
      const { socket } = await site.pair({}, { hang: (_data, _callback) => {} })
      expect((await rejection(socket.rpc('hang', null, { timeout: 20 }))).code).to.equal('timeout')
      const error = await rejection(socket.rpc('hang', null, { signal: AbortSignal.abort() }))
      expect(error.code).to.equal('aborted')
    })
  })

  describe('#subscribe, #unsubscribe', () => {
    it('put it on a channel and take it off', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      await socket.subscribe('a')
      expect(site.sockets.channelSockets('a')).to.deep.equal([socket])
      socket.unsubscribe('a')
      await client.rpc('echo')
      expect([site.sockets.channels(), client.channels()]).to.deep.equal([[], []])
    })
  })

  describe('#publish', () => {
    it('publishes as the server does', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      await client.subscribe('a')
      const message = next(client, 'message')
      await socket.publish('a', 1)
      expect(await message).to.deep.equal(['a', 1])
    })
  })

  describe('#end', () => {
    it('closes the connection, and the client comes back', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      const back = next(client, 'reconnect')
      socket.end()
      expect(await back).to.deep.equal([])
    })

    it('with reconnect: false tells the client to stay away', async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      const lost = next(client, 'error')
      socket.end({ reconnect: false })
      await lost
      expect(client.state).to.equal('failed')
      expect((await rejection(client.rpc('echo'))).data).to.deep.include({ code: 4502 })
    })

    it('sends first what was said before', async () => {
      const site = await start()
      const member = await site.member()
      const [socket] = site.sockets.sockets()
      void socket?.rpc('last', 'words')
      socket?.end()
      expect(await member.closed).to.include({ code: 4001 })
      expect(JSON.stringify(member.frames)).to.contain('words')
    })

    it('takes it off its channels and fails its calls', async () => {
      const site = await start()
      const { client, socket } = await site.pair({ reconnect: false }, { hang: (_data, _callback) => {} })
      await client.subscribe('a')
      const call = socket.rpc('hang')
      socket.end()
      expect((await rejection(call)).code).to.equal('connection_lost')
      await until(() => site.sockets.channels().length === 0)
      expect(socket.isClosed).to.equal(true)
    })
  })
})
