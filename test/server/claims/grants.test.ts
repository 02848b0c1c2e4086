import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { type ChannelClaims, readClaims } from '#server/claims/claims.js'
import type { Decision } from '#server/claims/decision.js'
import { Grants } from '#server/claims/grants.js'
import { thrownBy } from '../../protocol/rejection.js'

type Channels = Readonly<Record<string, ChannelClaims>>

const claimsOf = (channels: Channels) => {
  const claims = readClaims({ channels })
  if (!claims) throw new Error('expected claims')
  return claims
}
const grantsOf = (channels: Channels) => Grants.of(claimsOf(channels))

/** A table with a name that literals give another meaning. */
const own = <T>(name: string, value: T): Record<string, T> => Object.fromEntries([[name, value]])

describe('Grants', () => {
  describe('.of', () => {
    it('is open without claims about channels', () => {
      for (const grants of [Grants.of(undefined), Grants.of(readClaims({ uid: 'jim' })), Grants.none]) {
        expect(grants.isOpen).to.equal(true)
        expect(grants.subscribe('chat')).to.equal(undefined)
        expect(grants.historyStart('chat')).to.equal(undefined)
        expect(grants.message('chat', 'x')).to.deep.equal({ publish: undefined, echo: true, store: 0 })
        expect(grants.autoSubscribe).to.deep.equal([])
      }
    })

    it('is not open with claims about channels, even without an entry', () => {
      expect(grantsOf({}).isOpen).to.equal(false)
      expect(grantsOf({ chat: {} }).isOpen).to.equal(false)
    })
  })

  describe('#subscribe', () => {
    const cases: [title: string, channels: Channels, expected: Record<string, Decision>][] = [
      [
        'says yes for a name',
        { chat: { subscribe: true } },
        { chat: true, chats: undefined, Chat: undefined },
      ],
      ['says no for a name', { chat: { subscribe: false } }, { chat: false, news: undefined }],
      ['says nothing where an entry does not', { chat: {}, '*': { messages: {} } }, { chat: undefined }],
      ['says yes for a pattern', { 'chat-*': { subscribe: true } }, { 'chat-1': true, news: undefined }],
      [
        'lets the no of a name beat the yes of a pattern',
        { 'chat.*': { subscribe: true }, 'chat.admin': { subscribe: false } },
        { 'chat.admin': false, 'chat.1': true },
      ],
      [
        'lets the no of a pattern beat the yes of a name',
        { 'chat.1': { subscribe: true }, '*': { subscribe: false } },
        { 'chat.1': false, other: false },
      ],
      [
        'lets the no of an expression beat all else',
        {
          '*': { subscribe: true },
          'org.1': { subscribe: true },
          '#regex:org\\.[0-9]+': { subscribe: false },
        },
        { 'org.1': false, 'org.x': true, 'xorg.1': true },
      ],
      ['says yes with `autoSubscribe`', { chat: { autoSubscribe: true } }, { chat: true }],
      [
        'says no with `autoSubscribe` where another entry does',
        { chat: { autoSubscribe: true }, 'c*': { subscribe: false } },
        { chat: false },
      ],
      [
        'takes braces as braces',
        { '{a,b}': { subscribe: true }, 'x{1}*': { subscribe: true } },
        {
          a: undefined,
          '{a,b}': true,
          x: undefined,
          'x{1}y': true,
        },
      ],
      [
        'takes emoji',
        { '😀': { subscribe: true }, '👍*': { subscribe: true } },
        {
          '😀': true,
          '😁': undefined,
          '👍🏽': true,
        },
      ],
    ]
    for (const [title, channels, expected] of cases) {
      it(title, () => {
        const grants = grantsOf(channels)
        for (const [name, verdict] of Object.entries(expected)) {
          expect(grants.subscribe(name), name).to.equal(verdict)
          expect(grants.subscribe(name), `${name}, again`).to.equal(verdict)
        }
      })
    }

    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      it(`takes ${name} as a name like others`, () => {
        expect(grantsOf({ chat: { subscribe: true } }).subscribe(name)).to.equal(undefined)
        expect(grantsOf(own(name, { subscribe: true })).subscribe(name)).to.equal(true)
        expect(
          grantsOf({ '*': { subscribe: true }, ...own(name, { subscribe: false }) }).subscribe(name),
        ).to.equal(false)
      })
    }

    it('goes on saying the same when more names were asked for than it remembers', () => {
      const grants = grantsOf({
        '*': { subscribe: true },
        'no-*': { subscribe: false },
        'no-1': { subscribe: true },
      })
      for (const round of [1, 2, 3]) {
        for (let index = 0; index < 500; index += 1) {
          expect(grants.subscribe(`no-${index}`), `round ${round}`).to.equal(false)
          expect(grants.subscribe(`yes-${index}`), `round ${round}`).to.equal(true)
        }
      }
    })

    it('does not try the patterns again for a name that is asked for again', () => {
      const patterns = Array.from({ length: 1000 }, (_, index) => [`*${index}*x`, { subscribe: false }])
      const grants = grantsOf(Object.fromEntries(patterns))
      let fresh = 0
      const time = (nameOf: () => string) => {
        const before = performance.now()
        for (let count = 0; count < 500; count += 1) grants.subscribe(nameOf())
        return performance.now() - before
      }
      const nextName = () => {
        fresh += 1
        return `room-${fresh}`
      }
      const [first, again] = [nextName, () => 'room-0'].map((nameOf) =>
        Math.min(time(nameOf), time(nameOf), time(nameOf)),
      )
      expect(again).to.be.below(Number(first) / 3)
    })
  })

  describe('#speakOf', () => {
    it('is true of each channel that an entry means, whatever it says of it', () => {
      const grants = grantsOf({ a: {}, 'b-*': { subscribe: false }, '#regex:c[0-9]': {} })
      for (const name of ['a', 'b-', 'b-1', 'c7']) expect(grants.covers(name), name).to.equal(true)
      for (const name of ['', 'aa', 'b', 'c77', '__proto__']) expect(grants.covers(name)).to.equal(false)
      expect(Grants.none.covers('a')).to.equal(false)
    })
  })

  describe('#autoSubscribe', () => {
    it('has the names that ask for it', () => {
      const grants = grantsOf({
        b: { autoSubscribe: true },
        a: { autoSubscribe: true },
        c: { subscribe: true },
      })
      expect(grants.autoSubscribe).to.deep.equal(['b', 'a'])
    })

    it('lacks those that another entry refuses', () => {
      const grants = grantsOf({
        a: { autoSubscribe: true },
        b: { autoSubscribe: true },
        c: { autoSubscribe: true, subscribe: false },
        d: { autoSubscribe: true },
        'a*': { autoSubscribe: false },
        '#regex:b': { subscribe: false },
      })
      expect(grants.autoSubscribe).to.deep.equal(['d'])
    })

    it('takes __proto__ as a name like others', () => {
      expect(grantsOf(own('__proto__', { autoSubscribe: true })).autoSubscribe).to.deep.equal(['__proto__'])
    })
  })

  describe('#historyStart', () => {
    it('is in milliseconds, and the earliest of all entries', () => {
      const grants = grantsOf({
        chat: { historyStart: 200 },
        'c*': { historyStart: 100 },
        '*': { historyStart: 300 },
      })
      expect(grants.historyStart('chat')).to.equal(100_000)
      expect(grants.historyStart('cat')).to.equal(100_000)
      expect(grants.historyStart('news')).to.equal(300_000)
    })

    it('is 0 for all of it, and undefined where no entry says anything', () => {
      const grants = grantsOf({ chat: { historyStart: 0 }, '#regex:ch.*': { historyStart: 5 }, news: {} })
      expect(grants.historyStart('chat')).to.equal(0)
      expect(grants.historyStart('news')).to.equal(undefined)
      expect(grants.historyStart('other')).to.equal(undefined)
    })
  })

  describe('#message', () => {
    const chat = grantsOf({
      'chat-1': {
        messages: { chat: { publish: true, echo: true, store: 86400 }, 'is-typing': { publish: true } },
      },
    })

    it('gives what an entry says', () => {
      expect(chat.message('chat-1', 'chat')).to.deep.equal({ publish: true, echo: true, store: 86_400_000 })
    })

    it('does not echo what may be published, unless it is said', () => {
      expect(chat.message('chat-1', 'is-typing')).to.deep.equal({ publish: true, echo: false, store: 0 })
    })

    it('says nothing of other events and channels, whose senders receive their own as ever', () => {
      const nothing = { publish: undefined, echo: true, store: 0 }
      expect(chat.message('chat-1', 'other')).to.deep.equal(nothing)
      expect(chat.message('chat-2', 'chat')).to.deep.equal(nothing)
      expect(chat.message('chat-1', undefined)).to.deep.equal(nothing)
    })

    it('echoes as it is said where nothing is said about publishing', () => {
      const grants = grantsOf({
        chat: { messages: { a: { echo: false }, b: { echo: true }, c: { store: 1 } } },
      })
      expect(grants.message('chat', 'a')).to.deep.equal({ publish: undefined, echo: false, store: 0 })
      expect(grants.message('chat', 'b')).to.deep.equal({ publish: undefined, echo: true, store: 0 })
      expect(grants.message('chat', 'c')).to.deep.equal({ publish: undefined, echo: true, store: 1000 })
    })

    it('merges all events that fit, of all channels that fit', () => {
      const grants = grantsOf({
        'chat-1': { messages: { say: { publish: true, store: 10 }, '*': { store: 5 } } },
        'chat-*': { messages: { 's*': { echo: true, store: 60 }, '#regex:say|ask': { publish: true } } },
        '#regex:.*-2': { messages: { '*': { publish: false } } },
      })
      expect(grants.message('chat-1', 'say')).to.deep.equal({ publish: true, echo: true, store: 60_000 })
      expect(grants.message('chat-1', 'ask')).to.deep.equal({ publish: true, echo: false, store: 5000 })
      expect(grants.message('chat-2', 'say')).to.deep.equal({ publish: false, echo: true, store: 60_000 })
      expect(grants.message('chat-2', 'other')).to.deep.equal({ publish: false, echo: false, store: 0 })
    })

    it('lets one no beat any yes, for `publish` and for `echo`', () => {
      const yes = { publish: true, echo: true }
      const grants = grantsOf({
        a: { messages: { x: yes, '*': { publish: false } } },
        b: { messages: { x: yes } },
        '*': { messages: { x: { echo: false }, y: yes } },
      })
      expect(grants.message('a', 'x')).to.deep.equal({ publish: false, echo: false, store: 0 })
      expect(grants.message('b', 'x')).to.deep.equal({ publish: true, echo: false, store: 0 })
      expect(grants.message('b', 'y')).to.deep.equal({ publish: true, echo: true, store: 0 })
    })

    it('takes a publication without an event as one of the empty name', () => {
      const grants = grantsOf({
        all: { messages: { '*': { publish: true } } },
        plain: { messages: { '': { publish: true } } },
        some: { messages: { 'x*': { publish: true } } },
      })
      expect(grants.message('all', undefined).publish).to.equal(true)
      expect(grants.message('plain', undefined).publish).to.equal(true)
      expect(grants.message('plain', 'x').publish).to.equal(undefined)
      expect(grants.message('some', undefined).publish).to.equal(undefined)
    })

    for (const name of ['__proto__', 'constructor', 'toString']) {
      it(`takes ${name} as an event like others`, () => {
        expect(chat.message('chat-1', name).publish).to.equal(undefined)
        expect(chat.message(name, name).publish).to.equal(undefined)
        const grants = grantsOf({ chat: { messages: own(name, { publish: true }) } })
        expect(grants.message('chat', name).publish).to.equal(true)
      })
    }

    it('goes on saying the same when more events were asked for than it remembers', () => {
      const grants = grantsOf({ chat: { messages: { '*': { publish: true }, 'no-*': { publish: false } } } })
      for (const round of [1, 2]) {
        for (let index = 0; index < 100; index += 1) {
          expect(grants.message('chat', `no-${index}`).publish, `round ${round}`).to.equal(false)
          expect(grants.message('chat', `yes-${index}`).publish, `round ${round}`).to.equal(true)
        }
      }
    })
  })

  describe('#add', () => {
    const first = grantsOf({
      chat: { subscribe: true, historyStart: 100, messages: { say: { publish: true, store: 10 } } },
      'secret-*': { subscribe: false },
    })

    it('adds channels, and leaves what it is called on as it is', () => {
      const both = first.add(claimsOf({ news: { subscribe: true, autoSubscribe: true } }))
      expect(both.subscribe('news')).to.equal(true)
      expect(both.autoSubscribe).to.deep.equal(['news'])
      expect(both.subscribe('chat')).to.equal(true)
      expect(first.subscribe('news')).to.equal(undefined)
    })

    it('merges what both say of one pattern', () => {
      const more = { historyStart: 50, messages: { say: { echo: true, store: 5 }, ask: { publish: true } } }
      const both = first.add(claimsOf({ chat: more }))
      expect(both.subscribe('chat')).to.equal(true)
      expect(both.historyStart('chat')).to.equal(50_000)
      expect(both.message('chat', 'say')).to.deep.equal({ publish: true, echo: true, store: 10_000 })
      expect(both.message('chat', 'ask').publish).to.equal(true)
    })

    it('lets the no of either beat the yes of the other', () => {
      const both = first.add(claimsOf({ chat: { subscribe: false }, 'secret-1': { subscribe: true } }))
      expect(both.subscribe('chat')).to.equal(false)
      expect(both.subscribe('secret-1')).to.equal(false)
      const again = both.add(claimsOf({ chat: { subscribe: true, messages: { say: { publish: false } } } }))
      expect(again.subscribe('chat')).to.equal(false)
      expect(again.message('chat', 'say').publish).to.equal(false)
    })

    it('is what it was where claims say nothing about channels', () => {
      const claims = readClaims({ uid: 'jim' })
      if (claims) expect(first.add(claims)).to.equal(first)
      expect(claims).not.to.equal(undefined)
    })

    it('leaves open what was open, and says more about it', () => {
      const added = Grants.none.add(claimsOf({ chat: { subscribe: true } }))
      expect([added.isOpen, added.isEmpty]).to.deep.equal([true, false])
      expect(added.subscribe('chat')).to.equal(true)
      expect([Grants.none.isOpen, Grants.none.isEmpty]).to.deep.equal([true, true])
      expect(first.add(claimsOf({ chat: {} })).isOpen).to.equal(false)
    })

    it('does not grow by the same claims again', () => {
      const claims = claimsOf({
        '#regex:a{450}': { subscribe: true, messages: { '#regex:b{450}': { publish: true } } },
      })
      let grants = Grants.of(claims)
      for (let index = 0; index < 20; index += 1) grants = grants.add(claims)
      expect(grants.subscribe('a'.repeat(450))).to.equal(true)
      expect(grants.message('a'.repeat(450), 'b'.repeat(450)).publish).to.equal(true)
    })

    const over: [what: string, add: (index: number) => Channels, data: object][] = [
      ['channels', (index) => ({ [`chat-${index}`]: {} }), { field: 'channels', limit: 1000 }],
      [
        'events of a channel',
        (index) => ({ chat: { messages: { [`event-${index}`]: {} } } }),
        { field: 'channels["chat"].messages', limit: 100 },
      ],
      [
        'expressions',
        (index) => ({ [`#regex:${index}.{480}`]: {} }),
        { field: 'channels["#regex:10.{480}"]', limit: 5000 },
      ],
    ]
    for (const [what, add, data] of over) {
      it(`refuses more ${what} than one set of claims may have`, () => {
        let grants = Grants.none
        const error = thrownBy(() => {
          for (let index = 0; index <= 1000; index += 1) grants = grants.add(claimsOf(add(index)))
        }) as RpcError
        expect(RpcError.is(error)).to.equal(true)
        expect(error.code).to.equal('bad_claims')
        expect(error.data).to.deep.equal(data)
      })
    }
  })
})
