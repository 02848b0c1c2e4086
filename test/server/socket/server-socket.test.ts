import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { type Claims, readClaims } from '#server/claims/claims.js'
import { RequestLog } from '#server/runtime/request-log.js'
import type { ChannelAnswer, ChannelRequest } from '#server/socket/server-socket.js'
import { rejection, thrownBy } from '../../protocol/rejection.js'
import { RecordedLog } from '../recorded-log.js'
import { makeSocket, type SocketSettings } from '../sockets.js'

/** Lets every promise that can settle do so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('ServerSocket', () => {
  it('says who it is', () => {
    const identity = { sid: 's', auth: { id: 7 }, ip: '1.2.3.4', ips: ['1.2.3.4', '5.6.7.8'], host: 'a.com' }
    const before = Date.now()
    const { socket } = makeSocket({ identity })
    expect(socket).to.include({ ...identity, transport: 'memory', isClosed: false })
    expect(socket.channels).to.deep.equal([])
    expect(socket.created).to.be.within(before, Date.now())
  })

  it('lets no promise that nobody looks at end the process', async () => {
    const unhandled = sinon.spy()
    const failed = sinon.spy()
    process.on('unhandledRejection', unhandled)
    try {
      const refuse = async () => Promise.reject(new RpcError('too_many_subscriptions'))
      const { socket } = makeSocket({ channels: { subscribe: refuse, publish: refuse }, failed })
      socket.subscribe('a')
      socket.publish('a', 1)
      await settled()
      expect(unhandled.args).to.deep.equal([])
      expect(failed.args.map(([cause, details]) => [cause.code, details])).to.deep.equal([
        ['too_many_subscriptions', { sid: socket.sid }],
        ['too_many_subscriptions', { sid: socket.sid }],
      ])
    } finally {
      process.off('unhandledRejection', unhandled)
    }
  })

  describe('#rpc', () => {
    it('calls an action and resolves with its result', async () => {
      const { socket, client, frames } = makeSocket()
      const result = socket.rpc('a.b', { x: 1 })
      const [frame] = frames() as { data: { fid: string } }[]
      const { fid } = frame?.data ?? { fid: '' }
      expect(frame).to.deep.equal({
        internal: true,
        command: 'rpc',
        data: { fid, command: 'a.b', args: { x: 1 } },
      })
      client.send([JSON.stringify({ rpc: '_rpc', fid, resp: { data: 5 } })])
      expect(await result).to.equal(5)
    })

    for (const [how, resp, expected] of [
      ['the result', { data: 5 }, [null, 5]],
      ['the error', { error: 'no', code: 'sold_out' }, ['sold_out']],
    ] as const) {
      it(`gives ${how} to a callback instead, once`, async () => {
        const { socket, client, frames } = makeSocket()
        const called: unknown[][] = []
        const returned = socket.rpc('a.b', { x: 1 }, (error, ...data) => {
          called.push([error ? error.code : null, ...data])
        })
        expect(returned).to.equal(undefined)
        const [frame] = frames() as { data: { fid: string } }[]
        const text = JSON.stringify({ rpc: '_rpc', fid: frame?.data.fid, resp })
        client.send([text, text])
        await new Promise(setImmediate)
        expect(called).to.deep.equal([expected])
      })
    }

    it('rejects with what the action answers', async () => {
      const { socket, client, frames } = makeSocket()
      const result = rejection(socket.rpc('a'))
      const [frame] = frames() as { data: { fid: string } }[]
      const resp = { error: 'Function not found', code: 'not_found' }
      client.send([JSON.stringify({ rpc: '_rpc', fid: frame?.data.fid, resp })])
      expect((await result).code).to.equal('not_found')
    })

    it('rejects with connection_lost when the connection ends, or has ended', async () => {
      const { socket, client, frames } = makeSocket()
      const result = rejection(socket.rpc('a'))
      frames()
      client.close(1006, '')
      expect((await result).code).to.equal('connection_lost')
      expect((await rejection(socket.rpc('a'))).code).to.equal('connection_lost')
    })

    it('rejects a name that is empty or too long, and sends nothing', async () => {
      const { socket, frames } = makeSocket()
      expect((await rejection(socket.rpc(''))).code).to.equal('bad_message')
      expect((await rejection(socket.rpc('x'.repeat(257)))).code).to.equal('too_long')
      expect(frames()).to.deep.equal([])
    })

    it('rejects with unserializable, and sends nothing', async () => {
      const { socket, frames } = makeSocket()
      expect((await rejection(socket.rpc('a', 1n))).code).to.equal('unserializable')
      expect(frames()).to.deep.equal([])
    })

    it('honors the limit `callsOut`', async () => {
      const { socket } = makeSocket({ limits: { callsOut: 1 } })
      socket.rpc('a')
      expect((await rejection(socket.rpc('a'))).code).to.equal('too_many_calls')
    })

    it('honors `timeout` and `signal`', async () => {
      const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      try {
        const { socket } = makeSocket()
        const controller = new AbortController()
        const outcomes = [
          rejection(socket.rpc('a', null, { timeout: 50 })),
          rejection(socket.rpc('a', null, { signal: controller.signal })),
          rejection(socket.rpc('a')),
        ]
        clock.tick(50)
        controller.abort()
        clock.tick(30_000)
        expect((await Promise.all(outcomes)).map(({ code }) => code)).to.deep.equal([
          'timeout',
          'aborted',
          'timeout',
        ])
      } finally {
        clock.restore()
      }
    })

    it('can be called before the socket is let in', async () => {
      const { socket, client, frames } = makeSocket({ isJoining: true })
      const result = socket.rpc('who')
      const [frame] = frames() as { data: { fid: string } }[]
      client.send([JSON.stringify({ rpc: '_rpc', fid: frame?.data.fid, resp: { data: 'me' } })])
      expect(await result).to.equal('me')
    })
  })

  describe('calls of the client', () => {
    /** What the server answers to one frame. */
    async function answerTo(frame: object | string, settings: SocketSettings = {}): Promise<unknown[]> {
      const { client, frames } = makeSocket(settings)
      client.send([typeof frame === 'string' ? frame : JSON.stringify(frame)])
      await settled()
      return frames()
    }

    it('run the function with auth, data, callback and socket', async () => {
      const handler = sinon.spy((_auth: unknown, _data: unknown, callback: (...args: unknown[]) => void) =>
        callback(null, 'done'),
      )
      const { socket, client, frames } = makeSocket({ controller: { a: { b: handler } } })
      client.send(['{"rpc":"a.b","req":{"x":1},"uuid":"1"}'])
      const [args = []] = handler.args as unknown[][]
      expect(args[0]).to.equal(socket.auth)
      expect(args[1]).to.deep.equal({ x: 1 })
      expect(args[3]).to.equal(socket)
      expect(frames()).to.deep.equal([{ rpc: 'a.b', uuid: '1', resp: 'done' }])
    })

    it('are answered not_found where there is no function', async () => {
      for (const name of ['nothing', 'a', 'a.b.c', 'toString', '__proto__', 'constructor', 'a.constructor']) {
        const controller = { a: { b: () => 1 } }
        const [answer] = await answerTo({ rpc: name, req: {}, uuid: '1' }, { controller })
        expect(answer, name).to.deep.equal({
          rpc: name,
          uuid: '1',
          error: 'Function not found',
          code: 'not_found',
          about: { function: name },
        })
      }
    })

    it('are answered internal when the function throws, and the cause stays here', async () => {
      const cause = new Error('secret')
      const failed = sinon.spy()
      const controller = {
        a: () => {
          throw cause
        },
      }
      const identity = { sid: 'me' }
      const frame = { rpc: 'a', uuid: '1' }
      expect(await answerTo(frame, { controller, failed, identity })).to.deep.equal([
        { rpc: 'a', uuid: '1', error: 'Internal error', code: 'internal' },
      ])
      expect(failed.args).to.deep.equal([[cause, { sid: 'me', uid: undefined, function: 'a' }]])
    })

    it('are answered with an RpcError whole', async () => {
      const controller = { a: () => Promise.reject(new RpcError('sold_out', 'Sold out', { left: 0 })) }
      const [answer] = await answerTo({ rpc: 'a', uuid: '1' }, { controller })
      expect(answer).to.deep.include({
        error: { message: 'Sold out', code: 'sold_out', data: { left: 0 } },
        code: 'sold_out',
      })
    })

    it('are answered unserializable when the result is not JSON', async () => {
      const [answer] = await answerTo({ rpc: 'a', uuid: '1' }, { controller: { a: () => 1n } })
      expect(answer).to.include({ code: 'unserializable' })
    })

    it('honor the limit `callsIn`', async () => {
      const controller = { a: () => new Promise(() => {}) }
      const { client, frames } = makeSocket({ controller, limits: { callsIn: 1 } })
      client.send(['{"rpc":"a","uuid":"1"}', '{"rpc":"a","uuid":"2"}'])
      await settled()
      expect(frames()).to.have.length(1)
      expect(frames()[0]).to.include({ uuid: '2', code: 'too_many_calls' })
    })

    it('honor the limit `callBytes`, which names itself', async () => {
      const controller = { a: () => new Promise(() => {}) }
      const { client, frames } = makeSocket({ controller, limits: { callBytes: 150 } })
      const call = (uuid: string) => `{"rpc":"a","uuid":"${uuid}","req":"${'x'.repeat(60)}"}`
      client.send([call('1'), call('2')])
      await settled()
      expect(frames()).to.have.length(1)
      expect(frames()[0]).to.deep.include({ uuid: '2', code: 'too_many_calls' })
      expect(frames()[0]).to.have.deep.nested.property('error.data', { field: 'callBytes', limit: 150 })
    })

    it('honor the limit `callBytes` for requests about channels, those included that have timed out', async () => {
      const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      try {
        const request = sinon.stub().returns(new Promise(() => {}))
        const { client, frames } = makeSocket({
          channels: { request },
          limits: { callBytes: 250, timeout: 1000 },
        })
        const publish = (uuid: string) =>
          `{"rpc":"_publish","uuid":"${uuid}","req":{"channel":"c","data":"${'x'.repeat(60)}"}}`
        client.send([publish('1')])
        clock.tick(1000)
        client.send([publish('2')])
        expect(request.callCount).to.equal(1)
        client.send(['{"rpc":"_subscribe","uuid":"3","req":{"channel":"c"}}'])
        await settled()
        expect((frames() as Record<string, unknown>[]).map(({ uuid, code }) => [uuid, code])).to.deep.equal([
          ['1', 'timeout'],
          ['3', 'too_many_calls'],
        ])
      } finally {
        clock.restore()
      }
    })

    it('wait while the client does not read its answers, and go on in order once it does', async () => {
      const called: number[] = []
      const big = (_auth: unknown, data: number) => {
        called.push(data)
        return 'x'.repeat(1000)
      }
      const { socket, connection, client, flusher } = makeSocket({
        controller: { big },
        limits: { outbox: 100 },
      })
      connection.bufferedBytes = 1_000_000
      for (const req of [1, 2, 3]) client.send([JSON.stringify({ rpc: 'big', req, uuid: String(req) })])
      flusher.flush()
      expect([called, connection.sent]).to.deep.equal([[], []])
      connection.bufferedBytes = 0
      connection.ondrained?.()
      flusher.flush()
      expect(called).to.deep.equal([1, 2, 3])
      expect(connection.sent.map((frame) => JSON.parse(frame).uuid)).to.deep.equal(['1', '2', '3'])
      expect(socket.isClosed).to.equal(false)
    })

    it('are answered too_large, which names `answers`, when more of these wait than may', async () => {
      const answers: (() => void)[] = []
      const later = () => new Promise((resolve) => answers.push(() => resolve('x'.repeat(1000))))
      const log = new RecordedLog()
      const { connection, client, flusher } = makeSocket({
        controller: { later },
        limits: { answers: 1500 },
        requests: new RequestLog(log, log, false),
      })
      for (const uuid of ['1', '2', '3']) client.send([JSON.stringify({ rpc: 'later', uuid })])
      connection.bufferedBytes = 1_000_000
      for (const answer of answers) answer()
      await settled()
      connection.bufferedBytes = 0
      flusher.flush()
      connection.ondrained?.()
      const [one, two, three] = connection.sent.map((frame) => JSON.parse(frame))
      expect([one.resp.length, two.resp.length]).to.deep.equal([1000, 1000])
      expect([three.code, three.error.data]).to.deep.equal(['too_large', { field: 'answers', limit: 1500 }])
      expect(log.of('info')[0]?.details).to.include({ function: 'later', code: 'too_large' })
    })

    it('pass `_ping` on by its name, with empty data', async () => {
      const ping = sinon.spy(() => ({ message: 'pong' }))
      const answers = await answerTo({ rpc: '_ping', uuid: '1' }, { controller: { _ping: ping } })
      expect(answers).to.deep.equal([{ rpc: '_ping', uuid: '1', resp: { message: 'pong' } }])
      expect((ping.args as unknown[][])[0]?.[1]).to.deep.equal({})
    })

    it('are refused with forbidden before the socket is let in', async () => {
      const handler = sinon.spy()
      const settings = { controller: { a: handler }, isJoining: true }
      expect(await answerTo({ rpc: 'a', uuid: '1' }, settings)).to.deep.equal([
        { rpc: 'a', uuid: '1', error: 'Forbidden', code: 'forbidden' },
      ])
      const request = sinon.stub().resolves()
      const joining = { channels: { request }, isJoining: true }
      const [answer] = await answerTo({ rpc: '_subscribe', req: { channel: 'a' }, uuid: '1' }, joining)
      expect(answer).to.include({ code: 'forbidden' })
      expect(handler.called || request.called).to.equal(false)
    })

    it('refuse a second token', async () => {
      expect(await answerTo({ rpc: 'auth', token: 't', uuid: '1' })).to.deep.equal([
        { rpc: 'auth', uuid: '1', error: 'Forbidden', code: 'forbidden' },
      ])
    })

    for (const [what, frame] of [
      ['no JSON', 'garbage'],
      ['a list', '[]'],
      ['no rpc', '{"uuid":"1"}'],
      ['no uuid', '{"rpc":"a"}'],
      ['a result without an id', '{"rpc":"_rpc","resp":{}}'],
    ] as const) {
      it(`answer ${what} with an error, and go on`, async () => {
        const { client, frames } = makeSocket({ controller: { a: () => 1 } })
        client.send([frame, '{"rpc":"a","uuid":"2"}'])
        await settled()
        expect(frames()[0]).to.include({ code: 'bad_message' })
        expect(frames()[1]).to.deep.equal({ rpc: 'a', uuid: '2', resp: 1 })
      })
    }

    for (const value of [5, null, { a: 1 }, undefined, ['a']]) {
      it(`answer ${JSON.stringify(value)}, which is no text, with an error`, () => {
        const { connection, frames } = makeSocket()
        connection.receive(value)
        expect(frames()[0]).to.include({ code: 'bad_message' })
      })
    }

    it('answer a bad request under its own name and id', async () => {
      const [answer] = await answerTo({ rpc: '_subscribe', req: {}, uuid: '1' })
      expect(answer).to.include({ rpc: '_subscribe', uuid: '1', code: 'bad_message' })
    })

    it('are not answered once the connection is gone', async () => {
      let answer: (error: unknown, data: unknown) => void = () => {}
      const controller = {
        a: (_auth: unknown, _data: unknown, callback: typeof answer) => {
          answer = callback
        },
      }
      const { client, frames } = makeSocket({ controller })
      client.send(['{"rpc":"a","uuid":"1"}'])
      client.close(1000, '')
      answer(null, 1)
      expect(frames()).to.deep.equal([])
    })
  })

  describe('requests about channels', () => {
    const subscribeTo = (channel: string, uuid: string) =>
      JSON.stringify({ rpc: '_subscribe', req: { channel }, uuid })

    it('are answered when they are done', async () => {
      const request = sinon.stub().resolves({})
      const { socket, client, frames } = makeSocket({ channels: { request } })
      client.send([
        subscribeTo('a', '1'),
        '{"rpc":"_unsubscribe","req":{"channel":"b"},"uuid":"2"}',
        '{"rpc":"_publish","req":{"channel":"c","data":5},"uuid":"3"}',
        '{"rpc":"_broadcast","req":{"data":6},"uuid":"4"}',
      ])
      await settled()
      expect(request.args).to.deep.equal([
        [socket, { type: 'subscribe', id: '1', channel: 'a', isAnswered: true }],
        [socket, { type: 'unsubscribe', id: '2', channel: 'b', isAnswered: true }],
        [socket, { type: 'publish', id: '3', channel: 'c', data: 5, isAnswered: true }],
        [socket, { type: 'broadcast', id: '4', data: 6, isAnswered: true }],
      ])
      expect(frames()).to.deep.equal([
        { rpc: '_subscribe', uuid: '1', resp: null },
        { rpc: '_unsubscribe', uuid: '2', resp: null },
        { rpc: '_publish', uuid: '3', resp: null },
        { rpc: '_broadcast', uuid: '4', resp: null },
      ])
    })

    it('are answered with why they were refused', async () => {
      const request = async () => ({ error: { reason: 'full' } })
      const { client, frames } = makeSocket({ channels: { request } })
      client.send([subscribeTo('a', '1')])
      await settled()
      expect(frames()).to.deep.equal([
        { rpc: '_subscribe', uuid: '1', error: { reason: 'full' }, code: 'application_error' },
      ])
    })

    it('are answered internal when they fail, and the cause stays here', async () => {
      const cause = new Error('down')
      const failed = sinon.spy()
      const { client, frames } = makeSocket({ failed, channels: { request: () => Promise.reject(cause) } })
      client.send([subscribeTo('a', '1')])
      await settled()
      expect(frames()[0]).to.include({ uuid: '1', code: 'internal' })
      expect(failed.firstCall.args[0]).to.equal(cause)
    })

    it('of one channel are done one after the other, of others side by side', async () => {
      const begun: string[] = []
      const done = new Map<string, () => void>()
      const request = (_socket: unknown, { id }: ChannelRequest) => {
        begun.push(id)
        return new Promise<ChannelAnswer>((resolve) => {
          done.set(id, () => resolve({}))
        })
      }
      const { client, frames } = makeSocket({ channels: { request } })
      client.send([
        subscribeTo('a', '1'),
        '{"rpc":"_unsubscribe","req":{"channel":"a"},"uuid":"2"}',
        subscribeTo('b', '3'),
      ])
      await settled()
      expect(begun).to.deep.equal(['1', '3'])
      done.get('1')?.()
      await settled()
      expect(begun).to.deep.equal(['1', '3', '2'])
      done.get('2')?.()
      await settled()
      expect((frames() as { uuid: string }[]).map(({ uuid }) => uuid)).to.deep.equal(['1', '2'])
    })
  })

  describe('#subscribe, #unsubscribe and #publish', () => {
    it('pass on to the server’s channels', async () => {
      const channels = {
        subscribe: sinon.stub().resolves(),
        unsubscribe: sinon.stub(),
        publish: sinon.stub().resolves({ id: '01' }),
      }
      const { socket } = makeSocket({ channels })
      await socket.subscribe('a')
      socket.unsubscribe('b')
      const options = { event: 'e' }
      expect(await socket.publish('c', 5, options)).to.deep.equal({ id: '01' })
      expect(channels.subscribe.args).to.deep.equal([[socket, 'a']])
      expect(channels.unsubscribe.args).to.deep.equal([[socket, 'b']])
      expect(channels.publish.args).to.deep.equal([['c', 5, options]])
    })
  })

  describe('#addChannel and #left', () => {
    it('keep the list of channels, and tell the client of the end', () => {
      const { socket, frames } = makeSocket()
      for (const channel of ['a', '__proto__', 'a']) socket.addChannel(channel)
      expect(socket.channels).to.deep.equal(['a', '__proto__'])
      socket.left('a')
      expect(socket.channels).to.deep.equal(['__proto__'])
      expect([socket.isOn('a'), socket.isOn('__proto__')]).to.deep.equal([false, true])
      expect(frames().at(-1)).to.deep.equal({
        internal: true,
        command: 'unsubscribe',
        data: { channel: 'a' },
      })
    })
  })

  describe('#grant', () => {
    it('takes nothing of claims that are too much', () => {
      const { socket } = makeSocket({ identity: { claims: readClaims({ uid: 'jim', channels: { a: {} } }) } })
      const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`b${index}`, {}]))
      const claims = readClaims({ uid: 'eve', channels: many }) as Claims
      expect((thrownBy(() => socket.grant('a', claims)) as RpcError).code).to.equal('bad_claims')
      expect(socket.identity('a')).to.deep.equal({ uid: 'jim' })
      expect(socket.grants.covers('b0')).to.equal(false)
    })
  })

  describe('#joined and #passed', () => {
    const position = { epoch: 'e', offset: 7 }

    it('tell the client where it is on a channel', () => {
      const { socket, frames } = makeSocket()
      socket.joined('a', { position, recovered: false, reason: 'trimmed' })
      socket.passed('a', position)
      expect(frames()).to.deep.equal([
        {
          internal: true,
          command: 'subscribe',
          data: { channel: 'a', ...position, recovered: false, reason: 'trimmed' },
        },
        { internal: true, command: 'position', data: { channel: 'a', ...position } },
      ])
    })

    it('tell it who it is there, if a token said so', () => {
      const { socket, frames } = makeSocket({ identity: { claims: readClaims({ uid: 'jim', umd: 1 }) } })
      socket.grant('a', { uid: undefined, umd: 2, channels: undefined })
      for (const channel of ['a', 'b']) socket.joined(channel, { position })
      expect(frames()).to.deep.equal([
        { internal: true, command: 'subscribe', data: { channel: 'a', uid: 'jim', umd: 2, ...position } },
        { internal: true, command: 'subscribe', data: { channel: 'b', ...position } },
      ])
    })

    it('spare the legacy client what it has passed', () => {
      const { socket, frames } = makeSocket({ identity: { counts: false } })
      socket.passed('a', position)
      expect(frames()).to.deep.equal([])
    })

    it('repeat no rpc and no uuid, which the old browser client would look up', () => {
      const { socket, frames } = makeSocket()
      socket.joined('a')
      socket.left('a')
      for (const frame of frames()) expect(frame).to.have.all.keys('internal', 'command', 'data')
    })
  })

  describe('#end', () => {
    it('closes with a code that lets the client come back', () => {
      const { socket, client } = makeSocket()
      socket.end()
      expect(client.closed).to.deep.equal({ code: 4001, reason: 'Closed by the server' })
      expect(socket.isClosed).to.equal(true)
    })

    it('closes with a code that keeps the client away', () => {
      const { socket, client } = makeSocket()
      socket.end({ reconnect: false })
      expect(client.closed?.code).to.equal(4502)
    })

    it('sends first what waits', () => {
      const { socket, connection } = makeSocket()
      socket.joined('a')
      socket.end()
      expect(connection.sent).to.have.length(1)
    })

    it('does nothing more when it is called again', () => {
      const { socket, client } = makeSocket()
      socket.end()
      socket.end({ reconnect: false })
      expect(client.closed?.code).to.equal(4001)
    })
  })

  describe('#disconnected', () => {
    it('closes the socket, once, and tells its channels', () => {
      const forget = sinon.spy()
      const { socket, client } = makeSocket({ channels: { forget } })
      socket.addChannel('a')
      client.close(1006, '')
      socket.disconnected(1006)
      expect(socket.isClosed).to.equal(true)
      expect(socket.channels).to.deep.equal([])
      expect(forget.args.map(([gone, code]) => [gone, code])).to.deep.equal([[socket, 1006]])
    })

    it('lets the channels be read while it tells of the end', () => {
      const seen: string[][] = []
      const { socket, client } = makeSocket({ channels: { forget: ({ channels }) => seen.push(channels) } })
      socket.addChannel('a')
      client.close(1006, '')
      expect(seen).to.deep.equal([['a']])
    })

    it('sends nothing from then on', () => {
      const { socket, client, frames } = makeSocket()
      client.close(1006, '')
      socket.joined('a')
      socket.deliver('{}')
      expect(frames()).to.deep.equal([])
    })
  })
})
