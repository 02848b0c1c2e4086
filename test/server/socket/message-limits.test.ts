import { expect } from 'chai'
import sinon from 'sinon'
import { MemoryRates } from '#server/engine/memory-rates.js'
import { type MessageLimitOptions, MessageLimits } from '#server/socket/message-limits.js'
import { makeSocket, type SocketSettings, type TestSocket } from '../sockets.js'

const OFF: MessageLimitOptions = {
  messagesPerSecond: Number.POSITIVE_INFINITY,
  messagesBurst: Number.POSITIVE_INFINITY,
  userMessagesPerSecond: Number.POSITIVE_INFINITY,
  userMessagesBurst: Number.POSITIVE_INFINITY,
}

const engine = () => ({
  rates: new MemoryRates(),
  nodes: { id: 'n', serve: () => {}, list: async () => ['n'], ask: async () => ({}) as never },
})

const limitsOf = (options: Partial<MessageLimitOptions>) =>
  MessageLimits.of({ ...OFF, ...options }, engine()) as MessageLimits

const echo = (_auth: unknown, data: unknown) => data

/** A client that says what it can do. */
const open = (messageLimits: MessageLimits, settings: SocketSettings = {}) =>
  makeSocket({
    messageLimits,
    controller: { echo },
    ping: true,
    ...settings,
    identity: { can: ['notify', 'cancel'], ...settings.identity },
  })

async function call({ socket, frames }: TestSocket, count: number) {
  for (let n = 0; n < count; n += 1) socket.receive(JSON.stringify({ rpc: 'echo', req: n, uuid: String(n) }))
  await Promise.resolve()
  return frames()
}

const CLAIMS = { umd: undefined, channels: undefined }

const ANN = { ...CLAIMS, uid: 'ann' }

const refusedOf = (frames: readonly unknown[]) =>
  frames.filter((frame) => (frame as { readonly code?: string }).code === 'rate_limited')

