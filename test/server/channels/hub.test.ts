import { encodePublication } from '@token-socket/protocol'
import type { ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { Hub } from '#server/channels/hub.js'
import { makeSocket, type TestSocket } from '../sockets.js'

describe('Hub', () => {
  let hub: Hub
  let onerror: sinon.SinonSpy

  beforeEach(() => {
    onerror = sinon.spy()
    hub = new Hub(onerror)
  })

  /** A socket of the hub on these channels. */
  function member(...channels: string[]): TestSocket {
    const made = makeSocket()
    hub.add(made.socket)
    for (const channel of channels) hub.join(made.socket, channel)
    return made
  }

  describe('#add', () => {
    it('takes sockets in, in order', () => {
      const [one, two] = [member(), member()]
      expect(hub.sockets).to.deep.equal([one.socket, two.socket])
    })

    it('gives lists of its own', () => {
      member()
      hub.sockets.pop()
      expect(hub.sockets).to.have.length(1)
    })
  })

  describe('#join', () => {
    it('puts a socket on a channel, once', () => {
      const { socket } = member('a', 'a')
      expect(hub.on('a')).to.deep.equal([socket])
      expect(hub.has(socket, 'a')).to.equal(true)
    })

    it('tells sockets and channels apart', () => {
      const [one, two] = [member('a'), member('b')]
      expect(hub.has(one.socket, 'b')).to.equal(false)
      expect(hub.has(two.socket, 'b')).to.equal(true)
      expect(hub.on('c')).to.deep.equal([])
      expect(hub.channels).to.deep.equal(['a', 'b'])
    })

    for (const name of ['__proto__', 'constructor', 'hasOwnProperty', '😀 {x}*']) {
      it(`takes ${name} for a channel like any other`, () => {
        const made = member()
        expect(hub.on(name)).to.deep.equal([])
        hub.join(made.socket, name)
        expect(hub.channels).to.deep.equal([name])
        hub.deliver({ channel: name, json: '1' })
        expect(made.frames()).to.deep.equal([{ channel: name, message: 1 }])
      })
    }
  })

  describe('#leave', () => {
    it('takes a socket off a channel, and says whether it was on it', () => {
      const { socket } = member('a', 'b')
      expect(hub.leave(socket, 'a')).to.equal(true)
      expect(hub.leave(socket, 'a')).to.equal(false)
      expect(hub.leave(socket, 'c')).to.equal(false)
      expect(hub.has(socket, 'b')).to.equal(true)
    })

    it('forgets a channel with its last socket', () => {
      const [one, two] = [member('a'), member('a')]
      hub.leave(one.socket, 'a')
      expect(hub.channels).to.deep.equal(['a'])
      hub.leave(two.socket, 'a')
      expect(hub.channels).to.deep.equal([])
    })
  })

  describe('#remove', () => {
    it('takes a socket out, and off the channels that it noted', () => {
      const { socket } = member('a', 'b')
      for (const channel of ['a', 'b']) socket.joined(channel)
      expect(hub.remove(socket)).to.deep.equal(['a', 'b'])
      expect(hub.sockets).to.deep.equal([])
      expect(hub.channels).to.deep.equal([])
    })

    it('names no channel that the socket was not on here', () => {
      const { socket } = member()
      socket.joined('a')
      expect(hub.remove(socket)).to.deep.equal([])
    })
  })

  describe('#deliver', () => {
    it('sends a publication to the sockets on its channel only', () => {
      const [one, two, other] = [member('a'), member('a', 'b'), member('b')]
      hub.deliver({ channel: 'a', json: '{"x":1}' })
      for (const { frames } of [one, two]) {
        expect(frames()).to.deep.equal([{ channel: 'a', message: { x: 1 } }])
      }
      expect(other.frames()).to.deep.equal([])
    })

    it('sends the JSON as it is', () => {
      const { frames, connection } = member('a')
      hub.deliver({ channel: 'a', json: '{ "x" : 1 }' })
      frames()
      expect(connection.sent).to.deep.equal([encodePublication({ channel: 'a', json: '{ "x" : 1 }' })])
    })

    it('does nothing on a channel without sockets', () => {
      hub.filter = sinon.spy()
      hub.deliver({ channel: 'a', json: '1' })
      expect((hub.filter as sinon.SinonSpy).called).to.equal(false)
    })

    it('goes on with the others when one socket is closed by it', () => {
      const [slow, fast] = [member('a'), member('a')]
      slow.connection.bufferedBytes = 2 ** 30
      // More than 16 times the budget: less may wait for 250 ms.
      const json = `"${'x'.repeat(17 * 2 ** 20)}"`
      // A turn that began with nothing waiting does not count, nor does the present one.
      for (let turn = 0; turn < 2; turn += 1) {
        hub.deliver({ channel: 'a', json })
        slow.frames()
        fast.frames()
      }
      expect(slow.connection.closed).to.equal(undefined)
      hub.deliver({ channel: 'a', json })
      expect(slow.connection.closed?.code).to.equal(4002)
      expect(fast.frames()).to.have.length(3)
    })
  })

  describe('#reach', () => {
    const kept = (epoch: string, offset: number) =>
      hub.deliver({ channel: 'a', json: `${offset}`, id: '01HP8BGSABCDEFGHJKMNPQRSTV', epoch, offset })
    /** The reasons of the gaps, and the messages, in short. */
    const heard = (made: TestSocket) =>
      made.frames().map((frame) => {
        const { message, data } = frame as { message?: unknown; data?: { reason?: string; offset?: number } }
        return message ?? `${data?.reason} ${data?.offset}`
      })

    it('tells sockets of a gap when the channel is in another epoch', () => {
      const [one, other] = [member('a'), member('b')]
      kept('s.1', 7)
      kept('s.1', 8)
      kept('t.1', 4)
      kept('t.1', 5)
      expect(heard(one)).to.deep.equal([7, 8, 'epoch_changed 3', 4, 5])
      expect(heard(other)).to.deep.equal([])
    })

    it('tells nobody who saw the channel empty in the same store', () => {
      const one = member('a')
      hub.reach('a', { epoch: 's.1', offset: 0 })
      kept('s.2', 1)
      expect(heard(one)).to.deep.equal([1])
    })

    it('ignores a page of before the first publication that comes after it', () => {
      const one = member('a')
      kept('s.2', 1)
      hub.reach('a', { epoch: 's.1', offset: 0 })
      hub.reach('a', { epoch: 's.2', offset: 0 })
      kept('s.2', 2)
      expect(heard(one)).to.deep.equal([1, 2])
    })

    it('reports a gap when the channel is empty after its first publication', () => {
      for (const lost of ['s.3', 't.1']) {
        const one = member('a')
        kept('s.2', 1)
        hub.reach('a', { epoch: lost, offset: 0 })
        expect(heard(one), lost).to.deep.equal([1, 'epoch_changed 0'])
        hub.leave(one.socket, 'a')
      }
    })

    it('tells who saw it empty in a store that is lost, or saw one publication', () => {
      const one = member('a')
      hub.reach('a', { epoch: 's.1', offset: 0 })
      kept('t.1', 1)
      kept('t.2', 1)
      expect(heard(one)).to.deep.equal(['epoch_changed 0', 1, 'epoch_changed 0', 1])
    })

    it('does not tell who is held, nor legacy clients', () => {
      const one = member('a')
      const old = makeSocket({ identity: { counts: false } })
      hub.add(old.socket)
      hub.join(old.socket, 'a')
      hub.reach('a', { epoch: 's.1', offset: 1 })
      hub.hold(one.socket, 'a', () => {})
      kept('t.1', 1)
      expect(heard(one)).to.deep.equal([])
      expect(heard(old)).to.deep.equal([1])
    })

    it('forgets a channel that nobody is on any more', () => {
      const { socket } = member('a')
      kept('s.1', 1)
      hub.leave(socket, 'a')
      const late = member('a')
      kept('t.1', 1)
      expect(heard(late)).to.deep.equal([1])
    })
  })

  describe('.filter', () => {
    it('gets the socket, the channel and the message', () => {
      const { socket } = member('a')
      const filter = sinon.spy((_socket: ServerSocket, _channel: string, message: unknown) => message)
      hub.filter = filter
      hub.deliver({ channel: 'a', json: '{"x":1}' })
      expect(filter.args).to.deep.equal([[socket, 'a', { x: 1 }]])
    })

    it('gets a copy of its own for each socket', () => {
      const [one, two] = [member('a'), member('a')]
      hub.filter = (socket, _channel, message: { secret?: string }) => {
        if (socket === one.socket) delete message.secret
        return message
      }
      hub.deliver({ channel: 'a', json: '{"secret":"s","x":1}' })
      expect(one.frames()).to.deep.equal([{ channel: 'a', message: { x: 1 } }])
      expect(two.frames()).to.deep.equal([{ channel: 'a', message: { secret: 's', x: 1 } }])
    })

    it('puts another message in its place', () => {
      const { frames } = member('a')
      hub.filter = (socket) => ({ for: socket.auth })
      hub.deliver({ channel: 'a', json: '1' })
      expect(frames()).to.deep.equal([{ channel: 'a', message: { for: { id: 1 } } }])
    })

    for (const nothing of [false, null, undefined, 0, '']) {
      it(`sends nothing when it returns ${JSON.stringify(nothing)}`, () => {
        const { frames } = member('a')
        hub.filter = () => nothing
        hub.deliver({ channel: 'a', json: '1' })
        expect(frames()).to.deep.equal([])
        expect(onerror.called).to.equal(false)
      })
    }

    it('sends nothing to a socket for which it throws, and tells onerror', () => {
      const [one, two] = [member('a'), member('a')]
      const cause = new Error('no')
      hub.filter = (socket, _channel, message) => {
        if (socket === one.socket) throw cause
        return message
      }
      hub.deliver({ channel: 'a', json: '1' })
      expect(one.frames()).to.deep.equal([])
      expect(two.frames()).to.have.length(1)
      expect(onerror.args).to.deep.equal([[cause, { sid: one.socket.sid, channel: 'a' }]])
    })

    it('sends nothing when what it returns is not JSON, and tells onerror', () => {
      const { frames } = member('a')
      hub.filter = () => ({ x: 1n })
      hub.deliver({ channel: 'a', json: '1' })
      expect(frames()).to.deep.equal([])
      expect(onerror.firstCall.args[0]).to.have.property('code', 'unserializable')
    })

    it('may be changed, and taken away, at any time', () => {
      const { frames } = member('a')
      hub.filter = () => 'filtered'
      hub.deliver({ channel: 'a', json: '1' })
      hub.filter = undefined
      hub.deliver({ channel: 'a', json: '2' })
      expect(frames()).to.deep.equal([
        { channel: 'a', message: 'filtered' },
        { channel: 'a', message: 2 },
      ])
    })
  })
})
