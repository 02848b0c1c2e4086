import { decodeClientMessage, decodeServerMessage, FrameError, NAME_LIMITS } from '@token-socket/protocol'
import { expect } from 'chai'
import { thrownBy } from './rejection.js'

type Path = readonly [field: string, ...inner: string[]]

/** A good frame of each kind, with the fields that it has to have. */
const clientFields: readonly (readonly [frame: object, texts: readonly Path[], objects: readonly Path[]])[] =
  [
    [{ rpc: 'a', uuid: '1' }, [['rpc']], []],
    [{ rpc: '_subscribe', req: { channel: 'c' }, uuid: '1' }, [['req', 'channel']], [['req']]],
    [{ rpc: '_unsubscribe', req: { channel: 'c' }, uuid: '1' }, [['req', 'channel']], [['req']]],
    [{ rpc: '_publish', req: { channel: 'c', data: 1 }, uuid: '1' }, [['req', 'channel']], [['req']]],
    [{ rpc: '_history', req: { channel: 'c' }, uuid: '1' }, [['req', 'channel']], [['req']]],
    [{ rpc: '_broadcast', req: { data: 1 }, uuid: '1' }, [], [['req']]],
    [{ rpc: '_rpc', fid: '1', resp: { data: 1 } }, [['fid']], [['resp']]],
  ]

const serverFields: typeof clientFields = [
  [{ internal: true, command: 'rpc', data: { fid: '1', command: 'a' } }, [['data', 'command']], [['data']]],
  [{ internal: true, command: 'subscribe', data: { channel: 'c' } }, [['data', 'channel']], [['data']]],
  [{ internal: true, command: 'unsubscribe', data: { channel: 'c' } }, [['data', 'channel']], [['data']]],
  [
    { internal: true, command: 'presence', data: { channel: 'c', change: 'left', uid: 'u' } },
    [
      ['data', 'channel'],
      ['data', 'change'],
      ['data', 'uid'],
    ],
    [['data']],
  ],
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

describe('codec, given bad frames', () => {
  describe('#decodeClientMessage', () => {
    describe('with bad fields', () => {
      describeBadFields(decodeClientMessage, clientFields)

      for (const token of notTexts.filter((value) => value !== undefined)) {
        it(`throws bad_message that names token when it is ${show(token)}: only one that is left out is none`, () => {
          const { error } = frameError(decodeClientMessage, JSON.stringify({ rpc: 'auth', token, uuid: '1' }))
          expect([error.code, error.data]).to.deep.equal(['bad_message', { field: 'token' }])
        })
      }

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
        // Without a uuid the call of a function is a notification.
        for (const uuid of rpc === 'a.b' ? notTexts.slice(1) : notTexts) {
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
        ['rpc and id of an auth with a bad token', { rpc: 'auth', token: null, uuid: '1' }, 'auth', '1'],
        [
          'the whole of an over-long rpc, which the legacy client looks up',
          { rpc: long, uuid: '1' },
          long,
          '1',
        ],
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

      for (const heartbeat of [0, -1, '25000', null, {}]) {
        it(`throws bad_message that names heartbeat when it is ${show(heartbeat)}`, () => {
          const text = JSON.stringify({ rpc: 'auth', uuid: '1', resp: 'success', sid: 's', heartbeat })
          const { error } = frameError(decodeServerMessage, text)
          expect([error.code, error.data]).to.deep.equal(['bad_message', { field: 'heartbeat' }])
        })
      }

      for (const limits of [
        [],
        'x',
        null,
        5,
        { message: 0 },
        { message: '5' },
        { batch: null },
        { other: {} },
      ]) {
        it(`throws bad_message that names the limits when they are ${show(limits)}`, () => {
          const text = JSON.stringify({ rpc: 'auth', uuid: '1', resp: 'success', sid: 's', limits })
          const { error } = frameError(decodeServerMessage, text)
          const [name] = Object.keys(Object(limits))
          const field = typeof limits === 'object' && name ? `limits.${name}` : 'limits'
          expect([error.code, error.data]).to.deep.equal(['bad_message', { field }])
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
    it('is plain data: a peer causes as many as it likes, and no stack trace is made of them', () => {
      for (const text of ['x', '{}', '{"rpc":"_subscribe","uuid":"1"}', '{"rpc":"a","uuid":5}']) {
        const thrown = frameError(decodeClientMessage, text)
        for (const part of [thrown, thrown.error]) {
          expect(part).to.not.be.instanceOf(Error)
          expect(part).to.not.have.property('stack')
        }
      }
    })
  })
})
