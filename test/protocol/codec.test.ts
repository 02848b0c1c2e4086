import {
  type ClientMessage,
  decodeClientMessage,
  decodeData,
  decodeServerMessage,
  encodeClientMessage,
  encodeData,
  encodePublication,
  encodeServerMessage,
  FrameError,
  NAME_LIMITS,
  RpcError,
  type ServerMessage,
} from '@token-socket/protocol'
import { expect } from 'chai'
import { Random } from './random.js'
import { thrownBy } from './rejection.js'

/** What is on the wire, and what it means: each row holds in both directions. */
const clientRows: readonly (readonly [wire: string, message: ClientMessage])[] = [
  ['{"rpc":"auth","token":"T","uuid":"1","version":1}', { type: 'auth', id: '1', token: 'T', version: 1 }],
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
    '{"rpc":"auth","uuid":"1","resp":"success"}',
    { type: 'answer', id: '1', rpc: 'auth', outcome: { data: 'success' } },
  ],
  [
    '{"internal":true,"command":"rpc","data":{"fid":"1","command":"a.b","args":[1]}}',
    { type: 'invoke', id: '1', name: 'a.b', data: [1] },
  ],
  [
    '{"internal":true,"command":"rpc","data":{"fid":"1","command":"a"}}',
    { type: 'invoke', id: '1', name: 'a', data: undefined },
  ],
  ['{"internal":true,"command":"subscribe","data":{"channel":"c"}}', { type: 'subscribed', channel: 'c' }],
  [
    '{"internal":true,"command":"unsubscribe","data":{"channel":"c"}}',
    { type: 'unsubscribed', channel: 'c' },
  ],
  ['{"channel":"c","message":{"d":1}}', { type: 'publication', channel: 'c', data: { d: 1 } }],
  ['{"channel":"c","message":null}', { type: 'publication', channel: 'c', data: null }],
  ['{"error":"E"}', { type: 'error', error: { error: 'E', code: undefined } }],
  ['{"error":"E","code":"c"}', { type: 'error', error: { error: 'E', code: 'c' } }],
]

