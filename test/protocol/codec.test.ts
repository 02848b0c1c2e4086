import {
  type ClientMessage,
  decodeClientMessage,
  decodeData,
  decodeServerMessage,
  encodeClientMessage,
  encodeData,
  encodePublication,
  encodeServerMessage,
  RpcError,
  type ServerMessage,
} from '@token-socket/protocol'
import { expect } from 'chai'
import { thrownBy } from './rejection.js'

const ULID = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
const LATER = '7ZZZZZZZZZZZZZZZZZZZZZZZZZ'

/** What is on the wire, and what it means: each row holds in both directions. */
const clientRows: readonly (readonly [wire: string, message: ClientMessage])[] = [
  ['{"rpc":"auth","version":1,"uuid":"1"}', { type: 'auth', id: '1', version: 1 }],
  ['{"rpc":"auth","token":"T","version":1,"uuid":"1"}', { type: 'auth', id: '1', token: 'T', version: 1 }],
  [
    '{"rpc":"auth","token":"T","version":1,"can":["cancel"],"uuid":"1"}',
    { type: 'auth', id: '1', token: 'T', version: 1, can: ['cancel'] },
  ],
  [
    '{"rpc":"a","req":1,"uuid":"1","timeout":5000}',
    { type: 'call', id: '1', name: 'a', data: 1, timeout: 5000 },
  ],
  ['{"rpc":"_cancel","req":{"uuid":"1","reason":"aborted"}}', { type: 'cancel', id: '1', reason: 'aborted' }],
  ['{"rpc":"_cancel","req":{"uuid":"1","reason":"timeout"}}', { type: 'cancel', id: '1', reason: 'timeout' }],
  ['{"rpc":"auth","token":"T","uuid":"aZ09"}', { type: 'auth', id: 'aZ09', token: 'T', version: undefined }],
  ['{"rpc":"a.b","req":{"c":[1]},"uuid":"1"}', { type: 'call', id: '1', name: 'a.b', data: { c: [1] } }],
  ['{"rpc":"a","req":null,"uuid":"1"}', { type: 'call', id: '1', name: 'a', data: null }],
  ['{"rpc":"a","uuid":"1"}', { type: 'call', id: '1', name: 'a', data: undefined }],
  ['{"rpc":"_unknown","uuid":"1"}', { type: 'call', id: '1', name: '_unknown', data: undefined }],
  ['{"rpc":"__proto__","uuid":"1"}', { type: 'call', id: '1', name: '__proto__', data: undefined }],
  ['{"rpc":"_subscribe","req":{"channel":"c"},"uuid":"1"}', { type: 'subscribe', id: '1', channel: 'c' }],
  ['{"rpc":"_unsubscribe","req":{"channel":"c"},"uuid":"1"}', { type: 'unsubscribe', id: '1', channel: 'c' }],
  [
    '{"rpc":"_publish","req":{"channel":"c","data":"d"},"uuid":"1"}',
    { type: 'publish', id: '1', channel: 'c', data: 'd' },
  ],
  [
    '{"rpc":"_publish","req":{"channel":"__proto__"},"uuid":"1"}',
    { type: 'publish', id: '1', channel: '__proto__', data: undefined },
  ],
  [
    '{"rpc":"_subscribe","req":{"channel":"c","epoch":"e","offset":0},"uuid":"1"}',
    { type: 'subscribe', id: '1', channel: 'c', from: { epoch: 'e', offset: 0 } },
  ],
  [
    '{"rpc":"_subscribe","req":{"channel":"c","proof":"p","epoch":"e","offset":5},"uuid":"1"}',
    { type: 'subscribe', id: '1', channel: 'c', from: { epoch: 'e', offset: 5 }, proof: 'p' },
  ],
  [
    '{"rpc":"_subscribe","req":{"channel":"c","token":"T"},"uuid":"1"}',
    { type: 'subscribe', id: '1', channel: 'c', token: 'T' },
  ],
  [
    '{"rpc":"_publish","req":{"channel":"c","data":"d","event":"chat","key":"k"},"uuid":"1"}',
    { type: 'publish', id: '1', channel: 'c', data: 'd', event: 'chat', key: 'k' },
  ],
  [
    '{"rpc":"_history","req":{"channel":"c","limit":100,"reverse":false},"uuid":"1"}',
    { type: 'history', id: '1', channel: 'c', limit: 100, reverse: false },
  ],
  [
    `{"rpc":"_history","req":{"channel":"c","after":"${ULID}","before":"${LATER}","limit":1,"reverse":true},"uuid":"1"}`,
    { type: 'history', id: '1', channel: 'c', after: ULID, before: LATER, limit: 1, reverse: true },
  ],
  ['{"rpc":"_broadcast","req":{"data":0},"uuid":"1"}', { type: 'broadcast', id: '1', data: 0 }],
  ['{"rpc":"_broadcast","req":{},"uuid":"1"}', { type: 'broadcast', id: '1', data: undefined }],
  ['{"rpc":"_ping","req":{},"uuid":"1"}', { type: 'ping', id: '1' }],
  ['{"rpc":"_rpc","fid":"1","resp":{"data":[true]}}', { type: 'result', id: '1', outcome: { data: [true] } }],
  ['{"rpc":"_rpc","fid":"1","resp":{}}', { type: 'result', id: '1', outcome: { data: undefined } }],
  [
    '{"rpc":"_rpc","fid":"1","resp":{"error":"E"}}',
    { type: 'result', id: '1', outcome: { error: 'E', code: undefined } },
  ],
  [
    '{"rpc":"_rpc","fid":"1","resp":{"error":{"message":"E"},"code":"mine"}}',
    { type: 'result', id: '1', outcome: { error: { message: 'E' }, code: 'mine' } },
  ],
]

