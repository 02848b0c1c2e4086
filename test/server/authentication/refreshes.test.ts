import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { HeldRevocations } from '#server/authentication/held-revocations.js'
import { type OrderedSocket, orderedSource } from '#server/authentication/ordered-source.js'
import { Refreshes, type RefreshesOwner } from '#server/authentication/refreshes.js'
import { Authorization, type AuthorizationSource } from '#server/claims/authorization.js'
import { TurnThrottle } from '#server/runtime/turn-throttle.js'
import type { PendingRefresh } from '#server/socket/refreshed-socket.js'
import { rejection } from '../../protocol/rejection.js'
import { RecordedLog } from '../recorded-log.js'

const SOURCE: AuthorizationSource = { auth: { role: 'admin' } }

describe('Refreshes', () => {
  let connect: sinon.SinonStub<
    Parameters<RefreshesOwner['tokenAuthenticator']['connect']>,
    Promise<AuthorizationSource>
  >
  let refreshes: Refreshes

  beforeEach(() => {
    connect = sinon.stub()
    connect.resolves(SOURCE)
    refreshes = new Refreshes({
      tokenAuthenticator: { connect },
      throttle: new TurnThrottle(),
      log: new RecordedLog(),
    })
  })

  const socketOf = () => ({
    sid: 'sid',
    uid: undefined,
    authorization: Authorization.of({ auth: {} }),
    isOpen: true,
    changeAuthorization: sinon.stub<[AuthorizationSource], Promise<void>>().resolves(),
  })
  const pending = (token = 'token') => ({ token, isAnswered: false })

  it('puts what the token says in the place of what the socket had', async () => {
    const socket = socketOf()
    await refreshes.run(socket, pending('a.b.c'))
    expect(connect.args).to.deep.equal([['a.b.c']])
    expect(socket.changeAuthorization.args).to.deep.equal([[SOURCE]])
  })

  for (const code of ['invalid_token', 'engine_unavailable'])
    it(`changes nothing when the token is refused: ${code}`, async () => {
      const socket = socketOf()
      connect.rejects(new RpcError(code))
      expect(await rejection(refreshes.run(socket, pending()))).to.include({ code })
      expect(socket.changeAuthorization.called).to.equal(false)
    })

  it('says why the socket refuses the change', async () => {
    const socket = socketOf()
    socket.changeAuthorization.rejects(new RpcError('identity_changed'))
    expect(await rejection(refreshes.run(socket, pending()))).to.include({ code: 'identity_changed' })
  })

  it('refuses a token that was revoked while listeners decided', async () => {
    const socket = socketOf()
    const refuses = sinon.stub().returns(true)
    const amend = <Source>(source: Source) => source
    const owner = { tokenAuthenticator: { connect }, throttle: new TurnThrottle(), log: new RecordedLog() }
    const asking = new Refreshes({
      ...owner,
      vetoes: { decide: async () => undefined },
      authorizations: { refuses, amend },
    })
    connect.resolves({ ...SOURCE, jti: 'id', issuedAt: 5 })
    expect(await rejection(asking.run(socket, pending()))).to.include({ code: 'invalid_token' })
    expect(refuses.args[0]?.[0]).to.include({ jti: 'id', issuedAt: 5 })
    expect(socket.changeAuthorization.called).to.equal(false)
  })

  it('judges a token by the orders that were given since it was issued', async () => {
    const socket = socketOf()
    const held = new HeldRevocations({ revocations: 10 })
    const amend = <Source extends AuthorizationSource>(source: Source, to?: OrderedSocket) =>
      orderedSource(source, held, to)
    const decide = async () => {
      // While listeners decide.
      const order = { id: '1', type: 'reauthorize', who: { sid: 'sid' }, auth: { role: 'guest' } } as const
      held.add({ ...order, at: 5 }, 60_000, Promise.resolve(1))
      return undefined
    }
    const owner = { tokenAuthenticator: { connect }, throttle: new TurnThrottle(), log: new RecordedLog() }
    const asking = new Refreshes({
      ...owner,
      vetoes: { decide },
      authorizations: { refuses: () => false, amend },
    })
    connect.resolves({ ...SOURCE, issuedAt: 5 })
    await asking.run(socket, pending())
    expect(socket.changeAuthorization.args[0]?.[0]).to.deep.include({ auth: { role: 'guest' } })
  })

  it('refuses a token that was revoked after it was looked at, where no listener is asked', async () => {
    const socket = socketOf()
    const refuses = sinon.stub().returns(true)
    const owner = { tokenAuthenticator: { connect }, throttle: new TurnThrottle(), log: new RecordedLog() }
    const asking = new Refreshes({ ...owner, authorizations: { refuses, amend: (source) => source } })
    connect.resolves({ ...SOURCE, jti: 'id', issuedAt: 6 })
    expect(await rejection(asking.run(socket, pending()))).to.include({ code: 'invalid_token' })
    expect(refuses.args[0]?.[0]).to.include({ jti: 'id', issuedAt: 6 })
    expect(socket.changeAuthorization.called).to.equal(false)
  })

  it('refuses a second one while one runs, and takes no token for it', async () => {
    const socket = socketOf()
    const first = refreshes.run(socket, pending('first'))
    const error = await rejection(refreshes.run(socket, pending('second')))
    expect(error).to.include({
      code: 'too_many_calls',
      message: 'Too many calls in flight: refresh (limit 1)',
    })
    expect((error as RpcError).data).to.deep.equal({ field: 'refresh', limit: 1 })
    await first
    await refreshes.run(socket, pending('third'))
    expect(connect.args).to.deep.equal([['first'], ['third']])
  })

  it('lets other sockets go on while one waits, and keeps nothing of those that are done', async () => {
    const [slow, quick] = [socketOf(), socketOf()]
    let goOn = () => {}
    slow.changeAuthorization.returns(
      new Promise((resolve) => {
        goOn = resolve
      }),
    )
    const waits = refreshes.run(slow, pending())
    await refreshes.run(quick, pending())
    expect(refreshes.size).to.equal(1)
    goOn()
    await waits
    connect.rejects(new RpcError('invalid_token'))
    await rejection(refreshes.run(quick, pending()))
    expect(refreshes.size).to.equal(0)
  })

  it('takes no token for a socket that is gone by its turn', async () => {
    const socket = socketOf()
    const running = refreshes.run(socket, pending())
    socket.isOpen = false
    expect(await rejection(running)).to.include({ code: 'connection_lost' })
    expect(connect.called).to.equal(false)
  })

  for (const [when, end, code] of [
    [
      'the socket is gone',
      (socket: { isOpen: boolean }) => Object.assign(socket, { isOpen: false }),
      'connection_lost',
    ],
    [
      'it was answered',
      (_: object, refresh: PendingRefresh) => Object.assign(refresh, { isAnswered: true }),
      'timeout',
    ],
  ] as const)
    it(`changes nothing when ${when} while the token is looked at`, async () => {
      const [socket, refresh] = [socketOf(), pending()]
      connect.callsFake(async () => {
        end(socket, refresh)
        return SOURCE
      })
      expect(await rejection(refreshes.run(socket, refresh))).to.include({ code })
      expect(socket.changeAuthorization.called).to.equal(false)
    })

  it('looks at a few tokens in each turn of the event loop', async () => {
    const running = Array.from({ length: 100 }, () => refreshes.run(socketOf(), pending()))
    await undefined
    expect(connect.callCount).to.be.at.most(32)
    await Promise.all(running)
    expect(connect.callCount).to.equal(100)
  })
})
