import type { Position, PublicationMessage } from '@token-socket/protocol'

/** What is known of a publication, apart from its channel and data. */
export interface PublicationDetails<Data = unknown> extends Partial<Position> {
  readonly channel: string
  readonly data: Data
  /** A ULID: later ids on the channel are greater. `undefined` from the legacy server. */
  readonly id?: string | undefined
  /** Milliseconds since 1970, read from the id. */
  readonly time?: number | undefined
  readonly event?: string | undefined
  /** Who published it, of a client's message. */
  readonly meta?: { readonly uid?: string | undefined; readonly umd?: unknown } | undefined
}

/** What the publisher gets. `offset` and `epoch` are there if the channel keeps it. */
export interface Receipt extends Partial<Position> {
  readonly id: string
}

/** How to publish. */
export interface PublishOptions {
  /** The event's name. @default none */
  readonly event?: string | undefined
  /** A second publication on the channel with this key, within five minutes, is not made: a retry does no harm. @default none */
  readonly idempotencyKey?: string | undefined
}

/** Which of a channel's publications are wanted. */
export interface HistoryQuery {
  /** Only those later than the one with this id. */
  readonly after?: string | undefined
  /** Only those earlier than the one with this id. */
  readonly before?: string | undefined
  /** How many at most. @default 100 */
  readonly limit?: number | undefined
  /** The latest first. @default false */
  readonly reverse?: boolean | undefined
}

/** A publication as the application gets it. */
export function detailsOf({ type: _, ...rest }: PublicationMessage): PublicationDetails {
  return withTime(rest)
}

/** The answer to a publish, from this library's server. */
export function receiptOf(answer: unknown): Receipt | undefined {
  return (answer as { readonly id?: unknown } | null | undefined)?.id ? (answer as Receipt) : undefined
}

/** The answer to a request for history. */
export function publicationsOf(answer: unknown): readonly PublicationDetails[] {
  const { publications = [] } = Object(answer) as { readonly publications?: PublicationDetails[] }
  return publications.map(withTime)
}

function withTime(one: PublicationDetails): PublicationDetails {
  return one.id === undefined ? one : { ...one, time: timeOf(one.id) }
}

/** Source: https://github.com/ulid/spec: the first ten characters, Crockford's base 32. */
function timeOf(id: string): number {
  const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  return [...id.slice(0, 10)].reduce((time, digit) => time * 32 + digits.indexOf(digit), 0)
}
