import { RpcError, type ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { ChannelRules } from '#server/channels/channel-rules.js'
import { RuleAsker } from '#server/channels/rule-asker.js'
import { checkChannelRules } from '#server/channels/rule-checks.js'
import type { ChannelHistory, ChannelRule, ChannelRuleTable } from '#server/channels/rule-table.js'
import { thrownBy } from '../../protocol/rejection.js'
import { makeSocket } from '../sockets.js'

type Permission = 'subscribe' | 'publish' | 'presence'

describe('checkChannelRules', () => {
  const field = (value: unknown) => {
    const error = thrownBy(() => checkChannelRules(value)) as RpcError
    expect(RpcError.is(error)).to.equal(true)
    expect(error.code).to.equal('bad_option')
    return error.data
  }

  const good: unknown[] = [
    {},
    { chat: {} },
    { chat: undefined },
    { '*': { subscribe: true, publish: false, presence: undefined } },
    { 'chat-*': { subscribe: () => true, publish: async () => false, presence: () => true } },
    { '#regex:org\\.[0-9]+': { history: false } },
    { '😀': { history: { ttl: 1 } }, '{a,b}': { history: { size: 100_000, ttl: 0.5 } } },
    JSON.parse('{"__proto__":{"subscribe":true}}'),
  ]
  const goodEvents: unknown[] = [
    {},
    { say: {}, '': { publish: true }, other: undefined },
    { 'is-typing': { publish: () => true, history: false, rate: { perSecond: 2 } } },
    { '#regex:a|b': { history: { ttl: 5, size: 2 }, rate: { perSecond: 0.5, burst: 1 } } },
  ]
  good.push(...goodEvents.map((events) => ({ chat: { events } })))
  good.push({ chat: { rate: { perSecond: 1 / 86_400, burst: 1_000_000 } } })
  for (const value of good) {
    it(`takes ${JSON.stringify(value)}`, () => expect(() => checkChannelRules(value)).not.to.throw())
  }

  const rule = (value: unknown) => ({ chat: value })
  const history = (value: unknown) => rule({ history: value })
  const rates: [rate: unknown, at: string, limit?: number][] = [
    [null, ''],
    [5, ''],
    [{}, '.perSecond'],
    [{ perSecond: 0 }, '.perSecond'],
    [{ perSecond: 1e-6 }, '.perSecond'],
    [{ perSecond: Number.POSITIVE_INFINITY }, '.perSecond', 1_000_000],
    [{ perSecond: 1, burst: 0 }, '.burst'],
    [{ perSecond: 1, burst: 1.5 }, '.burst'],
    [{ perSecond: 1, burst: 1e7 }, '.burst', 1_000_000],
    [{ perSecond: 1, minute: 1 }, '.minute'],
  ]
  const bad: [value: unknown, data: object][] = [
    [null, { field: 'channels' }],
    [[], { field: 'channels' }],
    ['chat', { field: 'channels' }],
    [() => true, { field: 'channels' }],
    [{ '': {} }, { field: 'channels[""]' }],
    [rule(true), { field: 'channels["chat"]' }],
    [rule(null), { field: 'channels["chat"]' }],
    [rule(() => true), { field: 'channels["chat"]' }],
    [rule({ subscribe: 'yes' }), { field: 'channels["chat"].subscribe' }],
    [rule({ publish: null }), { field: 'channels["chat"].publish' }],
    [rule({ presence: 1 }), { field: 'channels["chat"].presence' }],
    [rule({ subcribe: false }), { field: 'channels["chat"].subcribe' }],
    [rule(JSON.parse('{"__proto__":{}}')), { field: 'channels["chat"].__proto__' }],
    [history(true), { field: 'channels["chat"].history' }],
    [history(null), { field: 'channels["chat"].history' }],
    [history(100), { field: 'channels["chat"].history' }],
    [history({}), { field: 'channels["chat"].history.ttl' }],
    [history({ size: 5 }), { field: 'channels["chat"].history.ttl' }],
    [history({ ttl: 0 }), { field: 'channels["chat"].history.ttl' }],
    [history({ ttl: -1 }), { field: 'channels["chat"].history.ttl' }],
    [history({ ttl: '1000' }), { field: 'channels["chat"].history.ttl' }],
    [history({ ttl: Number.NaN }), { field: 'channels["chat"].history.ttl' }],
    [
      history({ ttl: Number.POSITIVE_INFINITY }),
      { field: 'channels["chat"].history.ttl', limit: Number.MAX_SAFE_INTEGER },
    ],
    [history({ ttl: 1, size: 0 }), { field: 'channels["chat"].history.size' }],
    [history({ ttl: 1, size: 1.5 }), { field: 'channels["chat"].history.size' }],
    [history({ ttl: 1, size: null }), { field: 'channels["chat"].history.size' }],
    [history({ ttl: 1, size: 100_001 }), { field: 'channels["chat"].history.size', limit: 100_000 }],
    [history({ ttl: 1, max: 5 }), { field: 'channels["chat"].history.max' }],
    ...rates.map(([value, at, limit]): [unknown, object] => [
      rule({ rate: value }),
      { field: `channels["chat"].rate${at}`, ...(limit && { limit }) },
    ]),
    ...rates.map(([value, at, limit]): [unknown, object] => [
      rule({ events: { '*': { rate: value } } }),
      { field: `channels["chat"].events["*"].rate${at}`, ...(limit && { limit }) },
    ]),
    [rule({ events: [] }), { field: 'channels["chat"].events' }],
    [rule({ events: { say: true } }), { field: 'channels["chat"].events["say"]' }],
    [rule({ events: { say: { subscribe: true } } }), { field: 'channels["chat"].events["say"].subscribe' }],
    [rule({ events: { say: { publish: 'no' } } }), { field: 'channels["chat"].events["say"].publish' }],
    [rule({ events: { say: { history: {} } } }), { field: 'channels["chat"].events["say"].history.ttl' }],
    [rule({ events: { '#regex:(': {} } }), { field: 'channels["chat"].events["#regex:("]' }],
    [{ '#regex:(': {} }, { field: 'channels["#regex:("]' }],
    [{ '#regex:a{600}': {} }, { field: 'channels["#regex:a{600}"]', limit: 500 }],
    [{ ['c'.repeat(257)]: {} }, { field: `channels["${'c'.repeat(40)}…"]`, limit: 256 }],
  ]
  for (const [value, data] of bad) {
    it(`refuses ${JSON.stringify(value)?.slice(0, 60)}, naming ${JSON.stringify(data).slice(0, 70)}`, () => {
      expect(field(value)).to.deep.equal(data)
    })
  }
})

describe('ChannelRules', () => {
  let socket: ServerSocket
  const failed = sinon.spy()
  const asker = new RuleAsker({ timeout: 1000, failed })

  before(() => {
    socket = makeSocket().socket
  })

  afterEach(() => {
    failed.resetHistory()
    sinon.restore()
  })

  const rulesFor = (channel: string, rules: ChannelRuleTable) => new ChannelRules(rules).for(channel)

  const ask = (rules: ChannelRuleTable, permission: Permission, channel = 'chat-1') => {
    const found = rulesFor(channel, rules)
    const message = { event: 'say', data: { text: 'Hi' } }
    return permission === 'publish' ? found.publish(socket, message, asker) : found[permission](socket, asker)
  }

  describe('constructor', () => {
    it('refuses bad rules', () => {
      const error = thrownBy(() => new ChannelRules({ '#regex:[': {} })) as RpcError
      expect(error.code).to.equal('bad_option')
    })

    it('is open without a rule', () => {
      expect(new ChannelRules({}).isOpen).to.equal(true)
      expect(new ChannelRules({ chat: undefined } as unknown as ChannelRuleTable).isOpen).to.equal(true)
      expect(new ChannelRules({ chat: {} }).isOpen).to.equal(false)
    })
  })

  for (const permission of ['subscribe', 'publish', 'presence'] as const) {
    describe(`#${permission}`, () => {
      const yes: ChannelRule = { [permission]: true }
      const no: ChannelRule = { [permission]: false }

      it('says at once what rules without functions say', () => {
        expect(ask({}, permission)).to.equal(undefined)
        expect(ask({ 'chat-1': {}, other: yes }, permission)).to.equal(undefined)
        expect(ask({ 'chat-1': yes }, permission)).to.equal(true)
        expect(ask({ 'chat-*': yes, '#regex:chat-.': yes }, permission)).to.equal(true)
        expect(ask({ 'chat-*': yes, 'chat-1': no }, permission)).to.equal(false)
        expect(ask({ 'chat-1': yes, '#regex:.*': no }, permission)).to.equal(false)
      })

      it('asks no function where a rule says no already', () => {
        const asked = sinon.stub().returns(true)
        expect(ask({ 'chat-1': { [permission]: asked }, '*': no }, permission)).to.equal(false)
        expect(asked.called).to.equal(false)
      })

      it('is what a function answers or resolves', async () => {
        for (const answer of [true, false]) {
          expect(await ask({ '*': { [permission]: () => answer } }, permission)).to.equal(answer)
          expect(await ask({ '*': { [permission]: async () => answer } }, permission)).to.equal(answer)
        }
      })

      it('takes anything but true as a no', async () => {
        for (const answer of [undefined, null, 1, '', {}]) {
          expect(await ask({ '*': { [permission]: () => answer as never } }, permission)).to.equal(false)
        }
      })

      it('needs every function to agree, and asks in the order of the rules until one does not', async () => {
        const first = sinon.stub().resolves(true)
        const second = sinon.stub().returns(false)
        const third = sinon.stub().returns(true)
        const rules = {
          'chat-*': { [permission]: first },
          '*': { [permission]: second },
          '#regex:.*': { [permission]: third },
        }
        expect(await ask(rules, permission)).to.equal(false)
        expect(first.calledBefore(second)).to.equal(true)
        expect(third.called).to.equal(false)
        second.returns(true)
        expect(await ask(rules, permission)).to.equal(true)
        expect(third.calledOnce).to.equal(true)
      })

      it('lets the no of a function beat the yes of a rule', async () => {
        expect(await ask({ 'chat-1': yes, '*': { [permission]: () => false } }, permission)).to.equal(false)
      })

      it('is the reason that a function gives, and none is asked after it', async () => {
        const second = sinon.stub().returns(true)
        const decide = (first: unknown) =>
          ask({ 'chat-*': { [permission]: () => first }, '*': { [permission]: second } }, permission)
        const soldOut = new RpcError('sold_out')
        expect(await decide(soldOut)).to.equal(soldOut)
        expect(await decide('Members only')).to.deep.include({ code: 'forbidden', message: 'Members only' })
        expect(second.called).to.equal(false)
      })

      it('refuses, and reports the rule, if a function throws', async () => {
        const cause = new Error('the database is away')
        for (const failing of [sinon.stub().throws(cause), sinon.stub().rejects(cause)])
          expect(await ask({ '*': { [permission]: failing } }, permission)).to.equal(false)
        const details = { sid: socket.sid, channel: 'chat-1', rule: '*' }
        expect(failed.args).to.deep.equal([
          [cause, details],
          [cause, details],
        ])
      })

      it('asks with the socket and the channel, and about each publication', async () => {
        const asked = sinon.stub().returns(true)
        await ask({ '*': { [permission]: asked } }, permission, 'a channel')
        const more = permission === 'publish' ? ['say', { text: 'Hi' }] : []
        expect(asked.args).to.deep.equal([[socket, 'a channel', ...more]])
      })

      for (const name of ['__proto__', 'constructor', 'toString']) {
        it(`takes ${name} as a channel like others`, () => {
          expect(ask({ chat: yes }, permission, name)).to.equal(undefined)
          expect(ask(Object.fromEntries([[name, yes]]), permission, name)).to.equal(true)
        })
      }
    })
  }

  describe('#history', () => {
    const cases: [title: string, rules: ChannelRuleTable, expected: ChannelHistory | undefined][] = [
      ['is nothing without a rule', {}, undefined],
      ['is nothing where no rule says anything', { chat: { subscribe: true } }, undefined],
      [
        'has 1,000 publications if not told otherwise',
        { chat: { history: { ttl: 5 } } },
        { size: 1000, ttl: 5 },
      ],
      [
        'is the largest size and the longest time of all',
        { chat: { history: { size: 10, ttl: 500 } }, 'c*': { history: { size: 50, ttl: 100 } }, '*': {} },
        { size: 50, ttl: 500 },
      ],
      [
        'counts the default size as one of them',
        { chat: { history: { size: 10, ttl: 500 } }, '#regex:ch.*': { history: { ttl: 100 } } },
        { size: 1000, ttl: 500 },
      ],
      [
        'is nothing if one rule says no',
        { chat: { history: { ttl: 5 } }, '*': { history: false } },
        undefined,
      ],
      [
        'is not that of other channels',
        { news: { history: { ttl: 5 } }, 'n*': { history: { ttl: 9 } } },
        undefined,
      ],
    ]
    for (const [title, rules, expected] of cases) {
      it(title, () => expect(rulesFor('chat', rules).history()).to.deep.equal(expected))
    }
  })

  describe('#for', () => {
    it('gives the same for a channel, and goes on doing so after more channels than it remembers', () => {
      const rules = new ChannelRules({ 'a-*': { subscribe: true }, 'a-1*': { subscribe: false } })
      expect(rules.for('a-1')).to.equal(rules.for('a-1'))
      for (let index = 0; index < 3000; index += 1) {
        expect(rules.for(`a-${index}`).subscribe(socket, asker)).to.equal(!String(index).startsWith('1'))
      }
      expect(rules.for('a-1').subscribe(socket, asker)).to.equal(false)
      expect(rules.for('a-2').subscribe(socket, asker)).to.equal(true)
    })
  })

  it('names the field that was meant, or all of a few', () => {
    const messageOf = (rule: object) =>
      (thrownBy(() => new ChannelRules({ a: rule } as never)) as Error).message
    expect(messageOf({ subscibe: true })).to.match(
      /channels\["a"\]\.subscibe is not known: did you mean subscribe\?$/,
    )
    expect(messageOf({ allow: true })).to.match(
      /did you mean subscribe, publish, presence, history, rate, events\?$/,
    )
    expect(messageOf({ history: { tll: 1 } })).to.match(/history\.tll is not known: did you mean ttl\?$/)
  })
})
