import { CLOSE_CODES, RpcError, type TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import sinon from 'sinon'
import { refusal } from './scripted-server.js'
import { errorOf, turn, until } from './waiting.js'
import { World } from './world.js'

describe('the reconnection of TokenSocket', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
  })

  afterEach(() => world.close())

  /** Waits for the next `reconnect` event. @returns its error */
  function nextReconnect(socket: TokenSocket): Promise<RpcError | undefined> {
    return new Promise((resolve) => {
      socket.once('reconnect', resolve)
    })
  }

  it('takes a fresh token each time', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    const back = nextReconnect(socket)
    world.server.cut()
    await back
    const tokens = world.server.peers.map((peer) => peer.of('auth')[0]?.token)
    expect(tokens).to.deep.equal(['token-1', 'token-2'])
  })

  it('never writes the token into a URL', async () => {
    await world.openReady()
    const urls = [...world.server.tokenRequests, world.server.peer.request].map(({ url }) => url)
    expect(urls).to.deep.equal(['/socket/token', '/sockets/websocket'])
  })

  it('retries a token route that answers 5xx until it is ready', async () => {
    world.reconnectAtOnce()
    let failures = 5
    world.server.ontoken = (_, response) => {
      if (failures-- > 0) response.writeHead(503).end('busy')
      else world.server.giveToken(response)
    }
    await world.openReady()
    expect(world.server.tokenRequests).to.have.length(6)
  })

  it('gives up when the token route answers 4xx before the first `ready`', async () => {
    world.server.ontoken = (_, response) => response.writeHead(403).end('{"error":"Forbidden"}')
    const socket = world.open()
    const call = socket.rpc('echo')
    const subscription = socket.subscribe('a')
    const error = await errorOf(socket.ready())
    const url = `http://${world.server.host}/socket/token`
    const message = `Forbidden, HTTP status 403 from ${url}`
    expect(error).to.include({ code: 'token_refused', message })
    expect(error.data).to.deep.equal({ status: 403, url })
    expect(socket.state).to.equal('failed')
    expect(await errorOf(call)).to.have.property('code', 'token_refused')
    expect(await errorOf(subscription)).to.have.property('code', 'token_refused')
    expect(await errorOf(socket.rpc('echo'))).to.have.property('code', 'token_refused')
  })

  it('retries 4xx after the first `ready`, and tells of it', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    world.server.ontoken = (_, response) => {
      world.server.ontoken = (_request, next) => world.server.giveToken(next)
      response.writeHead(403).end()
    }
    const reconnect = sinon.spy()
    socket.on('reconnect', reconnect)
    world.server.cut()
    await until(() => reconnect.callCount === 2)
    expect(reconnect.args[0]?.[0]).to.have.property('code', 'token_refused')
    expect(reconnect.args[1]).to.deep.equal([])
  })

  it('gives up after three refused tokens before the first `ready`', async () => {
    world.reconnectAtOnce()
    world.server.onmessage = (message, peer) => {
      peer.send(refusal(message, new RpcError('invalid_token')))
      peer.socket.close(CLOSE_CODES.invalid_token.code)
      return true
    }
    const socket = world.open()
    expect(await errorOf(socket.ready())).to.have.property('code', 'invalid_token')
    expect(world.server.peers).to.have.length(3)
  })

  it('does not count as refused tokens that the user has too many sockets', async () => {
    world.reconnectAtOnce()
    const { onmessage } = world.server
    world.server.onmessage = (message, peer) => {
      if (world.server.peers.length > 5) return onmessage(message, peer)
      peer.send(refusal(message, new RpcError('too_many_sockets')))
      return true
    }
    const socket = world.open()
    const codes: (string | undefined)[] = []
    socket.on('state', (_, { error }) => error && codes.push(error.code))
    await socket.ready()
    expect(codes).to.deep.equal(Array(5).fill('too_many_sockets'))
  })

  for (const options of [{}, { token: () => 'a.b.c' }])
    for (const error of [
      new RpcError('banned', 'You are banned', { until: 5 }),
      new RpcError('banned', undefined, { channel: 'x', until: 5 }),
      new RpcError('forbidden'),
      new RpcError('forbidden', 'Not today'),
      new RpcError('application_error', 'No'),
      new RpcError('unauthorized_ip'),
    ])
      it(`fails at once with what refused the sign-in: ${JSON.stringify([error.code, error.message, options])}`, async () => {
        world.reconnectAtOnce()
        world.server.onmessage = (message, peer) => {
          peer.send(refusal(message, error))
          peer.socket.close(CLOSE_CODES.invalid_token.code)
          return true
        }
        const socket = world.open(options)
        const { code, message, data } = await errorOf(socket.ready())
        expect({ code, message, data }).to.deep.equal({
          code: error.code,
          message: error.message,
          data: error.data,
        })
        expect(socket.state).to.equal('failed')
        expect(world.server.peers).to.have.length(1)
      })

  for (const code of [
    'engine_unavailable',
    'internal',
    'nested_failed',
    'timeout',
    'too_many_calls',
    'too_many_sockets',
    'veto_timeout',
  ])
    it(`tries again as long as it takes where the server could not decide: ${code}`, async () => {
      world.reconnectAtOnce()
      const { onmessage } = world.server
      world.server.onmessage = (message, peer) => {
        if (world.server.peers.length > 4) return onmessage(message, peer)
        peer.send(refusal(message, new RpcError(code)))
        peer.socket.close(CLOSE_CODES.invalid_token.code)
        return true
      }
      const socket = world.open()
      const codes: (string | undefined)[] = []
      socket.on('state', (_, { error }) => error && codes.push(error.code))
      await socket.ready()
      expect(codes).to.deep.equal(Array(4).fill(code))
    })

  it('tries again after a refused sign-in once it has been ready, and reports why', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    const { onmessage } = world.server
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'auth') return onmessage(message, peer)
      world.server.onmessage = onmessage
      peer.send(refusal(message, new RpcError('banned')))
      return true
    }
    const reconnect = sinon.spy()
    socket.on('reconnect', reconnect)
    world.server.cut()
    await until(() => reconnect.callCount === 2)
    expect(reconnect.args[0]?.[0]).to.have.property('code', 'banned')
  })

  it('counts a refusal without a code for one of the token, as the legacy server means it', async () => {
    world.reconnectAtOnce()
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'auth') return false
      peer.send({ type: 'answer', id: message.id, rpc: 'auth', outcome: { error: 'Forbidden' } })
      return true
    }
    const error = await errorOf(world.open().ready())
    expect(error).to.include({ code: 'invalid_token', message: 'Forbidden' })
    expect(error).to.have.nested.property('cause.code', 'forbidden')
    expect(world.server.peers).to.have.length(3)
  })

  it('takes a close instead of an answer for a refused token, as the legacy server means it', async () => {
    world.reconnectAtOnce()
    world.server.onmessage = (_, peer) => {
      peer.socket.close(1000)
      return true
    }
    for (const [options, attempts] of [
      [{}, 3],
      [{ token: () => 'a.b.c' }, 2],
      [{ token: 'a.b.c', tokenAttempts: 4 }, 4],
    ] as const) {
      world.server.peers.length = 0
      expect(await errorOf(world.open(options).ready())).to.have.property('code', 'invalid_token')
      expect(world.server.peers).to.have.length(attempts)
    }
  })

  it('retries a token that the server refuses by closing, with a fresh one', async () => {
    world.reconnectAtOnce()
    world.server.onmessage = ({ type }, peer) => {
      if (type !== 'auth' || world.server.peers.length > 1) return false
      peer.socket.close(CLOSE_CODES.invalid_token.code)
      return true
    }
    const socket = world.open()
    const errors: (string | undefined)[] = []
    socket.on('state', (_, { error }) => errors.push(error?.code))
    await socket.ready()
    expect(errors).to.deep.equal(['invalid_token', undefined, undefined])
    expect(world.server.peer.of('auth')[0]?.token).to.equal('token-2')
  })

  it('stays away after a close code that says so', async () => {
    const socket = await world.openReady()
    const error = sinon.spy()
    socket.on('error', error)
    const { code, reason } = CLOSE_CODES.disconnected
    world.server.peer.socket.close(code, reason)
    await until(() => socket.state === 'failed')
    expect(error.args[0]?.[0].data).to.deep.equal({ code, reason })
    expect(await errorOf(socket.ready())).to.have.property('code', 'connection_lost')
  })

  it('comes back after a close code that says so', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    const back = nextReconnect(socket)
    world.server.peer.socket.close(CLOSE_CODES.shutting_down.code)
    expect(await back).to.equal(undefined)
  })

  it('waits longer after each loss when the server closes what it opens', async () => {
    const clock = world.stopClock()
    sinon.stub(Math, 'random').returns(0.5)
    const socket = world.open()
    const delays: (number | undefined)[] = []
    socket.on('state', (state, { delay }) => state === 'waiting' && delays.push(delay))
    for (let losses = 1; losses <= 4; losses += 1) {
      await until(() => socket.state === 'ready')
      world.server.cut()
      await until(() => delays.length === losses)
      clock.tick(delays.at(-1) ?? 0)
    }
    expect(delays).to.deep.equal([50, 100, 200, 400])
  })

  it('starts over with short delays after 10 s of being ready', async () => {
    const clock = world.stopClock()
    sinon.stub(Math, 'random').returns(0.5)
    const socket = world.open()
    const delays: (number | undefined)[] = []
    socket.on('state', (state, { delay }) => state === 'waiting' && delays.push(delay))
    for (let losses = 1; losses <= 3; losses += 1) {
      await until(() => socket.state === 'ready')
      if (losses === 3) clock.tick(10_000)
      world.server.cut()
      await until(() => delays.length === losses)
      clock.tick(delays.at(-1) ?? 0)
    }
    expect(delays).to.deep.equal([50, 100, 50])
  })

  it('fails what was sent and not answered with `connection_lost`', async () => {
    const socket = await world.openReady()
    const call = socket.rpc('hang')
    await until(() => world.server.peer.of('call').length)
    world.server.cut()
    expect(await errorOf(call)).to.have.property('code', 'connection_lost')
  })

  it('restores the subscriptions, then sends what waited', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    await socket.subscribe('a')
    await world.cut(socket)
    const call = socket.rpc('echo', 1)
    let allow = () => {}
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'subscribe') return false
      allow = () =>
        peer.send({ type: 'answer', rpc: '_subscribe', id: message.id, outcome: { data: 'success' } })
      return true
    }
    await until(() => world.server.peer.of('subscribe').length && socket.state === 'ready')
    for (let turns = 0; turns < 5; turns += 1) await turn()
    expect(world.server.peer.of('call')).to.deep.equal([])
    allow()
    expect(await call).to.equal(1)
    expect(socket.channels()).to.deep.equal(['a'])
  })

  it('drops a subscription that is refused, and hurts no other', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    await Promise.all([socket.subscribe('good'), socket.subscribe('bad')])
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'subscribe' || message.channel !== 'bad') return false
      peer.send(refusal(message, new RpcError('forbidden')))
      return true
    }
    const error = sinon.spy()
    socket.on('error', error)
    world.server.cut()
    await until(() => error.called)
    expect(error.args[0]?.[0]).to.deep.include({ code: 'forbidden', data: { channel: 'bad' } })
    expect(await socket.rpc('echo', 1)).to.equal(1)
    expect(socket.channels()).to.deep.equal(['good'])
    expect(socket.state).to.equal('ready')
  })

  it('comes back when the server was down for a while, and sends what waited', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    await socket.subscribe('a')
    const { port } = world.server
    const errors: (string | undefined)[] = []
    socket.on('reconnect', (error) => errors.push(error?.code))
    await world.server.stop()
    await until(() => errors.length >= 3)
    const call = socket.rpc('echo', 1)
    await world.server.listen(port)
    expect(await call).to.equal(1)
    expect(new Set(errors.slice(0, -1))).to.deep.equal(new Set(['token_failed']))
    expect(errors.at(-1)).to.equal(undefined)
    expect(world.server.peer.received.map(({ type }) => type)).to.deep.equal(['auth', 'subscribe', 'call'])
  })

  it('takes a link that answers no ping for dead', async () => {
    world.reconnectAtOnce()
    const clock = world.stopClock()
    world.server.onmessage = ({ type }) => type === 'ping'
    const socket = await world.openReady({ ping: 1000 })
    const back = nextReconnect(socket)
    clock.tick(1000)
    await until(() => world.server.peer.of('ping').length)
    clock.tick(10_000)
    await until(() => socket.state === 'waiting')
    clock.tick(0)
    expect(await back).to.equal(undefined)
    await until(() => world.server.peers[0]?.closed)
    expect(world.server.peers[0]?.closed?.code).to.equal(CLOSE_CODES.going_away.code)
  })

  it('tries at once when the machine woke from sleep', async () => {
    const clock = world.stopClock()
    sinon.stub(Math, 'random').returns(0.999)
    world.server.ontoken = (_, response) => response.writeHead(500).end()
    const socket = world.open()
    for (let tries = 1; tries <= 8; tries += 1) {
      await until(() => socket.state === 'waiting' && world.server.tokenRequests.length === tries)
      if (tries < 8) clock.runToLast()
    }
    const tries = world.server.tokenRequests.length
    clock.setSystemTime(Date.now() + 3_600_000)
    clock.tick(10_000)
    await until(() => world.server.tokenRequests.length > tries)
  })
})

