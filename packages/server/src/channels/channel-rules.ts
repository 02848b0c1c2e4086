import type { Decision } from '../claims/decision.js'
import { PatternTable } from '../patterns/pattern-table.js'
import { BoundedCache } from '../runtime/bounded-cache.js'
import type { ServerSocket } from '../socket/server-socket.js'
import {
  gather,
  type NamedFunction,
  type NamedRule,
  nameRules,
  type PublishingRules,
  publishingRules,
  type RuleRate,
  type Statements,
  sizeOf,
} from './publishing-rules.js'
import type { RuleAnswer, RuleAsker, RuleDecision } from './rule-asker.js'
import { checkChannelRules } from './rule-checks.js'
import type { ChannelRule, ChannelRuleTable } from './rule-table.js'

/** Results for this many channels, and events of each, are cached. Clients choose the names. */
const REMEMBERED = { channels: 1000, events: 16 } as const

/** The server's rules about channels. */
export class ChannelRules {
  readonly #table: PatternTable<NamedRule>
  readonly #found = new BoundedCache<RulesOfChannel>(REMEMBERED.channels, (channel) => {
    return new RulesOfChannel(channel, this.#table.matching(channel))
  })
  /** Whether there is no rule. Where claims state nothing either, every channel is then open. */
  readonly isOpen: boolean
  /** Whether a rule, or an event of one, has a rate. */
  readonly hasRates: boolean

  /** @throws RpcError `bad_option`, as {@link checkChannelRules} */
  constructor(rules: ChannelRuleTable) {
    checkChannelRules(rules)
    const given = nameRules(Object.entries(rules).filter(([, rule]) => rule !== undefined))
    this.#table = new PatternTable(given.map((rule) => [rule.name, rule]))
    this.isOpen = given.length === 0
    this.hasRates = given.some(({ hasRates }) => hasRates)
  }

  /** Returns the merged rules that match a channel. */
  for(channel: string): RulesOfChannel {
    return this.#found.get(channel)
  }
}

/**
 * The merged rules that match one channel. The methods are synchronous if no function of a rule is
 * asked. Functions run one after the other until one refuses.
 */
export class RulesOfChannel {
  readonly #channel: string
  readonly #subscribe: Statements<Ask<'subscribe'>>
  readonly #presence: Statements<Ask<'presence'>>
  /** The rules for events that no rule names. */
  readonly #publishing: PublishingRules
  readonly #events: BoundedCache<PublishingRules> | undefined
  /** Whether the channel keeps any event. */
  readonly mayKeep: boolean

  constructor(channel: string, rules: readonly NamedRule[]) {
    const size = sizeOf(rules)
    this.#channel = channel
    this.#subscribe = gather(rules.map(({ name, rule }) => ({ name, ask: rule.subscribe })))
    this.#presence = gather(rules.map(({ name, rule }) => ({ name, ask: rule.presence })))
    this.#publishing = publishingRules(rules, undefined, size)
    if (rules.some(({ events }) => events))
      this.#events = new BoundedCache(REMEMBERED.events, (event) => publishingRules(rules, event, size))
    this.mayKeep = this.#events ? size > 0 : this.#publishing.history !== undefined
  }

  /** Whether a rule says anything about subscribing. */
  get hasSubscribe(): boolean {
    const { verdict, functions } = this.#subscribe
    return verdict !== undefined || functions.length > 0
  }

  /** Whether a rule lets sockets take part in presence, or may do so. */
  get mayHavePresence(): boolean {
    const { verdict, functions } = this.#presence
    return verdict !== false && (verdict !== undefined || functions.length > 0)
  }

  /**
   * What the channel keeps of an event; `undefined` for nothing.
   * @param event `undefined` for none
   */
  history(event?: string): PublishingRules['history'] {
    return this.#of(event).history
  }

  /** How often a socket may publish an event. @param event `undefined` for none */
  rates(event: string | undefined): readonly RuleRate[] {
    return this.#of(event).rates
  }

  /** Decides whether a socket may subscribe; `undefined` if no rule states anything. */
  subscribe(socket: ServerSocket, asker: RuleAsker): Decision | Promise<RuleDecision> {
    return this.#judge(this.#subscribe, { socket, asker }, (rule) => rule(socket, this.#channel))
  }

  /** Decides whether a socket may publish; `undefined` if no rule states anything. */
  publish(
    socket: ServerSocket,
    { event, data }: { readonly event?: string | undefined; readonly data: unknown },
    asker: RuleAsker,
  ): Decision | Promise<RuleDecision> {
    return this.#judge(this.#of(event).publish, { socket, asker }, (rule) =>
      rule(socket, this.#channel, event, data),
    )
  }

  /** Decides whether a socket takes part in presence; `undefined` if no rule states anything. */
  presence(socket: ServerSocket, asker: RuleAsker): Decision | Promise<RuleDecision> {
    return this.#judge(this.#presence, { socket, asker }, (rule) => rule(socket, this.#channel))
  }

  #of(event = ''): PublishingRules {
    return this.#events ? this.#events.get(event) : this.#publishing
  }

  #judge<Rule>(
    { verdict, functions }: Statements<Rule>,
    from: Questioner,
    run: (rule: Rule) => RuleAnswer,
  ): Decision | Promise<RuleDecision> {
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

type Ask<Name extends 'subscribe' | 'presence'> = Extract<ChannelRule[Name], (...args: never[]) => unknown>

/** The socket that functions of rules are asked about, and what asks them. */
interface Questioner {
  readonly socket: ServerSocket
  readonly asker: RuleAsker
}
