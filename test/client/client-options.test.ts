import { TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import sinon from 'sinon'
import { errorOf, turn, until } from './waiting.js'
import { World } from './world.js'

describe('the options of TokenSocket', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
  })

  afterEach(() => world.close())

  /** The URL of the newest token request, below the server's host. */
  function tokenUrl(): string {
    return decodeURIComponent(world.server.tokenRequests.at(-1)?.url ?? '')
  }

  describe('the `host` option', () => {
    it('may hold a protocol', async () => {
      await world.openReady({ host: `http://${world.server.host}` })
      expect(world.server.peers).to.have.length(1)
    })

    it('may hold a path that all routes are below', async () => {
      await world.openReady({ host: `${world.server.host}/app/` })
      expect(tokenUrl()).to.equal('/app/socket/token')
      expect(world.server.peer.request.url).to.equal('/app/sockets/websocket')
    })

    it('is required in Node', () => {
      expect(() => new TokenSocket())
        .to.throw('host')
        .with.property('code', 'bad_option')
    })
  })

  it('the `port` option goes before the port in `host`', async () => {
    await world.openReady({ host: '127.0.0.1:1', port: world.server.port })
    expect(world.server.peers).to.have.length(1)
  })

  it('the `headers` option goes with the token request and the upgrade', async () => {
    await world.openReady({ headers: { Cookie: 'sid=7' } })
    expect(world.server.tokenRequests[0]?.headers.cookie).to.equal('sid=7')
    expect(world.server.peer.request.headers.cookie).to.equal('sid=7')
  })

  it('the `tokenPath` option is where the token comes from', async () => {
    await world.openReady({ tokenPath: '/my/token' })
    expect(tokenUrl()).to.equal('/my/token')
  })

  it('the `socketPrefix` option is where the socket opens', async () => {
    await world.openReady({ socketPrefix: '/live' })
    expect(world.server.peer.request.url).to.equal('/live/websocket')
  })

  describe('the `reconnect` option', () => {
    it('makes the first loss final when it is false', async () => {
      const socket = await world.openReady({ reconnect: false })
      const error = sinon.spy()
      socket.on('error', error)
      world.server.cut()
      await until(() => socket.state === 'failed')
      expect(error.args[0]?.[0]).to.have.property('code', 'connection_lost')
      expect(await errorOf(socket.rpc('echo'))).to.have.property('code', 'ended')
    })

    it('makes the first failure final when it is false', async () => {
      world.server.ontoken = (_, response) => response.writeHead(500).end()
      const socket = world.open({ reconnect: false })
      expect(await errorOf(socket.ready())).to.have.property('code', 'token_failed')
      expect(socket.state).to.equal('failed')
    })
  })

  describe('the `authentication` option', () => {
    it('goes form-encoded with the token request', async () => {
      await world.openReady({ authentication: { user: { name: 'a&b' }, tags: ['x'], empty: '' } })
      expect(tokenUrl()).to.equal('/socket/token?user[name]=a&b&tags[0]=x')
    })

    it('is called for each token if it is a function', async () => {
      world.reconnectAtOnce()
      let calls = 0
      const socket = await world.openReady({ authentication: async () => ({ n: ++calls }) })
      const back = new Promise((resolve) => socket.onreconnect(resolve))
      world.server.cut()
      await back
      expect(tokenUrl()).to.equal('/socket/token?n=2')
    })

    it('fails the try with `token_failed` if it throws', async () => {
      const authentication = () => Promise.reject(new Error('no session'))
      const error = await errorOf(world.open({ reconnect: false, authentication }).ready())
      expect(error).to.have.property('code', 'token_failed')
      expect(error.message).to.match(/^The token request to http:\S+ failed: no session$/)
    })
  })

  it('the `transports` option fails with `transport_failed` when none works', async () => {
    world.server.refusesUpgrades = true
    const socket = world.open({ transports: ['websocket'], reconnect: false })
    expect(await errorOf(socket.ready())).to.have.property('code', 'transport_failed')
  })

  it('the `ping` option pings the server at that interval', async () => {
    const clock = world.stopClock()
    const socket = await world.openReady({ ping: 1000 })
    const trips: number[] = []
    socket.on('ping', (roundTrip) => trips.push(roundTrip))
    clock.tick(1000)
    await until(() => trips.length === 1)
    clock.tick(1000)
    await until(() => trips.length === 2)
    expect(trips).to.deep.equal([0, 0])
  })

  it('the `ready` option is called when the socket is ready', async () => {
    const ready = sinon.spy()
    await world.openReady({ ready })
    expect(ready.args).to.deep.equal([[]])
  })

  it('the `onreconnect` option is called when the socket is back', async () => {
    world.reconnectAtOnce()
    const onreconnect = sinon.spy()
    await world.openReady({ onreconnect })
    world.server.cut()
    await until(() => onreconnect.called)
    expect(onreconnect.args).to.deep.equal([[]])
  })

  it('the `callTimeout` option ends calls that are not answered', async () => {
    const clock = world.stopClock()
    const socket = await world.openReady({ callTimeout: 500 })
    const call = socket.rpc('hang')
    clock.tick(500)
    expect(await errorOf(call)).to.have.property('code', 'timeout')
  })

  it('the `connectTimeout` option ends a try that the server does not answer', async () => {
    const clock = world.stopClock()
    world.server.onmessage = ({ type }) => type === 'auth'
    const socket = world.open({ connectTimeout: 500, reconnect: false })
    await until(() => world.server.peers[0]?.received.length)
    clock.tick(500)
    expect(await errorOf(socket.ready())).to.have.property('code', 'timeout')
    await until(() => world.server.peer.closed)
    expect(world.server.peer.closed?.code).to.equal(4005)
  })

  it('the `connectTimeout` option ends a token request that hangs', async () => {
    const clock = world.stopClock()
    world.server.ontoken = () => {}
    const socket = world.open({ connectTimeout: 500, reconnect: false })
    await until(() => world.server.tokenRequests.length)
    clock.tick(500)
    expect(await errorOf(socket.ready())).to.have.property('code', 'token_failed')
  })

  it('the `queueSize` option bounds the calls that wait', async () => {
    const socket = world.open({ queueSize: 2 })
    const calls = [socket.rpc('echo', 1), socket.rpc('echo', 2)]
    expect(await errorOf(socket.rpc('echo', 3))).to.include({ code: 'queue_full' })
    expect(await Promise.all(calls)).to.deep.equal([1, 2])
  })

  it('the `queueSize` option bounds the subscriptions that wait', async () => {
    const socket = world.open({ queueSize: 1 })
    void socket.subscribe('a')
    expect(await errorOf(socket.subscribe('b'))).to.have.property('code', 'queue_full')
  })

  it('the `limits` option bounds the calls under way', async () => {
    const socket = await world.openReady({ limits: { callsOut: 1 } })
    void socket.rpc('hang')
    expect(await errorOf(socket.rpc('hang'))).to.have.property('code', 'too_many_calls')
  })

  it('the `logger` option hears of what goes on', async () => {
    const logger = { debug: sinon.spy(), warn: sinon.spy() }
    await world.openReady({ logger })
    world.server.peer.socket.send('not JSON')
    await until(() => logger.warn.called)
    expect(logger.debug.args[0]?.[0]).to.equal('connecting → ready')
    expect(logger.warn.args[0]?.[0]).to.equal('A frame of the server could not be read')
  })

  it('the `sockjs` and `jsonp` options change nothing in Node', async () => {
    const socket = await world.openReady({ sockjs: { transports: ['xhr-polling'] }, jsonp: true })
    expect(socket.transport).to.equal('websocket')
  })

  it('ignores options that it does not know', async () => {
    await world.openReady({ colour: 'red' } as TokenSocketOptions)
    await turn()
  })
})
