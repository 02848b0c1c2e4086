import { expect } from 'chai'
import sinon from 'sinon'
import { SocketConnection } from '#client/connection/transports/socket-connection.js'
import { LINES } from '#client/connection/transports/websocket.js'
import { FakeSocket } from '../../fake-socket.js'
import { errorOf } from '../../waiting.js'

describe('SocketConnection', () => {
  let socket: FakeSocket
  let abort: AbortController
  let opening: Promise<SocketConnection>
  const message = sinon.spy()
  const closed = sinon.spy()

  beforeEach(() => {
    socket = Object.assign(new FakeSocket(), { url: 'ws://x/sockets/websocket' })
    abort = new AbortController()
    opening = SocketConnection.open(socket, LINES, abort.signal)
    message.resetHistory()
    closed.resetHistory()
  })

  async function open(): Promise<SocketConnection> {
    socket.play('open')
    return opening
  }

  describe('.open', () => {
    it('resolves when the socket is open', async () => {
      expect((await open()).transport).to.equal('websocket')
    })

    it('rejects with `transport_failed` when the socket closes instead', async () => {
      socket.play('error')
      socket.play('close', { code: 1006, reason: '' })
      const error = await errorOf(opening)
      expect(error).to.have.property('code', 'transport_failed')
      expect(error.data).to.deep.equal({ code: 1006, reason: '' })
      expect(error.message).to.equal('closed, code 1006')
    })

    it('rejects with `transport_failed` when all that the socket tells is an error', async () => {
      socket.play('error')
      const error = await errorOf(opening)
      expect(error).to.have.property('code', 'transport_failed')
      expect(error.message).to.equal('forbidden')
    })

    it('keeps what the platform says went wrong', async () => {
      const cause = Object.assign(new Error('getaddrinfo ENOTFOUND x'), { code: 'ENOTFOUND' })
      socket.play('error', { error: cause })
      socket.play('close', { code: 1006, reason: '' })
      const error = await errorOf(opening)
      expect(error.message).to.equal('getaddrinfo ENOTFOUND x')
      expect(error).to.have.property('cause', cause)
    })

    it('closes the socket when it is given up', async () => {
      abort.abort(new Error('enough'))
      expect(await errorOf(opening)).to.have.property('message', 'enough')
      expect(socket.closes).to.have.length(1)
    })

    it('opens nothing when it was given up before', async () => {
      const late = SocketConnection.open(new FakeSocket(), LINES, AbortSignal.abort(new Error('enough')))
      expect(await errorOf(late)).to.have.property('message', 'enough')
    })
  })

  it('#listen hears what came before it', async () => {
    const connection = await open()
    socket.play('message', { data: '1\n2' })
    socket.play('close', { code: 4000, reason: 'bye' })
    connection.listen({ message, closed })
    expect(message.args).to.deep.equal([['1'], ['2']])
    expect(closed.args).to.deep.equal([[4000, 'bye']])
  })

  it('#listen hears each line of a frame as a message, and other things as they are', async () => {
    const connection = await open()
    connection.listen({ message, closed })
    const binary = new ArrayBuffer(1)
    socket.play('message', { data: '{"a":1}\n\n{"b":2}\n' })
    socket.play('message', { data: binary })
    expect(message.args).to.deep.equal([['{"a":1}'], ['{"b":2}'], [binary]])
  })

  it('#send sends messages as the lines of one frame', async () => {
    const connection = await open()
    connection.send(['1', '2'])
    expect(socket.sent).to.deep.equal(['1\n2'])
  })

  it('#send does nothing once the socket is closed', async () => {
    const connection = await open()
    socket.play('close', { code: 1000, reason: '' })
    connection.send(['1'])
    connection.close(4005, 'bye')
    expect(socket.sent).to.deep.equal([])
    expect(socket.closes).to.deep.equal([])
  })

  it('#close closes the socket with its code, and the end is told once', async () => {
    const connection = await open()
    connection.listen({ message, closed })
    connection.close(4005, 'bye')
    expect(socket.closes).to.deep.equal([[4005, 'bye']])
    socket.play('close', { code: 4005, reason: 'bye' })
    socket.play('close', { code: 4005, reason: 'bye' })
    expect(closed.callCount).to.equal(1)
  })
})
