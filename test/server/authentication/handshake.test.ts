import type { IncomingMessage } from 'node:http'
import {
  type AuthMessage,
  CLOSE_CODES,
  type Connection,
  type ConnectionListener,
  RpcError,
} from '@token-socket/protocol'
import { connectionPair, type TestConnection } from '@token-socket/protocol/testing'
import { expect } from 'chai'
import sinon from 'sinon'
import { type HandshakeOwner, Handshakes } from '#server/authentication/handshake.js'
import type { PendingConnection } from '#server/authentication/pending-connection.js'
import type { Closing } from '#server/socket/closings.js'
import { collectGarbage } from '../../garbage.js'
import { inNodeOnly } from '../../only-in.js'

const AUTH = JSON.stringify({ rpc: 'auth', token: 'TOKEN', uuid: '1', version: 1 })
const AUTH_TIMEOUT = { code: 4003, reason: 'No token came in time' }
const INVALID_TOKEN = { code: 4004, reason: 'Invalid token' }
const AUTH_REQUIRED = { code: 4500, reason: 'The first message has to be the token' }
const TOO_LARGE = { code: 4501, reason: 'A message was larger than the limit' }
const SHUTTING_DOWN = { code: 4000, reason: 'The server is shutting down' }

type Adopt = (listener: ConnectionListener) => void

/** One call of `welcome`. */
interface Welcome {
  readonly message: AuthMessage
  readonly connection: Connection
  readonly arrival: PendingConnection
  readonly adopt: Adopt
  readonly done: () => void
  readonly fail: (cause: unknown) => void
}

