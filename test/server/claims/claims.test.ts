import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { CLAIM_LIMITS, type Claims, checkChannels, readClaims } from '#server/claims/claims.js'
import { thrownBy } from '../../protocol/rejection.js'

/** The token of a chat: two users, one channel. */
const CHAT = {
  exp: 1693963905,
  scope: 'connect',
  uid: 'jim',
  channels: {
    'chat-abc123': {
      subscribe: true,
      historyStart: 0,
      messages: {
        chat: { publish: true, echo: true, store: 86400 },
        'is-typing': { publish: true },
      },
    },
  },
}

function read(value: unknown): Claims {
  const claims = readClaims(value)
  if (!claims) throw new Error('expected claims')
  return claims
}

/** The error that claims are refused with. @throws if they are not, or otherwise than they should be */
function refused(act: () => unknown): { field: string; limit?: number } {
  const error = thrownBy(act)
  if (!RpcError.is(error)) throw error
  expect(error.code).to.equal('bad_claims')
  const data = error.data as { field: string; limit?: number }
  expect(error.message).to.include(data.field)
  return data
}

const refusedField = (value: unknown) => refused(() => readClaims(value)).field

/** Claims of one channel. */
const channel = (claims: unknown, name = 'chat') => ({ channels: { [name]: claims } })

/** Claims of one event of one channel. */
const message = (claims: unknown, event = 'x') => channel({ messages: { [event]: claims } })

/** As many entries of a table. */
function many<T>(count: number, make: (index: number) => [string, T]): Record<string, T> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => make(index)))
}

