import { expect } from 'chai'
import fc from 'fast-check'
import { ChannelRules } from '#server/channels/channel-rules.js'
import { RuleAsker } from '#server/channels/rule-asker.js'
import type {
  ChannelEventRule,
  ChannelHistory,
  ChannelRule,
  ChannelRuleTable,
} from '#server/channels/rule-table.js'
import { makeSocket } from './sockets.js'

const HOUR = 3_600_000

/** What rules say of an event. */
interface Said {
  readonly publish: boolean | undefined
  readonly history: object | undefined
  /** Of its rates, `perSecond`. */
  readonly rates: number[]
}

const asker = new RuleAsker({ timeout: 1000, failed: () => {} })
const { socket } = makeSocket()

async function said(rules: ChannelRuleTable, event: string | undefined): Promise<Said> {
  const found = new ChannelRules(rules).for('chat')
  const publish = await found.publish(socket, { event, data: 1 }, asker)
  const rates = found.rates(event).map(({ perSecond }) => perSecond)
  return { publish: publish as boolean | undefined, history: found.history(event), rates: rates.sort() }
}

describe('Rules by event', () => {
  const typing = { publish: true, history: false, rate: { perSecond: 2 } } as const
  const keeps = { history: { size: 100, ttl: HOUR } } as const
  const hour = { size: 100, ttl: HOUR }

  const cases: [
    title: string,
    rules: ChannelRuleTable,
    event: string | undefined,
    expected: Partial<Said>,
  ][] = [
    [
      'says of an event what its entry says',
      { chat: { ...keeps, publish: true, events: { typing } } },
      'typing',
      { publish: true, history: undefined, rates: [2] },
    ],
    [
      'says of other events what the rule says',
      { chat: { ...keeps, publish: true, events: { typing } } },
      'say',
      { publish: true, history: hour, rates: [] },
    ],
    [
      'takes from the rule what an entry leaves out',
      { chat: { ...keeps, publish: true, events: { say: { rate: { perSecond: 5 } } } } },
      'say',
      { publish: true, history: hour, rates: [5] },
    ],
    [
      'lets an entry allow what the rule refuses of all other events',
      { chat: { publish: false, events: { say: { publish: true } } } },
      'say',
      { publish: true },
    ],
    [
      'lets an entry refuse what the rule allows of all other events',
      { chat: { publish: true, events: { say: { publish: false } } } },
      'say',
      { publish: false },
    ],
    [
      'allows nothing by entries for other events',
      { chat: { events: { typing } } },
      'say',
      { publish: undefined, history: undefined, rates: [] },
    ],
    [
      'keeps what an entry keeps, where the rule keeps nothing',
      { chat: { events: { say: keeps } } },
      'say',
      { publish: undefined, history: hour },
    ],
    [
      'counts all entries that mean the event: one false wins',
      { chat: { events: { typing, 't*': { publish: false, ...keeps, rate: { perSecond: 7 } } } } },
      'typing',
      { publish: false, history: undefined, rates: [2, 7] },
    ],
    [
      'keeps for the longest time of the entries',
      { chat: { events: { say: { history: { ttl: 5 } }, '*': { history: { ttl: 9 } } } } },
      'say',
      { history: { size: 1000, ttl: 9 } },
    ],
    [
      'means a publication without an event by the empty name',
      { chat: { events: { '': { publish: true, rate: { perSecond: 3 } }, 'x*': { publish: false } } } },
      undefined,
      { publish: true, rates: [3] },
    ],
    [
      'means it by a star, too',
      { chat: { events: { '*': { publish: true, ...keeps } } } },
      undefined,
      { publish: true, history: hour },
    ],
    [
      'asks the function of an entry, and not the rule’s',
      {
        chat: {
          publish: () => false,
          events: { say: { publish: (_socket, _channel, event) => event === 'say' } },
        },
      },
      'say',
      { publish: true },
    ],
    [
      'asks the rule’s function for events that no entry speaks of',
      { chat: { publish: (_socket, _channel, event) => event === undefined, events: { typing } } },
      undefined,
      { publish: true },
    ],
    [
      'needs all rules of the channel to agree',
      { chat: { events: { say: { publish: true, ...keeps } } }, 'c*': { publish: false, history: false } },
      'say',
      { publish: false, history: undefined },
    ],
    [
      'keeps the largest of what the rules say, each by its own events',
      {
        chat: { history: { size: 5, ttl: HOUR } },
        'c*': { events: { say: { history: { size: 50, ttl: 7 } } } },
      },
      'say',
      { history: { size: 50, ttl: HOUR } },
    ],
    [
      'counts the rates of all rules, and the rule’s own as well as its events’',
      {
        chat: { rate: { perSecond: 20 }, events: { typing, '*': { rate: { perSecond: 10 } } } },
        'c*': { rate: { perSecond: 30 } },
      },
      'typing',
      { rates: [10, 2, 20, 30] },
    ],
    [
      'has one size for a channel, the largest of its events, so that none drives out what another keeps',
      { chat: { history: { size: 500, ttl: HOUR }, events: { poll: { history: { size: 1, ttl: 60 } } } } },
      'poll',
      { history: { size: 500, ttl: 60 } },
    ],
    [
      'knows no inherited names',
      { chat: { events: { say: { publish: true } } } },
      'constructor',
      { publish: undefined, rates: [] },
    ],
  ]
  for (const [title, rules, event, expected] of cases)
    it(title, async () =>
      expect(await said(rules, event))
        .to.include.keys(Object.keys(expected))
        .and.deep.include(expected),
    )

  it('says the same as a simple reference, whatever the rules are', async () => {
    const history = fc.option(
      fc.oneof(
        fc.constant(false as const),
        fc.record({ size: fc.integer({ min: 1, max: 9 }), ttl: fc.integer({ min: 1, max: 9 }) }),
      ),
      { nil: undefined },
    )
    const publishing = {
      publish: fc.option(fc.boolean(), { nil: undefined }),
      history,
      rate: fc.option(fc.record({ perSecond: fc.integer({ min: 1, max: 9 }) }), { nil: undefined }),
    }
    const event = fc.constantFrom('', 'a', 'ab', 'b')
    const eventRules = fc.dictionary(
      fc.constantFrom('', 'a', 'ab', 'a*', '*', '#regex:.'),
      fc.record(publishing),
    )
    const rule = fc.record({ ...publishing, events: fc.option(eventRules, { nil: undefined }) })
    const table = fc.dictionary(fc.constantFrom('chat', 'c*', '*', 'news'), rule)
    await fc.assert(
      fc.asyncProperty(table, event, async (rules, name) => {
        expect(await said(rules, name)).to.deep.equal(reference(rules, name))
      }),
      { numRuns: 1000 },
    )
  })

  it('finds what it says of an event once, for the last 16 events of a channel', () => {
    let looks = 0
    const counted = {
      get publish() {
        looks += 1
        return true
      },
    }
    const rules = new ChannelRules({ chat: { events: { '*': counted } } }).for('chat')
    looks = 0
    rules.rates('say')
    const once = looks
    for (let index = 0; index < 100; index += 1) rules.rates('say')
    expect([once > 0, looks]).to.deep.equal([true, once])
    for (let index = 0; index < 16; index += 1) rules.rates(`other-${index}`)
    looks = 0
    rules.rates('say')
    expect(looks).to.equal(once)
  })

  it('costs nothing where no rule of the channel has events', () => {
    const rules = new ChannelRules({ chat: { rate: { perSecond: 1 } }, news: { events: { a: {} } } })
    expect(rules.for('chat').rates('a')).to.equal(rules.for('chat').rates('b'))
  })

  describe('mayKeep', () => {
    const keeping: [rule: ChannelRule, expected: boolean][] = [
      [{}, false],
      [{ ...keeps, events: { typing } }, true],
      [{ history: false, events: { say: keeps } }, true],
      [{ events: { typing } }, false],
    ]
    for (const [rule, expected] of keeping)
      it(`is ${expected} for ${JSON.stringify(rule)}`, () =>
        expect(new ChannelRules({ chat: rule }).for('chat').mayKeep).to.equal(expected))
  })
})

