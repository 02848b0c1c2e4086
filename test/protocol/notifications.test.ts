/** Calls without an id, which are not answered, and how their failures travel. */
import {
  type Capability,
  decodeClientMessage,
  decodeError,
  decodeServerMessage,
  encodeClientMessage,
  encodeData,
  encodeError,
  encodeServerMessage,
  FrameError,
  NAME_LIMITS,
  notificationError,
  RpcError,
  type WireError,
  wireError,
} from '@token-socket/protocol'
import { expect } from 'chai'
import { rejection, thrownBy } from './rejection.js'

const LEGACY: readonly (readonly Capability[])[] = [[], ['cancel']]

function frameError(frame: object, can?: readonly Capability[]): FrameError {
  const error = thrownBy(() => decodeClientMessage(encodeData(frame), can)) as unknown
  if (error instanceof FrameError) return error
  throw new Error('expected a FrameError', { cause: error })
}

describe('a notification', () => {
  for (const data of [undefined, null, 0, '', { a: [1] }]) {
    it(`of a client with ${encodeData(data)} is a call without an id`, () => {
      const text = encodeClientMessage({ type: 'call', name: 'a.b', data })
      expect(decodeClientMessage(text)).to.deep.equal({ type: 'call', name: 'a.b', data })
      expect(JSON.parse(text)).to.have.all.keys(data === undefined ? ['rpc'] : ['rpc', 'req'])
    })

    it(`of a server with ${encodeData(data)} is a call without an id`, () => {
      const text = encodeServerMessage({ type: 'invoke', name: 'a.b', data })
      const { id, timeout, ...message } = decodeServerMessage(text) as never as Record<string, unknown>
      expect(message).to.deep.equal({ type: 'invoke', name: 'a.b', data })
      expect([id, timeout]).to.deep.equal([undefined, undefined])
    })
  }

  for (const can of LEGACY) {
    it(`is wrong of a client that can [${can}]: it has no uuid`, () => {
      const { error, rpc, id } = frameError({ rpc: 'a.b', req: 1 }, can)
      expect([error.code, error.data, rpc, id]).to.deep.equal([
        'bad_message',
        { field: 'uuid' },
        undefined,
        undefined,
      ])
    })

    it(`cannot fail at a client that can [${can}]: its result has no fid`, () => {
      const { error } = frameError({ rpc: '_rpc', resp: { error: 'no' } }, can)
      expect([error.code, error.data]).to.deep.equal(['bad_message', { field: 'fid' }])
    })
  }

  for (const rpc of ['auth', '_subscribe', '_unsubscribe', '_publish', '_history', '_broadcast', '_ping']) {
    it(`is not what the wire itself calls ${rpc}`, () => {
      const { error, rpc: name } = frameError({ rpc, token: 'T', req: { channel: 'c' } })
      expect([error.data, name]).to.deep.equal([{ field: 'uuid' }, undefined])
    })
  }

  for (const rpc of [undefined, null, '', 5, ['a'], 'x'.repeat(NAME_LIMITS.name + 1)]) {
    it(`needs a name of a function, not ${encodeData(rpc).slice(0, 20)}`, () => {
      const { error, rpc: name, id } = frameError({ rpc, req: 1 })
      expect(error.data).to.have.property('field', 'rpc')
      expect([name, id]).to.deep.equal([undefined, undefined])
    })
  }

  it('that is too complex is known by its name, so that its failure can name it', () => {
    let deep: unknown = 1
    for (let depth = 0; depth < 200; depth += 1) deep = [deep]
    const { error, rpc, id } = frameError({ rpc: 'a.b', req: deep })
    expect([error.data, rpc, id]).to.deep.equal([{ field: 'message' }, 'a.b', undefined])
    for (const can of LEGACY)
      expect(frameError({ rpc: 'a.b', req: deep }, can)).to.have.property('rpc', undefined)
    expect(frameError({ rpc: 'x'.repeat(257), req: deep })).to.have.property('rpc', undefined)
  })

  it('that failed at a client comes as a result without an id', () => {
    const outcome = notificationError(wireError('not_found'), 'a.b')
    const text = encodeClientMessage({ type: 'result', outcome })
    expect(JSON.parse(text)).to.deep.equal({
      rpc: '_rpc',
      resp: { error: 'Function not found', code: 'not_found', about: { function: 'a.b' } },
    })
    expect(decodeClientMessage(text)).to.deep.equal({ type: 'result', outcome })
  })

  it('that succeeded has no result', () => {
    const { error } = frameError({ rpc: '_rpc', resp: { data: 1 } })
    expect(error.data).to.deep.equal({ field: 'fid' })
  })
})

describe('#notificationError', () => {
  /** What a function failed with, and the data of the error that the other end reports. */
  const GIVEN: readonly (readonly [title: string, outcome: WireError, code: string, data: object])[] = [
    ['an error of the library', wireError('not_found', { function: 'a.b' }), 'not_found', {}],
    ['a text', encodeError('Sold out'), 'application_error', {}],
    ['an RpcError', encodeError(new RpcError('sold_out', 'Sold out')), 'sold_out', {}],
    ['an RpcError with data', encodeError(new RpcError('x', 'X', { left: 0 })), 'x', { left: 0 }],
    ['data of that name', encodeError(new RpcError('x', 'X', { function: 'other' })), 'x', {}],
    ['data that is no object', encodeError(new RpcError('x', 'X', 5)), 'x', { data: 5 }],
    ['data that is null', encodeError(new RpcError('x', 'X', null)), 'x', { data: null }],
    ['data that is a list', encodeError(new RpcError('x', 'X', [1])), 'x', { data: [1] }],
    ['an object', encodeError({ status: 402 }), 'application_error', { status: 402 }],
    [
      'an Error',
      encodeError(Object.assign(new Error('no'), { status: 402 })),
      'application_error',
      { message: 'no', status: 402 },
    ],
    [
      'data with `__proto__`',
      encodeError(new RpcError('x', 'X', JSON.parse('{"__proto__":{"a":1}}'))),
      'x',
      JSON.parse('{"__proto__":{"a":1}}'),
    ],
  ]

  for (const [title, outcome, code, data] of GIVEN) {
    it(`of ${title} says whose failure it is, beside what it said`, () => {
      const text = encodeServerMessage({ type: 'error', error: notificationError(outcome, 'a.b') })
      const message = decodeServerMessage(text)
      if (message.type !== 'error') throw new Error('expected an error')
      const error = decodeError(message.error)
      expect(error.code).to.equal(code)
      expect(error.data).to.deep.equal({ ...data, function: 'a.b' })
      expect(error).not.to.have.property('a')
    })
  }

  it('leaves other errors as they are', async () => {
    expect(decodeError(encodeError(new RpcError('x', 'X', [1]))).data).to.deep.equal([1])
    const strange = decodeError({ error: { message: 'X' }, code: 'x', about: { a: 1 } })
    expect(strange.data).to.equal(undefined)
    expect((await rejection(Promise.reject(strange))).message).to.equal('X')
  })
})
