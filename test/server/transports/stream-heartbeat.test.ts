import { TestConnection } from '@token-socket/protocol/testing'
import { expect } from 'chai'
import sinon from 'sinon'
import { ServerSocket } from '#server/socket/server-socket.js'
import { StreamHeartbeat } from '#server/transports/stream-heartbeat.js'
import { fakeTurns } from '../../fake-turns.js'
import { makeOwner, type SocketSettings } from '../sockets.js'

/** A connection that is carried by what a test says. */
class CarriedConnection extends TestConnection {
  override readonly transport: 'memory'

  constructor(transport: string) {
    super()
    this.transport = transport as 'memory'
  }
}

describe('StreamLiveness', () => {
  let clock: sinon.SinonFakeTimers
  let liveness: StreamHeartbeat

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate', 'performance'] })
    fakeTurns()
    liveness = new StreamHeartbeat({ pingInterval: 25_000, pingTimeout: 10_000 })
  })

  afterEach(() => {
    liveness.stop()
    sinon.restore()
  })

  function carried(transport: string, settings: SocketSettings = {}) {
    const connection = new CarriedConnection(transport)
    const identity = { sid: 's', auth: {}, ip: undefined, ips: [], host: undefined }
    const socket = new ServerSocket(identity, connection, makeOwner(settings))
    return { socket, connection, unwatch: liveness.watch(socket) }
  }

  for (const transport of ['xhr-streaming', 'eventsource', 'htmlfile']) {
    it(`calls a silent client on ${transport}, and closes it if it does not answer in time`, () => {
      const { connection } = carried(transport)
      clock.tick(25_000)
      expect(connection.sent.map((frame) => JSON.parse(frame).data.command)).to.deep.equal(['_ping'])
      expect(connection.closed).to.equal(undefined)
      clock.tick(10_000)
      expect(connection.closed).to.deep.equal({ code: 4006, reason: 'No heartbeat came in time' })
    })
  }

  it('calls a client also that has as many calls to answer as it may', () => {
    const { socket, connection } = carried('xhr-streaming', { limits: { callsOut: 1 } })
    socket.rpc('slow').catch(() => {})
    clock.tick(25_000)
    const commands = connection.sent.map((frame) => JSON.parse(frame).data.command)
    expect(commands).to.deep.equal(['slow', '_ping'])
  })

  it('takes its answer for no other’s', async () => {
    const { socket, connection } = carried('xhr-streaming')
    const answer = socket.rpc('slow')
    clock.tick(25_000)
    const [slow, ping] = connection.sent.map((frame) => JSON.parse(frame).data.fid)
    socket.receive(JSON.stringify({ rpc: '_rpc', fid: ping, resp: { error: 'Function not found' } }))
    socket.receive(JSON.stringify({ rpc: '_rpc', fid: slow, resp: { data: 1 } }))
    expect(await answer).to.equal(1)
  })

  it('takes whatever a client says for a heartbeat', () => {
    const { socket, connection } = carried('xhr-streaming')
    for (let round = 0; round < 10; round += 1) {
      clock.tick(24_000)
      socket.receive('not even JSON')
    }
    expect(connection.closed).to.equal(undefined)
  })

  it('gives a client more time that a large message is on its way to', () => {
    const { socket, connection } = carried('xhr-streaming')
    socket.deliver('x'.repeat(2 * 1024 * 1024))
    clock.tick(40_000)
    expect(connection.closed).to.equal(undefined)
    clock.tick(40_000)
    expect(connection.closed?.code).to.equal(4006)
  })

  for (const transport of ['websocket', 'xhr-polling', 'jsonp-polling']) {
    it(`leaves ${transport} to those who know better`, () => {
      const { connection } = carried(transport)
      clock.tick(100_000)
      expect([connection.sent, connection.closed]).to.deep.equal([[], undefined])
    })
  }

  it('watches no more after the undo', () => {
    const { connection, unwatch } = carried('xhr-streaming')
    unwatch?.()
    clock.tick(100_000)
    expect(connection.sent).to.deep.equal([])
  })

  describe('#stop', () => {
    it('leaves no timer', () => {
      carried('xhr-streaming')
      liveness.stop()
      expect(clock.countTimers()).to.equal(0)
    })
  })
})
