import { encodeData } from '@token-socket/protocol'
import { type Decision, mergeDecisions } from '../claims/decision.js'
import type { Given } from '../options/option-checks.js'
import { PatternTable } from '../patterns/pattern-table.js'
import { HISTORY_SIZE } from './rule-checks.js'
import type { ChannelEventRule, ChannelHistory, ChannelRule, PublishRate } from './rule-table.js'

/** A rule, the name or pattern that it stands at, and its events ready to be looked up. */
export interface NamedRule {
  readonly name: string
  readonly rule: ChannelRule
  readonly rate: RuleRate | undefined
  readonly events: PatternTable<NamedEventRule> | undefined
  /** What it and its events keep. */
  readonly histories: readonly ChannelHistory[]
  /** Whether it or an event of it has a rate. */
  readonly hasRates: boolean
}

/** What a rule says about the events of a name or pattern. */
interface NamedEventRule extends Pick<NamedRule, 'name' | 'rate'> {
  readonly rule: ChannelEventRule
}

/** A rate that stands somewhere in the rules: what is counted for it is counted together. */
export interface RuleRate extends PublishRate {
  /** No other rate of these rules has it. */
  readonly id: number
  /** What a client is told: where in a rule it stands. */
  readonly field: 'channels.rate' | 'channels.events.rate'
}

/** A function of a rule. */
export interface NamedFunction<Ask> {
  /** Of the rule. */
  readonly name: string
  readonly ask: Ask
}

/** What rules say about a permission: those that are values together, and the functions. */
export interface Statements<Ask> {
  readonly verdict: Decision
  readonly functions: readonly NamedFunction<Ask>[]
}

type Ask<Permission> = Extract<Permission, (...args: never[]) => unknown>

/** What a rule says: `undefined` for nothing. */
type Saying<Permission> = NamedFunction<Permission | undefined>

/** What all rules say together about publishing one event on one channel. */
export interface PublishingRules {
  readonly publish: Statements<Ask<NonNullable<ChannelRule['publish']>>>
  /** How the channel keeps it, or `undefined` if it does not. */
  readonly history: Required<Given<ChannelHistory>> | undefined
  /** All of these have to have room. */
  readonly rates: readonly RuleRate[]
}

/** Makes the rules of an option ready to be asked. */
export function nameRules(rules: readonly (readonly [name: string, rule: ChannelRule])[]): NamedRule[] {
  let id = 0
  const rateOf = (rate: PublishRate | undefined, field: RuleRate['field']): RuleRate | undefined =>
    rate && { ...rate, id: id++, field }
  return rules.map(([name, rule]) => {
    const events = Object.entries(rule.events ?? {}).flatMap(([event, own]) => {
      const place = `${name} ${encodeData(event)}`
      const rate = rateOf(own?.rate, 'channels.events.rate')
      return own === undefined ? [] : [[event, { name: place, rule: own, rate }] as const]
    })
    const all = [rule, ...events.map(([, own]) => own.rule)]
    return {
      name,
      rule,
      rate: rateOf(rule.rate, 'channels.rate'),
      events: events.length > 0 ? new PatternTable<NamedEventRule>(events) : undefined,
      histories: all.flatMap(({ history }) => history || []),
      hasRates: all.some(({ rate }) => rate !== undefined),
    }
  })
}

/**
 * What the rules of a channel say of an event.
 * @param event the empty text for none; `undefined` for what no rule names
 * @param size publications that the channel keeps
 */
export function publishingRules(
  rules: readonly NamedRule[],
  event: string | undefined,
  size: number,
): PublishingRules {
  const parts = rules.map((rule) => publishingRule(rule, event))
  return {
    publish: gather(parts.flatMap(({ publish }) => publish)),
    history: mergeHistories(
      parts.flatMap(({ histories }) => histories),
      size,
    ),
    rates: parts.flatMap(({ rates }) => rates),
  }
}

/** What one rule says of an event: its events first, and what they leave out the rule itself. */
function publishingRule({ name, rule, rate, events }: NamedRule, event: string | undefined) {
  const found = event === undefined ? [] : (events?.matching(event) ?? [])
  const publish = found.filter((one) => one.rule.publish !== undefined)
  const histories = found.flatMap((one) => one.rule.history ?? [])
  return {
    publish:
      publish.length > 0
        ? publish.map((one) => ({ name: one.name, ask: one.rule.publish }))
        : [{ name, ask: rule.publish }],
    histories: histories.length > 0 ? histories : [rule.history].filter((own) => own !== undefined),
    rates: [rate, ...found.map((one) => one.rate)].filter((own) => own !== undefined),
  }
}

/** What several rules say about a permission. */
export function gather<Permission>(said: readonly Saying<Permission>[]): Statements<Ask<Permission>> {
  return {
    verdict: mergeDecisions(
      said.map(({ ask }) => (typeof ask === 'function' ? undefined : (ask as Decision))),
    ),
    functions: said.filter((one): one is NamedFunction<Ask<Permission>> => typeof one.ask === 'function'),
  }
}

/**
 * Publications that a channel keeps: the most that a rule or one of its events says; 0 if none
 * keeps anything.
 */
export function sizeOf(rules: readonly NamedRule[]): number {
  const histories = rules.flatMap((rule) => rule.histories)
  return Math.max(0, ...histories.map(({ size = HISTORY_SIZE.default }) => size))
}

function mergeHistories(
  histories: readonly (false | ChannelHistory)[],
  size: number,
): PublishingRules['history'] {
  const kept = histories.filter((history) => history !== false)
  if (kept.length === 0 || kept.length < histories.length) return undefined
  return { size, ttl: Math.max(...kept.map(({ ttl }) => ttl)) }
}
