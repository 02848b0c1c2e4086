import { TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import { FakeSocket } from './fake-socket.js'
import { restoreGlobals, setGlobal } from './globals.js'
import { until } from './waiting.js'
import { World } from './world.js'

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

  it('goes straight to SockJS in a browser when `sockjs.transports` lacks WebSocket', async () => {
    setGlobal('location', { host: world.server.host, protocol: 'http:' })
    const socket = new TokenSocket({ sockjs: { transports: ['xhr-streaming'] } })
    world.sockets.push(socket)
    await socket.ready()
    expect(FakeSocket.made[0]?.parameters[2]).to.deep.equal({ transports: ['xhr-streaming'] })
  })
})
