import type { RuleAnswer, RuleAsker, RuleDecision } from './channels/rule-asker.js'
import { FieldReader } from './field-reader.js'
import { Memo } from './memo.js'
import type { Given } from './option-checks.js'
import { PatternTable } from './pattern-table.js'
import type { RemoteClient } from './remote-client.js'
import { mergeVerdicts, type Verdict } from './verdict.js'

/** How much a channel keeps of what was published on it. */
export interface ChannelHistory {
  /** Publications. @default 1000 */
  readonly size?: number | undefined
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
  readonly subscribe?: boolean | ((socket: RemoteClient, channel: string) => RuleAnswer) | undefined
  /** Whether a client may publish. `event` is `undefined` for a publication without one. */
  readonly publish?:
    | boolean
    | ((socket: RemoteClient, channel: string, event: string | undefined, data: unknown) => RuleAnswer)
    | undefined
  /** Whether a client sees who else is there, and is seen. */
  readonly presence?: boolean | ((socket: RemoteClient, channel: string) => RuleAnswer) | undefined
  /** What is kept: the largest of several, but nothing if one is `false`. @default false */
  readonly history?: false | ChannelHistory | undefined
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
  readonly #table: PatternTable<NamedRule>
  readonly #found = new Memo<RulesOfChannel>(REMEMBERED, (channel) => {
    return new RulesOfChannel(channel, this.#table.matching(channel))
  })
  /** Whether there is no rule at all. Where claims say nothing either, every channel is then open. */
  readonly isOpen: boolean

  /** @throws RpcError `bad_option`, as {@link checkChannelRules} */
  constructor(rules: ChannelRuleTable) {
    checkChannelRules(rules)
    const given = Object.entries(rules).filter(([, rule]) => rule !== undefined)
    this.#table = new PatternTable(given.map(([name, rule]) => [name, { name, rule }]))
    this.isOpen = given.length === 0
  }

  /** What all rules that mean the channel say together. */
  for(channel: string): RulesOfChannel {
    return this.#found.get(channel)
  }
}

/**
 * What all rules that mean one channel say together. The methods answer at once where no function has to be asked;
 * functions are asked one after the other until one refuses.
 */
export class RulesOfChannel {
  /** What the channel keeps, or `undefined` if nothing. */
  readonly history: Required<Given<ChannelHistory>> | undefined
  readonly #channel: string
  readonly #said: { readonly [Name in Permission]: Said<Name> }

  constructor(channel: string, rules: readonly NamedRule[]) {
    this.#channel = channel
    this.#said = {
      subscribe: gather(rules, 'subscribe'),
      publish: gather(rules, 'publish'),
      presence: gather(rules, 'presence'),
    }
    this.history = mergeHistories(rules.map(({ rule }) => rule))
  }

  /** Whether a rule says anything about subscribing. */
  get hasSubscribe(): boolean {
    const { verdict, functions } = this.#said.subscribe
    return verdict !== undefined || functions.length > 0
  }

  /** Whether a rule lets sockets take part in presence, or may. */
  get mayHavePresence(): boolean {
    const { verdict, functions } = this.#said.presence
    return verdict !== false && (verdict !== undefined || functions.length > 0)
  }

  /** Whether a socket may subscribe, or why not; `undefined` if no rule says anything. */
  subscribe(socket: RemoteClient, asker: RuleAsker): Verdict | Promise<RuleDecision> {
    return this.#judge(this.#said.subscribe, { socket, asker }, (rule) => rule(socket, this.#channel))
  }

  /** Whether a socket may publish this, or why not; `undefined` if no rule says anything. */
  publish(
    socket: RemoteClient,
    { event, data }: { readonly event?: string | undefined; readonly data: unknown },
    asker: RuleAsker,
  ): Verdict | Promise<RuleDecision> {
    return this.#judge(this.#said.publish, { socket, asker }, (rule) =>
      rule(socket, this.#channel, event, data),
    )
  }

  /** Whether a socket takes part in presence; `undefined` if no rule says anything. */
  presence(socket: RemoteClient, asker: RuleAsker): Verdict | Promise<RuleDecision> {
    return this.#judge(this.#said.presence, { socket, asker }, (rule) => rule(socket, this.#channel))
  }

  #judge<Name extends Permission>(
    { verdict, functions }: Said<Name>,
    from: Questioner,
    run: (rule: Ask<Name>) => RuleAnswer,
  ): Verdict | Promise<RuleDecision> {
    return verdict === false || functions.length === 0 ? verdict : this.#askAll(functions, from, run)
  }

  async #askAll<Rule>(
    functions: readonly NamedFunction<Rule>[],
    { socket: { sid }, asker }: Questioner,
    run: (rule: Rule) => RuleAnswer,
  ): Promise<RuleDecision> {
    for (const { name, ask } of functions) {
      const decision = await asker.ask({ rule: name, channel: this.#channel, sid }, () => run(ask))
      if (decision !== true) return decision
    }
    return true
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

/** A rule, and the name or pattern that it stands at. */
interface NamedRule {
  readonly name: string
  readonly rule: ChannelRule
}

interface NamedFunction<Rule> {
  /** Of the rule. */
  readonly name: string
  readonly ask: Rule
}

/** For which socket functions are asked, and by what. */
interface Questioner {
  readonly socket: RemoteClient
  readonly asker: RuleAsker
}

/** What rules say about a permission: those that are values together, and the functions. */
interface Said<Name extends Permission> {
  readonly verdict: Verdict
  readonly functions: readonly NamedFunction<Ask<Name>>[]
}

function gather<Name extends Permission>(rules: readonly NamedRule[], permission: Name): Said<Name> {
  const said = rules.map(({ name, rule }) => ({ name, ask: rule[permission] }))
  return {
    verdict: mergeVerdicts(said.map(({ ask }) => (typeof ask === 'function' ? undefined : (ask as Verdict)))),
    functions: said.filter((one): one is NamedFunction<Ask<Name>> => typeof one.ask === 'function'),
  }
}

function mergeHistories(rules: readonly ChannelRule[]): Required<Given<ChannelHistory>> | undefined {
  const histories = rules.flatMap(({ history }) => (history === undefined ? [] : [history]))
  const kept = histories.filter((history) => history !== false)
  if (kept.length === 0 || kept.length < histories.length) return undefined
  return {
    size: Math.max(...kept.map(({ size }) => size ?? HISTORY.size)),
    ttl: Math.max(...kept.map(({ ttl }) => ttl)),
  }
}
