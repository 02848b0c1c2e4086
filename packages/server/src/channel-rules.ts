import { FieldReader } from './field-reader.js'
import { Memo } from './memo.js'
import { PatternTable } from './pattern-table.js'
import type { RemoteClient } from './remote-client.js'
import { mergeVerdicts, type Verdict } from './verdict.js'

/** What a function of a {@link ChannelRule} answers: `true` allows, anything else refuses. */
export type RuleAnswer = boolean | Promise<boolean>

/** How much a channel keeps of what was published on it. */
export interface ChannelHistory {
  /** Publications. @default 1000 */
  readonly size?: number
  /** Milliseconds that a publication is kept. Required. */
  readonly ttl: number
}

/**
 * What clients may do on the channels of a pattern, and what these channels keep. Left out means that this rule says
 * nothing. Of several rules for a channel all have to agree: one `false`, or one function that does not answer `true`,
 * refuses.
 */
export interface ChannelRule {
  /** Whether a client may subscribe. */
  readonly subscribe?: boolean | ((socket: RemoteClient, channel: string) => RuleAnswer)
  /** Whether a client may publish. `event` is `undefined` for a publication without one. */
  readonly publish?:
    | boolean
    | ((socket: RemoteClient, channel: string, event: string | undefined, data: unknown) => RuleAnswer)
  /** Whether a client sees who else is there, and is seen. */
  readonly presence?: boolean | ((socket: RemoteClient, channel: string) => RuleAnswer)
  /** What is kept: the largest of several, but nothing if one is `false`. @default false */
  readonly history?: false | ChannelHistory
}

/** The server's rules: by channel, or pattern of channels. */
export type ChannelRuleTable = Readonly<Record<string, ChannelRule>>

const HISTORY = { size: 1000, sizeLimit: 100_000 } as const

/** The results for this many channels are remembered; clients choose their names. */
const REMEMBERED = 1000

const RULE_FIELDS = new Set(['subscribe', 'publish', 'presence', 'history'])
const HISTORY_FIELDS = new Set(['size', 'ttl'])
const PERMISSIONS = ['subscribe', 'publish', 'presence'] as const

/** The server's rules about channels. */
export class ChannelRules {
  readonly #table: PatternTable<ChannelRule>
  readonly #found = new Memo<RulesOfChannel>(REMEMBERED, (channel) => {
    return new RulesOfChannel(channel, this.#table.matching(channel))
  })
  /** Whether there is no rule at all. Where claims say nothing either, every channel is then open. */
  readonly isOpen: boolean

  /** @throws RpcError `bad_option`, as {@link checkChannelRules} */
  constructor(rules: ChannelRuleTable) {
    checkChannelRules(rules)
    const given = Object.entries(rules).filter(([, rule]) => rule !== undefined)
    this.#table = new PatternTable(given)
    this.isOpen = given.length === 0
  }

  /** What all rules that mean the channel say together. */
  for(channel: string): RulesOfChannel {
    return this.#found.get(channel)
  }
}

/**
 * What all rules that mean one channel say together. The methods answer at once where no function has to be asked;
 * functions are asked one after the other until one refuses, and what one throws is thrown on: it did not say `true`.
 */
export class RulesOfChannel {
  /** What the channel keeps, or `undefined` if nothing. */
  readonly history: Required<ChannelHistory> | undefined
  readonly #channel: string
  readonly #said: { readonly [Name in Permission]: Said<Name> }

