import { CLOSE_CODES, TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import { FakeSocket } from './fake-socket.js'
import { restoreGlobals, setGlobal } from './globals.js'
import type { Peer } from './scripted-server.js'
import { until } from './waiting.js'
import { World } from './world.js'

/** A token's refusal. */
const NO = { error: 'Invalid token', code: 'invalid_token' }

/** A SockJS that opens at once and takes any token. */
class WorkingSockJS extends FakeSocket {
  constructor(...parameters: readonly unknown[]) {
    super(...parameters)
    queueMicrotask(() => {
      this.transport = 'xhr-streaming'
      this.play('open')
    })
  }

  override send(text: string): void {
    super.send(text)
    if (!text.includes('"auth"')) return
    const data = '{"rpc":"auth","uuid":"auth","resp":"success","version":1,"sid":"s"}'
    queueMicrotask(() => this.play('message', { data }))
  }

  override close(...parameters: unknown[]): void {
    super.close(...parameters)
    queueMicrotask(() => this.play('close', { code: parameters[0] ?? 1000, reason: '' }))
  }
}

describe('TokenSocket where WebSockets are blocked', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
    FakeSocket.made.length = 0
    setGlobal('SockJS', WorkingSockJS)
    world.server.refusesUpgrades = true
  })

  afterEach(async () => {
    await world.close()
    restoreGlobals()
  })

  it('goes on with SockJS, with the same token', async () => {
    const socket = await world.openReady({ transports: ['websocket', 'sockjs'] })
    expect(socket.transport).to.equal('xhr-streaming')
    expect(FakeSocket.made[0]?.parameters[0]).to.equal(`http://${world.server.host}/sockets`)
    expect(FakeSocket.made[0]?.sent[0]).to.include('"token":"token-1"')
    expect(world.server.tokenRequests).to.have.length(1)
  })

  it('tries what worked first the next time', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady({ transports: ['websocket', 'sockjs'] })
    world.server.refusesUpgrades = false
    FakeSocket.made[0]?.play('close', { code: 1006, reason: '' })
    await until(() => FakeSocket.made.length === 2 && socket.state === 'ready')
    expect(world.server.peers).to.deep.equal([])
  })

  it('leaves the WebSocket of SockJS out, unless SockJS is told its transports', async () => {
    await world.openReady({ transports: ['websocket', 'sockjs'] })
    await world.openReady({ transports: ['sockjs', 'websocket'] })
    await world.openReady({ transports: ['websocket', 'sockjs'], sockjs: { transports: ['websocket'] } })
    expect(FakeSocket.made.map(({ parameters }) => parameters[2])).to.deep.equal([
      { transports: ['xhr-streaming', 'xhr-polling'] },
      {},
      { transports: ['websocket'] },
    ])
  })

  it('goes straight to SockJS in a browser when `sockjs.transports` lacks WebSocket', async () => {
    setGlobal('location', { host: world.server.host, protocol: 'http:' })
    const socket = new TokenSocket({ sockjs: { transports: ['xhr-streaming'] } })
    world.sockets.push(socket)
    await socket.ready()
    expect(FakeSocket.made[0]?.parameters[2]).to.deep.equal({ transports: ['xhr-streaming'] })
  })
})

describe('TokenSocket where WebSockets open and carry nothing', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
    world.reconnectAtOnce()
    FakeSocket.made.length = 0
    setGlobal('SockJS', WorkingSockJS)
  })

  afterEach(async () => {
    await world.close()
    restoreGlobals()
  })

  /** What the server does with the first token only. */
  function withFirstToken(act: (peer: Peer) => void): void {
    let isFirst = true
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'auth' || !isFirst) return false
      isFirst = false
      act(peer)
      return true
    }
  }

  it('goes on with SockJS when no answer to the token comes in time', async () => {
    withFirstToken(() => {})
    const socket = await world.openReady({ transports: ['websocket', 'sockjs'], connectTimeout: 500 })
    expect(socket.transport).to.equal('xhr-streaming')
    expect(world.server.peers).to.have.length(1)
  })

  it('goes on with SockJS when the connection breaks instead of an answer', async () => {
    withFirstToken((peer) => peer.socket.terminate())
    const socket = await world.openReady({ transports: ['websocket', 'sockjs'] })
    expect(socket.transport).to.equal('xhr-streaming')
  })

  it('stays with WebSocket when it brought the server’s no', async () => {
    const { code, reason } = CLOSE_CODES.shutting_down
    withFirstToken((peer) => peer.socket.close(code, reason))
    expect(await world.openReady({ transports: ['websocket', 'sockjs'] })).to.have.property(
      'transport',
      'websocket',
    )
    withFirstToken((peer) => peer.send({ type: 'answer', rpc: 'auth', id: 'auth', outcome: NO }))
    expect(await world.openReady({ transports: ['websocket', 'sockjs'] })).to.have.property(
      'transport',
      'websocket',
    )
  })
})
