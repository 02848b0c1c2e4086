/** Calls of one client that are given up: what their functions learn, what counts, and what the log says. */
import type { CallContext } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { RequestLog } from '#server/runtime/request-log.js'
import { RecordedLog } from '../recorded-log.js'
import { makeSocket, type SocketSettings } from '../sockets.js'

type Answer = (error?: unknown, data?: unknown) => void

interface Frame {
  readonly uuid?: string
  readonly resp?: unknown
  readonly code?: string
  readonly error?: { readonly data?: unknown }
}

describe('a call that is given up', () => {
  let clock: sinon.SinonFakeTimers
  let log: RecordedLog
  let contexts: CallContext[]
  let callbacks: Answer[]
  let resolves: Answer[]
  let rejects: ((cause: unknown) => void)[]
  const failed = sinon.spy()

  const controller = {
    slow: (_auth: unknown, _data: unknown, callback: Answer, _socket: unknown, call: CallContext) => {
      contexts.push(call)
      callbacks.push(callback)
    },
    work: (_auth: unknown, _data: unknown, _callback: Answer, _socket: unknown, call: CallContext) => {
      contexts.push(call)
      return new Promise((resolve, reject) => {
        resolves.push((_error, data) => resolve(data))
        rejects.push(reject)
      })
    },
    both: async (_auth: unknown, data: unknown, callback: Answer) => callback(null, data),
    quick: (_auth: unknown, data: unknown) => data,
  } as never

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    log = new RecordedLog()
    contexts = []
    callbacks = []
    resolves = []
    rejects = []
    failed.resetHistory()
  })

  afterEach(() => sinon.restore())

  function open(settings: SocketSettings = {}) {
    const one = makeSocket({
      controller,
      failed,
      requests: new RequestLog(log, log, false),
      identity: { can: ['cancel'] },
      ...settings,
    })
    const say = (message: object) => one.client.send([JSON.stringify(message)])
    return {
      ...one,
      call: (uuid: string, rpc: string, more: object = {}) => say({ rpc, req: 1, uuid, ...more }),
      cancel: (uuid: string, reason?: string) => say({ rpc: '_cancel', req: { uuid, reason } }),
      frames: () => one.frames() as Frame[],
    }
  }

  const turn = () => new Promise(setImmediate)
  const lines = (level: 'debug' | 'warn') =>
    log.of(level).map(({ message, details }) => ({ message, function: details.function }))

  for (const [reason, code] of [
    ['aborted', 'aborted'],
    ['timeout', 'timeout'],
    [undefined, 'aborted'],
  ] as const) {
    it(`aborts its signal with ${code} for the reason ${reason}, and gets no answer`, async () => {
      const { call, cancel, frames } = open()
      call('1', 'slow')
      const { signal } = contexts[0] as CallContext
      cancel('1', reason)
      expect(signal.reason).to.have.property('code', code)
      callbacks[0]?.(null, 'late')
      await turn()
      clock.tick(60_000)
      expect(frames()).to.deep.equal([])
    })
  }

  it('leaves its place in callsIn and callBytes to the next at once', () => {
    const { call, cancel, frames } = open({ limits: { callsIn: 1, callBytes: 60 } })
    call('1', 'work')
    call('2', 'quick')
    cancel('1')
    call('3', 'quick')
    expect(frames().map(({ uuid, code, resp }) => [uuid, code ?? resp])).to.deep.equal([
      ['2', 'too_many_calls'],
      ['3', 1],
    ])
  })

  it('is none of an unknown id, of one that is answered, or of a request about a channel', async () => {
    let allow = () => {}
    const request = () => new Promise<object>((resolve) => (allow = () => resolve({})))
    const { call, cancel, frames, client } = open({ channels: { request } })
    call('1', 'quick')
    client.send([JSON.stringify({ rpc: '_subscribe', req: { channel: 'a' }, uuid: '2' })])
    for (const uuid of ['1', '2', '3', '__proto__']) cancel(uuid)
    allow()
    await turn()
    expect(frames().map(({ uuid }) => uuid)).to.deep.equal(['1', '2'])
    expect(log.lines).to.deep.equal([])
  })

  it('counts as a message', () => {
    const { call, cancel, frames } = open({ limits: { rate: 2 } })
    cancel('1')
    cancel('1')
    call('2', 'quick')
    expect(frames().map(({ code }) => code)).to.deep.equal(['too_many_messages'])
  })

  it('is the first of two with one id', () => {
    const { call, cancel } = open()
    call('1', 'slow')
    call('1', 'slow')
    cancel('1')
    cancel('1')
    expect(contexts.map(({ signal }) => signal.aborted)).to.deep.equal([true, false])
  })

  it('aborts with connection_lost when its client leaves', () => {
    const { call, client } = open()
    call('1', 'slow')
    client.close(1006, '')
    expect(contexts[0]?.signal.reason).to.have.property('code', 'connection_lost')
  })

  describe('and whose function runs on', () => {
    const limits = { abandonedCalls: 2 }

    it('counts until its promise settles', async () => {
      const { call, cancel, frames } = open({ limits })
      for (const uuid of ['1', '2']) {
        call(uuid, 'work')
        cancel(uuid)
      }
      clock.tick(29_999)
      call('3', 'quick')
      resolves[0]?.(null, 'late')
      await turn()
      call('4', 'quick')
      rejects[1]?.(new Error('late'))
      await turn()
      expect(frames().map(({ uuid, code }) => [uuid, code])).to.deep.equal([
        ['3', 'too_many_calls'],
        ['4', undefined],
      ])
      expect(frames()[0]?.error?.data).to.deep.equal({ field: 'abandonedCalls', limit: 2 })
    })

    it('counts until its callback is called, or all its time is over', () => {
      const { call, cancel, frames } = open({ limits })
      for (const uuid of ['1', '2']) {
        call(uuid, 'slow')
        cancel(uuid)
      }
      call('3', 'quick')
      callbacks[0]?.()
      call('4', 'quick')
      call('5', 'slow')
      cancel('5')
      call('6', 'quick')
      clock.tick(30_000)
      call('7', 'quick')
      expect(frames().map(({ uuid, code }) => [uuid, code])).to.deep.equal([
        ['3', 'too_many_calls'],
        ['4', undefined],
        ['6', 'too_many_calls'],
        ['7', undefined],
      ])
    })

    it('counts when the client chose a short time', () => {
      const { call, frames } = open({ limits })
      for (const uuid of ['1', '2']) call(uuid, 'slow', { timeout: 1 })
      clock.tick(1)
      call('3', 'quick')
      expect(frames().map(({ code }) => code)).to.deep.equal(['timeout', 'timeout', 'too_many_calls'])
    })

    for (const name of ['slow', 'work']) {
      for (const [title, rules, longest] of [
        ['the usual time', {}, 30_000],
        ['a shorter time', { [name]: { timeout: 50 } }, 30_000],
        ['a longer time', { [name]: { timeout: 60_000 } }, 60_000],
      ] as const) {
        it(`counts for ${longest} ms after its end when it never answers: ${name}, which has ${title}`, () => {
          const { call, cancel, frames } = open({ limits, functions: rules })
          for (const uuid of ['1', '2']) {
            call(uuid, name)
            cancel(uuid)
          }
          clock.tick(longest - 1)
          call('3', 'quick')
          clock.tick(1)
          call('4', 'quick')
          expect(frames().map(({ uuid, code }) => [uuid, code])).to.deep.equal([
            ['3', 'too_many_calls'],
            ['4', undefined],
          ])
        })
      }

      it(`counts although it has had all its time: ${name}`, () => {
        const functions = { [name]: { timeout: 50 } }
        const { call } = open({ limits, functions })
        for (let round = 0; round < 100; round += 1) {
          call(`${round}`, name)
          clock.tick(50)
        }
        expect(contexts).to.have.length(2)
      })
    }

    it('counts with its bytes', () => {
      const { call, cancel, frames } = open({ limits: { callBytes: 100 } })
      for (const uuid of ['1', '2']) {
        call(uuid, 'work', { req: 'x'.repeat(80) })
        cancel(uuid)
      }
      call('3', 'quick')
      expect(frames()[0]?.error?.data).to.deep.equal({ field: 'callBytes', limit: 100 })
    })

    it('keeps no heartbeat from being answered', () => {
      for (const limits of [{ abandonedCalls: 1 }, { callsIn: 1 }]) {
        const { call, cancel, frames } = open({ limits, ping: true })
        call('1', 'work')
        if ('abandonedCalls' in limits) cancel('1')
        call('2', '_ping')
        expect(frames()).to.deep.equal([{ rpc: '_ping', uuid: '2', resp: { message: 'pong' } }])
      }
    })

    it('keeps no request about channels from being answered', async () => {
      const { call, cancel, frames, client } = open({ limits: { abandonedCalls: 1 } })
      call('1', 'work')
      cancel('1')
      client.send([JSON.stringify({ rpc: '_subscribe', req: { channel: 'a' }, uuid: '2' })])
      await turn()
      expect(frames()).to.deep.equal([{ rpc: '_subscribe', uuid: '2', resp: null }])
    })

    it('runs at most `abandonedCalls` and `callsIn` times at once in a flood of calls and cancels', () => {
      const { call, cancel } = open({ limits: { abandonedCalls: 20, callsIn: 10 } })
      for (let round = 0; round < 1000; round += 1) {
        call(`${round}`, 'work')
        if (round % 2 === 0) cancel(`${round}`)
      }
      expect(resolves).to.have.length.at.most(30)
    })
  })

  describe('leaves in the log', () => {
    it('a debug line that names the function, when an answer comes after a cancel', () => {
      const { call, cancel } = open()
      call('1', 'slow')
      cancel('1')
      callbacks[0]?.(null, 'late')
      expect(lines('debug')).to.deep.equal([
        { message: 'a function answered a call that was given up', function: 'slow' },
      ])
      expect(lines('warn')).to.deep.equal([])
    })

    it('a warn line when a declared callback was never called, and another when it is called late', () => {
      const { call } = open()
      call('1', 'slow')
      clock.tick(30_000)
      callbacks[0]?.(null, 'late')
      expect(lines('warn')).to.deep.equal([
        { message: 'a function did not answer in time', function: 'slow' },
        { message: 'a function answered after its call had timed out', function: 'slow' },
      ])
      expect(log.of('warn')[0]?.details.reason).to.equal('declared callback, never called it')
    })

    it('a warn line when a promise did not settle in time', () => {
      const { call } = open()
      call('1', 'work')
      clock.tick(30_000)
      expect(log.of('warn')[0]?.details.reason).to.equal('its promise has not settled')
    })

    it('no warn line when the client chose a short time', () => {
      const { call } = open()
      call('1', 'work', { timeout: 5 })
      clock.tick(5)
      expect(lines('warn')).to.deep.equal([])
    })

    it('a warn line when a callback is called twice', () => {
      const { call } = open()
      call('1', 'slow')
      callbacks[0]?.(null, 1)
      callbacks[0]?.(null, 2)
      expect(lines('warn')).to.deep.equal([{ message: 'a function answered twice', function: 'slow' }])
    })

    it('nothing when an async function calls back, and then resolves with nothing', async () => {
      const { call, frames } = open()
      call('1', 'both')
      await turn()
      expect(frames()).to.deep.equal([{ rpc: 'both', uuid: '1', resp: 1 }])
      expect(log.lines).to.deep.equal([])
    })

    it('nothing when the function throws its signal’s reason, or an AbortError', async () => {
      const { call, cancel } = open()
      for (const uuid of ['1', '2']) {
        call(uuid, 'work')
        cancel(uuid)
      }
      rejects[0]?.(contexts[0]?.signal.reason)
      rejects[1]?.(new DOMException('This operation was aborted', 'AbortError'))
      await turn()
      expect(failed.called).to.equal(false)
      expect(log.lines).to.deep.equal([])
    })

    it('a failure when it throws anything else', async () => {
      const { call, cancel } = open()
      const cause = new Error('a bug')
      call('1', 'work')
      cancel('1')
      rejects[0]?.(cause)
      await turn()
      expect(failed.args[0]?.[0]).to.equal(cause)
    })
  })

  describe('by the server', () => {
    const calls = (frames: unknown[]) =>
      (frames as { command: string; data: object }[]).map(({ command, data }) => [command, data])

    it('is withdrawn at a client that can, with its reason', () => {
      const { socket, frames } = open()
      const controller = new AbortController()
      socket.rpc('a', 1, { signal: controller.signal })
      socket.rpc('b', 2, { timeout: 50 })
      controller.abort()
      clock.tick(50)
      expect(calls(frames())).to.deep.equal([
        ['rpc', { fid: '1', command: 'a', args: 1 }],
        ['rpc', { fid: '2', command: 'b', args: 2, timeout: 50 }],
        ['cancel', { fid: '1', reason: 'aborted' }],
        ['cancel', { fid: '2', reason: 'timeout' }],
      ])
    })

    it('is not withdrawn once it is answered, or the client is gone', () => {
      const { socket, client, frames } = open()
      const controller = new AbortController()
      socket.rpc('a', 1, { signal: controller.signal })
      client.send([JSON.stringify({ rpc: '_rpc', fid: '1', resp: { data: 1 } })])
      controller.abort()
      expect(frames()).to.have.length(1)
    })

    for (const [title, identity, told] of [
      ['a client that cannot', {}, { timeout: 50 }],
      ['the legacy client, which gets the frames that it knows', { counts: false }, {}],
    ] as const) {
      it(`is not withdrawn at ${title}`, () => {
        const { socket, frames } = open({ identity })
        const controller = new AbortController()
        socket.rpc('a', 1, { signal: controller.signal, timeout: 50 })
        controller.abort()
        clock.tick(50)
        expect(calls(frames())).to.deep.equal([['rpc', { fid: '1', command: 'a', args: 1, ...told }]])
      })
    }
  })
})