describe('limits of messages', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['performance'] })
  })

  afterEach(() => clock.restore())

  it('are off by default', () => {
    expect(MessageLimits.of(OFF, engine())).to.equal(undefined)
  })

  it('refuse what is over the burst, and say the limit and when to come again', async () => {
    const frames = await call(open(limitsOf({ messagesPerSecond: 4, messagesBurst: 2 })), 3)
    expect(frames.slice(0, 2)).to.deep.equal([
      { rpc: 'echo', uuid: '0', resp: 0 },
      { rpc: 'echo', uuid: '1', resp: 1 },
    ])
    expect(frames[2]).to.deep.equal({
      rpc: 'echo',
      uuid: '2',
      error: {
        message: 'Over the limit of a rate: messagesPerSecond (limit 4)',
        code: 'rate_limited',
        data: { field: 'messagesPerSecond', limit: 4, retryAfter: 250 },
      },
      code: 'rate_limited',
    })
  })

  it('let messages pass again after that time', async () => {
    const test = open(limitsOf({ messagesPerSecond: 4, messagesBurst: 1 }))
    expect(refusedOf(await call(test, 2))).to.have.length(1)
    clock.tick(249)
    expect(refusedOf(await call(test, 1))).to.have.length(2)
    clock.tick(1)
    expect(refusedOf(await call(test, 1))).to.have.length(2)
  })

  const REQUESTS = {
    calls: { rpc: 'echo', uuid: 'x' },
    pings: { rpc: '_ping', uuid: 'x' },
    subscribe: { rpc: '_subscribe', req: { channel: 'a' }, uuid: 'x' },
    unsubscribe: { rpc: '_unsubscribe', req: { channel: 'a' }, uuid: 'x' },
    publish: { rpc: '_publish', req: { channel: 'a', data: 1 }, uuid: 'x' },
    history: { rpc: '_history', req: { channel: 'a' }, uuid: 'x' },
    broadcast: { rpc: '_broadcast', req: { data: 1 }, uuid: 'x' },
    'unknown functions': { rpc: 'nothing', uuid: 'x' },
    'a second token': { rpc: 'auth', token: 't', uuid: 'x' },
  }
  for (const [name, request] of Object.entries(REQUESTS)) {
    it(`count and refuse ${name}`, async () => {
      const test = open(limitsOf({ messagesPerSecond: 1, messagesBurst: 1 }))
      for (const _ of [1, 2]) test.socket.receive(JSON.stringify(request))
      for (let n = 0; n < 10; n += 1) await Promise.resolve()
      expect(refusedOf(test.frames())).to.have.length(1)
    })
  }

  it('count wrong messages', async () => {
    const test = open(limitsOf({ messagesPerSecond: 1, messagesBurst: 1 }))
    test.socket.receive('no json')
    expect(refusedOf(await call(test, 1))).to.have.length(1)
  })

  it('report a notification that was refused', async () => {
    const { socket, frames } = open(limitsOf({ messagesPerSecond: 1, messagesBurst: 1 }))
    for (const n of [1, 2]) socket.receive(JSON.stringify({ rpc: 'echo', req: n }))
    await Promise.resolve()
    expect(frames()).to.have.length(1)
    expect(frames()[0]).to.deep.include({ code: 'rate_limited', about: { function: 'echo' } })
    expect(JSON.stringify(frames())).to.contain('"retryAfter":1000')
  })

  it('do not count answers to calls of the server, nor refuse them', async () => {
    const test = open(limitsOf({ messagesPerSecond: 1, messagesBurst: 1 }))
    const { socket, connection, flusher } = test
    for (const isOver of [false, true]) {
      const answer = socket.rpc('act', 1)
      flusher.flush()
      const { fid } = JSON.parse(connection.sent.at(-1) ?? '').data
      if (isOver) expect(refusedOf(await call(test, 2))).to.have.length(1)
      socket.receive(JSON.stringify({ rpc: '_rpc', fid, resp: { data: 'done' } }))
      expect(await answer).to.equal('done')
    }
  })

  it('count an answer to no call', async () => {
    const test = open(limitsOf({ messagesPerSecond: 1, messagesBurst: 1 }))
    test.socket.receive(JSON.stringify({ rpc: '_rpc', fid: 'x', resp: { data: 1 } }))
    expect(refusedOf(await call(test, 1))).to.have.length(1)
  })

  it('neither count nor refuse cancellations', async () => {
    let signal: AbortSignal | undefined
    const hang = (...given: readonly unknown[]) => {
      signal = (given[4] as { readonly signal: AbortSignal }).signal
      return new Promise(() => {})
    }
    const test = open(limitsOf({ messagesPerSecond: 1, messagesBurst: 1 }), { controller: { hang, echo } })
    const cancel = JSON.stringify({ rpc: '_cancel', req: { uuid: 'h' } })
    test.socket.receive(cancel)
    test.socket.receive(JSON.stringify({ rpc: 'hang', uuid: 'h' }))
    expect(signal?.aborted).to.equal(false)
    test.socket.receive(cancel)
    expect(signal?.aborted).to.equal(true)
    expect(refusedOf(test.frames())).to.have.length(0)
  })

  it('of each socket are its own; those of a user are shared by the sockets of its uid, session or address', async () => {
    const one = limitsOf({ messagesPerSecond: 2, messagesBurst: 2 })
    expect(refusedOf(await call(open(one), 2))).to.have.length(0)
    expect(refusedOf(await call(open(one), 2))).to.have.length(0)
    const kinds = [
      [{ claims: ANN }, { claims: ANN, session: 's', ip: '10.0.0.9' }],
      [{ session: 's' }, { session: 's', ip: '10.0.0.9' }],
      [{ ip: '10.0.0.1' }, { ip: '10.0.0.1' }],
    ]
    for (const [first = {}, second = {}] of kinds) {
      const users = limitsOf({ userMessagesPerSecond: 2, userMessagesBurst: 2 })
      expect(refusedOf(await call(open(users, { identity: first }), 2))).to.have.length(0)
      const refused = refusedOf(await call(open(users, { identity: second }), 2))
      expect(refused).to.have.length(2)
      expect(JSON.stringify(refused)).to.contain('"field":"userMessagesPerSecond","limit":2,"retryAfter":500')
      const other = { claims: { ...CLAIMS, uid: 'bob' }, ip: '10.0.0.1' }
      expect(refusedOf(await call(open(users, { identity: other }), 2))).to.have.length(0)
    }
  })

  it('of a user that refuse leave what the socket may do', async () => {
    const limits = { messagesPerSecond: 3, messagesBurst: 3, userMessagesPerSecond: 1, userMessagesBurst: 1 }
    const test = open(limitsOf(limits))
    const refused = refusedOf(await call(test, 5))
    expect(refused).to.have.length(4)
    for (const one of refused) expect(JSON.stringify(one)).to.contain('userMessagesPerSecond')
  })

  it('close a socket that goes on, as rate_limited', async () => {
    const test = open(limitsOf({ messagesPerSecond: 1, messagesBurst: 1 }), { limits: { rateRefusals: 10 } })
    await call(test, 11)
    expect(test.connection.closed).to.equal(undefined)
    await call(test, 1)
    expect(test.connection.closed).to.deep.equal({
      code: 4011,
      reason: 'It went on over a limit of its rate',
    })
  })

  it('forget refusals after a minute', async () => {
    const test = open(limitsOf({ messagesPerSecond: 1, messagesBurst: 1 }), { limits: { rateRefusals: 10 } })
    await call(test, 11)
    clock.tick(60_000)
    await call(test, 11)
    expect(test.connection.closed).to.equal(undefined)
  })

  it('close for what a channel’s rate refuses, and not for what a function does', async () => {
    const refuses = Object.assign(new Error('slow down'), { code: 'rate_limited' })
    const channels = { request: async () => ({ error: refuses }) }
    const controller = {
      refuse: () => {
        throw refuses
      },
    }
    const settings = { limits: { rateRefusals: 1 }, channels, controller }
    const test = open(limitsOf({ messagesPerSecond: 100, messagesBurst: 100 }), settings)
    for (const n of [1, 2, 3]) test.socket.receive(JSON.stringify({ rpc: 'refuse', uuid: `f${n}` }))
    for (let n = 0; n < 20; n += 1) await Promise.resolve()
    expect(test.connection.closed).to.equal(undefined)
    for (const n of [1, 2])
      test.socket.receive(JSON.stringify({ rpc: '_publish', req: { channel: 'a', data: n }, uuid: `p${n}` }))
    for (let n = 0; n < 20; n += 1) await Promise.resolve()
    expect(test.connection.closed).to.deep.include({ code: 4011 })
  })
})
