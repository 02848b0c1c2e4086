import { randomUUID } from 'node:crypto'
import { type AuthMessage, type ConnectionListener, RpcError } from '@token-socket/protocol'
import { connectionPair } from '@token-socket/protocol/testing'
import { CLOSE_CODES, MemoryEngine, type ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { JoiningSockets } from '#server/authentication/joining-sockets.js'
import { PendingConnection } from '#server/authentication/pending-connection.js'
import { Revocations } from '#server/authentication/revocations.js'
import { type AdmissionOptions, SocketAuthenticator } from '#server/authentication/socket-authenticator.js'
import { SocketCounts } from '#server/authentication/socket-counts.js'
import { TokenAuthenticator } from '#server/authentication/token-authenticator.js'
import { secretKey, Tokens } from '#server/authentication/tokens.js'
import { Hub } from '#server/channels/hub.js'
import { TurnThrottle } from '#server/runtime/turn-throttle.js'
import { until } from '../../client/waiting.js'
import { rejection } from '../../protocol/rejection.js'
import { RecordedLog } from '../recorded-log.js'
import { makeOwner } from '../sockets.js'

const TICKET = { auth: { id: 7 }, ip: '1.2.3.4', ips: ['1.2.3.4'], host: 'example.com' }

/** What the server takes. */
const SIZES = { message: 1000, publication: 100, batch: 32_768 }

describe('SocketAuthenticator', () => {
  const tokens = new Tokens({ keys: secretKey('secret'), audience: 'token-socket', ttl: 30_000 })
  let tickets: MemoryEngine['tickets']
  let hub: Hub
  let joining: JoiningSockets
  let counts: SocketCounts
  let logger: RecordedLog
  let decide: sinon.SinonStub
  let owner: AdmissionOptions['owner']
  let watch: sinon.SinonStub
  let unwatch: sinon.SinonSpy
  let socketAuthenticator: SocketAuthenticator

  beforeEach(() => {
    ;({ tickets } = new MemoryEngine())
    hub = new Hub(() => {})
    logger = new RecordedLog()
    decide = sinon.stub().resolves(undefined)
    owner = makeOwner()
    unwatch = sinon.spy()
    watch = sinon.stub().returns(unwatch)
    const revocations = new Revocations({
      tickets,
      tokenTtl: 30_000,
      limits: { authenticationTimeout: 10_000 },
    })
    const tokenAuthenticator = new TokenAuthenticator({
      tokens,
      revocations,
      engine: { shared: false, tickets },
      log: logger,
    })
    joining = new JoiningSockets()
    counts = new SocketCounts(2)
    const newSid = () => `${randomUUID()}.node`
    socketAuthenticator = new SocketAuthenticator({
      tokenAuthenticator,
      hub,
      joining,
      throttle: new TurnThrottle(),
      counts,
      logger,
      log: logger,
      heartbeat: 25_000,
      sizes: SIZES,
      newSid,
      owner,
      watch,
      vetoes: { decide },
    })
  })

  /** A token whose ticket is kept. */
  async function goodToken(ticket: unknown = TICKET): Promise<string> {
    const { token, id } = tokens.issue()
    await tickets.put({ id: id, json: JSON.stringify(ticket), ttl: 30_000 })
    return token
  }

  /** Brings a token on a new connection. */
  function bring(token: string, version: { readonly version?: number } = { version: 1 }) {
    const { left: server, right: client } = connectionPair()
    const message: AuthMessage = { type: 'auth', id: '1', token, ...version }
    const adopt = sinon.spy((listener: ConnectionListener) => server.listen(listener))
    const arrival = new PendingConnection(adopt)
    const welcomed = socketAuthenticator.authenticate(message, server, arrival)
    const frames = () => {
      owner.flusher.flush()
      return server.sent.map((text) => JSON.parse(text))
    }
    return { server, client, adopt, arrival, welcomed, frames }
  }

  describe('counts the sockets of each user', () => {
    const ticket = (uid: string) => ({ ...TICKET, auth: { uid }, hasClaims: true })

    it('and refuses one more than a user may have, and none of other users', async () => {
      const sockets = []
      for (const uid of ['ann', 'ann']) sockets.push(bring(await goodToken(ticket(uid))))
      await Promise.all(sockets.map(({ welcomed }) => welcomed))
      const error = await rejection(bring(await goodToken(ticket('ann'))).welcomed)
      expect(error).to.deep.include({
        code: 'too_many_sockets',
        data: { field: 'socketsPerUser', limit: 2 },
      })
      expect(logger.of('info')).to.deep.equal([
        {
          level: 'info',
          message: 'a user has too many sockets',
          details: { uid: 'ann', option: 'limits.socketsPerUser', code: 'too_many_sockets' },
        },
      ])
      await bring(await goodToken(ticket('ben'))).welcomed
      sockets[0]?.client.close(1000, '')
      await bring(await goodToken(ticket('ann'))).welcomed
    })

    it('until they are gone, however they go', async () => {
      decide.onFirstCall().resolves({ error: new RpcError('forbidden') })
      const refused = bring(await goodToken(ticket('ann')))
      await rejection(refused.welcomed)
      refused.server.close(4001, '')
      const early = bring(await goodToken(ticket('ann')))
      early.client.close(1000, '')
      await early.welcomed
      const late = bring(await goodToken(ticket('ann')))
      await late.welcomed
      expect(counts.size).to.equal(1)
      late.client.close(1000, '')
      late.server.close(1000, '')
      expect(counts.size).to.equal(0)
    })
  })

  describe('#welcome', () => {
    it('tells no sizes to a client that does not know of them', async () => {
      const { welcomed, frames } = bring(await goodToken(), {})
      await welcomed
      expect(frames()[0]).not.to.have.any.keys('limits', 'can')
    })

    it('makes a socket of what the ticket holds, and tells the client', async () => {
      const { welcomed, frames } = bring(await goodToken())
      await welcomed
      const [socket] = hub.sockets
      expect(socket).to.deep.include(TICKET)
      expect(frames()).to.deep.equal([
        {
          rpc: 'auth',
          uuid: '1',
          resp: 'success',
          version: 1,
          sid: socket?.sid,
          heartbeat: 25_000,
          can: ['cancel', 'notify', 'refresh', 'direct'],
          limits: SIZES,
        },
      ])
    })

    it('gives each socket an id of its own', async () => {
      for (let count = 0; count < 10; count += 1) await bring(await goodToken()).welcomed
      expect(new Set(hub.sockets.map(({ sid }) => sid)).size).to.equal(10)
    })

    it('adopts the connection before the listeners are asked, and hears it from then on', async () => {
      const { adopt, client, welcomed, frames } = bring(await goodToken())
      await welcomed
      expect(adopt.calledBefore(decide)).to.equal(true)
      client.send(['{"rpc":"nothing","uuid":"2"}'])
      expect(frames().at(-1)).to.include({ uuid: '2', code: 'not_found' })
    })

    it('lets the listeners call the client before it is let in', async () => {
      decide.callsFake(async (socket: ServerSocket) => {
        const answer = await socket.rpc('who')
        return answer === 'me' ? undefined : { error: new RpcError('forbidden') }
      })
      const { client, welcomed, frames } = bring(await goodToken())
      client.listen({
        message: (text) => {
          const { data } = JSON.parse(String(text))
          if (data) client.send([JSON.stringify({ rpc: '_rpc', fid: data.fid, resp: { data: 'me' } })])
        },
        closed: () => {},
      })
      await welcomed
      expect(frames().at(-1)).to.include({ resp: 'success' })
      expect(hub.sockets).to.have.length(1)
    })

    it('keeps a socket out of the hub until it is let in', async () => {
      decide.callsFake(async () => {
        expect(hub.sockets).to.deep.equal([])
      })
      await bring(await goodToken()).welcomed
      expect(hub.sockets).to.have.length(1)
    })

    it('has the socket watched until its connection is gone', async () => {
      const { client, welcomed } = bring(await goodToken())
      await welcomed
      expect(watch.args).to.deep.equal([[hub.sockets[0]]])
      expect(unwatch.called).to.equal(false)
      client.close(1000, '')
      expect(unwatch.calledOnce).to.equal(true)
    })

    it('has nobody watched whose client names no version of the wire', async () => {
      const { welcomed } = bring(await goodToken(), {})
      await welcomed
      expect(hub.sockets).to.have.length(1)
      expect(watch.called).to.equal(false)
    })

    it('takes a token once', async () => {
      const token = await goodToken()
      await bring(token).welcomed
      const second = bring(token)
      expect((await rejection(second.welcomed)).code).to.equal('invalid_token')
      expect(second.adopt.called).to.equal(false)
      expect(hub.sockets).to.have.length(1)
    })

    describe('whose user is cut off meanwhile', () => {
      const jim = { ...TICKET, auth: { uid: 'jim' }, hasClaims: true, session: 'hash' }
      const target = { subject: 'uid:jim' }

      it('is ended while its listeners decide, and not let in whatever they say', async () => {
        let allow = () => {}
        decide.returns(new Promise((resolve) => (allow = () => resolve(undefined))))
        const { welcomed, server, frames } = bring(await goodToken(jim))
        await new Promise(setImmediate)
        expect(joining.end({ subject: 'uid:ann' }, { reconnect: false })).to.equal(0)
        expect(joining.end(target, { reconnect: false })).to.equal(1)
        expect(joining.end(target, { reconnect: false })).to.equal(0)
        expect(server.closed).to.deep.include({ code: CLOSE_CODES.disconnected.code })
        allow()
        await welcomed
        expect(hub.sockets).to.deep.equal([])
        expect(frames()).to.deep.equal([])
      })

      for (const who of ['uid:jim', 'session:hash']) {
        it(`is ended as soon as it is known to be of ${who}, before any listener is asked`, async () => {
          const { welcomed, server } = bring(await goodToken(jim))
          expect(joining.end({ subject: who }, { reconnect: true })).to.equal(0)
          await welcomed
          expect(server.closed).to.deep.include({ code: CLOSE_CODES.closed_by_server.code })
          expect(decide.called).to.equal(false)
          expect(hub.sockets).to.deep.equal([])
        })
      }

      it('is counted once: among the joining, or among the sockets', async () => {
        await bring(await goodToken(jim)).welcomed
        expect(joining.end(target, { reconnect: false })).to.equal(0)
        expect(joining.size).to.equal(0)
        expect(hub.sockets).to.have.length(1)
      })

      it('leaves others alone, and nothing behind', async () => {
        const { welcomed } = bring(await goodToken())
        joining.end(target, { reconnect: false })
        await welcomed
        await rejection(bring('garbage').welcomed)
        expect(hub.sockets).to.have.length(1)
        expect(joining.size).to.equal(0)
      })
    })

    it('lets exactly one of many in that bring the same token at once', async () => {
      const token = await goodToken()
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => bring(token).welcomed))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1)
      expect(hub.sockets).to.have.length(1)
    })

    it('refuses a bad token with the same text whatever is wrong, and says why in the log only', async () => {
      const other = new Tokens({ keys: secretKey('other'), audience: 'token-socket', ttl: 30_000 })
      const audience = new Tokens({ keys: secretKey('secret'), audience: 'other', ttl: 30_000 })
      const bad = ['garbage', other.issue().token, audience.issue().token, tokens.issue().token]
      for (const token of bad) {
        const error = await rejection(bring(token).welcomed)
        expect(error).to.include({ code: 'invalid_token', message: 'Invalid token', data: undefined })
        expect(error.cause).to.equal(undefined)
      }
      const lines = logger.of('info')
      expect(lines.map(({ message }) => message)).to.deep.equal(bad.map(() => 'a token was refused'))
      expect(new Set(lines.map(({ details }) => details.reason)).size).to.equal(3)
      expect(hub.sockets).to.deep.equal([])
    })

    it('does not spend the ticket on a bad token', async () => {
      const take = sinon.spy(tickets, 'take')
      await rejection(bring('garbage').welcomed)
      expect(take.called).to.equal(false)
    })

    it('writes no token to the log', async () => {
      const token = await goodToken()
      await bring(token).welcomed
      await rejection(bring(token).welcomed)
      expect(JSON.stringify(logger.lines)).to.not.include(token)
    })

    it('refuses with what the listeners refused with', async () => {
      decide.resolves({ error: new RpcError('banned', 'Banned', { until: 5 }) })
      const { welcomed, frames } = bring(await goodToken())
      expect(await rejection(welcomed)).to.include({ code: 'banned', message: 'Banned' })
      expect(hub.sockets).to.deep.equal([])
      expect(frames()).to.deep.equal([])
    })

    it('refuses with a text that the listeners refused with', async () => {
      decide.resolves({ error: 'Not today' })
      const error = await rejection(bring(await goodToken()).welcomed)
      expect(error).to.include({ code: 'application_error', message: 'Not today' })
    })

    it('lets nobody in whose connection ends while the listeners are asked', async () => {
      const { client, welcomed, frames } = bring(await goodToken())
      decide.callsFake(async () => client.close(1001, ''))
      await welcomed
      expect(hub.sockets).to.deep.equal([])
      expect(frames()).to.deep.equal([])
    })

    it('rejects with what the engine throws', async () => {
      const cause = new Error('down')
      sinon.stub(tickets, 'take').rejects(cause)
      const { welcomed } = bring(await goodToken())
      expect(await welcomed.catch((error) => error)).to.equal(cause)
    })
  })

  describe('drops connections that end', () => {
    it('while their token is looked at: they are not joining any more, and not let in', async () => {
      const { arrival, welcomed, adopt } = bring(await goodToken())
      expect(joining.size).to.equal(1)
      arrival.close()
      expect(joining.size).to.equal(0)
      await welcomed
      expect([hub.sockets, adopt.called, decide.called]).to.deep.equal([[], false, false])
    })

    it('while listeners decide', async () => {
      let allow = (_refusal: undefined) => {}
      decide.returns(
        new Promise<undefined>((resolve) => {
          allow = resolve
        }),
      )
      const { arrival, welcomed, adopt } = bring(await goodToken())
      await until(() => decide.called)
      expect([joining.size, adopt.called]).to.deep.equal([1, true])
      arrival.close()
      expect(joining.size).to.equal(0)
      allow(undefined)
      await welcomed
      expect(hub.sockets).to.deep.equal([])
    })
  })

  it('lets a few in each turn in about whom listeners have decided at once', async () => {
    let allow = (_refusal: undefined) => {}
    const decided = new Promise<undefined>((resolve) => {
      allow = resolve
    })
    decide.returns(decided)
    const all = []
    for (let count = 0; count < 500; count += 1) all.push(bring(await goodToken()).welcomed)
    await until(() => decide.callCount === 500)
    allow(undefined)
    let most = 0
    for (let before = 0; before < 500; before = hub.sockets.length) {
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, hub.sockets.length - before)
    }
    expect(most).to.be.within(1, 64)
    await Promise.all(all)
  })
})
