/** Notifications of one client, and to it: every rule about calls holds for them, and only their failures are told. */
import { type CallContext, RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { Development } from '#server/development/development.js'
import { MiddlewareStack } from '#server/middleware/middleware-stack.js'
import { RequestLog } from '#server/runtime/request-log.js'
import { rejection } from '../../protocol/rejection.js'
import { RecordedLog } from '../recorded-log.js'
import { makeSocket, type SocketSettings, type TestSocket } from '../sockets.js'

type Answer = (error?: unknown, data?: unknown) => void

interface Frame {
  readonly rpc?: string
  readonly uuid?: string
  readonly error?: unknown
  readonly code?: string
  readonly about?: unknown
}

const CAN = { identity: { can: ['cancel', 'notify'] } } as const

const circular: { self?: unknown } = {}
circular.self = circular

let nested: unknown = 1
for (let depth = 0; depth < 200; depth += 1) nested = [nested]

const turn = () => new Promise(setImmediate)

describe('a notification of a client', () => {
  let clock: sinon.SinonFakeTimers
  let log: RecordedLog
  let failed: sinon.SinonSpy
  let contexts: CallContext[]
  let callbacks: Answer[]
  let seen: unknown[]

  const controller = {
    note: (_auth: unknown, data: unknown) => void seen.push(data),
    slow: (_auth: unknown, _data: unknown, callback: Answer, _socket: unknown, call: CallContext) => {
      contexts.push(call)
      callbacks.push(callback)
    },
    sold: () => {
      throw new RpcError('sold_out', 'Sold out', { left: 0 })
    },
    broken: async () => {
      throw new Error('secret')
    },
    texts: (_auth: unknown, _data: unknown, callback: Answer) => callback('no such order'),
    circular: () => {
      throw new RpcError('x', 'X', circular)
    },
    arguments: (...args: unknown[]) => void seen.push(args.length, args[0], args[1], typeof args[2]),
  } as never

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
    log = new RecordedLog()
    failed = sinon.spy()
    contexts = []
    callbacks = []
    seen = []
  })

  afterEach(() => sinon.restore())

  function open(settings: SocketSettings = {}, isVerbose = false) {
    const requests = new RequestLog(log, log, isVerbose)
    const one = makeSocket({ controller, failed, requests, ...CAN, ...settings })
    return { ...one, say: (message: object) => one.client.send([JSON.stringify(message)]) }
  }

  type Say = (rpc: string, req?: unknown) => void

  /** What comes of the same as calls, or as notifications: the codes, in order, and what each is about. */
  function failures({ frames }: TestSocket, way: 'call' | 'notify'): unknown[] {
    return (frames() as Frame[])
      .filter(({ error }) => error !== undefined)
      .map(({ rpc, code, about, error }) => {
        const { data } = Object(error) as { readonly data?: unknown }
        expect([way, rpc === undefined]).to.deep.equal([way, way === 'notify'])
        if (way === 'notify') expect(about).to.have.property('function')
        return [code, data]
      })
  }

  /** Every rule about calls that may refuse or fail one. */
  const RULES: readonly {
    readonly title: string
    readonly settings?: SocketSettings
    readonly codes: readonly string[]
    run(say: Say, one: TestSocket): unknown
  }[] = [
    { title: 'an unknown function', codes: ['not_found'], run: (say) => say('nothing') },
    { title: 'an inherited name', codes: ['not_found'], run: (say) => say('toString') },
    { title: 'an RpcError', codes: ['sold_out'], run: (say) => say('sold') },
    { title: 'anything else that is thrown', codes: ['internal'], run: (say) => say('broken') },
    { title: 'an error for the callback', codes: ['application_error'], run: (say) => say('texts') },
    { title: 'an error that is no JSON', codes: ['unserializable'], run: (say) => say('circular') },
    {
      title: 'a function that does not answer',
      codes: ['timeout'],
      run(say) {
        say('slow')
        clock.tick(30_000)
      },
    },
    {
      title: 'the `functions` option',
      settings: { functions: { 'sl*': { timeout: 50 } } },
      codes: ['timeout'],
      run(say) {
        say('slow')
        clock.tick(50)
      },
    },
    {
      title: '`callsIn`',
      settings: { limits: { callsIn: 2 } },
      codes: ['too_many_calls'],
      run: (say) => ['slow', 'slow', 'note'].map((name) => say(name)),
    },
    {
      title: '`callBytes`',
      settings: { limits: { callBytes: 100 } },
      codes: ['too_many_calls'],
      run: (say) => ['slow', 'note'].map((name) => say(name, 'x'.repeat(80))),
    },
    {
      title: '`abandonedCalls`',
      settings: { limits: { abandonedCalls: 1 }, functions: { slow: { timeout: 50 } } },
      codes: ['timeout', 'too_many_calls'],
      run(say) {
        say('slow')
        clock.tick(50)
        say('note')
      },
    },
    {
      title: '`rate`',
      settings: { limits: { rate: 1 } },
      codes: ['too_many_messages'],
      run: (say) => ['note', 'note'].map((name) => say(name)),
    },
    {
      title: 'the sign-in',
      settings: { isJoining: true },
      codes: ['forbidden'],
      run: (say) => say('note'),
    },
    { title: 'what is too complex', codes: ['bad_message'], run: (say) => say('note', nested) },
    {
      title: '`limits.answers`',
      settings: { limits: { answers: -1 } },
      codes: ['too_large'],
      run: (say) => say('nothing'),
    },
  ]

  for (const { title, settings, codes, run } of RULES) {
    it(`is held to what holds for calls: ${title}`, async () => {
      const outcomes: unknown[] = []
      for (const way of ['call', 'notify'] as const) {
        const one = open(settings)
        let id = 0
        const say: Say = (rpc, req) => one.say({ rpc, req, ...(way === 'call' && { uuid: `${++id}` }) })
        await run(say, one)
        await turn()
        const found = title === '`limits.answers`' ? codesOf(one) : failures(one, way)
        expect(found.map((each) => (each as string[])[0])).to.deep.equal(codes)
        outcomes.push([found, failed.args.map(([cause]) => String(cause)), seen.splice(0)])
        failed.resetHistory()
      }
      expect(outcomes[1]).to.deep.equal(outcomes[0])
    })
  }

  it('has the time of a call that names none: a `timeout` of it is ignored', () => {
    const one = open()
    one.say({ rpc: 'slow', timeout: 50 })
    clock.tick(29_999)
    expect(one.frames()).to.deep.equal([])
    clock.tick(1)
    expect((one.frames() as Frame[]).map(({ code }) => code)).to.deep.equal(['timeout'])
  })

  const codesOf = ({ frames }: TestSocket) => (frames() as Frame[]).map(({ code }) => [code])

  it('has the arguments of a call, and is not answered', async () => {
    const { say, frames } = open()
    say({ rpc: 'arguments', req: 7 })
    say({ rpc: 'note' })
    await turn()
    expect(frames()).to.deep.equal([])
    expect(seen).to.deep.equal([5, { id: 1 }, 7, 'function', {}])
  })

  it('has a signal, which aborts when its client leaves', () => {
    const { say, client } = open()
    say({ rpc: 'slow' })
    client.close(1006, '')
    expect(contexts[0]).to.include({ name: 'slow', deadline: Date.now() + 30_000 })
    expect(contexts[0]?.signal.reason).to.have.property('code', 'connection_lost')
  })

  it('has a signal that aborts when its time is over, and then leaves its place', async () => {
    const { say, frames } = open({ limits: { callsIn: 1 } })
    say({ rpc: 'slow' })
    clock.tick(30_000)
    expect(contexts[0]?.signal.reason).to.have.property('code', 'timeout')
    say({ rpc: 'note', req: 1 })
    await turn()
    expect(seen).to.deep.equal([1])
    expect(frames()).to.have.length(1)
  })

  it('is no heartbeat, and no request about channels', () => {
    const request = sinon.stub().resolves({})
    const { say, frames } = open({ ping: true, channels: { request } })
    for (const rpc of ['_ping', '_publish', '_subscribe', 'auth']) say({ rpc, req: { channel: 'a' } })
    expect((frames() as Frame[]).map(({ code, about }) => [code, about])).to.deep.equal(
      Array(4).fill(['bad_message', undefined]),
    )
    sinon.assert.notCalled(request)
  })

  it('is wrong of a client that did not say that it notifies', () => {
    for (const can of [[], ['cancel']] as const) {
      const { say, frames } = open({ identity: { can } })
      say({ rpc: 'note', req: 1 })
      expect(frames()).to.have.length(1)
      expect(frames()[0]).to.deep.include({ code: 'bad_message' })
    }
    expect(seen).to.deep.equal([])
  })

  describe('in middleware', () => {
    const stack = () => new MiddlewareStack({ limits: { vetoTimeout: 100, callTimeout: 300 }, log, failed })

    function around(middleware: MiddlewareStack) {
      const made = makeSocket({ controller, failed, ...CAN, middleware })
      return { ...made, say: (message: object) => made.client.send([JSON.stringify(message)]) }
    }

    it('is a call', async () => {
      const middleware = stack()
      middleware.use(async (context, next) => {
        seen.push(context.type, context.name)
        if (context.type === 'call') context.data = 2
        return next()
      })
      const { say, frames } = around(middleware)
      say({ rpc: 'note', req: 1 })
      await turn()
      say({ rpc: 'nothing' })
      await turn()
      expect(seen).to.deep.equal(['call', 'note', 2, 'call', 'nothing'])
      expect(frames()).to.deep.equal([
        { error: 'Function not found', code: 'not_found', about: { function: 'nothing' } },
      ])
    })

    it('is refused by what it throws, and by not going on', async () => {
      const middleware = stack()
      middleware.use((context) => {
        if (context.name === 'note') throw new RpcError('closed', 'Closed')
      })
      const { say, frames } = around(middleware)
      say({ rpc: 'note', req: 1 })
      say({ rpc: 'sold' })
      await turn()
      expect((frames() as Frame[]).map(({ code, about }) => [code, about])).to.deep.equal([
        ['closed', { function: 'note' }],
        ['forbidden', { function: 'sold' }],
      ])
      expect(seen).to.deep.equal([])
    })
  })

  it('that is misspelt gets a hint in development', async () => {
    const development = new Development({ logger: log, actions: () => [controller] })
    const { say, frames } = open({ development })
    say({ rpc: 'nite' })
    expect(frames()[0]).to.deep.include({ about: { function: 'nite' }, code: 'not_found' })
    expect((frames()[0] as { error: { data: object } }).error.data).to.have.property('didYouMean', 'note')
    expect(log.of('warn').map(({ details }) => [details.type, details.function])).to.deep.equal([
      ['notify', 'nite'],
    ])
  })

  it('leaves the lines of a call in the log', async () => {
    const { say } = open({ limits: { callsIn: 1 } }, true)
    say({ rpc: 'note', req: 1 })
    say({ rpc: 'slow' })
    say({ rpc: 'note', req: 1 })
    clock.tick(30_000)
    await turn()
    const lines = log.lines.map(({ level, message, details }) => [
      level,
      message,
      details.type,
      details.function,
    ])
    expect(lines).to.deep.equal([
      ['debug', 'a notification was carried out', 'notify', 'note'],
      ['info', 'a limit was reached', 'notify', 'note'],
      ['warn', 'a function did not answer in time', undefined, 'slow'],
      ['debug', 'a request was refused', 'notify', 'slow'],
    ])
  })
})

