import { CLOSE_CODES, RpcError, type TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { CAPABILITIES, type ClientMessage } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { type Peer, refusal } from '../scripted-server.js'
import { errorOf, moment, turn, until } from '../waiting.js'
import { World } from '../world.js'

/** Milliseconds that an authorization lasts here. */
const LIFE = 600_000

/** When it is renewed, where chance is in the middle. */
const DUE = LIFE * 0.8

describe('the authorisation of TokenSocket', () => {
  let world: World
  let clock: sinon.SinonFakeTimers
  /** Answers refreshes. */
  let onrefresh: (message: Extract<ClientMessage, { type: 'refresh' }>, peer: Peer) => void

  beforeEach(async () => {
    world = await World.create()
    world.server.session = { expiresIn: LIFE, can: CAPABILITIES, uid: 'jim', umd: { role: 'guest' } }
    onrefresh = accept
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'refresh') return false
      onrefresh(message, peer)
      return true
    }
  })

  afterEach(() => world.close())

  function accept({ id }: { readonly id: string }, peer: Peer): void {
    peer.send({ type: 'session', uid: 'jim', umd: { role: 'guest' }, expiresIn: LIFE })
    peer.send({ type: 'answer', id, rpc: '_refresh', outcome: { data: null } })
  }

  const refuse = (code: string) => (message: ClientMessage, peer: Peer) =>
    peer.send(refusal(message, new RpcError(code)))

  /** The tokens that came with refreshes, over all connections. */
  const refreshes = () => world.server.peers.flatMap((peer) => peer.of('refresh')).map(({ token }) => token)

  /** A socket that is ready while the clock stands, and chance is in the middle. */
  async function open(options: TokenSocketOptions = {}, random = 0.5): Promise<TokenSocket> {
    clock = world.stopClock()
    sinon.stub(Math, 'random').returns(random)
    return world.openReady(options)
  }

  /** Lets time pass in which nothing is under way, and some turns of the event loop after it. */
  async function pass(ms: number): Promise<void> {
    clock.tick(ms)
    for (let turns = 0; turns < 10; turns += 1) await turn()
  }

  /** Lets time pass slowly, as input and output need some, until this is true: a second in 20 ms at least. */
  async function passUntil(isTrue: () => unknown): Promise<void> {
    for (let turns = 1; !isTrue(); turns += 1) {
      clock.tick(5)
      await (turns % 10 === 0 ? moment() : turn())
    }
  }

  /** Lets time pass until this many refreshes have come, and the last one is done. */
  async function renewed(socket: TokenSocket, count: number): Promise<void> {
    const refreshed = events(socket, 'refreshed')
    await passUntil(() => refreshes().length === count)
    await until(() => refreshed.called)
  }

  const events = (socket: TokenSocket, event: 'refreshed' | 'error' | 'reconnect' | 'disconnect') => {
    const spy = sinon.spy()
    socket.on(event, spy)
    return spy
  }

  describe('session', () => {
    it('is what the server says: who the socket is, and when it ends', async () => {
      const socket = await open()
      expect(socket.session).to.deep.equal({
        uid: 'jim',
        umd: { role: 'guest' },
        expiresAt: Date.now() + LIFE,
      })
    })

    it('is none before the socket is ready, and on the legacy server', async () => {
      expect(world.open().session).to.equal(undefined)
      world.server.isOld = true
      expect((await world.openReady()).session).to.equal(undefined)
    })

    it('has no end where the authorisation has none', async () => {
      world.server.session = { uid: 'jim' }
      const socket = await open()
      expect(socket.session).to.deep.equal({ uid: 'jim', umd: undefined, expiresAt: undefined })
      await pass(1e9)
      expect(refreshes()).to.deep.equal([])
    })

    for (const jump of [3_600_000, -3_600_000])
      it(`ends in as much time as before when the clock jumps by ${jump} ms`, async () => {
        const socket = await open()
        clock.tick(1000)
        clock.setSystemTime(Date.now() + jump)
        expect((socket.session?.expiresAt ?? 0) - Date.now()).to.equal(LIFE - 1000)
      })

    it('stays the last word while the socket is away', async () => {
      const socket = await open()
      await world.cut(socket)
      expect(socket.session).to.include({ uid: 'jim' })
    })

    it('is another one after each notice of the server, which `refreshed` brings', async () => {
      const socket = await open()
      const refreshed = events(socket, 'refreshed')
      world.server.peer.send({ type: 'session', uid: 'jim', umd: { role: 'admin' }, expiresIn: 1000 })
      await until(() => refreshed.called)
      const session = { uid: 'jim', umd: { role: 'admin' }, expiresAt: Date.now() + 1000 }
      expect(refreshed.args).to.deep.equal([[session]])
      expect(socket.session).to.deep.equal(session)
      expect(socket.umd).to.deep.equal({ role: 'admin' })
    })

    it('has no end any longer if a notice says none', async () => {
      const socket = await open()
      const refreshed = events(socket, 'refreshed')
      world.server.peer.send({ type: 'session', uid: 'jim' })
      await until(() => refreshed.called)
      expect(socket.session).to.include({ uid: 'jim', expiresAt: undefined })
      await pass(LIFE * 2)
      expect(refreshes()).to.deep.equal([])
    })
  })

  describe('is renewed', () => {
    it('at 80 % of its life, by a fresh token on the open connection, and again', async () => {
      const socket = await open()
      await pass(DUE - 1)
      expect(refreshes()).to.deep.equal([])
      await renewed(socket, 1)
      await pass(DUE - 1)
      expect(refreshes()).to.deep.equal(['token-2'])
      await renewed(socket, 2)
      expect(refreshes()).to.deep.equal(['token-2', 'token-3'])
      expect(world.server.peers).to.have.length(1)
    })

    for (const [random, share] of [
      [0, 0.75],
      [0.5, 0.8],
      [0.999, 0.8499],
    ] as const)
      it(`at a random time of its life: ${share}`, async () => {
        await open({}, random)
        await pass(LIFE * share - 1)
        expect(world.server.tokenRequests).to.have.length(1)
        await pass(2)
        await until(() => refreshes().length === 1)
      })

    it('after a second at the earliest, however short its life is', async () => {
      world.server.session = { ...world.server.session, expiresIn: 1 }
      await open()
      await pass(999)
      expect(refreshes()).to.have.length(0)
      await pass(1)
      await until(() => refreshes().length === 1)
    })

    it('also if its life is longer than a timer can wait', async () => {
      const life = 100 * 24 * 3_600_000
      world.server.session = { ...world.server.session, expiresIn: life }
      await open()
      await pass(life * 0.8 - 1)
      expect(world.server.tokenRequests).to.have.length(1)
      await pass(1)
      await until(() => refreshes().length === 1)
    })

    it('when it is due and the machine wakes: the timer stood still', async () => {
      const socket = await open()
      // The clock of timers stands, that of the day goes on.
      clock.setSystemTime(Date.now() + LIFE)
      expect(socket.session?.uid).to.equal('jim')
      await pass(10_000)
      await until(() => refreshes().length === 1)
    })

    it('not before its time when the machine wakes', async () => {
      await open()
      clock.setSystemTime(Date.now() + LIFE / 2)
      await pass(10_000)
      expect(world.server.tokenRequests).to.have.length(1)
      await pass(DUE - LIFE / 2 - 10_000)
      await until(() => refreshes().length === 1)
    })

    for (const jump of [3_600_000, -3_600_000])
      it(`in time when the clock jumps by ${jump} ms: never late, and once`, async () => {
        const socket = await open()
        clock.setSystemTime(Date.now() + jump)
        const refreshed = events(socket, 'refreshed')
        // Forward it is renewed early, when the jump is noticed.
        await pass(jump > 0 ? 10_000 : DUE - 1)
        await passUntil(() => refreshed.called)
        await pass(DUE - 1)
        expect(world.server.tokenRequests).to.have.length(2)
        expect(world.server.peers).to.have.length(1)
      })

    it('when the server asks for it', async () => {
      const socket = await open()
      const refreshed = events(socket, 'refreshed')
      world.server.peer.send({ type: 'renew' })
      await until(() => refreshed.called)
      expect(refreshes()).to.deep.equal(['token-2'])
    })

    it('once more when the server asks for it while a token is on its way, which may be older', async () => {
      await open()
      const { ontoken } = world.server
      world.server.ontoken = (request, response) => {
        world.server.ontoken = ontoken
        world.server.peer.send({ type: 'renew' })
        setImmediate(() => setImmediate(() => ontoken(request, response)))
      }
      world.server.peer.send({ type: 'renew' })
      await until(() => refreshes().length === 2)
      expect(refreshes()).to.deep.equal(['token-2', 'token-3'])
      await pass(1000)
      expect(world.server.tokenRequests).to.have.length(3)
    })

    it('not by a token that stays the same', async () => {
      await open({ token: 'a.b.c' })
      await pass(LIFE)
      expect(refreshes()).to.deep.equal([])
    })

    it('by the token of a function', async () => {
      const tokens = ['own-1', 'own-2']
      await renewed(await open({ token: () => tokens.shift() ?? '' }), 1)
      expect(refreshes()).to.deep.equal(['own-2'])
    })
  })

  describe('is kept when the renewal fails', () => {
    it('three times and then works: an `error` each time, and delays that grow', async () => {
      const socket = await open()
      const errors = events(socket, 'error')
      let failures = 3
      const times: number[] = []
      const { ontoken } = world.server
      world.server.ontoken = (request, response) => {
        times.push(performance.now())
        if (failures-- > 0) response.writeHead(503).end()
        else ontoken(request, response)
      }
      await pass(DUE)
      await renewed(socket, 1)
      const [first = 0, second = 0, third = 0, fourth = 0] = times
      // The clock goes on while requests are under way, and further where these take more turns.
      expect(second - first).to.be.at.least(50)
      expect(third - second).to.be.at.least(100)
      expect(fourth - third).to.be.at.least(200)
      expect(errors.args.map(([error]) => (error as RpcError).code)).to.deep.equal(
        Array(3).fill('token_failed'),
      )
      expect(world.server.tokenRequests).to.have.length(5)
      expect(refreshes()).to.have.length(1)
      expect(socket.state).to.equal('ready')
    })

    for (const code of ['invalid_token', 'engine_unavailable', 'too_many_calls', 'timeout'])
      it(`by ${code}: it is tried again, each time with a fresh token`, async () => {
        const socket = await open()
        onrefresh = (message, peer) => {
          if (refreshes().length === 4) accept(message, peer)
          else refuse(code)(message, peer)
        }
        await pass(DUE)
        await renewed(socket, 4)
        expect(refreshes()).to.deep.equal(['token-2', 'token-3', 'token-4', 'token-5'])
      })

    it('as no answer comes in time', async () => {
      const socket = await open({ callTimeout: 1000 })
      const errors = events(socket, 'error')
      onrefresh = () => {}
      world.server.peer.send({ type: 'renew' })
      await until(() => refreshes().length === 1)
      onrefresh = accept
      await pass(1000)
      await until(() => errors.called)
      expect(errors.args[0]?.[0]).to.include({ code: 'timeout' })
      await renewed(socket, 2)
    })

    it('by a refusal: an `error`, and no other try; expired and refused again, it is final', async () => {
      const socket = await open()
      const [errors, reconnects] = [events(socket, 'error'), events(socket, 'reconnect')]
      world.server.ontoken = (_, response) => response.writeHead(403).end('{"error":"Forbidden"}')
      await pass(DUE)
      await until(() => errors.called)
      await pass(LIFE)
      expect(errors.args.map(([error]) => (error as RpcError).code)).to.deep.equal(['token_refused'])
      expect(socket.state).to.equal('ready')
      expect(await socket.rpc('echo', 1)).to.equal(1)
      world.server.peer.socket.close(CLOSE_CODES.expired.code)
      await passUntil(() => socket.state === 'failed')
      expect(reconnects.args[0]?.[0]).to.include({ code: 'token_refused' })
      expect(await errorOf(socket.refresh())).to.include({ code: 'token_refused' })
    })
  })

  describe('is over when the server asks for a token', () => {
    const refuseTokens = () => {
      world.server.ontoken = (_, response) => response.writeHead(403).end('{"error":"Forbidden"}')
    }

    it('that is refused: it is tried once more, and then it is final', async () => {
      const socket = await open()
      const [errors, reconnects] = [events(socket, 'error'), events(socket, 'reconnect')]
      const lost = events(socket, 'disconnect')
      refuseTokens()
      world.server.peer.send({ type: 'renew' })
      await passUntil(() => socket.state === 'failed')
      expect(lost.args[0]?.[0]).to.deep.include({ code: 'connection_lost', data: { reason: 'renewed' } })
      expect(reconnects.args[0]?.[0]).to.include({ code: 'token_refused' })
      expect(errors.called).to.equal(false)
      expect(world.server.tokenRequests).to.have.length(3)
    })

    it('that the server refuses for good: it signs in anew', async () => {
      const socket = await open()
      onrefresh = refuse('forbidden')
      world.server.peer.send({ type: 'renew' })
      await passUntil(() => world.server.peers.length === 2 && socket.state === 'ready')
      // Back again, a refusal is not final.
      refuseTokens()
      await world.cut(socket)
      await passUntil(() => world.server.tokenRequests.length > 4)
      expect(socket.state).to.not.equal('failed')
    })

    it('that is refused after one that failed, or was on its way', async () => {
      const socket = await open()
      const { ontoken } = world.server
      world.server.ontoken = (request, response) => {
        refuseTokens()
        world.server.peer.send({ type: 'renew' })
        setImmediate(() => setImmediate(() => ontoken(request, response)))
      }
      void socket.refresh()
      await passUntil(() => socket.state === 'failed')
      expect(refreshes()).to.have.length(1)
    })

    it('and is so no longer when the server has taken one', async () => {
      const socket = await open()
      world.server.peer.send({ type: 'renew' })
      await renewed(socket, 1)
      await turn()
      refuseTokens()
      expect(await errorOf(socket.refresh())).to.include({ code: 'token_refused' })
      await pass(1000)
      expect(socket.state).to.equal('ready')
    })
  })

  for (const why of ['expired', 'revoked'] as const)
    describe(`over, and closed as ${why}`, () => {
      async function close(): Promise<TokenSocket> {
        const socket = await open({}, 0)
        world.server.peer.socket.close(CLOSE_CODES[why].code)
        await until(() => socket.state === 'waiting')
        return socket
      }

      it('brings the socket back with a fresh token', async () => {
        const socket = await close()
        await passUntil(() => socket.state === 'ready')
        expect(world.server.peer.of('auth')[0]?.token).to.equal('token-2')
      })

      it('is no reason to give up while the token route fails', async () => {
        const socket = await close()
        world.server.ontoken = (_, response) => response.writeHead(503).end()
        await passUntil(() => world.server.tokenRequests.length > 4)
        expect(socket.state).to.not.equal('failed')
      })

      it('is forgotten once the socket is back: then a refusal is not final', async () => {
        const socket = await close()
        await passUntil(() => socket.state === 'ready')
        world.server.ontoken = (_, response) => response.writeHead(403).end()
        await world.cut(socket)
        await passUntil(() => world.server.tokenRequests.length > 4)
        expect(socket.state).to.not.equal('failed')
      })
    })

  describe('#refresh', () => {
    it('resolves when the server has taken a new token', async () => {
      const socket = await open()
      expect(await socket.refresh()).to.equal(undefined)
      expect(refreshes()).to.deep.equal(['token-2'])
    })

    it('is one when it is called twice at once, and another one after that', async () => {
      const socket = await open()
      const both = [socket.refresh(), socket.refresh()]
      await Promise.all(both)
      expect(refreshes()).to.deep.equal(['token-2'])
      await socket.refresh()
      expect(refreshes()).to.deep.equal(['token-2', 'token-3'])
    })

    it('brings a token that is requested after it, also while a renewal runs', async () => {
      const socket = await open()
      world.server.peer.send({ type: 'renew' })
      await until(() => world.server.tokenRequests.length === 2)
      await socket.refresh()
      expect(refreshes()).to.have.length(2)
      expect(world.server.tokenRequests).to.have.length(3)
    })

    it('moves the time of the next renewal', async () => {
      const socket = await open()
      await pass(LIFE / 2)
      await socket.refresh()
      await pass(DUE - 1)
      expect(world.server.tokenRequests).to.have.length(2)
      await renewed(socket, 2)
    })

    it('rejects with what failed, which is no `error` event, and is tried again', async () => {
      const socket = await open()
      const errors = events(socket, 'error')
      onrefresh = refuse('invalid_token')
      expect(await errorOf(socket.refresh())).to.include({ code: 'invalid_token' })
      onrefresh = accept
      await renewed(socket, 2)
      expect(errors.args).to.deep.equal([])
    })

    it('rejects with what refuses, and is not tried again', async () => {
      const socket = await open()
      world.server.ontoken = (_, response) =>
        response.writeHead(403).end('{"error":"Banned","code":"banned"}')
      expect(await errorOf(socket.refresh())).to.include({ code: 'banned' })
      await pass(LIFE)
      expect(world.server.tokenRequests).to.have.length(2)
      expect(socket.state).to.equal('ready')
    })

    it('may be called again by a listener of the failure', async () => {
      const socket = await open()
      const again: Promise<void>[] = []
      socket.once('error', () => {
        onrefresh = accept
        again.push(socket.refresh())
      })
      onrefresh = refuse('invalid_token')
      world.server.peer.send({ type: 'renew' })
      await until(() => again.length === 1)
      await again[0]
      expect(refreshes()).to.have.length(2)
    })

    it('reconnects when the token is for another user, and resolves then', async () => {
      const socket = await open()
      const disconnects = events(socket, 'disconnect')
      onrefresh = refuse('identity_changed')
      const refreshed = socket.refresh()
      await until(() => disconnects.called)
      const [error] = disconnects.args[0] as [RpcError]
      expect(error).to.include({ code: 'connection_lost' })
      expect(error.data).to.deep.equal({ reason: 'renewed' })
      expect(error.cause).to.include({ code: 'identity_changed' })
      world.server.session = { ...world.server.session, uid: 'ann' }
      await Promise.all([refreshed, passUntil(() => socket.state === 'ready')])
      expect(socket.uid).to.equal('ann')
      expect(world.server.peer.of('auth')[0]?.token).to.equal('token-3')
    })

    it('uses no token on a connection that began after it was asked for, and is done with that connection', async () => {
      const socket = await open()
      const { ontoken } = world.server
      let giveLate = () => {}
      world.server.ontoken = (request, response) => {
        world.server.ontoken = ontoken
        giveLate = () => ontoken(request, response)
      }
      const refreshed = socket.refresh()
      await until(() => world.server.tokenRequests.length === 2)
      await world.cut(socket)
      await Promise.all([refreshed, passUntil(() => socket.state === 'ready')])
      giveLate()
      await pass(1000)
      expect(refreshes()).to.deep.equal([])
      expect(world.server.peers.map((peer) => peer.of('auth')[0]?.token)).to.deep.equal([
        'token-1',
        'token-2',
      ])
      await pass(DUE - 2000)
      await renewed(socket, 1)
    })

    it('is done with the next connection where the answer is lost with this one', async () => {
      const socket = await open()
      onrefresh = () => world.server.cut()
      const refreshed = socket.refresh()
      await until(() => socket.state !== 'ready')
      await Promise.all([refreshed, passUntil(() => socket.state === 'ready')])
      expect(socket.state).to.equal('ready')
    })

    it('is done with the next connection while the socket is away, or suspended', async () => {
      const socket = await open()
      socket.suspend()
      const refreshed = socket.refresh()
      socket.resume()
      await refreshed
      expect(refreshes()).to.deep.equal([])
      expect(world.server.peers).to.have.length(2)
    })

    it('connects a lazy socket', async () => {
      const socket = await (async () => {
        clock = world.stopClock()
        return world.open({ lazy: true })
      })()
      await socket.refresh()
      expect(socket.state).to.equal('ready')
    })

    it('rejects when the socket is ended', async () => {
      const socket = await open()
      onrefresh = () => {}
      const running = socket.refresh()
      await until(() => refreshes().length === 1)
      await socket.end()
      expect(await errorOf(running)).to.include({ code: 'ended' })
      expect(await errorOf(socket.refresh())).to.include({ code: 'ended' })
    })

    for (const [who, session] of [
      ['a server that takes no new tokens', { can: ['cancel', 'notify'] as const }],
      ['a server that names nothing', {}],
    ] as const)
      it(`reconnects to ${who}, and sends it nothing`, async () => {
        world.server.session = session
        const socket = await open()
        const refreshed = socket.refresh()
        await Promise.all([refreshed, passUntil(() => world.server.peers.length === 2)])
        expect(refreshes()).to.deep.equal([])
        expect(world.server.peers.map((peer) => peer.of('auth')[0]?.token)).to.deep.equal([
          'token-1',
          'token-2',
        ])
      })

    it('reconnects to the legacy server', async () => {
      world.server.isOld = true
      const socket = await open()
      const refreshed = socket.refresh()
      await Promise.all([refreshed, passUntil(() => world.server.peers.length === 2)])
      expect(world.server.peers).to.have.length(2)
    })

    it('reconnects a socket with the option `url`; its end alone does not', async () => {
      const give = sinon.spy(({ url }: { readonly url: string }) => url)
      const socket = await open({ url: give })
      await pass(LIFE)
      expect(give.callCount).to.equal(1)
      const refreshed = socket.refresh()
      await Promise.all([refreshed, passUntil(() => world.server.peers.length === 2)])
      expect(give.callCount).to.equal(2)
      expect(world.server.tokenRequests).to.deep.equal([])
    })

    it('leaves no unhandled rejection', async () => {
      const socket = await open()
      onrefresh = refuse('invalid_token')
      const unhandled = sinon.spy()
      process.on('unhandledRejection', unhandled)
      void socket.refresh()
      await until(() => refreshes().length === 1)
      await pass(0)
      process.off('unhandledRejection', unhandled)
      expect(unhandled.args).to.deep.equal([])
    })

    for (const end of ['suspend', 'end'] as const)
      it(`is not due any longer after ${end}()`, async () => {
        const socket = await open()
        const before = clock.countTimers()
        world.server.peer.send({ type: 'session', uid: 'jim' })
        await until(() => socket.session?.expiresAt === undefined)
        expect(clock.countTimers()).to.equal(before - 1)
        await socket.refresh()
        void socket[end]()
        await pass(LIFE)
        expect(world.server.tokenRequests).to.have.length(2)
      })
  })
})
