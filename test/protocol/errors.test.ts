import {
  decodeError,
  ERRORS,
  type ErrorCode,
  encodeData,
  encodeError,
  encodeThrown,
  limitError,
  RpcError,
  type WireError,
  withSubject,
} from '@token-socket/protocol'
import { expect } from 'chai'

/** An error as it leaves the other side. */
function sent(wire: WireError): WireError {
  return JSON.parse(encodeData(wire)) as WireError
}

describe('errors', () => {
  describe('ERRORS', () => {
    it('has a code in snake_case and a text for each error', () => {
      for (const [code, text] of Object.entries(ERRORS)) {
        expect(code).to.match(/^[a-z]+(_[a-z]+)*$/)
        expect(text).to.match(/^[A-Z]/)
      }
    })

    it('has each text once, so that the legacy server’s texts can be read as codes', () => {
      expect(new Set(Object.values(ERRORS)).size).to.equal(Object.keys(ERRORS).length)
    })
  })

  describe('RpcError', () => {
    it('is an Error with a code, its text, and no data', () => {
      const error = new RpcError('timeout')
      expect(error).to.be.instanceOf(Error)
      expect(error).to.include({ name: 'RpcError', code: 'timeout', message: 'Timed out', data: undefined })
      expect(error).not.to.have.property('cause')
    })

    it('has the message and data that it is given', () => {
      const data = { left: 0 }
      expect(new RpcError('sold_out', 'Sold out', data)).to.include({
        code: 'sold_out',
        message: 'Sold out',
        data,
      })
    })

    it('has the code as its message when the code is the application’s own', () => {
      expect(new RpcError('sold_out').message).to.equal('sold_out')
    })

    it('has the code as its message when an object inherits something of that name', () => {
      expect(new RpcError('toString').message).to.equal('toString')
    })

    it('keeps its cause', () => {
      const cause = new Error('why')
      expect(new RpcError('internal', undefined, undefined, cause).cause).to.equal(cause)
    })

    it('shows a program that lists its keys only what is on the wire', () => {
      expect(Object.keys(new RpcError('timeout')).sort()).to.deep.equal(['code', 'data', 'name'])
    })

    describe('.is', () => {
      it('knows an RpcError', () => expect(RpcError.is(new RpcError('timeout'))).to.equal(true))

      it('knows one of a subclass', () => {
        class SoldOut extends RpcError {}
        expect(RpcError.is(new SoldOut('sold_out'))).to.equal(true)
      })

      it('knows one of another copy of this package', () => {
        const other = Object.assign(new Error(), {
          [Symbol.for('@token-socket/RpcError')]: true,
          code: 'timeout',
        })
        expect(RpcError.is(other)).to.equal(true)
      })

      for (const value of [
        new Error('x'),
        { code: 'x', message: 'y', data: 1 },
        'RpcError',
        null,
        undefined,
        1,
      ]) {
        it(`does not know ${String(value)}`, () => expect(RpcError.is(value)).to.equal(false))
      }
    })
  })

  describe('#refusal', () => {
    it('names the field and the limit', () => {
      const error = limitError('too_long', { field: 'req.channel', limit: 256 })
      expect(error).to.include({ code: 'too_long', message: 'Too long: req.channel (limit 256)' })
      expect(error.data).to.deep.equal({ field: 'req.channel', limit: 256 })
    })

    it('names the field alone when there is no limit', () => {
      const error = limitError('bad_option', { field: 'secret' })
      expect(error.message).to.equal('Invalid option: secret')
      expect(error.data).to.deep.equal({ field: 'secret' })
    })

    it('names a limit of 0', () => {
      expect(limitError('queue_full', { field: 'queue', limit: 0 }).message).to.match(/\(limit 0\)$/)
    })
  })

  describe('#encodeError', () => {
    const own = Object.assign(new TypeError('no'), { status: 400 })
    const coded = Object.assign(new Error('no file'), { code: 'ENOENT' })
    const numbered = Object.assign(new Error('no'), { code: 7 })
    for (const [title, error, wire] of [
      ['a text as it is', 'Sold out', { error: 'Sold out', code: 'application_error' }],
      ['a number as it is', 404, { error: 404, code: 'application_error' }],
      ['true as it is', true, { error: true, code: 'application_error' }],
      ['a plain object as it is', { left: 0 }, { error: { left: 0 }, code: 'application_error' }],
      ['a plain object with its code', { code: 'mine' }, { error: { code: 'mine' }, code: 'mine' }],
      ['an Error as its message', new Error('no'), { error: { message: 'no' }, code: 'application_error' }],
      [
        'an Error with its own properties',
        own,
        { error: { message: 'no', status: 400 }, code: 'application_error' },
      ],
      ['an Error with its code', coded, { error: { message: 'no file', code: 'ENOENT' }, code: 'ENOENT' }],
      [
        'an Error of the system as its message and code, without its paths and addresses',
        Object.assign(new Error('no file'), { code: 'ENOENT', errno: -2, syscall: 'open', path: '/etc/x' }),
        { error: { message: 'no file', code: 'ENOENT' }, code: 'ENOENT' },
      ],
      [
        'an Error whose code is no text',
        numbered,
        { error: { message: 'no', code: 7 }, code: 'application_error' },
      ],
      [
        'several Errors as a list of such, as the legacy server did',
        [new Error('a'), own, { plain: 1 }, 'text'],
        {
          error: [{ message: 'a' }, { message: 'no', status: 400 }, { plain: 1 }, 'text'],
          code: 'application_error',
        },
      ],
      [
        'an RpcError of this library as its text',
        new RpcError('timeout'),
        { error: 'Timed out', code: 'timeout' },
      ],
      [
        'an RpcError of the application as its code',
        new RpcError('sold_out'),
        { error: 'sold_out', code: 'sold_out' },
      ],
      [
        'an RpcError with a message of its own as an object',
        new RpcError('timeout', 'Too slow'),
        { error: { message: 'Too slow', code: 'timeout' }, code: 'timeout' },
      ],
      [
        'an RpcError with data as an object',
        new RpcError('sold_out', 'Sold out', { left: 0 }),
        { error: { message: 'Sold out', code: 'sold_out', data: { left: 0 } }, code: 'sold_out' },
      ],
      [
        'an RpcError without its cause',
        new RpcError('internal', undefined, undefined, new Error('secret')),
        { error: 'Internal error', code: 'internal' },
      ],
    ] as const) {
      it(`sends ${title}`, () => expect(sent(encodeError(error))).to.deep.equal(wire))
    }

    for (const [title, error, text] of [
      ['a BigInt as its digits', 5n, '5'],
      ['a number that JSON lacks as its name', Number.POSITIVE_INFINITY, 'Infinity'],
      ['a symbol as a text that says only that it failed', Symbol('no'), ERRORS.application_error],
      ['a function as such a text, and not as its source', () => 'no', ERRORS.application_error],
    ] as const) {
      it(`sends ${title}`, () => {
        expect(sent(encodeError(error))).to.deep.equal({ error: text, code: 'application_error' })
      })
    }

    it('never sends a stack', () => {
      expect(encodeData(encodeError(new Error('no')))).not.to.contain('errors.test')
      expect(encodeData(encodeError(new RpcError('no', 'no', 1)))).not.to.contain('errors.test')
    })
  })

  describe('#withSubject', () => {
    const forbidden = new RpcError('forbidden')

    it('names the function or channel in the message and in the data', () => {
      const error = withSubject(forbidden, { channel: 'room' })
      expect(error).to.include({ code: 'forbidden', message: 'Forbidden: room' })
      expect(error).to.have.deep.property('data', { channel: 'room' })
    })

    it('leaves the text that legacy clients compare, and puts the subject beside it', () => {
      expect(encodeError(withSubject(forbidden, { channel: 'room' }))).to.deep.equal({
        error: 'Forbidden',
        code: 'forbidden',
        about: { channel: 'room' },
      })
      const missing = withSubject(new RpcError('not_found'), { function: 'a.b' })
      expect(encodeError(missing)).to.deep.equal({
        error: 'Function not found',
        code: 'not_found',
        about: { function: 'a.b' },
      })
    })

    it('leaves errors that have a text or data of their own, and what is no RpcError', () => {
      const subject = { function: 'f' }
      const own = [
        new RpcError('forbidden', 'Read only'),
        new RpcError('forbidden', undefined, { id: 1 }),
        new Error('e'),
        'Forbidden',
        undefined,
      ]
      for (const error of own) expect(withSubject(error, subject)).to.equal(error)
    })

    it('is ignored on the wire where it is not one function or channel', () => {
      for (const about of [null, 1, 'room', [], {}, { channel: 1 }, { other: 'x' }, { channel: 'a', x: 1 }]) {
        const error = decodeError({ error: 'Forbidden', code: 'forbidden', about })
        expect(error).to.include({ message: 'Forbidden', data: undefined })
      }
    })
  })

  describe('#encodeThrown', () => {
    it('sends an RpcError whole', () => {
      const error = new RpcError('sold_out', 'Sold out', { left: 0 })
      expect(encodeThrown(error)).to.deep.equal(encodeError(error))
    })

    for (const cause of [
      new Error('secret'),
      Object.assign(new Error('secret'), { code: 'secret' }),
      { code: 'secret', message: 'secret', data: 'secret' },
      'secret',
      ['secret'],
      null,
      undefined,
      0,
    ]) {
      it(`sends of ${encodeData(cause)} only that it happened`, () => {
        expect(encodeThrown(cause)).to.deep.equal({ error: 'Internal error', code: 'internal' })
      })
    }
  })

  describe('#decodeError', () => {
    for (const [title, wire, expected] of [
      ['a text and its code', { error: 'E', code: 'mine' }, ['mine', 'E', undefined]],
      ['a text of the legacy server', { error: 'E' }, ['application_error', 'E', undefined]],
      ['the legacy server’s “Forbidden”', { error: 'Forbidden' }, ['forbidden', 'Forbidden', undefined]],
      [
        'the legacy server’s “Function not found”',
        { error: 'Function not found' },
        ['not_found', 'Function not found', undefined],
      ],
      [
        'the legacy server’s “Invalid message”',
        { error: 'Invalid message' },
        ['bad_message', 'Invalid message', undefined],
      ],
      [
        'the legacy server’s “Invalid request”',
        { error: 'Invalid request' },
        ['bad_message', 'Invalid request', undefined],
      ],
      [
        'the legacy server’s “Invalid token”',
        { error: 'Invalid token' },
        ['invalid_token', 'Invalid token', undefined],
      ],
      [
        'the legacy server’s “Token not found”',
        { error: 'Token not found' },
        ['invalid_token', 'Token not found', undefined],
      ],
      [
        'a legacy server’s object, which becomes the data',
        { error: { message: 'E', status: 400 } },
        ['application_error', 'E', { message: 'E', status: 400 }],
      ],
      ['an object with a message only', { error: { message: 'E' } }, ['application_error', 'E', undefined]],
      [
        'an object with a code of its own',
        { error: { code: 'mine' }, code: 'other' },
        ['mine', 'mine', undefined],
      ],
      [
        'an object whose code and message are no texts',
        { error: { code: 1, message: 2 }, code: 'other' },
        ['other', 'other', undefined],
      ],
      [
        'an object of the application',
        { error: { left: 0 }, code: 'sold_out' },
        ['sold_out', 'sold_out', { left: 0 }],
      ],
      [
        'a list',
        { error: [{ message: 'a' }] },
        ['application_error', ERRORS.application_error, [{ message: 'a' }]],
      ],
      ['a number', { error: 404 }, ['application_error', '404', undefined]],
      ['null', { error: null }, ['application_error', 'null', undefined]],
      [
        'a name that objects inherit',
        { error: 'constructor', code: 'constructor' },
        ['constructor', 'constructor', undefined],
      ],
    ] as const) {
      it(`makes an RpcError of ${title}`, () => {
        const error = decodeError(wire)
        expect(RpcError.is(error)).to.equal(true)
        expect([error.code, error.message, error.data]).to.deep.equal(expected)
      })
    }

    it('does not make an RpcError’s properties of an object’s `__proto__` key', () => {
      const error = decodeError(
        JSON.parse('{"error":{"__proto__":{"message":"M","code":"c"}},"code":"mine"}'),
      )
      expect([error.code, error.message]).to.deep.equal(['mine', 'mine'])
    })
  })

  describe('#encodeError and #decodeError', () => {
    const codes = Object.keys(ERRORS) as ErrorCode[]
    for (const error of [
      ...codes.map((code) => new RpcError(code)),
      ...codes.map((code) => limitError(code, { field: 'calls', limit: 1 })),
      new RpcError('sold_out'),
      new RpcError('sold_out', 'Sold out'),
      new RpcError('sold_out', '', null),
      new RpcError('timeout', undefined, { after: 1_000 }),
      new RpcError('sold_out', 'Sold out', [1, { code: 'inner' }]),
      new RpcError('sold_out', 'Forbidden'),
      new RpcError('sold_out', 'timeout', 0),
      ...codes.map((code) => withSubject(new RpcError(code), { function: 'orders.list' }) as RpcError),
      ...codes.map((code) => withSubject(new RpcError(code), { channel: 'room: 7' }) as RpcError),
      new RpcError('forbidden', 'Forbidden: room', { channel: 'other' }),
      new RpcError('forbidden', 'Forbidden: room', { channel: 'room', more: 1 }),
      new RpcError('sold_out', 'Sold out: room', { channel: 'room' }),
    ]) {
      it(`carry ${error.code} “${error.message}” with ${encodeData(error.data)} from one end to the other`, () => {
        const { code, message, data } = decodeError(sent(encodeError(error)))
        expect([code, message, data]).to.deep.equal([error.code, error.message, error.data])
      })
    }
  })
})