/** The rules in the words of the document, without tables, patterns of the library or anything remembered. */
function reference(rules: ChannelRuleTable, event: string): Said {
  const mine = Object.entries(rules).flatMap(([name, rule]) => (name === 'news' ? [] : [rule]))
  const matching = (rule: ChannelRule): ChannelEventRule[] =>
    Object.entries(rule.events ?? {}).flatMap(([name, own]) => (means(name, event) ? [own] : []))
  const all = <Field extends 'publish' | 'history'>(field: Field) =>
    mine.flatMap((rule) => {
      const own = matching(rule).flatMap((one) => (one[field] === undefined ? [] : [one[field]]))
      if (own.length > 0) return own
      return rule[field] === undefined ? [] : [rule[field]]
    })
  const publish = all('publish')
  const kept = all('history')
  const everything = mine.flatMap((rule) => [rule, ...Object.values(rule.events ?? {})])
  const sizes = everything.flatMap(({ history }) => (history ? [history.size ?? 1000] : []))
  const ttls = kept.map((one) => (one as ChannelHistory).ttl)
  const isKept = kept.length > 0 && !kept.includes(false)
  return {
    publish: publish.includes(false) ? false : publish.includes(true) ? true : undefined,
    history: isKept ? { size: Math.max(...sizes), ttl: Math.max(...ttls) } : undefined,
    rates: mine
      .flatMap((rule) => [rule, ...matching(rule)])
      .flatMap(({ rate }) => (rate ? [rate.perSecond] : []))
      .sort(),
  }
}

function means(pattern: string, event: string): boolean {
  if (pattern === '*') return true
  if (pattern === 'a*') return event.startsWith('a')
  return pattern === '#regex:.' ? event.length === 1 : pattern === event
}