describe('readClaims', () => {
  it('reads the token of a chat, and leaves other claims alone', () => {
    const { uid, umd, channels } = read(CHAT)
    expect({ uid, umd }).to.deep.equal({ uid: 'jim', umd: undefined })
    expect([...(channels ?? [])]).to.deep.equal([
      [
        'chat-abc123',
        {
          subscribe: true,
          autoSubscribe: undefined,
          historyStart: 0,
          messages: new Map([
            ['chat', { publish: true, echo: true, store: 86_400_000 }],
            ['is-typing', { publish: true, echo: undefined, store: 0 }],
          ]),
        },
      ],
    ])
  })

  for (const value of [
    undefined,
    null,
    'jim',
    5,
    true,
    [],
    [CHAT],
    {},
    { name: 'Ann', exp: 1 },
    { channel: {} },
  ]) {
    it(`finds no claims in ${JSON.stringify(value)}`, () => {
      expect(readClaims(value)).to.equal(undefined)
    })
  }

  it('finds no claims that are inherited, or undefined', () => {
    expect(readClaims(Object.create(CHAT))).to.equal(undefined)
    expect(readClaims({ uid: undefined, umd: undefined, channels: undefined })).to.equal(undefined)
  })

  describe('of `uid`', () => {
    it('takes a text', () => {
      expect(read({ uid: 'jim 😀' })).to.deep.equal({ uid: 'jim 😀', umd: undefined, channels: undefined })
    })

    for (const uid of ['', 5, null, true, {}, ['jim']]) {
      it(`refuses ${JSON.stringify(uid)}`, () => expect(refusedField({ uid })).to.equal('uid'))
    }

    it('refuses one that is too long', () => {
      expect(read({ uid: 'u'.repeat(CLAIM_LIMITS.uid) }).uid).to.have.length(CLAIM_LIMITS.uid)
      const error = refused(() => readClaims({ uid: 'u'.repeat(CLAIM_LIMITS.uid + 1) }))
      expect(error).to.deep.equal({ field: 'uid', limit: CLAIM_LIMITS.uid })
    })
  })

  describe('of `umd`', () => {
    for (const umd of [null, 0, false, '', 'Jim', [1], { name: 'Jim', __proto__: null }]) {
      it(`takes ${JSON.stringify(umd)}`, () => expect(read({ umd }).umd).to.equal(umd))
    }

    it('refuses what is more than 4 KiB as JSON, in bytes', () => {
      expect(read({ umd: 'u'.repeat(4094) }).umd).to.have.length(4094)
      for (const umd of ['u'.repeat(4095), 'ü'.repeat(2048), '"'.repeat(2048), { a: 'u'.repeat(4089) }]) {
        expect(refused(() => readClaims({ umd }))).to.deep.equal({ field: 'umd', limit: 4096 })
      }
    })

    it('has a limit that can be changed', () => {
      expect(readClaims({ umd: 'u'.repeat(9998) }, { umd: 10_000 })?.umd).to.have.length(9998)
      const error = refused(() => readClaims({ umd: 'abc' }, { umd: 4 }))
      expect(error).to.deep.equal({ field: 'umd', limit: 4 })
    })

    it('refuses what is no JSON', () => {
      const circular: { self?: unknown } = {}
      circular.self = circular
      for (const umd of [circular, 1n, () => 1]) expect(refusedField({ umd })).to.equal('umd')
    })
  })

  describe('of `channels`', () => {
    it('takes an empty table, which is not the same as none', () => {
      expect(read({ channels: {} }).channels).to.deep.equal(new Map())
      expect(read({ uid: 'jim' }).channels).to.equal(undefined)
    })

    it('takes an entry that says nothing', () => {
      const nothing = {
        subscribe: undefined,
        autoSubscribe: undefined,
        historyStart: undefined,
        messages: new Map(),
      }
      expect(read(channel({})).channels?.get('chat')).to.deep.equal(nothing)
      expect(
        read(channel({ subscribe: undefined, messages: undefined })).channels?.get('chat'),
      ).to.deep.equal(nothing)
    })

    it('takes `autoSubscribe` as leave to subscribe, unless that is refused', () => {
      expect(read(channel({ autoSubscribe: true })).channels?.get('chat')).to.include({ subscribe: true })
      expect(read(channel({ autoSubscribe: true, subscribe: false })).channels?.get('chat')).to.include({
        subscribe: false,
      })
      expect(read(channel({ autoSubscribe: false })).channels?.get('chat')).to.include({
        subscribe: undefined,
      })
    })

    it('gives times in milliseconds', () => {
      const claims = read(channel({ historyStart: 1728604800.25, messages: { x: { store: 0.5 } } }))
      expect(claims.channels?.get('chat')?.historyStart).to.equal(1728604800250)
      expect(claims.channels?.get('chat')?.messages.get('x')?.store).to.equal(500)
    })

    it('takes names that every object has as names like others', () => {
      const claims = JSON.parse(
        '{"channels":{"__proto__":{"subscribe":true,"messages":{"__proto__":{"publish":true}}},"constructor":{}}}',
      )
      const { channels } = read(claims)
      expect([...(channels?.keys() ?? [])]).to.deep.equal(['__proto__', 'constructor'])
      expect(channels?.get('__proto__')).to.include({ subscribe: true })
      expect(channels?.get('__proto__')?.messages.get('__proto__')).to.include({ publish: true })
      expect({}).not.to.have.property('subscribe')
    })

    it('takes nothing that is inherited', () => {
      const claims = read(channel(Object.create({ subscribe: true })))
      expect(claims.channels?.get('chat')).to.include({ subscribe: undefined })
    })

    it('takes an event of no name: publications without one', () => {
      expect(
        read(message({ publish: true }, ''))
          .channels?.get('chat')
          ?.messages.get(''),
      ).to.include({ publish: true })
    })

    const bad: [value: unknown, field: string][] = [
      [{ channels: null }, 'channels'],
      [{ channels: [] }, 'channels'],
      [{ channels: 'chat' }, 'channels'],
      [{ channels: true }, 'channels'],
      [{ channels: { '': {} } }, 'channels[""]'],
      [channel(null), 'channels["chat"]'],
      [channel(true), 'channels["chat"]'],
      [channel([]), 'channels["chat"]'],
      [channel({ subscribe: 'yes' }), 'channels["chat"].subscribe'],
      [channel({ subscribe: 1 }), 'channels["chat"].subscribe'],
      [channel({ subscribe: null }), 'channels["chat"].subscribe'],
      [channel({ autoSubscribe: 'true' }), 'channels["chat"].autoSubscribe'],
      [channel({ autoSubscribe: true }, 'chat-*'), 'channels["chat-*"].autoSubscribe'],
      [channel({ autoSubscribe: true }, '#regex:chat'), 'channels["#regex:chat"].autoSubscribe'],
      [channel({ historyStart: '0' }), 'channels["chat"].historyStart'],
      [channel({ historyStart: -1 }), 'channels["chat"].historyStart'],
      [channel({ historyStart: Number.NaN }), 'channels["chat"].historyStart'],
      [channel({ historyStart: null }), 'channels["chat"].historyStart'],
      [channel({ messages: null }), 'channels["chat"].messages'],
      [channel({ messages: ['x'] }), 'channels["chat"].messages'],
      [message(null), 'channels["chat"].messages["x"]'],
      [message(true), 'channels["chat"].messages["x"]'],
      [message({ publish: 'true' }), 'channels["chat"].messages["x"].publish'],
      [message({ echo: 0 }), 'channels["chat"].messages["x"].echo'],
      [message({ store: '1' }), 'channels["chat"].messages["x"].store'],
      [message({ store: -1 }), 'channels["chat"].messages["x"].store'],
      [message({ store: Number.NaN }), 'channels["chat"].messages["x"].store'],
      [channel({}, '#regex:('), 'channels["#regex:("]'],
      [channel({}, '#regex:'), 'channels["#regex:"]'],
      [message({}, '#regex:['), 'channels["chat"].messages["#regex:["]'],
      [channel({ subcribe: false }), 'channels["chat"].subcribe'],
      [channel({ publish: true }), 'channels["chat"].publish'],
      [message({ publsh: false }), 'channels["chat"].messages["x"].publsh'],
      [channel(JSON.parse('{"__proto__":{"subscribe":true}}')), 'channels["chat"].__proto__'],
      [channel({ 'not a word': 1 }, '"quoted"'), 'channels["\\"quoted\\""]["not a word"]'],
    ]
    for (const [value, field] of bad) {
      it(`refuses ${JSON.stringify(value)}, naming ${field}`, () => {
        expect(refused(() => readClaims(value))).to.deep.equal({ field })
      })
    }

    it('refuses all for one bad entry', () => {
      const claims = { ...CHAT, channels: { ...CHAT.channels, other: { subscribe: 'yes' } } }
      expect(refusedField(claims)).to.equal('channels["other"].subscribe')
    })
  })

  describe('limits', () => {
    it('allows 1,000 channels', () => {
      const channels = many(1000, (index) => [`chat-${index}`, {}])
      expect(read({ channels }).channels?.size).to.equal(1000)
      const error = refused(() => readClaims({ channels: { ...channels, more: {} } }))
      expect(error).to.deep.equal({ field: 'channels', limit: 1000 })
    })

    it('allows 100 events of a channel', () => {
      const messages = many(100, (index) => [`event-${index}`, {}])
      expect(read(channel({ messages })).channels?.get('chat')?.messages.size).to.equal(100)
      const error = refused(() => readClaims(channel({ messages: { ...messages, more: {} } })))
      expect(error).to.deep.equal({ field: 'channels["chat"].messages', limit: 100 })
    })

    it('allows names of 256 code units, and shows the start of longer ones', () => {
      const field = `channels["${'c'.repeat(40)}…"]`
      expect(read(channel({}, 'c'.repeat(256))).channels?.size).to.equal(1)
      const error = refused(() => readClaims(channel({}, 'c'.repeat(1_000_000))))
      expect(error).to.deep.equal({ field, limit: 256 })
      expect(refused(() => readClaims(message({}, 'e'.repeat(257)))).limit).to.equal(256)
    })

    it('allows an expression of 500 instructions, and 5,000 of all', () => {
      expect(refused(() => readClaims(channel({}, '#regex:a{600}')))).to.deep.equal({
        field: 'channels["#regex:a{600}"]',
        limit: 500,
      })
      const channels = many(10, (index) => [`#regex:${index}a{480}`, {}])
      expect(read({ channels }).channels?.size).to.equal(10)
      const error = refused(() => readClaims({ channels: { ...channels, '#regex:b{480}': {} } }))
      expect(error).to.deep.equal({ field: 'channels["#regex:b{480}"]', limit: 5000 })
    })

    it('counts the expressions of events too', () => {
      const messages = many(6, (index) => [`#regex:${index}a{480}`, {}])
      const error = refused(() => readClaims({ channels: { a: { messages }, b: { messages } } }))
      expect(error).to.deep.equal({ field: 'channels["b"].messages["#regex:4a{480}"]', limit: 5000 })
    })

    it('allows times up to the year 9999, which milliseconds by mistake are over', () => {
      expect(read(channel({ historyStart: CLAIM_LIMITS.historyStart })).channels?.size).to.equal(1)
      const error = refused(() => readClaims(channel({ historyStart: Date.now() })))
      expect(error).to.deep.equal({
        field: 'channels["chat"].historyStart',
        limit: CLAIM_LIMITS.historyStart,
      })
    })

    for (const store of [CLAIM_LIMITS.store + 1, Number.POSITIVE_INFINITY]) {
      it(`allows storing for 100 years, not for ${store} s`, () => {
        expect(read(message({ store: CLAIM_LIMITS.store })).channels?.size).to.equal(1)
        expect(refused(() => readClaims(message({ store })))).to.deep.equal({
          field: 'channels["chat"].messages["x"].store',
          limit: CLAIM_LIMITS.store,
        })
      })
    }
  })
})

describe('checkChannels', () => {
  const channelsOf = (value: unknown) => new Map(read({ channels: value }).channels)

  it('takes what readClaims gives', () => {
    expect(() => checkChannels(channelsOf(CHAT.channels))).not.to.throw()
  })

  it('refuses more than one set of claims may have', () => {
    const channels = channelsOf(many(1000, (index) => [`a${index}`, {}]))
    const [[, grant] = []] = channels
    if (grant) channels.set('one more', grant)
    expect(refused(() => checkChannels(channels))).to.deep.equal({ field: 'channels', limit: 1000 })
  })
})