  constructor(channel: string, rules: readonly ChannelRule[]) {
    this.#channel = channel
    this.#said = {
      subscribe: gather(rules, 'subscribe'),
      publish: gather(rules, 'publish'),
      presence: gather(rules, 'presence'),
    }
    this.history = mergeHistories(rules)
  }

  /** Whether a rule says anything about subscribing. */
  get hasSubscribe(): boolean {
    const { verdict, functions } = this.#said.subscribe
    return verdict !== undefined || functions.length > 0
  }

  /** Whether a socket may subscribe; `undefined` if no rule says anything. @throws what a rule's function throws */
  subscribe(socket: RemoteClient): Verdict | Promise<Verdict> {
    return judge(this.#said.subscribe, (ask) => ask(socket, this.#channel))
  }

  /** Whether a socket may publish this; `undefined` if no rule says anything. @throws what a rule's function throws */
  publish(socket: RemoteClient, event: string | undefined, data: unknown): Verdict | Promise<Verdict> {
    return judge(this.#said.publish, (ask) => ask(socket, this.#channel, event, data))
  }

  /** Whether a socket takes part in presence; `undefined` if no rule says anything. @throws what a rule's function throws */
  presence(socket: RemoteClient): Verdict | Promise<Verdict> {
    return judge(this.#said.presence, (ask) => ask(socket, this.#channel))
  }
}

/**
 * Checks the option `channels`.
 * @throws RpcError `bad_option`, whose `data.field` names the place, such as `channels["chat-*"].history.ttl`
 */
export function checkChannelRules(value: unknown): asserts value is ChannelRuleTable {
  for (const [name, rule] of reader.entries(value, 'channels')) {
    const field = reader.entry('channels', name)
    if (name === '') throw reader.wrong(field, 'has to be a name')
    reader.pattern(name, field)
    const fields = reader.fields(rule, field, RULE_FIELDS)
    for (const permission of PERMISSIONS) checkPermission(fields.get(permission), `${field}.${permission}`)
    checkHistory(fields.get('history'), `${field}.history`)
  }
}

const reader = new FieldReader('bad_option')

function checkPermission(value: unknown, field: string): void {
  if (value !== undefined && typeof value !== 'boolean' && typeof value !== 'function') {
    throw reader.wrong(field, 'has to be true, false, or a function')
  }
}

function checkHistory(value: unknown, field: string): void {
  if (value === undefined || value === false) return
  const fields = reader.fields(value, field, HISTORY_FIELDS)
  const given = fields.get('size')
  const size = given === undefined ? HISTORY.size : reader.number(given, `${field}.size`, HISTORY.sizeLimit)
  if (!Number.isInteger(size) || size === 0)
    throw reader.wrong(`${field}.size`, 'has to be a whole number above 0')
  const ttl = reader.number(fields.get('ttl'), `${field}.ttl`, Number.MAX_SAFE_INTEGER)
  if (ttl === 0) throw reader.wrong(`${field}.ttl`, 'has to be above 0')
}

type Permission = (typeof PERMISSIONS)[number]
type Ask<Name extends Permission> = Extract<ChannelRule[Name], (...args: never[]) => unknown>

/** What rules say about a permission: those that are values together, and the functions. */
interface Said<Name extends Permission> {
  readonly verdict: Verdict
  readonly functions: readonly Ask<Name>[]
}

function gather<Name extends Permission>(rules: readonly ChannelRule[], name: Name): Said<Name> {
  const said = rules.map((rule) => rule[name])
  return {
    verdict: mergeVerdicts(said.map((one) => (typeof one === 'function' ? undefined : (one as Verdict)))),
    functions: said.filter((one): one is Ask<Name> => typeof one === 'function'),
  }
}

function judge<Name extends Permission>(
  { verdict, functions }: Said<Name>,
  ask: (rule: Ask<Name>) => RuleAnswer,
): Verdict | Promise<Verdict> {
  return verdict === false || functions.length === 0 ? verdict : allAllow(functions, ask)
}

async function allAllow<Rule>(rules: readonly Rule[], ask: (rule: Rule) => RuleAnswer): Promise<Verdict> {
  for (const rule of rules) if ((await ask(rule)) !== true) return false
  return true
}

function mergeHistories(rules: readonly ChannelRule[]): Required<ChannelHistory> | undefined {
  const histories = rules.flatMap(({ history }) => (history === undefined ? [] : [history]))
  const kept = histories.filter((history) => history !== false)
  if (kept.length === 0 || kept.length < histories.length) return undefined
  return {
    size: Math.max(...kept.map(({ size }) => size ?? HISTORY.size)),
    ttl: Math.max(...kept.map(({ ttl }) => ttl)),
  }
}
