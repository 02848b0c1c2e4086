import { RpcError, type TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import sinon from 'sinon'
import { turn, until } from './waiting.js'
import { World } from './world.js'

/** What a program without types may give in the place of a text, a function or an object. */
const WRONG = [undefined, null, 5, true, {}, [], Symbol('wrong'), () => {}]

const withoutTypes = (socket: TokenSocket) =>
  socket as unknown as Record<string, (...args: unknown[]) => unknown>

/** By what is wrong: the call, and the code of its error. */
const NAMES: Readonly<Record<string, (socket: TokenSocket, name: unknown) => unknown>> = {
  'rpc: name': (socket, name) => withoutTypes(socket).rpc?.(name),
  'subscribe: channel': (socket, name) => withoutTypes(socket).subscribe?.(name),
  'unsubscribe: channel': (socket, name) => withoutTypes(socket).unsubscribe?.(name),
  'publish: channel': (socket, name) => withoutTypes(socket).publish?.(name, 1),
  'history: channel': (socket, name) => withoutTypes(socket).history?.(name),
  'channel: name': (socket, name) => withoutTypes(socket).channel?.(name),
}

const VALUES: Readonly<
  Record<string, [wrong: readonly unknown[], call: (typeof NAMES)[string], code?: string]>
> = {
  'publish: event': [[5, true, {}, []], (socket, event) => withoutTypes(socket).publish?.('a', 1, { event })],
  'publish: idempotencyKey': [
    [5, true, {}, []],
    (socket, idempotencyKey) => withoutTypes(socket).publish?.('a', 1, { idempotencyKey }),
  ],
  'bind: event': [[undefined, null, 5, {}], (socket, event) => withoutTypes(socket).bind?.(event, () => {})],
  'bind: handler': [[undefined, null, 5, {}, 'a'], (socket, it) => withoutTypes(socket).bind?.('e', it)],
  'bind: channel': [
    [null, 5, {}],
    (socket, channel) => withoutTypes(socket).bind?.('e', () => {}, { channel }),
  ],
  'Channel#bind: handler': [
    [undefined, null, 5, {}, 'a'],
    (socket, handler) => socket.channel('a').bind('e', handler as never),
  ],
  'Channel#send: event': [[5, {}], (socket, event) => socket.channel('a').send(event as never)],
  'channel: token': [
    [5, {}, 'a'],
    (socket, token) => socket.channel('a', { token: token as never }),
    'bad_option',
  ],
  onreconnect: [[undefined, 5, {}], (socket, listener) => withoutTypes(socket).onreconnect?.(listener)],
  onmessage: [[undefined, 5, {}], (socket, listener) => withoutTypes(socket).onmessage?.(listener)],
  register: [[undefined, 5, 'a'], (socket, actions) => withoutTypes(socket).register?.(actions)],
  sendRaw: [[undefined, null, 5, {}], (socket, text) => withoutTypes(socket).sendRaw?.(text)],
  'ready: options': [
    [500, '500', true],
    (socket, options) => withoutTypes(socket).ready?.(options),
    'bad_option',
  ],
  'ready: timeout': [
    ['500', -1, Number.NaN, {}, true],
    (socket, timeout) => withoutTypes(socket).ready?.({ timeout }),
    'bad_option',
  ],
  'rpc: timeout': [
    [null, '5', {}, -1, Number.NaN],
    (socket, timeout) => withoutTypes(socket).rpc?.('echo', 1, { timeout }),
    'bad_option',
  ],
  'rpc: options': [
    [new AbortController().signal, AbortSignal.abort()],
    (socket, options) => withoutTypes(socket).rpc?.('echo', 1, options),
    'bad_option',
  ],
  'rpc: signal': [
    [5, {}, 'a'],
    (socket, signal) => withoutTypes(socket).rpc?.('echo', 1, { signal }),
    'bad_option',
  ],
}

/** How a call failed: by throwing, or by rejecting. */
async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return error
  }
  return undefined
}

describe('TokenSocket with arguments of a wrong type', () => {
  let world: World
  const uncaught = sinon.spy()

  beforeEach(async () => {
    world = await World.create()
    uncaught.resetHistory()
    process.on('unhandledRejection', uncaught)
  })

  afterEach(async () => {
    await world.close()
    process.removeListener('unhandledRejection', uncaught)
  })

  for (const isReady of [true, false]) {
    const when = isReady ? 'when it is ready' : 'while it is away'
    const open = async () => (isReady ? world.openReady() : world.open())

    for (const [title, call] of Object.entries(NAMES)) {
      it(`refuses ${title} with bad_message ${when}`, async () => {
        const socket = await open()
        for (const wrong of [...WRONG, '']) {
          const error = await failureOf(() => call(socket, wrong))
          expect(RpcError.is(error) && error.code, String(wrong)).to.equal('bad_message')
        }
        expect(socket.channels()).to.deep.equal([])
      })
    }

    for (const [title, [wrongs, call, code = 'bad_message']] of Object.entries(VALUES)) {
      it(`refuses ${title} with ${code} ${when}`, async () => {
        const socket = await open()
        for (const wrong of wrongs) {
          const error = await failureOf(() => call(socket, wrong))
          expect(RpcError.is(error) && error.code, String(wrong)).to.equal(code)
        }
        await turn()
        expect(uncaught.called).to.equal(false)
      })
    }
  }

  it('takes null in the place of options and callbacks', async () => {
    const socket = await world.openReady()
    const methods = withoutTypes(socket)
    expect(await methods.rpc?.('echo', 1, null)).to.equal(1)
    await methods.subscribe?.('a', null)
    methods.channel?.('a', null)
    methods.bind?.('e', () => {}, null)
    methods.unbind?.('e', null)
    await methods.end?.(null)
  })

  it('leaves what is no function out of the callbacks', async () => {
    const socket = await world.openReady()
    for (const callback of [5, {}, 'a']) await withoutTypes(socket).end?.(callback)
    await turn()
    expect(uncaught.called).to.equal(false)
  })

  it('asks for the history of the channel that it was given, whatever the query holds', async () => {
    const socket = await world.openReady()
    void withoutTypes(socket).history?.('a', { channel: 'b', id: 'x', type: 'publish' })
    const sent = () => world.server.peer.frames.join('\n')
    await until(() => sent().includes('"_history"'))
    expect(sent()).to.contain('"a"').and.not.contain('"b"')
  })
})