/** Lets every promise that can settle do so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('Handshakes', () => {
  let clock: sinon.SinonFakeTimers
  let welcomes: Welcome[]
  let failed: sinon.SinonSpy
  let refused: Closing[]
  let authTimeout: number | undefined
  let passing: (run: () => void) => void
  let handshakes: Handshakes
  let kept: Connection[]
  let owner: HandshakeOwner

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    welcomes = []
    kept = []
    failed = sinon.spy()
    refused = []
    authTimeout = 5000
    passing = (run) => run()
    owner = {
      authTimeout: () => authTimeout,
      limits: { authMessage: 8192 },
      throttle: { run: (run) => passing(run) },
      authenticate: (message, connection, arrival) =>
        new Promise((resolve, reject) => {
          const adopt: Adopt = (listener) => arrival.adopt(listener)
          welcomes.push({ message, connection, arrival, adopt, done: resolve, fail: reject })
        }),
      failed,
      refused: (closing) => refused.push(closing),
    }
    handshakes = new Handshakes(owner)
  })

  afterEach(() => sinon.restore())

  /** Both ends of a connection that has just opened. */
  function begin(): { readonly server: TestConnection; readonly client: TestConnection } {
    const { left: server, right: client } = connectionPair()
    handshakes.begin(server)
    return { server, client }
  }

  /** A connection whose token is being looked at. */
  function asking() {
    const pair = begin()
    pair.client.send([AUTH])
    const welcome = welcomes.at(-1)
    if (!welcome) throw new Error('nobody was asked')
    return { ...pair, ...welcome }
  }

  const recorder = () => ({ message: sinon.spy(), closed: sinon.spy() })

  describe('#begin', () => {
    it('passes the token on, with the connection', () => {
      const { server, message, connection } = asking()
      expect(connection).to.equal(server)
      expect(message).to.deep.equal({ type: 'auth', id: '1', token: 'TOKEN', version: 1 })
    })

    it('leaves the token of one unused that closed while it waited at the throttle', () => {
      let pass = () => {}
      passing = (run) => {
        pass = run
      }
      const { client } = begin()
      client.send([AUTH])
      client.close(1000, '')
      pass()
      expect(welcomes).to.deep.equal([])
    })

    for (const [code, why] of [
      ['forbidden', 'auth_refused'],
      ['banned', 'auth_refused'],
      ['internal', 'auth_failed'],
      ['timeout', 'auth_failed'],
    ] as const)
      it(`leaves the line about one without a token to what has judged it: ${code}`, async () => {
        handshakes = new Handshakes({ ...owner, takesRequests: true })
        const { left: server, right: client } = connectionPair()
        handshakes.begin(Object.assign(server, { request: {} as IncomingMessage }))
        client.send(['{"rpc":"auth","uuid":"1","version":1}'])
        welcomes.at(-1)?.fail(new RpcError(code))
        await settled()
        expect(server.closed).to.include({ code: CLOSE_CODES[why].code })
        expect([refused, failed.callCount]).to.deep.equal([[], 0])
      })

    it('lets what was adopted hear the connection itself once it is in', async () => {
      const { server, client, adopt, done } = asking()
      const adopted = recorder()
      const listen = sinon.spy(server, 'listen')
      adopt(adopted)
      client.send(['early'])
      expect([adopted.message.args, listen.args]).to.deep.equal([[['early']], []])
      done()
      await settled()
      expect(listen.args).to.deep.equal([[adopted]])
      client.send(['late'])
      client.close(1000, 'bye')
      expect(adopted.message.args).to.deep.equal([['early'], ['late']])
      expect(adopted.closed.args).to.deep.equal([[1000, 'bye']])
    })

    it('says once that the connection is closed, also if it is closed before it is in', async () => {
      const { server, client, adopt, done } = asking()
      const adopted = recorder()
      const listen = sinon.spy(server, 'listen')
      adopt(adopted)
      client.close(1000, 'bye')
      done()
      await settled()
      expect([adopted.closed.args, listen.args]).to.deep.equal([[[1000, 'bye']], []])
    })

    inNodeOnly('V8 collects what it is asked to').it('keeps nothing of itself once it is over', async () => {
      const arrivals = Array.from({ length: 20 }, () => {
        const { arrival, adopt, done } = asking()
        adopt({ message: () => {}, closed: () => {} })
        done()
        return new WeakRef(arrival)
      })
      kept.push(...welcomes.map(({ connection }) => connection))
      welcomes = []
      await settled()
      collectGarbage()
      expect(kept).to.have.length(arrivals.length)
      expect(arrivals.filter((arrival) => arrival.deref())).to.deep.equal([])
    })

    it('answers nothing itself when the token is good', async () => {
      const { server, adopt, done } = asking()
      adopt(recorder())
      done()
      await settled()
      expect(server.sent).to.deep.equal([])
      expect(server.closed).to.equal(undefined)
    })

    for (const [what, first] of [
      ['a call', '{"rpc":"a","req":{},"uuid":"1"}'],
      ['a ping', '{"rpc":"_ping","uuid":"1"}'],
      ['a subscription', '{"rpc":"_subscribe","req":{"channel":"a"},"uuid":"1"}'],
      ['an auth frame without a token', '{"rpc":"auth","uuid":"1"}'],
      ['an auth frame without an id', '{"rpc":"auth","token":"TOKEN"}'],
      ['an auth frame whose token is no text', '{"rpc":"auth","token":{},"uuid":"1"}'],
      ['an auth frame whose token is too long', `{"rpc":"auth","token":"${'x'.repeat(7901)}","uuid":"1"}`],
      ['an object', { rpc: 'auth', token: 'TOKEN', uuid: '1' }],
    ] as [string, unknown][]) {
      it(`closes as auth_required when the first message is ${what}`, () => {
        const { server } = begin()
        server.receive(first)
        expect(server.closed).to.deep.equal(AUTH_REQUIRED)
        expect(server.sent).to.deep.equal([])
        expect(welcomes).to.deep.equal([])
      })
    }

    for (const [what, first] of [
      ['no JSON', 'garbage'],
      ['nothing', ''],
      ['a number', 5],
      ['null', null],
      ['a list', '[]'],
      ['a frame of Hotsock', '{"event":"hotsock.subscribe","channel":"a"}'],
      ['a frame of Socket.IO', '40{"token":"a"}'],
    ] as [string, unknown][]) {
      it(`closes as auth_required when the time is over if the first message is ${what}`, () => {
        const { server } = begin()
        clock.tick(1000)
        server.receive(first)
        server.receive(AUTH)
        clock.tick(3999)
        expect(server.closed).to.equal(undefined)
        clock.tick(1)
        expect(server.closed).to.deep.equal(AUTH_REQUIRED)
        expect([server.sent, welcomes, handshakes.size]).to.deep.equal([[], [], 0])
      })
    }

    it('closes after 5 s what is not of this wire where connections may be silent for ever', () => {
      authTimeout = undefined
      const { server } = begin()
      server.receive('garbage')
      handshakes.limit(undefined)
      clock.tick(4999)
      expect(server.closed).to.equal(undefined)
      clock.tick(1)
      expect(server.closed).to.deep.equal(AUTH_REQUIRED)
    })

    it('forgets what is not of this wire when it leaves', () => {
      const { server, client } = begin()
      server.receive('garbage')
      client.close(1000, '')
      clock.tick(10_000)
      expect([server.closed?.code, handshakes.size]).to.deep.equal([1000, 0])
    })

    it('closes as too_large when the first message is over the limit, without reading it', () => {
      const { server, client } = begin()
      client.send([AUTH.padEnd(8193)])
      expect(server.closed).to.deep.equal(TOO_LARGE)
      expect(welcomes).to.deep.equal([])
    })

    it('takes a first message of just the limit', () => {
      begin().client.send([AUTH.padEnd(8192)])
      expect(welcomes).to.have.length(1)
    })

    it('closes as auth_required on a second message before the token is found good', () => {
      const { server, client } = asking()
      client.send([AUTH])
      const reason = 'A message came before the answer to auth'
      expect(server.closed).to.deep.equal({ ...AUTH_REQUIRED, reason })
      expect(welcomes).to.have.length(1)
    })

    it('passes everything on to whoever adopts the connection', () => {
      const { client, adopt } = asking()
      const listener = recorder()
      adopt(listener)
      client.send(['one', 'two'])
      client.close(1001, 'away')
      expect(listener.message.args).to.deep.equal([['one'], ['two']])
      expect(listener.closed.args).to.deep.equal([[1001, 'away']])
    })

    it('tells whoever adopts a connection that ended meanwhile', () => {
      const { client, adopt } = asking()
      client.close(1001, 'away')
      const listener = recorder()
      adopt(listener)
      expect(listener.closed.args).to.deep.equal([[1001, 'away']])
      expect(handshakes.size).to.equal(0)
    })

    it('answers an RpcError and closes as invalid_token', async () => {
      const { server, fail } = asking()
      fail(new RpcError('invalid_token'))
      await settled()
      expect(server.sent.map((text) => JSON.parse(text))).to.deep.equal([
        { rpc: 'auth', uuid: '1', error: 'Invalid token', code: 'invalid_token' },
      ])
      expect(server.closed).to.deep.equal(INVALID_TOKEN)
      expect(failed.called).to.equal(false)
    })

    it('answers internal for any other error, whose text stays here', async () => {
      const { server, fail } = asking()
      const cause = new Error('secret')
      fail(cause)
      await settled()
      expect(server.sent.join()).to.not.include('secret')
      expect(JSON.parse(server.sent[0] ?? '')).to.include({ code: 'internal' })
      expect(server.closed).to.deep.equal(INVALID_TOKEN)
      expect(failed.args).to.deep.equal([[cause, { step: 'auth' }]])
    })

    it('answers unserializable where the refusal is no JSON, and closes all the same', async () => {
      const { server, fail } = asking()
      fail(new RpcError('banned', 'Banned', 1n))
      await settled()
      expect(JSON.parse(server.sent[0] ?? '')).to.include({ uuid: '1', code: 'unserializable' })
      expect(server.closed).to.deep.equal(INVALID_TOKEN)
      expect(failed.firstCall.args[0]).to.have.property('code', 'unserializable')
      expect(failed.firstCall.args[1]).to.deep.equal({ step: 'auth' })
    })

    it('tells whoever adopted a connection that is turned away', async () => {
      const { adopt, fail } = asking()
      const listener = recorder()
      adopt(listener)
      fail(new RpcError('forbidden'))
      await settled()
      expect(listener.closed.args).to.deep.equal([[INVALID_TOKEN.code, INVALID_TOKEN.reason]])
    })
  })

  describe('the time limit', () => {
    it('closes a connection that says nothing as auth_timeout', () => {
      const { server } = begin()
      clock.tick(4999)
      expect(server.closed).to.equal(undefined)
      clock.tick(1)
      expect(server.closed).to.deep.equal(AUTH_TIMEOUT)
      expect(handshakes.size).to.equal(0)
    })

    it('closes each connection at its own time', () => {
      const one = begin()
      clock.tick(3000)
      const two = begin()
      clock.tick(2000)
      expect([one, two].map(({ server }) => server.closed?.code)).to.deep.equal([4003, undefined])
      clock.tick(3000)
      expect(two.server.closed).to.deep.equal(AUTH_TIMEOUT)
    })

    it('does not apply to one whose token is being looked at', () => {
      const { server } = asking()
      clock.tick(29_999)
      expect(server.closed).to.equal(undefined)
    })

    it('is half a minute for looking at the token, as when the engine hangs', () => {
      const { server } = asking()
      clock.tick(30_000)
      expect(server.closed).to.deep.equal(AUTH_TIMEOUT)
    })

    it('does not apply where `authTimeout` is undefined', () => {
      authTimeout = undefined
      const { server } = begin()
      clock.tick(10 ** 9)
      expect(server.closed).to.equal(undefined)
    })
  })

  describe('#limit', () => {
    it('gives those that wait a new time limit, from now on', () => {
      const { server } = begin()
      clock.tick(4000)
      handshakes.limit(2000)
      clock.tick(1999)
      expect(server.closed).to.equal(undefined)
      clock.tick(1)
      expect(server.closed).to.deep.equal(AUTH_TIMEOUT)
    })

    it('takes the time limit away', () => {
      const { server } = begin()
      handshakes.limit(undefined)
      clock.tick(10 ** 9)
      expect(server.closed).to.equal(undefined)
    })

    it('leaves those alone whose token is being looked at', () => {
      const { server } = asking()
      handshakes.limit(2000)
      clock.tick(29_999)
      expect(server.closed).to.equal(undefined)
    })
  })

  describe('.size', () => {
    it('counts those that wait to be let in', async () => {
      expect(handshakes.size).to.equal(0)
      begin()
      const { adopt, done } = asking()
      expect(handshakes.size).to.equal(2)
      adopt(recorder())
      done()
      await settled()
      expect(handshakes.size).to.equal(1)
    })

    it('does not count those that went', () => {
      const { client } = begin()
      client.close(1001, '')
      expect(handshakes.size).to.equal(0)
    })
  })

  describe('#close', () => {
    it('closes what opens after it', () => {
      handshakes.close('shutting_down')
      expect(begin().server.closed?.code).to.equal(4000)
      expect(handshakes.size).to.equal(0)
    })

    it('closes those that wait, and leaves no timer', () => {
      const pairs = [begin(), begin()]
      handshakes.close('shutting_down')
      for (const { server } of pairs) expect(server.closed).to.deep.equal(SHUTTING_DOWN)
      expect(handshakes.size).to.equal(0)
      expect(clock.countTimers()).to.equal(0)
    })

    it('closes those whose token is being looked at', () => {
      const { server } = asking()
      handshakes.close('shutting_down')
      expect(server.closed).to.deep.equal(SHUTTING_DOWN)
    })

    it('closes those that were adopted and are not let in yet', () => {
      const { server, adopt } = asking()
      const listener = recorder()
      adopt(listener)
      handshakes.close('shutting_down')
      expect(server.closed).to.deep.equal(SHUTTING_DOWN)
      expect(listener.closed.callCount).to.equal(1)
    })

    it('leaves those open that were let in', async () => {
      const { server, adopt, done } = asking()
      adopt(recorder())
      done()
      await settled()
      handshakes.close('shutting_down')
      expect(server.closed).to.equal(undefined)
    })
  })

  describe('says that a connection ends while its token is looked at', () => {
    type Asked = ReturnType<typeof asking>
    const ENDS: Readonly<Record<string, (asked: Asked) => void>> = {
      'by its client': ({ client }) => client.close(1001, ''),
      'by its time limit': () => void clock.tick(30_000),
      'by a second message': ({ client }) => client.send([AUTH]),
      'by the end of the server': () => handshakes.close('shutting_down'),
      'after a listener has adopted it': ({ adopt, client }) => {
        adopt(recorder())
        client.close(1001, '')
      },
    }
    for (const [how, end] of Object.entries(ENDS))
      it(how, () => {
        const asked = asking()
        const closed = sinon.spy()
        asked.arrival.onclosed(closed)
        expect(asked.arrival.isClosed).to.equal(false)
        end(asked)
        expect(asked.arrival.isClosed).to.equal(true)
        sinon.assert.calledOnce(closed)
        asked.arrival.onclosed(closed)
        sinon.assert.calledTwice(closed)
      })

    it('and not once it is let in', async () => {
      const { arrival, adopt, done, client } = asking()
      const closed = sinon.spy()
      arrival.onclosed(closed)
      adopt(recorder())
      done()
      await settled()
      client.close(1001, '')
      sinon.assert.notCalled(closed)
    })
  })
})
