import type { Position, PublicationMessage } from '@token-socket/protocol'

/** The properties of a publication, apart from its channel and data. */
export interface PublicationDetails<Data = unknown> extends Partial<Position> {
  readonly channel: string
  readonly data: Data
  /** A ULID: later ids on the channel are greater. `undefined` from the legacy server. */
  readonly id?: string | undefined
  /** Milliseconds since 1970, read from the id. */
  readonly time?: number | undefined
  readonly event?: string | undefined
  /** The publisher, if it is a client. */
  readonly meta?: { readonly uid?: string | undefined; readonly umd?: unknown } | undefined
}

/** The result of a publication. It has `offset` and `epoch` if the channel keeps history. */
export interface Receipt extends Partial<Position> {
  readonly id: string
}

/** Options of a publication. */
export interface PublishOptions {
  /** The event's name. @default none */
  readonly event?: string | undefined
  /**
   * Within five minutes, a second publication on the channel with this key is not made, so that a
   * retry is safe. @default none
   */
  readonly idempotencyKey?: string | undefined
}

/** Which publications of a channel's history to read. */
export interface HistoryQuery {
  /** Only publications after the one with this id. */
  readonly after?: string | undefined
  /** Only publications before the one with this id. */
  readonly before?: string | undefined
  /** The maximum number of publications. @default 100 */
  readonly limit?: number | undefined
  /** Whether the latest comes first. @default false */
  readonly reverse?: boolean | undefined
}

/** Converts a publication for the application. */
export function detailsOf({ type: _, ...rest }: PublicationMessage): PublicationDetails {
  return withTime(rest)
}

/** Reads the answer to a publication, from this library's server. */
export function receiptOf(answer: unknown): Receipt | undefined {
  return (answer as { readonly id?: unknown } | null | undefined)?.id ? (answer as Receipt) : undefined
}

/** Reads the answer to a request for history. */
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
