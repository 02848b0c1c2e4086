import type { IncomingMessage } from 'node:http'
import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import {
  type ConnectAuthentication,
  ConnectAuthenticator,
} from '#server/authentication/connect-authentication.js'
import { PendingConnection } from '#server/authentication/pending-connection.js'
import { Revocations } from '#server/authentication/revocations.js'
import { TurnThrottle } from '#server/runtime/turn-throttle.js'
import { rejection } from '../../protocol/rejection.js'
import { RecordedLog } from '../recorded-log.js'

/** The upgrade request of a client at an address. */
function requestFrom(remoteAddress: string): IncomingMessage {
  const parts = { url: '/sockets/websocket?key=S3CR3T', headers: { host: 'a:1' } }
  return { ...parts, socket: { remoteAddress } } as unknown as IncomingMessage
}

const HIDDEN = 'the function threw an error whose text has a part of the query of the URL'

/** Asks about a connection. @param arrival ends it */
const authenticate = (
  authenticator: ConnectAuthenticator,
  request: IncomingMessage,
  arrival = new PendingConnection(() => {}),
) => authenticator.authenticate(request, arrival)

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
      throttle: new TurnThrottle(),
      authTimeout: () => authTimeout,
    })

  beforeEach(() => {
    clock = sinon.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'],
      now: 1_000_000,
    })
    log = new RecordedLog()
    failed = sinon.spy()
    asked = []
    authTimeout = 5000
    const { tickets } = new MemoryEngine()
    revocations = new Revocations({ tickets, tokenTtl: 30_000, limits: { authenticationTimeout: 10_000 } })
  })

  afterEach(() => sinon.restore())

  describe('asks for a bounded number at once', () => {
    it('and for the next when one has answered, of 1,000 connections', async () => {
      const authenticator = make()
      let done = 0
      const all = Array.from({ length: 1000 }, () =>
        authenticate(authenticator, requestFrom('6.6.6.6')).then(() => {
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
      const strangers = Array.from({ length: 1000 }, () =>
        authenticate(authenticator, requestFrom('6.6.6.6')),
      )
      for (const stranger of strangers) stranger.catch(() => {})
      const honest = authenticate(authenticator, requestFrom('1.2.3.4'))
      asked[0]?.answer(false)
      asked[1]?.answer(false)
      await clock.tickAsync(0)
      expect(asked.map(({ address }) => address)).to.deep.equal(['6.6.6.6', '6.6.6.6', '6.6.6.6', '1.2.3.4'])
      asked[3]?.answer({ uid: 'ann' })
      expect(await honest)
        .to.have.property('auth')
        .that.deep.equals({ uid: 'ann' })
    })

    it('and lets another address wait for one answer only, of all addresses of one IPv6 network', async () => {
      const authenticator = make(waiting, 2)
      for (let host = 1; host <= 1000; host += 1)
        authenticate(authenticator, requestFrom(`2001:db8:0:1::${host.toString(16)}`)).catch(() => {})
      authenticate(authenticator, requestFrom('2001:db8:0:2::1')).catch(() => {})
      asked[0]?.answer(false)
      asked[1]?.answer(false)
      await clock.tickAsync(0)
      expect(asked.slice(2).map(({ address }) => address)).to.deep.equal([
        '2001:db8:0:1::3',
        '2001:db8:0:2::1',
      ])
    })

    it('and not about a client that leaves while it waits: it withdraws at once', async () => {
      const authenticator = make(waiting, 1)
      const first = authenticate(authenticator, requestFrom('6.6.6.6'))
      const arrival = new PendingConnection(() => {})
      const left = rejection(authenticate(authenticator, requestFrom('6.6.6.6'), arrival))
      const next = authenticate(authenticator, requestFrom('6.6.6.6'))
      arrival.close()
      expect((await left).code).to.equal('connection_lost')
      asked[0]?.answer(true)
      await first
      await clock.tickAsync(0)
      expect(asked).to.have.length(2)
      asked[1]?.answer(true)
      await next
      sinon.assert.notCalled(failed)
      expect(log.lines).to.deep.equal([])
    })

    it('and a client that leaves while it is asked about keeps its slot until the answer, and nothing more', async () => {
      const authenticator = make(waiting, 1)
      const arrival = new PendingConnection(() => {})
      const left = rejection(authenticate(authenticator, requestFrom('6.6.6.6'), arrival))
      const next = authenticate(authenticator, requestFrom('6.6.6.6'))
      arrival.close()
      expect((await left).code).to.equal('connection_lost')
      await clock.tickAsync(0)
      expect(asked).to.have.length(1)
      asked[0]?.answer({ uid: 'ann' })
      await clock.tickAsync(0)
      asked[1]?.answer(true)
      await next
      expect(clock.countTimers()).to.equal(0)
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
        const refused = rejection(authenticate(make(), requestFrom('1.2.3.4')))
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
      const first = rejection(authenticate(authenticator, requestFrom('1.2.3.4')))
      authTimeout = 5000
      const second = rejection(authenticate(authenticator, requestFrom('1.2.3.5')))
      await clock.tickAsync(9000)
      await Promise.all([first, second])
      expect(failed.args.map(([cause]) => (cause as Error).message)).to.deep.equal([
        'connectAuthentication was not asked within 5000 ms: limits.connectAuthentications calls run',
        'connectAuthentication did not answer within 9000 ms',
      ])
    })
  })

  describe('counts a call whose function is slower than its time', () => {
    const SLOW: Readonly<Record<string, ConnectAuthentication>> = {
      resolves: () => new Promise((resolve) => setTimeout(resolve, 3000, {})),
      rejects: () => new Promise((_, reject) => setTimeout(() => reject(new Error('no')), 3000)),
      'calls back': (_request, callback) => void setTimeout(callback, 3000, null, true),
      'calls back, and its client has left': (_request, callback) =>
        void setTimeout(callback, 3000, null, true),
    }
    for (const [title, hook] of Object.entries(SLOW))
      it(`until it ${title}`, async () => {
        authTimeout = 500
        const calls: number[] = []
        const authenticator = make((request, callback) => {
          calls.push(Date.now() - 1_000_000)
          return hook(request, callback)
        }, 2)
        const outcomes: string[] = []
        const connect = () => {
          const arrival = new PendingConnection(() => {})
          const request = requestFrom('6.6.6.6')
          rejection(authenticate(authenticator, request, arrival)).then(({ code }) => outcomes.push(code))
          return arrival
        }
        const arrivals = Array.from({ length: 200 }, connect)
        if (title.endsWith('left')) for (const arrival of arrivals) arrival.close()
        await clock.tickAsync(2999)
        expect(calls).to.deep.equal([0, 0])
        expect(new Set(outcomes)).to.have.property('size', 1)
        connect()
        await clock.tickAsync(1)
        // Those that have left pass the throttle, too.
        for (let turn = 0; turn < 10; turn += 1) await clock.tickAsync(0)
        expect(calls).to.deep.equal([0, 0, 3000])
      })

    it('for 30 s more if it never answers, and the log says so', async () => {
      authTimeout = 500
      const authenticator = make(waiting, 1)
      const first = rejection(authenticate(authenticator, requestFrom('1.2.3.4')))
      await clock.tickAsync(500 + 29_999)
      const second = rejection(authenticate(authenticator, requestFrom('1.2.3.4')))
      await first
      expect([asked.length, log.lines]).to.deep.equal([1, []])
      await clock.tickAsync(1)
      expect(asked).to.have.length(2)
      expect(log.lines).to.have.length(1)
      expect(JSON.stringify(log.lines)).to.match(/connectAuthentication still has not answered/)
      asked[0]?.answer(true)
      const third = rejection(authenticate(authenticator, requestFrom('1.2.3.4')))
      await clock.tickAsync(499)
      expect(asked).to.have.length(2)
      await clock.tickAsync(1)
      await Promise.all([second, third])
    })
  })

  describe('does not ask when little time is left:', () => {
    /** A first call that takes some time, and a second one that waits for it. @returns how many are asked about */
    async function askSecond(took: number, ms: number): Promise<number> {
      const authenticator = make(waiting, 1)
      const before = authenticate(authenticator, requestFrom('1.2.3.4'))
      await clock.tickAsync(took)
      asked[0]?.answer(true)
      await before
      rejection(authenticate(authenticator, requestFrom('1.2.3.4')))
      rejection(authenticate(authenticator, requestFrom('1.2.3.4')))
      await clock.tickAsync(ms)
      asked[1]?.answer(true)
      await clock.tickAsync(0)
      return asked.length
    }
    for (const [title, took, ms, count] of [
      ['less than calls took lately', 1000, 4900, 2],
      ['but as much as calls took lately', 1000, 3000, 3],
      ['less than half, although calls took longer', 4900, 2600, 2],
      ['but half, although calls took longer', 4900, 2400, 3],
    ] as const)
      it(title, async () => {
        expect(await askSecond(took, ms)).to.equal(count)
      })
  })

  it('refuses a user who was cut off for good while it was asked', async () => {
    const joining = rejection(authenticate(make(), requestFrom('1.2.3.4')))
    await clock.tickAsync(10)
    await revocations.add('uid:ann', { signed: true })
    asked[0]?.answer({ uid: 'ann' })
    expect((await joining).code).to.equal('forbidden')
    await clock.tickAsync(10)
    const later = authenticate(make(), requestFrom('1.2.3.4'))
    asked[1]?.answer({ uid: 'ann' })
    expect((await later).claims?.uid).to.equal('ann')
  })

  it('hides the query, and what is in it, from the error that it reports', async () => {
    const authenticator = make(({ url }) => {
      throw Object.assign(new TypeError(`no ${url}`), { input: url })
    })
    await rejection(authenticate(authenticator, requestFrom('1.2.3.4')))
    const [cause] = failed.args[0] ?? []
    expect(cause).to.include({ name: 'TypeError', message: HIDDEN })
    expect((cause as Error).stack)
      .to.contain('connect-authentication.test')
      .and.not.contain('S3CR3T')
    expect(cause).to.not.have.property('input')
  })
})