describe('a notification to a client', () => {
  let log: RecordedLog
  let failed: sinon.SinonSpy

  beforeEach(() => {
    log = new RecordedLog()
    failed = sinon.spy()
  })

  afterEach(() => sinon.restore())

  function open(settings: SocketSettings = {}, isVerbose = false) {
    const one = makeSocket({ failed, requests: new RequestLog(log, log, isVerbose), ...CAN, ...settings })
    return { ...one, say: (message: object) => one.client.send([JSON.stringify(message)]) }
  }

  const failure = { rpc: '_rpc', resp: { error: 'no', code: 'x', about: { function: 'a.b' } } }

  it('is a call without an id, and resolves when it is on its way', async () => {
    const { socket, frames } = open({}, true)
    await socket.notify('a.b', { c: 1 })
    await socket.notify('d')
    expect(frames()).to.deep.equal([
      { internal: true, command: 'rpc', data: { command: 'a.b', args: { c: 1 } } },
      { internal: true, command: 'rpc', data: { command: 'd' } },
    ])
    expect(log.of('debug').map(({ message, details }) => [message, details.function])).to.deep.equal([
      ['a client was notified', 'a.b'],
      ['a client was notified', 'd'],
    ])
  })

  it('needs no place among the calls that wait', async () => {
    const { socket, frames } = open({ limits: { callsOut: 1 } })
    void socket.rpc('a').catch(() => {})
    for (let count = 0; count < 10; count += 1) await socket.notify('b')
    expect(frames()).to.have.length(11)
  })

  for (const [code, name, data] of [
    ['bad_message', '', 1],
    ['bad_message', 5 as never, 1],
    ['too_long', 'x'.repeat(257), 1],
    ['unserializable', 'a', circular],
    ['unserializable', 'a', () => {}],
  ] as const) {
    it(`rejects with ${code}, and reports it, for ${typeof name} ${String(name).length} and ${typeof data}`, async () => {
      const { socket, frames } = open()
      expect(await rejection(socket.notify(name, data))).to.have.property('code', code)
      expect(frames()).to.deep.equal([])
      expect(failed.args.map(([, details]) => details)).to.deep.equal([
        { method: 'socket.notify', sid: socket.sid },
      ])
    })
  }

  it('rejects with connection_lost when the client is gone, and reports nothing', async () => {
    const { socket, client } = open()
    client.close(1006, '')
    expect(await rejection(socket.notify('a'))).to.have.property('code', 'connection_lost')
    sinon.assert.notCalled(failed)
  })

  it('that fails is reported with its socket and its function', async () => {
    const { socket, say, frames } = open()
    await socket.notify('a.b')
    say(failure)
    expect(failed.args.map(([{ code, data }, details]) => [code, data, details])).to.deep.equal([
      ['x', { function: 'a.b' }, { sid: socket.sid, uid: undefined, function: 'a.b', step: 'notification' }],
    ])
    expect(frames()).to.have.length(1)
  })

  it('can fail once: a client reports no more failures than it was sent notifications', async () => {
    const { socket, say, frames } = open()
    say(failure)
    await socket.notify('a.b')
    for (let count = 0; count < 3; count += 1) say(failure)
    sinon.assert.calledOnce(failed)
    const codes = (frames() as Frame[]).map(({ code }) => code)
    expect(codes).to.deep.equal(['bad_message', undefined, 'bad_message', 'bad_message'])
  })

  it('closes the socket of a client that goes on reporting what it was not sent', async () => {
    const { say, socket } = open({ limits: { wrongMessages: 3 } })
    for (let count = 0; count < 4; count += 1) say(failure)
    expect(socket.isClosed).to.equal(true)
    sinon.assert.notCalled(failed)
  })

  it('that fails counts against the rate of its client, and is dropped beyond it', async () => {
    const { socket, say } = open({ limits: { rate: 5 } })
    for (let count = 0; count < 20; count += 1) await socket.notify('a.b')
    for (let count = 0; count < 20; count += 1) say(failure)
    sinon.assert.callCount(failed, 5)
    expect(socket.isClosed).to.equal(false)
  })

  it('that fails is reported if it is among the last 1,000, and never wrong', async () => {
    const { socket, say } = open({ limits: { wrongMessages: 3 } })
    for (let count = 0; count < 3000; count += 1) await socket.notify('a.b')
    for (let count = 0; count < 3000; count += 1) say(failure)
    sinon.assert.callCount(failed, 1000)
    expect(socket.isClosed).to.equal(false)
    for (let count = 0; count < 4; count += 1) say(failure)
    expect(socket.isClosed).to.equal(true)
  })

  it('that fails long after it was sent is dropped, and never wrong', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['performance'] })
    const { socket, say } = open({ limits: { wrongMessages: 3 } })
    for (let count = 0; count < 20; count += 1) await socket.notify('a.b')
    clock.tick(60_000)
    for (let count = 0; count < 20; count += 1) say(failure)
    sinon.assert.notCalled(failed)
    expect(socket.isClosed).to.equal(false)
  })

  for (const about of [undefined, { function: 5 }, { function: 'x'.repeat(1000) }, 'a', { channel: 'a' }]) {
    it(`that fails may say anything: ${JSON.stringify(about)?.slice(0, 30)}`, async () => {
      const { socket, say } = open()
      await socket.notify('a')
      say({ rpc: '_rpc', resp: { error: { message: 'no', data: { function: 7 } }, about } })
      const [[cause, details]] = failed.args as [[RpcError, { function?: string }]]
      expect(cause).to.have.property('code', 'application_error')
      if (details.function !== undefined) expect(details.function.length).to.be.below(200)
    })
  }

  it('is warned of in development when JSON changes its data', async () => {
    const development = new Development({ logger: log, actions: () => [] })
    const { socket } = open({ development })
    await socket.notify('a.b', { at: new Map() })
    expect(log.of('warn').map(({ message, details }) => [message, details.function])).to.deep.equal([
      ['JSON changes a notification: data.at is a Map', 'a.b'],
    ])
  })

  for (const can of [[], ['cancel']] as const) {
    describe(`that can [${can}]`, () => {
      const result = (resp: object) => ({ rpc: '_rpc', fid: '1', resp })

      it('is an ordinary call, whose answer is dropped', async () => {
        const { socket, say, frames } = open({ identity: { can } })
        await socket.notify('a.b', 1)
        expect(frames()).to.deep.equal([
          { internal: true, command: 'rpc', data: { fid: '1', command: 'a.b', args: 1 } },
        ])
        say(result({ data: 2 }))
        await turn()
        sinon.assert.notCalled(failed)
      })

      it('is reported when it fails', async () => {
        const { socket, say } = open({ identity: { can } })
        await socket.notify('a.b')
        say(result({ error: 'no such theme' }))
        await turn()
        expect(failed.args.map(([{ code }, details]) => [code, details])).to.deep.equal([
          ['application_error', { sid: socket.sid, uid: undefined, function: 'a.b', step: 'notification' }],
        ])
      })

      it('is not reported when there is no answer: a legacy action may never call back', async () => {
        const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
        const { socket, client } = open({ identity: { can } })
        await socket.notify('a.b')
        clock.tick(30_000)
        await socket.notify('a.b')
        client.close(1006, '')
        await turn()
        sinon.assert.notCalled(failed)
      })

      it('rejects when it cannot be sent', async () => {
        const { socket } = open({ identity: { can }, limits: { callsOut: 1 } })
        expect(await rejection(socket.notify('a', circular))).to.have.property('code', 'unserializable')
        await socket.notify('a')
        expect(await rejection(socket.notify('a'))).to.have.property('code', 'too_many_calls')
      })
    })
  }
})
