import type { ServerSocket } from '../socket/server-socket.js'
import type { RuleAnswer } from './rule-asker.js'

/** How much a channel keeps of what was published on it. */
export interface ChannelHistory {
  /**
   * Publications of the channel, all events together: the largest of its rules and their events.
   * @default 1000
   */
  readonly size?: number | undefined
  /** Milliseconds that a publication is kept. Required. */
  readonly ttl: number
}

/** How often one socket may publish. What is over it is refused with `rate_limited`. */
export interface PublishRate {
  /** Publications a second, at least one a day; it may be a fraction. Required. */
  readonly perSecond: number
  /** Publications at once after a rest: a whole number. @default `perSecond`, and at least 1 */
  readonly burst?: number | undefined
}

/** Whether a client may publish: a value, or a function that is asked about each publication. */
export type PublishPermission =
  | boolean
  | ((socket: ServerSocket, channel: string, event: string | undefined, data: unknown) => RuleAnswer)

/** What a rule says about some events of its channels. What is left out, the rule itself says. */
export interface ChannelEventRule {
  /** Whether a client may publish them. @default the rule's `publish` */
  readonly publish?: PublishPermission | undefined
  /** How long they are kept, or `false` for not at all. @default the rule's `history` */
  readonly history?: false | ChannelHistory | undefined
  /**
   * How often one socket may publish them on one channel, all events of this entry together. The
   * rule's own `rate` counts them, too.
   * @default not bounded
   */
  readonly rate?: PublishRate | undefined
}

/**
 * What clients may do on the channels of a pattern, and what these channels keep. Left out means
 * that this rule says nothing. Of several rules for a channel all have to agree: one `false`, or
 * one function that does not answer `true`, refuses.
 */
export interface ChannelRule {
  /** Whether a client may subscribe. */
  readonly subscribe?: boolean | ((socket: ServerSocket, channel: string) => RuleAnswer) | undefined
  /** Whether a client may publish. `event` is `undefined` for a publication without one. */
  readonly publish?: PublishPermission | undefined
  /** Whether a client sees who else is there, and is seen. */
  readonly presence?: boolean | ((socket: ServerSocket, channel: string) => RuleAnswer) | undefined
  /** What is kept: the largest of several, but nothing if one is `false`. @default false */
  readonly history?: false | ChannelHistory | undefined
  /** How often one socket may publish on one channel, all events together. @default not bounded */
  readonly rate?: PublishRate | undefined
  /**
   * What differs for some events, by name, or pattern of names; `''` is a publication without an
   * event. Of several that mean an event all count, as of several rules.
   * @default {}
   */
  readonly events?: Readonly<Record<string, ChannelEventRule>> | undefined
}

/** The server's rules: by channel, or pattern of channels. */
export type ChannelRuleTable = Readonly<Record<string, ChannelRule>>