const serverRows: readonly (readonly [wire: string, message: ServerMessage])[] = [
  [
    '{"rpc":"auth","uuid":"1","resp":"success","version":1,"sid":"s","can":["cancel"]}',
    {
      type: 'answer',
      id: '1',
      rpc: 'auth',
      outcome: { data: 'success' },
      session: { version: 1, sid: 's', can: ['cancel'] },
    },
  ],
  [
    '{"internal":true,"command":"cancel","data":{"fid":"1","reason":"timeout"}}',
    { type: 'withdraw', id: '1', reason: 'timeout' },
  ],
  [
    '{"rpc":"a.b","uuid":"1","resp":{"c":[1]}}',
    { type: 'answer', id: '1', rpc: 'a.b', outcome: { data: { c: [1] } } },
  ],
  ['{"rpc":"a","uuid":"1","resp":null}', { type: 'answer', id: '1', rpc: 'a', outcome: { data: null } }],
  ['{"rpc":"a","uuid":"1"}', { type: 'answer', id: '1', rpc: 'a', outcome: { data: undefined } }],
  [
    '{"rpc":"a","uuid":"1","error":"Forbidden","code":"forbidden"}',
    { type: 'answer', id: '1', rpc: 'a', outcome: { error: 'Forbidden', code: 'forbidden' } },
  ],
  [
    '{"rpc":"a","uuid":"1","error":{"message":"E","n":1}}',
    { type: 'answer', id: '1', rpc: 'a', outcome: { error: { message: 'E', n: 1 }, code: undefined } },
  ],
  [
    '{"rpc":"auth","uuid":"1","resp":"success","version":1,"sid":"s","heartbeat":25000}',
    {
      type: 'answer',
      id: '1',
      rpc: 'auth',
      outcome: { data: 'success' },
      session: { version: 1, sid: 's', heartbeat: 25_000 },
    },
  ],
  [
    '{"rpc":"auth","uuid":"1","resp":"success","version":1,"sid":"s","limits":{"message":9,"publication":5,"batch":10}}',
    {
      type: 'answer',
      id: '1',
      rpc: 'auth',
      outcome: { data: 'success' },
      session: { version: 1, sid: 's', limits: { message: 9, publication: 5, batch: 10 } },
    },
  ],
  [
    '{"rpc":"auth","uuid":"1","resp":"success","version":1,"sid":"s"}',
    {
      type: 'answer',
      id: '1',
      rpc: 'auth',
      outcome: { data: 'success' },
      session: { version: 1, sid: 's' },
    },
  ],
  [
    '{"rpc":"auth","uuid":"1","resp":"success","version":1,"sid":"s","uid":"u","umd":{"n":1}}',
    {
      type: 'answer',
      id: '1',
      rpc: 'auth',
      outcome: { data: 'success' },
      session: { version: 1, sid: 's', uid: 'u', umd: { n: 1 } },
    },
  ],
  [
    '{"rpc":"auth","uuid":"1","resp":"success"}',
    { type: 'answer', id: '1', rpc: 'auth', outcome: { data: 'success' } },
  ],
  [
    '{"internal":true,"command":"rpc","data":{"fid":"1","command":"a.b","args":[1]}}',
    { type: 'invoke', id: '1', name: 'a.b', data: [1], timeout: undefined },
  ],
  [
    '{"internal":true,"command":"rpc","data":{"fid":"1","command":"a","args":1,"timeout":60000}}',
    { type: 'invoke', id: '1', name: 'a', data: 1, timeout: 60_000 },
  ],
  [
    '{"internal":true,"command":"rpc","data":{"fid":"1","command":"a"}}',
    { type: 'invoke', id: '1', name: 'a', data: undefined, timeout: undefined },
  ],
  ['{"internal":true,"command":"subscribe","data":{"channel":"c"}}', { type: 'subscribed', channel: 'c' }],
  [
    '{"internal":true,"command":"unsubscribe","data":{"channel":"c"}}',
    { type: 'unsubscribed', channel: 'c' },
  ],
  [
    '{"internal":true,"command":"subscribe","data":{"channel":"c","epoch":"e","offset":7}}',
    { type: 'subscribed', channel: 'c', position: { epoch: 'e', offset: 7 } },
  ],
  [
    '{"internal":true,"command":"subscribe","data":{"channel":"c","epoch":"e","offset":7,"proof":"p"}}',
    { type: 'subscribed', channel: 'c', position: { epoch: 'e', offset: 7 }, proof: 'p' },
  ],
  [
    '{"internal":true,"command":"subscribe","data":{"channel":"c","epoch":"e","offset":7,"recovered":true}}',
    { type: 'subscribed', channel: 'c', position: { epoch: 'e', offset: 7 }, recovered: true },
  ],
  [
    '{"internal":true,"command":"subscribe","data":{"channel":"c","recovered":false,"reason":"no_history"}}',
    { type: 'subscribed', channel: 'c', recovered: false, reason: 'no_history' },
  ],
  [
    '{"internal":true,"command":"subscribe","data":{"channel":"c","uid":"u","umd":[1],"members":[{"uid":"u"}]}}',
    { type: 'subscribed', channel: 'c', uid: 'u', umd: [1], members: [{ uid: 'u' }] },
  ],
  [
    '{"internal":true,"command":"presence","data":{"channel":"c","change":"joined","uid":"u","umd":{"n":1}}}',
    { type: 'presence', channel: 'c', change: 'joined', uid: 'u', umd: { n: 1 } },
  ],
  [
    '{"internal":true,"command":"presence","data":{"channel":"c","change":"left","uid":"u"}}',
    { type: 'presence', channel: 'c', change: 'left', uid: 'u' },
  ],
  [
    '{"internal":true,"command":"position","data":{"channel":"c","epoch":"e","offset":7}}',
    { type: 'position', channel: 'c', epoch: 'e', offset: 7 },
  ],
  [`{"channel":"c","message":1,"id":"${ULID}"}`, { type: 'publication', channel: 'c', data: 1, id: ULID }],
  [
    `{"channel":"c","message":1,"id":"${ULID}","event":"chat","epoch":"e","offset":1,"meta":{"uid":"u","umd":[1]}}`,
    {
      type: 'publication',
      channel: 'c',
      data: 1,
      id: ULID,
      event: 'chat',
      epoch: 'e',
      offset: 1,
      meta: { uid: 'u', umd: [1] },
    },
  ],
  ['{"channel":"c","message":{"d":1}}', { type: 'publication', channel: 'c', data: { d: 1 } }],
  ['{"channel":"c","message":null}', { type: 'publication', channel: 'c', data: null }],
  ['{"error":"E"}', { type: 'error', error: { error: 'E', code: undefined } }],
  ['{"error":"E","code":"c"}', { type: 'error', error: { error: 'E', code: 'c' } }],
]

