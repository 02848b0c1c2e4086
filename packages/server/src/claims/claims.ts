import { encodeData, RpcError } from '@token-socket/protocol'
import { FieldReader } from '../options/field-reader.js'
import type { Decision } from './decision.js'

/** What claims allow a user to send on a channel. A field that is left out states nothing. */
export interface MessageClaims {
  /** Whether the user may publish this event. An explicit `false` beats any `true`. */
  readonly publish?: boolean
  /** Whether the sender receives its own publications of this event. @default false where `publish` is true */
  readonly echo?: boolean
  /** Seconds that such a publication is kept in the channel's history. @default 0 */
  readonly store?: number
}

/** What claims allow a user to do on a channel. A field that is left out states nothing. */
export interface ChannelClaims {
  /** Whether the user may subscribe. An explicit `false` beats any `true`. */
  readonly subscribe?: boolean
  /**
   * Whether the server subscribes the socket automatically, which also allows it. Only `false` is
   * valid on a pattern.
   */
  readonly autoSubscribe?: boolean
  /**
   * Seconds since 1970 from which on the user may read the history; 0 for all of it. @default none
   * of it
   */
  readonly historyStart?: number
  /** By event, or pattern of events. A publication without an event has the empty name. */
  readonly messages?: Readonly<Record<string, MessageClaims>>
}

/**
 * A user's identity and permissions: what `authentication` may return, or a signed token may state.
 */
export interface TokenClaims {
  /** The user's id, for presence and for the user's publications. At most 128 UTF-16 code units. */
  readonly uid?: string
  /** User metadata that others see: any JSON, at most 4 KiB. */
  readonly umd?: unknown
  /**
   * By channel, or pattern of channels. If it is present, even empty, what nothing allows is
   * refused.
   */
  readonly channels?: Readonly<Record<string, ChannelClaims>>
}

/** {@link MessageClaims}, checked. */
export interface MessageGrant {
  readonly publish: Decision
  readonly echo: Decision
  /** Milliseconds. */
  readonly store: number
}

/** {@link ChannelClaims}, checked. */
export interface ChannelGrant {
  readonly subscribe: Decision
  readonly autoSubscribe: Decision
  /** Milliseconds since 1970. */
  readonly historyStart: number | undefined
  readonly messages: ReadonlyMap<string, MessageGrant>
}

/** {@link TokenClaims}, checked. Nothing in it is inherited. */
export interface Claims {
  readonly uid: string | undefined
  /** `undefined` if there is none; `null` is a value. */
  readonly umd: unknown
  /** `undefined` if the claims state nothing about channels; an empty table allows nothing. */
  readonly channels: ReadonlyMap<string, ChannelGrant> | undefined
}

/** Limits on claims. */
export const CLAIM_LIMITS = {
  /** UTF-16 code units. */
  uid: 128,
  /** Bytes as JSON. */
  umd: 4096,
  /** Entries of `channels`. */
  channels: 1000,
  /** Entries of one channel's `messages`. */
  messages: 100,
  /** Instructions of all regular expressions together: the largest cost of one lookup. */
  program: 5000,
  /** Seconds: the end of the year 9999. A larger number is milliseconds by mistake. */
  historyStart: 253_402_300_799,
  /** Seconds: 100 years. */
  store: 3_155_695_200,
} as const

const CHANNEL_FIELDS = new Set(['subscribe', 'autoSubscribe', 'historyStart', 'messages'])
const MESSAGE_FIELDS = new Set(['publish', 'echo', 'store'])

/** Options of {@link readClaims}. */
export interface ReadClaimsOptions {
  /** Bytes that `umd` may have as JSON. @default 4096 */
  readonly umd?: number
}

/**
 * Reads `uid`, `umd` and `channels` of claims, and ignores other claims.
 * @returns `undefined` if there is none of them
 * @throws RpcError `bad_claims` for the first wrong field. It refuses all of them, because half a
 *   set of permissions could lack an explicit `false`.
 */
export function readClaims(value: unknown, options: ReadClaimsOptions = {}): Claims | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const own = (name: string) => (Object.hasOwn(value, name) ? value[name as keyof typeof value] : undefined)
  const [uid, umd, channels] = [own('uid'), own('umd'), own('channels')]
  if (uid === undefined && umd === undefined && channels === undefined) return undefined
  return {
    uid: readUid(uid),
    umd: readUmd(umd, options.umd ?? CLAIM_LIMITS.umd),
    channels: channels === undefined ? undefined : new ChannelsReader().read(channels),
  }
}

