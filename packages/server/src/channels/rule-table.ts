import type { ServerSocket } from '../socket/server-socket.js'
import type { RuleAnswer } from './rule-asker.js'

/** How many of its publications a channel keeps. */
export interface ChannelHistory {
  /**
   * Publications of the channel, all events together: the largest of its rules and their events.
   * @default 1000
   */
  readonly size?: number | undefined
  /** Milliseconds that a publication is kept. Required. */
  readonly ttl: number
}

/** How often one socket may publish. More is refused with `rate_limited`. */
export interface PublishRate {
  /** Publications a second, at least one a day. Fractions are allowed. Required. */
  readonly perSecond: number
  /** Publications at once after a pause: a whole number. @default `perSecond`, and at least 1 */
  readonly burst?: number | undefined
}

/** Whether a client may publish: a value, or a function that decides about each publication. */
export type PublishPermission =
  | boolean
  | ((socket: ServerSocket, channel: string, event: string | undefined, data: unknown) => RuleAnswer)

/** A rule for some events of a channel. The channel's rule applies to what it leaves out. */
export interface ChannelEventRule {
  /** Whether a client may publish them. @default the rule's `publish` */
  readonly publish?: PublishPermission | undefined
  /** How long they are kept, or `false` for none. @default the rule's `history` */
  readonly history?: false | ChannelHistory | undefined
  /**
   * How often one socket may publish them on one channel, all events of this entry together. They
   * also count for the rule's own `rate`.
   * @default no limit
   */
  readonly rate?: PublishRate | undefined
}

/**
 * What clients may do on the channels of a pattern, and what these channels keep. A field that is
 * left out states nothing. Several rules for a channel have to agree: one `false`, or one function
 * that does not answer `true`, refuses.
 */
export interface ChannelRule {
  /** Whether a client may subscribe. */
  readonly subscribe?: boolean | ((socket: ServerSocket, channel: string) => RuleAnswer) | undefined
  /** Whether a client may publish. `event` is `undefined` for a publication without one. */
  readonly publish?: PublishPermission | undefined
  /** Whether a client sees the other members, and is seen. */
  readonly presence?: boolean | ((socket: ServerSocket, channel: string) => RuleAnswer) | undefined
  /** What is kept: the largest of several rules, but nothing if one is `false`. @default false */
  readonly history?: false | ChannelHistory | undefined
  /** How often one socket may publish on one channel, all events together. @default no limit */
  readonly rate?: PublishRate | undefined
  /**
   * Rules for some events, by name or pattern; `''` is a publication without an event. Several that
   * match an event apply together, as several rules do.
   * @default {}
   */
  readonly events?: Readonly<Record<string, ChannelEventRule>> | undefined
}

/** The server's rules: by channel, or pattern of channels. */
export type ChannelRuleTable = Readonly<Record<string, ChannelRule>>