/** The legacy pair's frames that are written differently from ours. */
const legacyClientRows: readonly (readonly [title: string, wire: string, message: ClientMessage])[] = [
  [
    'other order of fields',
    '{"uuid":"1","req":{"data":1,"channel":"c"},"rpc":"_publish"}',
    { type: 'publish', id: '1', channel: 'c', data: 1 },
  ],
  [
    'a request for history that says nothing of how much',
    '{"rpc":"_history","req":{"channel":"c"},"uuid":"1"}',
    { type: 'history', id: '1', channel: 'c', limit: 100, reverse: false },
  ],
  ['a ping without `req`', '{"rpc":"_ping","uuid":"1"}', { type: 'ping', id: '1' }],
  [
    'a result with an empty error',
    '{"rpc":"_rpc","fid":"1","resp":{"error":null,"data":1}}',
    { type: 'result', id: '1', outcome: { data: 1 } },
  ],
  [
    'fields that mean nothing',
    '{"rpc":"a","req":1,"uuid":"1","then":2,"constructor":3}',
    { type: 'call', id: '1', name: 'a', data: 1 },
  ],
]

const legacyServerRows: readonly (readonly [title: string, wire: string, message: ServerMessage])[] = [
  [
    'the answer to `auth`, which repeats the request’s token and version',
    '{"rpc":"auth","token":"T","uuid":"1","version":1,"resp":"success"}',
    { type: 'answer', id: '1', rpc: 'auth', outcome: { data: 'success' } },
  ],
  [
    'the answer to `auth` with an id and no version, as the first version',
    '{"rpc":"auth","uuid":"1","resp":"success","sid":"s"}',
    {
      type: 'answer',
      id: '1',
      rpc: 'auth',
      outcome: { data: 'success' },
      session: { version: 1, sid: 's' },
    },
  ],
  [
    'the refusal of a token',
    '{"rpc":"auth","token":"T","uuid":"1","version":1,"error":"Token not found"}',
    { type: 'answer', id: '1', rpc: 'auth', outcome: { error: 'Token not found', code: undefined } },
  ],
  [
    'a call before `auth`, which repeats the request',
    '{"rpc":"a","req":{"b":1},"uuid":"1","error":"Forbidden"}',
    { type: 'answer', id: '1', rpc: 'a', outcome: { error: 'Forbidden', code: undefined } },
  ],
  [
    'an answer with an empty error',
    '{"rpc":"a","uuid":"1","error":null,"resp":2}',
    { type: 'answer', id: '1', rpc: 'a', outcome: { data: 2 } },
  ],
  [
    'a publication with fields that mean nothing',
    '{"channel":"c","message":1,"type":"answer","data":2,"__proto__":{"id":3}}',
    { type: 'publication', channel: 'c', data: 1 },
  ],
  [
    'a notice that counts for recovered only if it says so',
    '{"internal":true,"command":"subscribe","data":{"channel":"c","recovered":"true","reason":5}}',
    { type: 'subscribed', channel: 'c', recovered: false },
  ],
  ['a publication without data', '{"channel":"c"}', { type: 'publication', channel: 'c', data: null }],
  [
    'what it says to a frame that is not JSON',
    '{"error":"Invalid message"}',
    { type: 'error', error: { error: 'Invalid message', code: undefined } },
  ],
  [
    'a session’s fields on an answer to anything else than `auth`',
    '{"rpc":"a","uuid":"1","resp":1,"version":1,"sid":"s"}',
    { type: 'answer', id: '1', rpc: 'a', outcome: { data: 1 } },
  ],
]

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}
describe('codec', () => {
  describe('#encodeClientMessage and #decodeClientMessage', () => {
    for (const [wire, message] of clientRows) {
      it(`encodes ${wire}`, () => expect(encodeClientMessage(message)).to.equal(wire))
      it(`decodes ${wire}`, () => expect(decodeClientMessage(wire)).to.deep.equal(message))
    }
  })

  describe('#encodeServerMessage and #decodeServerMessage', () => {
    for (const [wire, message] of serverRows) {
      it(`encodes ${wire}`, () => expect(encodeServerMessage(message)).to.equal(wire))
      it(`decodes ${wire}`, () => expect(decodeServerMessage(wire)).to.deep.equal(message))
    }
  })

  describe('#encodeClientMessage', () => {
    it('throws unserializable for circular data', () => {
      const data: unknown[] = []
      data.push(data)
      const error = thrownBy(() => encodeClientMessage({ type: 'call', id: '1', name: 'a', data }))
      expect(error).to.be.instanceOf(RpcError).with.property('code', 'unserializable')
    })

    for (const error of ['', null, undefined, 0, false]) {
      it(`sends a result whose error is ${show(error)} as an error`, () => {
        const message: ClientMessage = { type: 'result', id: '1', outcome: { error, code: 'c' } }
        expect(decodeClientMessage(encodeClientMessage(message))).to.deep.equal({
          ...message,
          outcome: { error: 'The call was answered with an error', code: 'c' },
        })
      })
    }
  })

  describe('#encodeServerMessage', () => {
    it('throws unserializable for a BigInt', () => {
      const error = thrownBy(() => encodeServerMessage({ type: 'publication', channel: 'c', data: 1n }))
      expect(error).to.be.instanceOf(RpcError).with.property('code', 'unserializable')
    })

    for (const error of ['', null, undefined, 0, false]) {
      it(`sends an answer whose error is ${show(error)} as an error, which clients know by its being truthy`, () => {
        const message: ServerMessage = { type: 'answer', id: '1', rpc: 'a', outcome: { error, code: 'c' } }
        expect(decodeServerMessage(encodeServerMessage(message))).to.deep.equal({
          ...message,
          outcome: { error: 'The call was answered with an error', code: 'c' },
        })
      })
    }
  })

  describe('#encodePublication', () => {
    for (const data of [{ d: [1, 'é"\\'] }, null, 'text', undefined]) {
      it(`sends ${show(data)} as #encodeServerMessage does`, () => {
        const channel = 'a "quoted" \\ channel'
        const once = encodePublication({ channel, json: encodeData(data) })
        expect(once).to.equal(encodeServerMessage({ type: 'publication', channel, data: data ?? null }))
        expect(decodeServerMessage(once)).to.deep.equal({ type: 'publication', channel, data: data ?? null })
      })
    }
  })

  describe('#encodePublication with all that a publication may have', () => {
    it('sends it as #encodeServerMessage does', () => {
      const known = { id: ULID, event: 'a "quoted" \\ event', epoch: 'e"', offset: 7 }
      const meta = { uid: 'u', umd: { name: 'Ann' } }
      const channel = 'c'
      const once = encodePublication({ channel, json: '{"d":1}', ...known, meta: encodeData(meta) })
      const message: ServerMessage = { type: 'publication', channel, data: { d: 1 }, ...known, meta }
      expect(once).to.equal(encodeServerMessage(message))
      expect(decodeServerMessage(once)).to.deep.equal(message)
    })

    it('leaves out a place that is not known, as engines say it', () => {
      expect(
        encodePublication({ channel: 'c', json: '1', id: ULID, event: undefined, meta: undefined }),
      ).to.equal(`{"channel":"c","message":1,"id":"${ULID}"}`)
    })
  })

  describe('#encodeData', () => {
    for (const [title, data, json] of [
      ['an object', { a: [1, 'b', null, true] }, '{"a":[1,"b",null,true]}'],
      ['undefined', undefined, 'null'],
      ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
      ['a line break', 'a\nb', '"a\\nb"'],
      ['half of a surrogate pair', '\ud800', '"\\ud800"'],
    ] as const) {
      it(`gives ${json} for ${title}`, () => expect(encodeData(data)).to.equal(json))
    }

    const circular: { self?: unknown } = {}
    circular.self = circular
    const failing = {
      toJSON() {
        throw new Error('no JSON')
      },
    }
    const deep = decodeData('['.repeat(100_000) + ']'.repeat(100_000))
    for (const [title, data] of [
      ['a circular value', circular],
      ['a BigInt', { n: 1n }],
      ['a function', () => 1],
      ['a symbol', Symbol('s')],
      ['a toJSON that throws', failing],
      ['a value too deep for the stack', deep],
    ] as const) {
      it(`throws unserializable for ${title}, with what led to it as cause`, () => {
        const error = thrownBy(() => encodeData(data))
        expect(error).to.be.instanceOf(RpcError).with.property('code', 'unserializable')
        expect((error as Error).cause).to.be.instanceOf(Error)
      })
    }
  })

  describe('#decodeData', () => {
    it('gives the value', () => expect(decodeData('{"a":[1,null]}')).to.deep.equal({ a: [1, null] }))

    for (const text of ['', '{', 'undefined', "{'a':1}"]) {
      it(`throws bad_message for ${JSON.stringify(text)}`, () => {
        const error = thrownBy(() => decodeData(text))
        expect(error).to.be.instanceOf(RpcError).with.property('code', 'bad_message')
      })
    }
  })

  describe('#decodeClientMessage', () => {
    for (const [title, wire, message] of legacyClientRows) {
      it(`decodes ${title}`, () => expect(decodeClientMessage(wire)).to.deep.equal(message))
    }
  })

  describe('#decodeServerMessage', () => {
    for (const [title, wire, message] of legacyServerRows) {
      it(`decodes ${title}`, () => expect(decodeServerMessage(wire)).to.deep.equal(message))
    }
  })
})
