import type { IncomingMessage } from 'node:http'
import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import {
  type ConnectAuthentication,
  ConnectAuthenticator,
} from '../../../packages/server/src/authentication/connect-authentication.js'
import { Revocations } from '../../../packages/server/src/authentication/revocations.js'
import { rejection } from '../../protocol/rejection.js'
import { RecordedLog } from '../recorded-log.js'

/** The upgrade request of a client at an address. */
function requestFrom(remoteAddress: string, destroyed = false): IncomingMessage {
  const parts = { url: '/sockets/websocket?key=S3CR3T', headers: { host: 'a:1' } }
  return { ...parts, socket: { remoteAddress, destroyed } } as unknown as IncomingMessage
}

describe('ConnectAuthenticator', () => {
  let clock: sinon.SinonFakeTimers
  let log: RecordedLog
  let failed: sinon.SinonSpy
  let revocations: Revocations
  /** Whom the function was asked about, and what answers. */
  let asked: { readonly address: string | undefined; readonly answer: (auth: unknown) => void }[]
  let authTimeout: number | undefined

  const waiting: ConnectAuthentication = ({ socket }) =>
    new Promise((answer) => asked.push({ address: socket.remoteAddress, answer }))

  const make = (connectAuthentication: ConnectAuthentication = waiting, connectAuthentications = 64) =>
    new ConnectAuthenticator({
      connectAuthentication,
      limits: { authData: 1000, connectAuthentications },
      trusts: () => false,
      revocations,
      log,
      failed,
      authTimeout: () => authTimeout,
    })

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_000_000 })
    log = new RecordedLog()
    failed = sinon.spy()
    asked = []
    authTimeout = 5000
    const { tickets } = new MemoryEngine()
    revocations = new Revocations({ tickets, tokenTtl: 30_000, authenticationTimeout: 10_000 })
  })

  afterEach(() => sinon.restore())

  describe('asks for a bounded number at once', () => {
    it('and for the next when one has answered, of 1,000 connections', async () => {
      const authenticator = make()
      let done = 0
      const all = Array.from({ length: 1000 }, () =>
        authenticator.authenticate(requestFrom('6.6.6.6')).then(() => {
          done += 1
        }),
      )
      let most = 0
      for (let index = 0; index < 1000; index += 1) {
        most = Math.max(most, asked.length - index)
        asked[index]?.answer(true)
        await clock.tickAsync(0)
      }
      await Promise.all(all)
      expect([done, most]).to.deep.equal([1000, 64])
    })

    it('and lets another address wait for one answer only', async () => {
      const authenticator = make(waiting, 2)
      const strangers = Array.from({ length: 1000 }, () => authenticator.authenticate(requestFrom('6.6.6.6')))
      for (const stranger of strangers) stranger.catch(() => {})
      const honest = authenticator.authenticate(requestFrom('1.2.3.4'))
      asked[0]?.answer(false)
      asked[1]?.answer(false)
      await clock.tickAsync(0)
      expect(asked.map(({ address }) => address)).to.deep.equal(['6.6.6.6', '6.6.6.6', '6.6.6.6', '1.2.3.4'])
      asked[3]?.answer({ uid: 'ann' })
      expect(await honest)
        .to.have.property('auth')
        .that.deep.equals({ uid: 'ann' })
    })

    it('and not about a client that has left while it waited', async () => {
      const authenticator = make(waiting, 1)
      const first = authenticator.authenticate(requestFrom('6.6.6.6'))
      const left = rejection(authenticator.authenticate(requestFrom('6.6.6.6', true)))
      const next = authenticator.authenticate(requestFrom('6.6.6.6'))
      asked[0]?.answer(true)
      await first
      expect((await left).code).to.equal('connection_lost')
      await clock.tickAsync(0)
      expect(asked).to.have.length(2)
      asked[1]?.answer(true)
      await next
      sinon.assert.notCalled(failed)
    })
  })

  describe('waits for an answer', () => {
    for (const [title, timeout, wait] of [
      ['as long as `authTimeout`', 5000, 5000],
      ['for 30 s where there is no `authTimeout`', undefined, 30_000],
      ['for 30 s where `authTimeout` is longer', 60_000, 30_000],
    ] as const)
      it(title, async () => {
        authTimeout = timeout
        const refused = rejection(make().authenticate(requestFrom('1.2.3.4')))
        await clock.tickAsync(wait - 1)
        sinon.assert.notCalled(failed)
        await clock.tickAsync(1)
        expect((await refused).code).to.equal('internal')
        sinon.assert.calledOnceWithMatch(
          failed,
          { message: `connectAuthentication did not answer within ${wait} ms` },
          { option: 'connectAuthentication', ip: '1.2.3.4' },
        )
        asked[0]?.answer({ uid: 'late' })
      })

    it('and says when it was not its turn in time', async () => {
      const authenticator = make(waiting, 1)
      authTimeout = 9000
      const first = rejection(authenticator.authenticate(requestFrom('1.2.3.4')))
      authTimeout = 5000
      const second = rejection(authenticator.authenticate(requestFrom('1.2.3.5')))
      await clock.tickAsync(9000)
      await Promise.all([first, second])
      expect(failed.args.map(([cause]) => (cause as Error).message)).to.deep.equal([
        'connectAuthentication was not asked within 5000 ms: limits.connectAuthentications calls run',
        'connectAuthentication did not answer within 9000 ms',
      ])
    })
  })

  it('refuses a user who was cut off for good while it was asked', async () => {
    const joining = rejection(make().authenticate(requestFrom('1.2.3.4')))
    await clock.tickAsync(10)
    await revocations.add('uid:ann', { signed: true })
    asked[0]?.answer({ uid: 'ann' })
    expect((await joining).code).to.equal('forbidden')
    await clock.tickAsync(10)
    const later = make().authenticate(requestFrom('1.2.3.4'))
    asked[1]?.answer({ uid: 'ann' })
    expect((await later).claims?.uid).to.equal('ann')
  })

  it('hides the query, and what is in it, from the error that it reports', async () => {
    const authenticator = make(({ url }) => {
      throw Object.assign(new TypeError(`no ${url}`), { input: url })
    })
    await rejection(authenticator.authenticate(requestFrom('1.2.3.4')))
    const [cause] = failed.args[0] ?? []
    expect(cause).to.include({ name: 'TypeError', message: 'no /sockets/websocket?…' })
    expect((cause as Error).stack)
      .to.contain('connect-authentication.test')
      .and.not.contain('S3CR3T')
    expect(cause).to.not.have.property('input')
  })
})