/** The old pair's frames that are written differently from ours. */
const oldClientRows: readonly (readonly [title: string, wire: string, message: ClientMessage])[] = [
  [
    'other order of fields',
    '{"uuid":"1","req":{"data":1,"channel":"c"},"rpc":"_publish"}',
    { type: 'publish', id: '1', channel: 'c', data: 1 },
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

const oldServerRows: readonly (readonly [title: string, wire: string, message: ServerMessage])[] = [
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

type Path = readonly [field: string, ...inner: string[]]

/** A good frame of each kind, with the fields that it has to have. */
const clientFields: readonly (readonly [frame: object, texts: readonly Path[], objects: readonly Path[]])[] =
  [
    [{ rpc: 'auth', token: 'T', uuid: '1' }, [['token']], []],
    [{ rpc: 'a', uuid: '1' }, [['rpc']], []],
    [{ rpc: '_subscribe', req: { channel: 'c' }, uuid: '1' }, [['req', 'channel']], [['req']]],
    [{ rpc: '_unsubscribe', req: { channel: 'c' }, uuid: '1' }, [['req', 'channel']], [['req']]],
    [{ rpc: '_publish', req: { channel: 'c', data: 1 }, uuid: '1' }, [['req', 'channel']], [['req']]],
    [{ rpc: '_broadcast', req: { data: 1 }, uuid: '1' }, [], [['req']]],
    [{ rpc: '_rpc', fid: '1', resp: { data: 1 } }, [['fid']], [['resp']]],
  ]

const serverFields: typeof clientFields = [
  [
    { internal: true, command: 'rpc', data: { fid: '1', command: 'a' } },
    [
      ['data', 'fid'],
      ['data', 'command'],
    ],
    [['data']],
  ],
  [{ internal: true, command: 'subscribe', data: { channel: 'c' } }, [['data', 'channel']], [['data']]],
  [{ internal: true, command: 'unsubscribe', data: { channel: 'c' } }, [['data', 'channel']], [['data']]],
]

const notTexts: readonly unknown[] = [undefined, null, '', 0, 5, true, [], ['a'], {}]
const notObjects: readonly unknown[] = [undefined, null, '', 'text', 5, true, [], [{ channel: 'c' }]]
const notVersions: readonly unknown[] = [null, '', '1', 0, -1, 1.5, 1e300, true, [1], {}]

/** Frames that are no object, for both directions. */
const notFrames: readonly (readonly [title: string, input: unknown])[] = [
  ['an empty text', ''],
  ['malformed JSON', '{"rpc":"a"'],
  ['two messages in one', '{"rpc":"a","uuid":"1"}\n{"rpc":"a","uuid":"2"}'],
  ['a JSON array', '[{"rpc":"a","uuid":"1"}]'],
  ['a JSON null', 'null'],
  ['a JSON number', '5'],
  ['a JSON text', '"rpc"'],
  ['a JSON boolean', 'true'],
  ['an object, not its JSON', { rpc: 'a', uuid: '1' }],
  ['an array', ['{"rpc":"a","uuid":"1"}']],
  ['a number', 5],
  ['null', null],
  ['undefined', undefined],
  ['a String object', new String('{"rpc":"a","uuid":"1"}')],
  ['bytes', new TextEncoder().encode('{"rpc":"a","uuid":"1"}')],
]

function frameError(decode: (text: unknown) => unknown, text: unknown): FrameError {
  const error = thrownBy(() => decode(text))
  if (error instanceof FrameError) return error
  throw new Error('expected a FrameError', { cause: error })
}

/** The frame with one field, maybe of an inner object, set to another value; `undefined` leaves it out. */
function withField(frame: object, [field, ...inner]: Path, value: unknown): object {
  const [next, ...rest] = inner
  const old = (frame as Record<string, unknown>)[field]
  return { ...frame, [field]: next === undefined ? value : withField(old as object, [next, ...rest], value) }
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}

function describeBadFields(decode: (text: unknown) => unknown, table: typeof clientFields): void {
  for (const [frame, texts, objects] of table) {
    describe(`of ${JSON.stringify(frame)}`, () => {
      it('decodes the frame as it is', () => {
        expect(() => decode(JSON.stringify(frame))).not.to.throw()
      })
      const rows = [
        ...texts.flatMap((path) => notTexts.map((value) => [path, value] as const)),
        ...objects.flatMap((path) => notObjects.map((value) => [path, value] as const)),
      ]
      for (const [path, value] of rows) {
        it(`throws bad_message that names ${path.join('.')} when it is ${show(value)}`, () => {
          const { error } = frameError(decode, JSON.stringify(withField(frame, path, value)))
          expect(error.code).to.equal('bad_message')
          expect(error.data).to.deep.equal({ field: path.join('.') })
          expect(error.message).to.match(new RegExp(`^Invalid message: ${path.join('\\.')} `))
        })
      }
    })
  }
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
        const once = encodePublication(channel, encodeData(data))
        expect(once).to.equal(encodeServerMessage({ type: 'publication', channel, data: data ?? null }))
        expect(decodeServerMessage(once)).to.deep.equal({ type: 'publication', channel, data: data ?? null })
      })
    }
  })

  describe('#encodeData', () => {
    for (const [title, data, json] of [
      ['an object', { a: [1, 'b', null, true] }, '{"a":[1,"b",null,true]}'],
      ['undefined', undefined, 'null'],
      ['a function', () => 1, 'null'],
      ['a symbol', Symbol('s'), 'null'],
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
    for (const [title, wire, message] of oldClientRows) {
      it(`decodes ${title}`, () => expect(decodeClientMessage(wire)).to.deep.equal(message))
    }

    describe('with bad fields', () => {
      describeBadFields(decodeClientMessage, clientFields)

      for (const version of notVersions) {
        it(`throws bad_message that names version when it is ${show(version)}`, () => {
          const text = JSON.stringify({ rpc: 'auth', token: 'T', uuid: '1', version })
          const { error, rpc, id } = frameError(decodeClientMessage, text)
          expect([error.code, error.data, rpc, id]).to.deep.equal([
            'bad_message',
            { field: 'version' },
            'auth',
            '1',
          ])
        })
      }

      for (const rpc of ['auth', 'a.b', '_subscribe', '_unsubscribe', '_publish', '_broadcast', '_ping']) {
        for (const uuid of notTexts) {
          it(`throws bad_message that names uuid when it is ${show(uuid)} in ${rpc}; it cannot be answered`, () => {
            const text = JSON.stringify({ rpc, uuid, token: 'T', req: { channel: 'c' } })
            const error = frameError(decodeClientMessage, text)
            expect([error.error.code, error.error.data]).to.deep.equal(['bad_message', { field: 'uuid' }])
            expect([error.rpc, error.id]).to.deep.equal([undefined, undefined])
          })
        }
      }
    })

    describe('with fields that are too long', () => {
      for (const [frame, path, limit] of [
        [{ rpc: 'auth', token: 'T', uuid: '1' }, ['token'], NAME_LIMITS.token],
        [{ rpc: 'auth', token: 'T', uuid: '1' }, ['uuid'], NAME_LIMITS.id],
        [{ rpc: 'a', uuid: '1' }, ['rpc'], NAME_LIMITS.name],
        [{ rpc: 'a', uuid: '1' }, ['uuid'], NAME_LIMITS.id],
        [{ rpc: '_subscribe', req: {}, uuid: '1' }, ['req', 'channel'], NAME_LIMITS.channel],
        [{ rpc: '_unsubscribe', req: {}, uuid: '1' }, ['req', 'channel'], NAME_LIMITS.channel],
        [{ rpc: '_publish', req: {}, uuid: '1' }, ['req', 'channel'], NAME_LIMITS.channel],
        [{ rpc: '_rpc', fid: '1', resp: {} }, ['fid'], NAME_LIMITS.id],
      ] as const) {
        const at = `${path.join('.')} of ${frame.rpc}`
        it(`decodes ${at} when it is ${limit} long`, () => {
          const text = JSON.stringify(withField(frame, path, 'x'.repeat(limit)))
          expect(decodeClientMessage(text)).to.have.property('type')
        })

        it(`counts the UTF-16 code units of ${at}`, () => {
          const text = JSON.stringify(withField(frame, path, '😀'.repeat(limit / 2)))
          expect(decodeClientMessage(text)).to.have.property('type')
        })

        it(`throws too_long that names ${at} and the limit when it is longer`, () => {
          const text = JSON.stringify(withField(frame, path, 'x'.repeat(limit + 1)))
          const { error } = frameError(decodeClientMessage, text)
          expect([error.code, error.data]).to.deep.equal(['too_long', { field: path.join('.'), limit }])
        })
      }
    })

    describe('keeps on the FrameError what it takes to answer', () => {
      const long = 'x'.repeat(NAME_LIMITS.name + 1)
      for (const [title, frame, rpc, id] of [
        ['rpc and id of a request that is wrong otherwise', { rpc: '_publish', uuid: '1' }, '_publish', '1'],
        ['rpc and id of an auth without a token', { rpc: 'auth', uuid: '1' }, 'auth', '1'],
        ['the whole of an over-long rpc, which the old client looks up', { rpc: long, uuid: '1' }, long, '1'],
        ['the id alone when rpc is missing', { uuid: '1' }, undefined, '1'],
        ['the id alone when rpc is not a text', { rpc: ['a'], uuid: '1' }, undefined, '1'],
        ['neither when the id is over-long', { rpc: 'a', uuid: 'x'.repeat(65) }, undefined, undefined],
        ['neither when the id is no text', { rpc: 'auth', uuid: 1 }, undefined, undefined],
        ['neither for a result, which nobody answers', { rpc: '_rpc', uuid: '1' }, undefined, undefined],
        ['neither for an empty object', {}, undefined, undefined],
      ] as const) {
        it(title, () => {
          const error = frameError(decodeClientMessage, JSON.stringify(frame))
          expect([error.rpc, error.id]).to.deep.equal([rpc, id])
        })
      }
    })

    describe('ignores what objects inherit', () => {
      it('a `__proto__` key in the frame gives it no fields', () => {
        const text = '{"__proto__":{"rpc":"a","uuid":"1"},"uuid":"1"}'
        const error = frameError(decodeClientMessage, text)
        expect(error.error.data).to.deep.equal({ field: 'rpc' })
      })

      it('a `__proto__` key in `req` gives it no channel', () => {
        const text = '{"rpc":"_subscribe","req":{"__proto__":{"channel":"c"}},"uuid":"1"}'
        expect(frameError(decodeClientMessage, text).error.data).to.deep.equal({ field: 'req.channel' })
      })

      it('a `__proto__` key in `resp` makes no error', () => {
        const text = '{"rpc":"_rpc","fid":"1","resp":{"__proto__":{"error":"E"},"data":1}}'
        expect(decodeClientMessage(text)).to.deep.equal({ type: 'result', id: '1', outcome: { data: 1 } })
      })

      it('a `__proto__` key in the data stays data, and pollutes nothing', () => {
        const message = decodeClientMessage('{"rpc":"a","req":{"__proto__":{"polluted":1}},"uuid":"1"}')
        const data = message.type === 'call' ? (message.data as object) : {}
        expect(Object.keys(data)).to.deep.equal(['__proto__'])
        expect(Object.getPrototypeOf(data)).to.equal(Object.prototype)
        expect({}).not.to.have.property('polluted')
      })
    })

    describe('throws bad_message that names the message for', () => {
      for (const [title, input] of notFrames) {
        it(title, () => {
          const { error, rpc, id } = frameError(decodeClientMessage, input)
          expect([error.code, error.data]).to.deep.equal(['bad_message', { field: 'message' }])
          expect([rpc, id]).to.deep.equal([undefined, undefined])
        })
      }
    })
  })

  describe('#decodeServerMessage', () => {
    for (const [title, wire, message] of oldServerRows) {
      it(`decodes ${title}`, () => expect(decodeServerMessage(wire)).to.deep.equal(message))
    }

    describe('with bad fields', () => {
      describeBadFields(decodeServerMessage, serverFields)

      for (const command of [...notTexts, 'unsubscribeAll', '__proto__', 'toString']) {
        it(`throws bad_message that names command when it is ${show(command)}`, () => {
          const text = JSON.stringify({ internal: true, command, data: { channel: 'c' } })
          const { error } = frameError(decodeServerMessage, text)
          expect([error.code, error.data]).to.deep.equal(['bad_message', { field: 'command' }])
        })
      }

      for (const version of notVersions) {
        it(`throws bad_message that names version when it is ${show(version)}`, () => {
          const text = JSON.stringify({ rpc: 'auth', uuid: '1', resp: 'success', version, sid: 's' })
          const { error } = frameError(decodeServerMessage, text)
          expect([error.code, error.data]).to.deep.equal(['bad_message', { field: 'version' }])
        })
      }

      for (const sid of notTexts.slice(1)) {
        it(`throws bad_message that names sid when it is ${show(sid)}`, () => {
          const text = JSON.stringify({ rpc: 'auth', uuid: '1', resp: 'success', version: 1, sid })
          const { error } = frameError(decodeServerMessage, text)
          expect([error.code, error.data]).to.deep.equal(['bad_message', { field: 'sid' }])
        })
      }
    })

    describe('throws bad_message for an object that is no message:', () => {
      for (const text of [
        '{}',
        '{"internal":1,"command":"subscribe","data":{"channel":"c"}}',
        '{"rpc":"a"}',
        '{"uuid":"1"}',
        '{"rpc":1,"uuid":"1"}',
        '{"rpc":"a","uuid":1}',
        '{"channel":5,"message":1}',
        '{"message":1}',
        '{"__proto__":{"channel":"c"}}',
      ]) {
        it(text, () => {
          const { error } = frameError(decodeServerMessage, text)
          expect([error.code, error.data]).to.deep.equal([
            'bad_message',
            { field: 'internal, rpc, channel or error' },
          ])
        })
      }
    })

    describe('throws bad_message that names the message for', () => {
      for (const [title, input] of notFrames) {
        it(title, () => {
          const { error } = frameError(decodeServerMessage, input)
          expect([error.code, error.data]).to.deep.equal(['bad_message', { field: 'message' }])
        })
      }
    })
  })

  describe('FrameError', () => {
    it('is an Error that says what its RpcError says', () => {
      const inner = new RpcError('too_long', 'Too long: rpc')
      const error = new FrameError(inner, 'a', '1')
      expect(error).to.be.instanceOf(Error).with.property('message', 'Too long: rpc')
      expect([error.error, error.rpc, error.id]).to.deep.equal([inner, 'a', '1'])
    })
  })

  // Another seed each time; set FUZZ_SEED to the one in the title of a failure to repeat it.
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
  const rounds = 2_000

  describe(`for random input (FUZZ_SEED=${seed})`, () => {
    it('decodes what it encodes, for messages of the client', () => {
      const random = new Random(seed)
      for (let round = 0; round < rounds; round += 1) {
        const message = random.clientMessage()
        expect(decodeClientMessage(encodeClientMessage(message))).to.deep.equal(message)
      }
    })

    it('decodes what it encodes, for messages of the server', () => {
      const random = new Random(seed)
      for (let round = 0; round < rounds; round += 1) {
        const message = random.serverMessage()
        expect(decodeServerMessage(encodeServerMessage(message))).to.deep.equal(message)
      }
    })

    it('encodes each message on one line', () => {
      const random = new Random(seed)
      for (let round = 0; round < rounds; round += 1) {
        expect(encodeClientMessage(random.clientMessage())).not.to.match(/[\r\n]/)
        expect(encodeServerMessage(random.serverMessage())).not.to.match(/[\r\n]/)
      }
    })

    for (const decode of [decodeClientMessage, decodeServerMessage]) {
      const check = (input: unknown): boolean => {
        try {
          expect(decode(input)).to.have.property('type').that.is.a('string')
          return true
        } catch (error) {
          if (!(error instanceof FrameError)) throw new Error(`for ${String(input)}`, { cause: error })
          expect(error.error.code).to.be.oneOf(['bad_message', 'too_long'])
          return false
        }
      }

      it(`#${decode.name} throws nothing but FrameError for objects of the wire’s fields`, () => {
        const random = new Random(seed)
        let good = 0
        for (let round = 0; round < rounds; round += 1)
          good += Number(check(JSON.stringify(random.object(6, 2))))
        expect(good).to.be.within(1, rounds - 1)
      })

      it(`#${decode.name} throws nothing but FrameError for damaged frames`, () => {
        const random = new Random(seed)
        let good = 0
        for (let round = 0; round < rounds; round += 1) {
          const text = random.pick([
            encodeClientMessage(random.clientMessage()),
            encodeServerMessage(random.serverMessage()),
          ])
          good += Number(check(random.damage(text)))
        }
        expect(good).to.be.within(1, rounds - 1)
      })

      it(`#${decode.name} throws nothing but FrameError for values that are no text`, () => {
        const random = new Random(seed)
        for (let round = 0; round < rounds; round += 1) check(random.json())
      })
    }
  })
})