/**
 * Checks channels that were merged from several claims against the limits of one set.
 * @throws RpcError `bad_claims`, naming the limit
 */
export function checkChannels(channels: ReadonlyMap<string, ChannelGrant>): void {
  if (channels.size > CLAIM_LIMITS.channels) throw reader.over('channels', CLAIM_LIMITS.channels)
  const budget = new RegexBudget()
  for (const [name, { messages }] of channels) {
    const field = reader.entry('channels', name)
    if (messages.size > CLAIM_LIMITS.messages) throw reader.over(`${field}.messages`, CLAIM_LIMITS.messages)
    budget.spend(name, field)
    for (const event of messages.keys()) budget.spend(event, reader.entry(`${field}.messages`, event))
  }
}

const reader = new FieldReader('bad_claims')

function readUid(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') {
    throw reader.wrong('uid', 'has to be a string that is not empty')
  }
  if (value.length > CLAIM_LIMITS.uid) throw reader.over('uid', CLAIM_LIMITS.uid)
  return value
}

function readUmd(value: unknown, limit: number): unknown {
  if (value === undefined) return undefined
  const json = umdAsJson(value)
  if (Buffer.byteLength(json) > limit) throw reader.over('umd', limit)
  return value
}

function umdAsJson(value: unknown): string {
  try {
    return encodeData(value)
  } catch (cause) {
    throw RpcError.is(cause) ? reader.wrong('umd', 'has to be JSON') : cause
  }
}

/** Adds up the cost of the regular expressions in one set of claims. */
class RegexBudget {
  #left: number = CLAIM_LIMITS.program

  /**
   * Parses a name.
   * @returns whether it is no pattern
   * @throws RpcError `bad_claims` for a bad pattern, or one too many
   */
  spend(text: string, field: string): boolean {
    const { isExact, programSize } = reader.pattern(text, field)
    this.#left -= programSize
    if (this.#left < 0) {
      throw reader.wrong(field, 'is one regular expression too many', CLAIM_LIMITS.program)
    }
    return isExact
  }
}

/** Reads one `channels`. */
class ChannelsReader {
  readonly #budget = new RegexBudget()

  read(value: unknown): ReadonlyMap<string, ChannelGrant> {
    const entries = reader.entries(value, 'channels', CLAIM_LIMITS.channels)
    return new Map(entries.map(([name, claims]) => [name, this.#channel(name, claims)]))
  }

  #channel(name: string, value: unknown): ChannelGrant {
    const field = reader.entry('channels', name)
    if (name === '') throw reader.wrong(field, 'has to be a name')
    const isExact = this.#budget.spend(name, field)
    const fields = reader.fields(value, field, CHANNEL_FIELDS)
    const autoSubscribe = reader.verdict(fields.get('autoSubscribe'), `${field}.autoSubscribe`)
    if (autoSubscribe && !isExact) throw reader.wrong(`${field}.autoSubscribe`, 'needs a name, not a pattern')
    return {
      // A subscription by the server that is refused after a reconnect would help no user.
      subscribe:
        reader.verdict(fields.get('subscribe'), `${field}.subscribe`) ?? (autoSubscribe || undefined),
      autoSubscribe,
      historyStart: milliseconds(fields.get('historyStart'), field, 'historyStart'),
      messages: this.#messages(fields.get('messages'), `${field}.messages`),
    }
  }

  #messages(value: unknown, field: string): ReadonlyMap<string, MessageGrant> {
    const entries = value === undefined ? [] : reader.entries(value, field, CLAIM_LIMITS.messages)
    return new Map(entries.map(([event, claims]) => [event, this.#message(event, claims, field)]))
  }

  #message(event: string, value: unknown, parent: string): MessageGrant {
    const field = reader.entry(parent, event)
    this.#budget.spend(event, field)
    const fields = reader.fields(value, field, MESSAGE_FIELDS)
    return {
      publish: reader.verdict(fields.get('publish'), `${field}.publish`),
      echo: reader.verdict(fields.get('echo'), `${field}.echo`),
      store: milliseconds(fields.get('store'), field, 'store') ?? 0,
    }
  }
}

function milliseconds(value: unknown, field: string, name: 'historyStart' | 'store'): number | undefined {
  if (value === undefined) return undefined
  return Math.round(reader.number(value, `${field}.${name}`, CLAIM_LIMITS[name]) * 1000)
}
