import { encodeData } from '@token-socket/protocol'
import { type Decision, mergeDecisions } from '../claims/decision.js'
import type { Given } from '../options/option-checks.js'
import { PatternTable } from '../patterns/pattern-table.js'
import { HISTORY_SIZE } from './rule-checks.js'
import type { ChannelEventRule, ChannelHistory, ChannelRule, PublishRate } from './rule-table.js'

/** A rule, its name or pattern, and its events ready for lookup. */
export interface NamedRule {
  readonly name: string
  readonly rule: ChannelRule
  readonly rate: RuleRate | undefined
  readonly events: PatternTable<NamedEventRule> | undefined
  /** The histories of the rule and of its events. */
  readonly histories: readonly ChannelHistory[]
  /** Whether it or an event of it has a rate. */
  readonly hasRates: boolean
}

/** A rule about the events of one name or pattern. */
interface NamedEventRule extends Pick<NamedRule, 'name' | 'rate'> {
  readonly rule: ChannelEventRule
}

/** A rate of the rules. All that it counts shares one bucket. */
export interface RuleRate extends PublishRate {
  /** Unique among the rates of these rules. */
  readonly id: number
  /** Where in a rule it stands, for the client. */
  readonly field: 'channels.rate' | 'channels.events.rate'
}

/** A function of a rule. */
export interface NamedFunction<Ask> {
  /** Of the rule. */
  readonly name: string
  readonly ask: Ask
}

/** The statements of rules about a permission: the merged values, and the functions. */
export interface Statements<Ask> {
  readonly verdict: Decision
  readonly functions: readonly NamedFunction<Ask>[]
}

type Ask<Permission> = Extract<Permission, (...args: never[]) => unknown>

/** The statement of one rule: `undefined` for none. */
type Saying<Permission> = NamedFunction<Permission | undefined>

/** The merged rules about publishing one event on one channel. */
export interface PublishingRules {
  readonly publish: Statements<Ask<NonNullable<ChannelRule['publish']>>>
  /** How the channel keeps it; `undefined` if it does not. */
  readonly history: Required<Given<ChannelHistory>> | undefined
  /** Each of these has to have room. */
  readonly rates: readonly RuleRate[]
}

/** Prepares the rules of an option. */
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
 * Merges the rules of a channel for an event.
 * @param event the empty text for none; `undefined` for events that no rule names
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

/**
 * The statement of one rule about an event: its events first, then the rule itself for what they
 * leave out.
 */
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

/** Collects the statements of several rules about a permission. */
export function gather<Permission>(said: readonly Saying<Permission>[]): Statements<Ask<Permission>> {
  return {
    verdict: mergeDecisions(
      said.map(({ ask }) => (typeof ask === 'function' ? undefined : (ask as Decision))),
    ),
    functions: said.filter((one): one is NamedFunction<Ask<Permission>> => typeof one.ask === 'function'),
  }
}

/**
 * How many publications a channel keeps: the largest number of its rules and their events; 0 for
 * none.
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
