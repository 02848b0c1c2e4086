import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { Channels } from '#server/channels/channels.js'
import { Hub } from '#server/channels/hub.js'
import { Policy } from '#server/channels/policy.js'
import { PositionProofs } from '#server/channels/position-proofs.js'
import { readClaims } from '#server/claims/claims.js'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import { turn } from '../client/waiting.js'
import { makeSocket } from './sockets.js'

const TIMEOUT = 1000

const PRESENCE = { '*': { subscribe: true, presence: true } }

describe('a request about a channel that was answered with `timeout`', () => {
  let clock: sinon.SinonFakeTimers
  let engine: MemoryEngine

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    engine = new MemoryEngine()
  })

  afterEach(async () => {
    await engine.close()
    sinon.restore()
  })

  /** A socket whose listeners answer, with yes, when `allow` is called. */
  function make(held?: [part: 'broker' | 'history' | 'presence', method: string]) {
    const hub = new Hub(() => {})
    const asked: string[] = []
    const waiting: (() => void)[] = []
    const wait = () => new Promise<void>((resolve) => waiting.push(resolve))
    if (held) {
      const part = engine[held[0]]
      const method = Reflect.get(part, held[1])
      Reflect.set(part, held[1], async (...args: unknown[]) => {
        await wait()
        return method.apply(part, args)
      })
    }
    const failed = () => {}
    const channels = new Channels({
      ...engine,
      limits: DEFAULT_LIMITS,
      hub,
      presenceGrace: 0,
      redeem: async () => {},
      policy: new Policy({ channels: held ? PRESENCE : {}, timeout: TIMEOUT, failed }),
      vetoes: {
        decide: async (event) => {
          asked.push(event)
          if (!held) await wait()
          return undefined
        },
      },
      failed,
      proofs: new PositionProofs([Buffer.from('secret')]),
    })
    const made = makeSocket({
      identity: { claims: readClaims({ uid: 'u' }) },
      limits: { timeout: TIMEOUT },
      channels: {
        request: (...args) => channels.request(...args),
        forget: (...how) => channels.forget(...how),
      },
    })
    hub.add(made.socket)
    const other = makeSocket()
    hub.add(other.socket)
    const send = (id: string, rpc: string, req: object) =>
      made.socket.receive(JSON.stringify({ rpc, req, uuid: id }))
    const allow = async () => {
      for (const go of waiting.splice(0)) go()
      await turn()
    }
    const codes = () => made.frames().map((frame) => (frame as { code?: string }).code)
    return { ...made, channels, other, asked, send, allow, codes }
  }

  type Made = ReturnType<typeof make>

  /** What a request would have done. */
  const kinds: [rpc: string, req: object, isDone: (made: Made) => boolean][] = [
    ['_subscribe', { channel: 'a' }, ({ socket }) => socket.channels.includes('a')],
    ['_unsubscribe', { channel: 'b' }, ({ socket }) => !socket.channels.includes('b')],
    ['_publish', { channel: 'b', data: 1 }, ({ other }) => other.frames().length > 1],
    ['_broadcast', { data: 1 }, ({ other }) => other.frames().length > 1],
  ]

  for (const [rpc, req, isDone] of kinds) {
    it(`is not done when the listeners of ${rpc} allow it afterwards, and is done when they do in time`, async () => {
      for (const isLate of [false, true]) {
        const made = make()
        for (const { socket } of [made, made.other]) await made.channels.subscribe(socket, 'b')
        made.send('1', rpc, req)
        await turn()
        if (isLate) clock.tick(TIMEOUT)
        await made.allow()
        await turn()
        expect([isLate, isDone(made)]).to.deep.equal([isLate, !isLate])
        expect(made.codes().includes('timeout')).to.equal(isLate)
      }
    })

    it(`is not done after an earlier one, and the listeners of ${rpc} are not asked`, async () => {
      const made = make()
      for (const { socket } of [made, made.other]) await made.channels.subscribe(socket, 'b')
      const first =
        rpc === '_broadcast' ? ['_broadcast', { data: 0 }] : ['_subscribe', { ...req, data: undefined }]
      made.send('0', first[0] as string, first[1] as object)
      made.send('1', rpc, req)
      await turn()
      clock.tick(TIMEOUT)
      await made.allow()
      await turn()
      expect([made.asked.length, isDone(made)]).to.deep.equal([1, false])
    })
  }

  const parts = [
    ['broker', 'subscribe'],
    ['history', 'read'],
    ['presence', 'enter'],
  ] as const
  for (const [part, method] of parts) {
    it(`subscribes to nothing afterwards, and tells nothing, when ${part}.${method} is done`, async () => {
      const made = make([part, method])
      made.send('1', '_subscribe', { channel: 'a' })
      await turn()
      clock.tick(TIMEOUT)
      await made.allow()
      await turn()
      expect(made.socket.channels).to.deep.equal([])
      expect(made.frames()).to.have.length(1)
      expect(await made.channels.members('a')).to.deep.equal([])
      // The next one is as ever.
      made.send('2', '_subscribe', { channel: 'a' })
      await turn()
      await made.allow()
      await turn()
      expect(made.socket.channels).to.deep.equal(['a'])
    })

    it(`leaves the socket where the server has subscribed it meanwhile, while ${part}.${method} is done`, async () => {
      const made = make([part, method])
      made.send('1', '_subscribe', { channel: 'a' })
      await turn()
      clock.tick(TIMEOUT)
      const done = made.channels.subscribe(made.socket, 'a')
      for (let turns = 0; turns < 3; turns += 1) await made.allow()
      await done
      expect(made.socket.channels).to.deep.equal(['a'])
      expect(JSON.stringify(made.frames().slice(1)))
        .to.include('"command":"subscribe"')
        .and.not.include('unsub')
    })

    it(`leaves the socket where a bulk has subscribed it before that, while ${part}.${method} is done`, async () => {
      const made = make([part, method])
      made.send('1', '_subscribe', { channel: 'a' })
      await turn()
      const group = made.channels.beginAll('a')
      group.add(made.socket)
      group.fill()
      const done = made.channels.subscribeAll(group, 'a')
      for (let turns = 0; turns < 3; turns += 1) await turn()
      clock.tick(TIMEOUT)
      for (let turns = 0; turns < 5; turns += 1) await made.allow()
      expect(await done).to.deep.equal({ count: 1, failed: 0, reasons: [] })
      expect(made.socket.channels).to.deep.equal(['a'])
    })
  }
})
