import { type Controller, findAction, nearestName } from '@token-socket/protocol'
import { ChannelPattern } from '../patterns/channel-pattern.js'
import type { Logger } from '../runtime/logger.js'
import { shorten } from '../runtime/shorten.js'
import { actionNames } from './action-names.js'
import { JsonWarnings, type SentKind } from './json-warnings.js'
import { Suggestions } from './suggestions.js'

/** The most channels that have warnings. */
const CHANNELS = 100

/** Dependencies of {@link Development}. */
export interface DevelopmentOwner {
  readonly logger: Pick<Logger, 'warn'>
  /** Returns the current trees of functions that clients can call. */
  actions(): readonly object[]
}

/**
 * Warns developers of mistakes that are no errors. Production servers have none: nothing is checked
 * there.
 */
export class Development {
  readonly #owner: DevelopmentOwner
  readonly #json: JsonWarnings
  readonly #suggestions = new Suggestions((name) => nearestName(name, this.#actionNames()))
  /** The channels with warnings, by what they lack. */
  readonly #channels = { history: new Set<string>(), presence: new Set<string>() }

  constructor(owner: DevelopmentOwner) {
    this.#owner = owner
    this.#json = new JsonWarnings(owner.logger)
  }

  /**
   * Warns of values that JSON would change in data that is about to be sent. See {@link
   * JsonWarnings.check}.
   */
  checkData(kind: SentKind, subject: string, data: unknown): void {
    this.#json.check(kind, subject, data)
  }

  /** Returns the function that an unknown name most likely means. See {@link Suggestions}. */
  nearestAction(name: string): string | undefined {
    return this.#suggestions.for(name)
  }

  /**
   * Warns of rules by the names of functions, if they match no function. @param patterns names or
   * patterns
   */
  warnOfUnusedRules(patterns: readonly string[]): void {
    const names = patterns.length > 0 ? [...this.#actionNames()] : []
    // An application may add its functions later.
    if (names.length === 0) return
    for (const pattern of patterns) {
      if (this.#isFunction(pattern) || names.some((name) => ChannelPattern.parse(pattern).matches(name)))
        continue
      const near = nearestName(pattern, names)
      const details = { option: 'functions', rule: shorten(pattern), ...(near && { didYouMean: near }) }
      this.#owner.logger.warn(details, 'a rule of functions means no function that is there')
    }
  }

  /** Warns, once for each channel, that its history was read although it keeps none. */
  warnOfNoHistory(channel: string): void {
    this.#warnOf(channel, 'history', 'a history was read of a channel that keeps nothing')
  }

  /**
   * Warns, once for each channel, that its members were read although no rule gives it presence.
   */
  warnOfNoPresence(channel: string): void {
    this.#warnOf(channel, 'presence', 'members were asked for of a channel without presence')
  }

  /**
   * Warns that a contract describes the presence of channels that no rule gives presence.
   * @param pattern the contract's
   */
  warnOfNoRule(pattern: string): void {
    this.#warnOf(
      pattern,
      'presence',
      'a contract describes the presence of channels that have none by the rules',
    )
  }

  #warnOf(channel: string, lack: keyof typeof HINTS, text: string): void {
    const warned = this.#channels[lack]
    if (warned.has(channel) || warned.size >= CHANNELS) return
    warned.add(channel)
    this.#owner.logger.warn({ option: 'channels', channel: shorten(channel), hint: HINTS[lack] }, text)
  }

  /** Not all names of a very large tree are known. */
  #isFunction(name: string): boolean {
    return this.#owner.actions().some((tree) => findAction(Object(tree) as Controller, name) !== undefined)
  }

  *#actionNames(): Generator<string> {
    for (const tree of this.#owner.actions()) yield* actionNames(tree as Controller)
  }
}

const HINTS = {
  history:
    "give the channel a rule with a history, such as channels: { 'chat-*': { history: { ttl: 86_400_000 } } }",
  presence: "give the channel a rule with presence, such as channels: { 'chat-*': { presence: true } }",
} as const