describe('TokenSocket#end', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
  })

  afterEach(() => world.close())

  it('closes the connection, calls its function once and resolves', async () => {
    const socket = await world.openReady()
    const callback = sinon.spy()
    await socket.end(callback)
    expect(callback.callCount).to.equal(1)
    expect(socket.state).to.equal('ended')
    await until(() => world.server.peer.closed)
    expect(world.server.peer.closed?.code).to.equal(CLOSE_CODES.going_away.code)
  })

  it('is harmless the second time', async () => {
    const socket = await world.openReady()
    await socket.end()
    const callback = sinon.spy()
    await socket.end(callback)
    expect(callback.callCount).to.equal(1)
  })

  it('removes the listeners of `ready`, `reconnect` and `message`', async () => {
    const socket = world.open()
    const listener = sinon.spy()
    socket.ready(listener)
    socket.onreconnect(listener)
    socket.onmessage(listener)
    await socket.end()
    expect(socket.eventNames()).to.deep.equal([])
    expect(listener.called).to.equal(false)
  })

  it('fails what waits, and every later call, with `ended`', async () => {
    const socket = world.open()
    const earlier = [socket.ready(), socket.rpc('echo'), socket.publish('a', 1), socket.subscribe('a')]
    void socket.end()
    const later = [socket.rpc('echo'), socket.subscribe('a'), socket.unsubscribe('a'), socket.broadcast(1)]
    for (const call of [...earlier, ...later]) expect(await errorOf(call)).to.have.property('code', 'ended')
    expect(socket.channels()).to.deep.equal([])
  })

  it('opens nothing when it comes while the token is loading', async () => {
    const answers: (() => void)[] = []
    world.server.ontoken = (_, response) => answers.push(() => world.server.giveToken(response))
    const socket = world.open()
    await until(() => answers.length)
    await socket.end()
    answers[0]?.()
    for (let turns = 0; turns < 10; turns += 1) await turn()
    expect(world.server.peers).to.deep.equal([])
    expect(socket.state).to.equal('ended')
  })

  it('closes a connection that waits for the answer to its token', async () => {
    world.server.onmessage = ({ type }) => type === 'auth'
    const socket = world.open()
    await until(() => world.server.peers[0]?.received.length)
    await socket.end()
    await until(() => world.server.peer.closed)
    expect(socket.state).to.equal('ended')
  })

  it('stops the wait for the next try', async () => {
    const clock = world.stopClock()
    world.server.ontoken = (_, response) => response.writeHead(500).end()
    const socket = world.open()
    await until(() => socket.state === 'waiting')
    await socket.end()
    clock.tick(60_000)
    for (let turns = 0; turns < 5; turns += 1) await turn()
    expect(world.server.tokenRequests).to.have.length(1)
  })

  it('lets no message through that came in the same frame', async () => {
    const socket = await world.openReady()
    await socket.subscribe('a')
    const messages: unknown[] = []
    socket.on('message', (_, message) => {
      messages.push(message)
      void socket.end()
    })
    const publication = { type: 'publication', channel: 'a' } as const
    world.server.peer.send({ ...publication, data: 1 }, { ...publication, data: 2 })
    await until(() => socket.state === 'ended')
    expect(messages).to.deep.equal([1])
  })

  it('works on a socket that has failed', async () => {
    world.server.ontoken = (_, response) => response.writeHead(403).end()
    const socket = world.open()
    await errorOf(socket.ready())
    await socket.end()
    expect(socket.state).to.equal('ended')
  })
})
